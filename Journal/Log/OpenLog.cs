using Governor.Domain.Audit;
using Governor.Domain.Transparency;
using Npgsql;

namespace Governor.Journal.Log;

/// <summary>
/// The log while this silo leads: its tree up to what has been read, and its keys up to there. A step that fails ends the lead, so
/// that this never differs from what is stored.
/// </summary>
internal sealed class OpenLog
{
    /// <summary>Leaves of one query: bounds what the server sorts at once, and the tiles in memory.</summary>
    public const long Step = 65_536;

    private OpenLog(TiledTree tree, LogKeyring keys, long? signed)
    {
        Tree = tree;
        Keys = keys;
        Signed = signed;
    }

    public TiledTree Tree { get; private set; }

    public LogKeyring Keys { get; private set; }

    /// <summary>The size of the newest checkpoint; null before the first, which is signed also when it is empty.</summary>
    public long? Signed { get; set; }

    /// <summary>How many leaves have their place; more than the tree has when a predecessor did not come to sign them.</summary>
    public long Placed { get; set; }

    /// <summary>The log is stored without the key that it began with: to be stored with the next checkpoint.</summary>
    public bool LacksGenesis { get; set; }

    /// <summary>Opens the log at its newest checkpoint, and makes missing tiles again.</summary>
    /// <exception cref="LogContradictionException">What is stored cannot be the log that was signed.</exception>
    public static async Task<OpenLog> AtAsync(NpgsqlConnection connection, VerifierKey first, CancellationToken cancellation)
    {
        var last = await LogTables.LastCheckpointAsync(connection, cancellation);
        var genesis = await LogTables.GenesisAsync(connection, cancellation);
        var stored = await TreeTables.PresenceAsync(connection, last?.Size ?? 0, cancellation);
        if (stored == TilePresence.TooMany)
            throw new LogContradictionException($"there are tiles that a tree of {last?.Size ?? 0} leaves does not have: the database was altered. Nothing is signed until it is restored");
        if (last is null)
            return new OpenLog(new TiledTree(), LogKeyring.Of(genesis ?? first), null) { LacksGenesis = genesis is null };

        var note = NoteOf(last, first.Name);
        var keys = await KeyStatements.ReadAsync(connection, genesis ?? first, last.Size, cancellation);
        if (!keys.At(last.Size).Any(key => note.Verify(key) == NoteVerdict.Good))
            throw new LogContradictionException($"the stored checkpoint of {last.Size} leaves is not signed by {string.Join(" or ", keys.At(last.Size))}. Set Governor:Journal:LogKeyFile and Governor:Journal:Origin to those of this log; nothing is signed until then");
        var tree = stored == TilePresence.Complete ? await EdgeAsync(connection, last, cancellation) : null;
        tree ??= await RebuildAsync(connection, last, cancellation);
        return new OpenLog(tree, keys, last.Size) { LacksGenesis = genesis is null };
    }

    /// <summary>Reads the leaves up to <paramref name="placed"/>, a border between batches.</summary>
    /// <exception cref="LogContradictionException">They are not all there, or one of them changes keys and may not.</exception>
    public async Task AppendAsync(NpgsqlConnection connection, long placed, CancellationToken cancellation)
    {
        if (placed == Tree.Size)
            return;
        await using var command = LogTables.LeavesAndKeys(connection, Tree.Size, placed);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            var record = reader.GetFieldValue<byte[]>(0);
            if (KeyStatements.MayBeIn(record))
                Keys = KeyStatements.Follow(Keys, Tree.Size, record, LogTables.Payload(reader, 1));
            Tree.Append(AuditRecord.HashOf(record));
        }
        DemandAll(Tree.Size, placed);
    }

    /// <summary>The tree as if all placed leaves were in it, for looking ahead: nothing of it is kept.</summary>
    /// <param name="at">Is told of every size on the way.</param>
    public async Task LookAheadAsync(NpgsqlConnection connection, long placed, Action<TiledTree> at, CancellationToken cancellation)
    {
        var ahead = new TiledTree(Tree.Size, Tree.Edge);
        await StreamAsync(connection, ahead, placed, at, _ => Task.CompletedTask, cancellation);
    }

    private static SignedNote NoteOf(StoredCheckpoint last, string origin)
    {
        if (!SignedNote.TryParse(last.Note, out var note) || !Checkpoint.TryParse(note.Text, out var signed) || signed.Size != last.Size || signed.Root != last.Root)
            throw new LogContradictionException($"the stored checkpoint of {last.Size} leaves does not agree with itself: the database was altered. Nothing is signed until it is restored");
        if (signed.Origin != origin)
            throw new LogContradictionException($"the stored checkpoint of {last.Size} leaves is one of the log '{signed.Origin}', not of '{origin}'. Set Governor:Journal:Origin to that of this log; nothing is signed until then");
        return note;
    }

    /// <summary>The tree from its edge; null when the edge is not that of the signed tree.</summary>
    private static async Task<TiledTree?> EdgeAsync(NpgsqlConnection connection, StoredCheckpoint last, CancellationToken cancellation)
    {
        try
        {
            var tree = new TiledTree(last.Size, await TreeTables.EdgeAsync(connection, cancellation));
            return tree.Root == last.Root ? tree : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Makes the tree again from the leaves, in one transaction: of a tree that is not the signed one nothing is kept.</summary>
    private static async Task<TiledTree> RebuildAsync(NpgsqlConnection connection, StoredCheckpoint last, CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        var tree = new TiledTree();
        await StreamAsync(
            connection, tree, last.Size, _ => { },
            async completed =>
            {
                if (completed.Count > 0 && await TreeTables.RestoreAsync(connection, completed, cancellation) is { } other)
                    throw new LogContradictionException($"the stored tile {other} is not that of its leaves: the database was altered. Restore it, or have the owner of the schema empty governor.log_tile, which is made again; nothing is signed until then");
            },
            cancellation);
        if (tree.Root != last.Root)
            throw new LogContradictionException($"the signed root of {last.Size} leaves is {last.Root}, the leaves give {tree.Root}: the database was altered. Nothing is signed until it is restored");
        await TreeTables.RestoreEdgeAsync(connection, tree.Edge, cancellation);
        await transaction.CommitAsync(cancellation);
        return tree;
    }

    private static async Task StreamAsync(
        NpgsqlConnection connection, TiledTree tree, long end, Action<TiledTree> at, Func<IReadOnlyList<TileHashes>, Task> completed, CancellationToken cancellation)
    {
        while (tree.Size < end)
        {
            var border = Math.Min(end, await LogTables.BorderAsync(connection, tree.Size + Step, cancellation));
            await using (var command = LogTables.LeavesAndKeys(connection, tree.Size, border))
            {
                await using var reader = await command.ExecuteReaderAsync(cancellation);
                while (await reader.ReadAsync(cancellation))
                {
                    tree.Append(AuditRecord.HashOf(reader.GetFieldValue<byte[]>(0)));
                    at(tree);
                }
            }
            DemandAll(tree.Size, border);
            await completed(tree.TakeCompleted());
        }
    }

    private static void DemandAll(long read, long placed)
    {
        if (read != placed)
            throw new LogContradictionException($"the log has {placed} places, {read} events are there: the database was altered. Nothing is signed until it is restored");
    }
}

/// <summary>What is stored cannot be the log that was signed.</summary>
internal sealed class LogContradictionException(string message) : Exception(message);

/// <summary>The log is well as far as it is known, and must not be signed now.</summary>
internal sealed class LogRefusalException(string message) : Exception(message);
