using System.Collections.Immutable;
using System.IO.Pipelines;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;
using Governor.Journal.Log;
using Npgsql;

namespace Governor.Journal.Recovery;

/// <summary>What is wrong beside the log itself.</summary>
public enum JournalFaultClass
{
    /// <summary>The stored bytes are not a record.</summary>
    UnreadableRecord,

    /// <summary>A leaf has its place in the log, and its record is not there.</summary>
    MissingRecord,

    /// <summary>A record does not follow the one before it in its chain.</summary>
    BrokenChain,

    /// <summary>The stored head of a chain is not its last record.</summary>
    AlteredHead,

    /// <summary>A state is not the one that its last record commits to: it was altered, or changed without a record.</summary>
    AlteredState,

    /// <summary>A grain has records and no state.</summary>
    MissingState,

    /// <summary>A grain has a state and no record.</summary>
    UnrecordedState,

    /// <summary>A tile is not what the records hash to.</summary>
    AlteredTile,
}

/// <param name="Where">The chain, the grain, or the tile.</param>
/// <param name="Index">The sequence in the chain, or the version of the state; -1 where there is none.</param>
public sealed record JournalFinding(JournalFaultClass Class, string Where, long Index, string Detail)
{
    public override string ToString() => $"{Class} at {Where}{(Index < 0 ? "" : $" {Index}")}: {Detail}";
}

/// <param name="Log">The log, verified from an export of this moment.</param>
/// <param name="Findings">Where the tables beside the log do not agree with the records; at most <see cref="JournalCheck.MostFindings"/>.</param>
public sealed record JournalCheckReport(AuditVerdict Log, ImmutableArray<JournalFinding> Findings)
{
    public bool IsClean => Log.Outcome == AuditOutcome.Ok && Findings.IsEmpty;
}

/// <summary>
/// Derives everything in the live database again from the bytes of the records, and of the archives of closed months where these are
/// given: the log with its chains, checkpoints and tiles, the heads of the chains, and the states, of which every record holds the hash.
/// Memory by the number of grains and subjects.
/// </summary>
public sealed class JournalCheck(JournalDatabase database, IAuditReader reader)
{
    public const int MostFindings = 100;

    // In the order of the log; what waits for its place in it comes last, in the order in which it was committed.
    private const string AllRecords = """
        SELECT s.leaf + e.ordinal, e.record
        FROM governor.governance_event e LEFT JOIN governor.log_segment s ON s.batch = e.batch
        ORDER BY s.leaf + e.ordinal NULLS LAST, e.batch, e.ordinal
        """;

    /// <param name="archives">Files of closed months whose records are not in the database any more, oldest first.</param>
    public async Task<JournalCheckReport> RunAsync(CancellationToken cancellation, params IReadOnlyList<string> archives)
    {
        await using var connection = await database.OpenOwnAsync(cancellation);
        // One moment for records, heads and states; the log is verified up to its newest checkpoint, which is one of another moment.
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellation);
        await using (var patience = new NpgsqlCommand("SET LOCAL statement_timeout = 0", connection))
            await patience.ExecuteNonQueryAsync(cancellation);
        var replay = new RecordReplay();
        await using var beside = await database.OpenOwnAsync(cancellation);
        var tiles = new TileComparison(beside, (await LogTables.LastCheckpointAsync(connection, cancellation))?.Size ?? 0);
        await ReplayAsync(connection, archives, replay, tiles, cancellation);
        await CompareHeadsAsync(connection, replay, cancellation);
        await CompareStatesAsync(connection, replay, cancellation);
        await transaction.CommitAsync(cancellation);
        var (log, hole) = await VerifyLogAsync(archives, cancellation);
        return new JournalCheckReport(log, [.. hole, .. replay.Findings.Concat(tiles.Findings).Take(MostFindings - hole.Length)]);
    }

    // The border between an archived month and the database is not sharp: both are merged by their place in the log.
    private static async Task ReplayAsync(
        NpgsqlConnection connection, IReadOnlyList<string> archives, RecordReplay replay, TileComparison tiles, CancellationToken cancellation)
    {
        using var archived = new ArchivedLeaves(archives);
        await using var command = new NpgsqlCommand(AllRecords, connection);
        await using var rows = await command.ExecuteReaderAsync(cancellation);
        while (await rows.ReadAsync(cancellation))
        {
            var leaf = rows.IsDBNull(0) ? long.MaxValue : rows.GetInt64(0);
            while (archived.TryTakeBefore(leaf, out var earlier))
                await TakeAsync(earlier.Index, earlier.Record);
            await TakeAsync(leaf, rows.GetFieldValue<byte[]>(1));
        }
        while (archived.TryTakeBefore(long.MaxValue, out var later))
            await TakeAsync(later.Index, later.Record);
        await tiles.CompareAsync(cancellation);

        Task TakeAsync(long leaf, byte[] record)
        {
            replay.Take(record);
            return tiles.TakeAsync(leaf, record, cancellation);
        }
    }

    private static async Task CompareHeadsAsync(NpgsqlConnection connection, RecordReplay replay, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT chain, sequence, hash FROM governor.chain_head ORDER BY chain", connection);
        await using var rows = await command.ExecuteReaderAsync(cancellation);
        while (await rows.ReadAsync(cancellation))
            replay.CompareHead(rows.GetString(0), new ChainHead(rows.GetInt64(1), new TreeHash(rows.GetFieldValue<byte[]>(2))));
        replay.HeadsEnd();
    }

    private static async Task CompareStatesAsync(NpgsqlConnection connection, RecordReplay replay, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT subject, key, version, sha256(state) FROM governor.grain_state ORDER BY subject, key", connection);
        await using var rows = await command.ExecuteReaderAsync(cancellation);
        while (await rows.ReadAsync(cancellation))
            replay.CompareState(new GrainKey(rows.GetString(0), rows.GetString(1)), rows.GetInt64(2), new TreeHash(rows.GetFieldValue<byte[]>(3)));
        replay.StatesEnd();
    }

    private async Task<(AuditVerdict Verdict, JournalFinding[] Hole)> VerifyLogAsync(IReadOnlyList<string> archives, CancellationToken cancellation)
    {
        var genesis = (await reader.KeysAsync(cancellation)).Genesis;
        var pipe = new Pipe();
        var verifying = Task.Run(
            () =>
            {
                using var export = pipe.Reader.AsStream();
                var files = archives.Select(File.OpenRead).ToArray();
                try
                {
                    return AuditVerifier.Verify([.. files, export], AuditTrust.In(genesis));
                }
                finally
                {
                    foreach (var file in files)
                        file.Dispose();
                }
            },
            CancellationToken.None);
        try
        {
            await using var output = pipe.Writer.AsStream();
            await reader.ExportAsync(output, 0, cancellation);
        }
        catch (LeafMissingException e)
        {
            return (await verifying, [new JournalFinding(JournalFaultClass.MissingRecord, "the log", e.Leaf, e.Message)]);
        }
        return (await verifying, []);
    }
}
