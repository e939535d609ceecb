using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Governor.Journal.Log;

/// <summary>
/// Compares the log with every checkpoint of it that is kept outside the database, before this silo signs anything. Whatever key of
/// this log signed one: a key that was replaced in this history may not have been replaced in the one that was shown.
/// </summary>
internal sealed partial class OutsideChecks(IEnumerable<IOutsideCheckpoints> places, ILogSigner signer, ILogger log)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <exception cref="LogContradictionException">The log is behind one of them, or has another history.</exception>
    /// <exception cref="LogRefusalException">One of the places cannot be asked.</exception>
    public async Task DemandAsync(NpgsqlConnection connection, OpenLog open, CancellationToken cancellation)
    {
        var outside = await BelievedAsync(connection, open, cancellation);
        foreach (var kept in outside.Where(kept => kept.Checkpoint.Size <= open.Tree.Size))
            Compare(kept, await StoredRootAsync(connection, kept.Checkpoint.Size, cancellation));
        var ahead = outside.Where(kept => kept.Checkpoint.Size > open.Tree.Size).ToLookup(kept => kept.Checkpoint.Size);
        if (ahead.Count > 0)
            await LookAheadAsync(connection, open, ahead, cancellation);
    }

    /// <summary>A checkpoint was signed, kept outside, and lost in the database, but perhaps not the events: these are placed now, as they were.</summary>
    private static async Task LookAheadAsync(NpgsqlConnection connection, OpenLog open, ILookup<long, Kept> ahead, CancellationToken cancellation)
    {
        var farthest = ahead.MaxBy(kept => kept.Key)!.First();
        var (placed, waiting) = await LogTables.ExtentAsync(connection, cancellation);
        if (placed + waiting < farthest.Checkpoint.Size)
            throw new LogContradictionException($"{farthest} has {farthest.Checkpoint.Size} leaves, the database {placed + waiting}: it was rolled back, or an old copy of it was restored. Nothing is signed until the newer database is back");
        for (Placed taken; placed < farthest.Checkpoint.Size; placed = taken.Size)
            taken = await LogTables.TakePendingAsync(connection, placed, int.MaxValue, OpenLog.Step, cancellation);
        await open.LookAheadAsync(
            connection, placed,
            tree =>
            {
                foreach (var kept in ahead[tree.Size])
                    Compare(kept, tree.Root);
            },
            cancellation);
    }

    private static void Compare(Kept kept, TreeHash ours)
    {
        if (kept.Checkpoint.Root != ours)
            throw new LogContradictionException($"{kept} has the root {kept.Checkpoint.Root} at {kept.Checkpoint.Size} leaves, the database {ours}: its history was rewritten, or somebody else signs with this key. Nothing is signed until the right history is back");
    }

    private static async Task<TreeHash> StoredRootAsync(NpgsqlConnection connection, long size, CancellationToken cancellation)
    {
        try
        {
            return await TileProofs.RootAsync(size, async tiles => await TreeTables.ReadAsync(connection, tiles, cancellation));
        }
        catch (TileMissingException e)
        {
            throw new LogContradictionException($"{e.Message}: the database was altered. Nothing is signed until it is restored");
        }
    }

    private async Task<List<Kept>> BelievedAsync(NpgsqlConnection connection, OpenLog open, CancellationToken cancellation)
    {
        var found = new List<OutsideCheckpoint>();
        foreach (var place in places)
            found.AddRange(await AskAsync(place, cancellation));
        var believed = new List<Kept>();
        if (found.Count == 0)
            return believed;
        var keys = await KeyStatements.ReadAsync(connection, open.Keys.Genesis, null, cancellation);
        foreach (var kept in found)
        {
            if (!SignedNote.TryParse(kept.Note, out var note) || !Checkpoint.TryParse(note.Text, out var checkpoint) || checkpoint.Origin != signer.First.Name)
                LogNotOurs(kept.Where);
            else if (SignerOf(note, keys.All) is not { } key)
                LogNotSigned(kept.Where, checkpoint.Size);
            else
                believed.Add(new Kept(kept.Where, checkpoint, key));
        }
        return believed;
    }

    private static async Task<IReadOnlyList<OutsideCheckpoint>> AskAsync(IOutsideCheckpoints place, CancellationToken cancellation)
    {
        try
        {
            return await place.ReadAsync(cancellation).WaitAsync(Patience, cancellation);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellation.IsCancellationRequested)
        {
            // Whatever it is: what is not known cannot be compared.
            throw new LogRefusalException($"a place that keeps checkpoints of this log cannot be asked ({place.GetType().Name}): {e.Message}");
        }
    }

    private VerifierKey? SignerOf(SignedNote note, IEnumerable<VerifierKey> known)
    {
        var keys = known.ToList();
        foreach (var signature in note.Signatures.Where(signature => signature.Name == signer.First.Name))
        {
            // A database that lost the key's own record does not know it; its file may still be here.
            var key = keys.Find(key => key.Id == signature.KeyId) ?? Held(signature.KeyId);
            if (key is not null && note.Verify(key) == NoteVerdict.Good)
                return key;
        }
        return null;
    }

    private VerifierKey? Held(uint keyId)
    {
        try
        {
            return signer.Find(keyId);
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw new LogRefusalException($"a key of the log cannot be read: {e.Message}");
        }
    }

    [LoggerMessage(LogLevel.Warning, "What is kept in {Place} is not a checkpoint of this log; it is not compared")]
    private partial void LogNotOurs(string place);

    [LoggerMessage(LogLevel.Warning, "The checkpoint of {Size} leaves in {Place} is not signed by a key that this log or this silo knows; it is not compared. Find out who put it there")]
    private partial void LogNotSigned(string place, long size);

    private sealed record Kept(string Where, Checkpoint Checkpoint, VerifierKey Key)
    {
        public override string ToString() => $"the checkpoint in {Where}, signed by {Key},";
    }
}
