using System.Buffers.Binary;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;
using Governor.Journal.Log;
using Npgsql;
using static Governor.Journal.Tests.Samples;

namespace Governor.Journal.Tests.Log;

/// <summary>What the tests of the log have in common: many leaves quickly, a naive tree to compare with, waits.</summary>
internal static class LogGround
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Grows the log to a size, with few large commits, and waits for the checkpoint over it.</summary>
    public static async Task<LogCheckpoint> GrowAsync(this Silo silo, long size)
    {
        const int EventsPerCommit = 1000;
        var missing = size - await silo.Reader.CountAsync(CancellationToken.None);
        var commits = new List<Task>();
        for (; missing > 0; missing -= EventsPerCommit)
        {
            var name = $"{Guid.NewGuid():n}";
            var events = Enumerable.Range(0, (int)Math.Min(missing, EventsPerCommit)).Select(_ => Event(name));
            commits.Add(silo.CommitAsync(Commit(name, 0, [.. events])));
        }
        await Task.WhenAll(commits);
        return await silo.Reader.WaitForCheckpointAsync(CancellationToken.None);
    }

    /// <summary>The hashes of all leaves, from the records themselves.</summary>
    public static async Task<TreeHash[]> LeafHashesAsync(this JournalBed bed)
    {
        await using var connection = new NpgsqlConnection(bed.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT e.record FROM governor.log_segment s JOIN governor.governance_event e ON e.batch = s.batch ORDER BY s.leaf, e.ordinal", connection);
        await using var reader = await command.ExecuteReaderAsync();
        var hashes = new List<TreeHash>();
        while (await reader.ReadAsync())
            hashes.Add(AuditRecord.HashOf(reader.GetFieldValue<byte[]>(0)));
        return [.. hashes];
    }

    /// <summary>Demands that every tile of the tree of this size is there, as wide as it must be, and what the definition says.</summary>
    public static async Task DemandTilesAsync(this Silo silo, TreeHash[] leaves, long size)
    {
        for (var level = 0; Tile.HashesAt(level, size) > 0; level++)
        {
            var tiles = Enumerable.Range(0, (int)((Tile.HashesAt(level, size) + Tile.FullWidth - 1) >> Tile.Height)).Select(index => Tile.In(size, level, index)).ToArray();
            var stored = await silo.Log.TilesAsync(tiles, CancellationToken.None);
            foreach (var tile in tiles)
                Assert.Equal(Naive(leaves, tile), stored[tile].ToArray());
        }
    }

    /// <summary>A tile by its definition: roots of perfect subtrees.</summary>
    public static byte[] Naive(TreeHash[] leaves, Tile tile)
    {
        var span = 1 << (Tile.Height * tile.Level);
        var hashes = new byte[tile.Width * TreeHash.Size];
        for (var i = 0; i < tile.Width; i++)
            MerkleTree.Root(leaves.AsSpan((int)((tile.Index << Tile.Height) + i) * span, span)).CopyTo(hashes.AsSpan(i * TreeHash.Size));
        return hashes;
    }

    public static List<byte[]> Split(ReadOnlySpan<byte> bundle)
    {
        var records = new List<byte[]>();
        while (!bundle.IsEmpty)
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(bundle);
            records.Add(bundle.Slice(2, length).ToArray());
            bundle = bundle[(2 + length)..];
        }
        return records;
    }

    public static bool IsSignedBy(this LogCheckpoint checkpoint, VerifierKey key) =>
        SignedNote.TryParse(checkpoint.Note, out var note) && note.Verify(key) == NoteVerdict.Good;

    /// <summary>Waits until the sequencer says this of itself.</summary>
    public static async Task<LogHealthReport> UntilAsync(this Silo silo, LogRole role, Predicate<LogHealthReport>? and = null)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            return await silo.Health.UntilAsync(report => report.Role == role && and?.Invoke(report) != false, patience.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"waited for {role}, the last report was {silo.Health.Current}");
        }
    }

    public static async Task RefusesAsync(this Silo silo, string reason)
    {
        var report = await silo.UntilAsync(LogRole.Refusing);
        Assert.Contains(reason, report.Reason, StringComparison.Ordinal);
    }

    /// <summary>As somebody who may do everything and leaves no trace.</summary>
    public static Task<object?> AlterAsync(this JournalBed bed, string sql) => bed.AskAsync($"SET session_replication_role = replica; {sql}");

    /// <summary>The server has no way to tell us that one of its backends waits; it is asked until it says so.</summary>
    public static async Task UntilAsync(this JournalBed bed, string condition)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (await bed.AskAsync(condition) is not true)
            patience.Token.ThrowIfCancellationRequested();
    }

    /// <summary>A place outside the database that holds what the test puts there.</summary>
    internal sealed class Place(params OutsideCheckpoint[] kept) : IOutsideCheckpoints
    {
        public OutsideCheckpoint[] Kept { get; set; } = kept;

        public Exception? Fault { get; set; }

        public Task<IReadOnlyList<OutsideCheckpoint>> ReadAsync(CancellationToken cancellation) =>
            Fault is { } fault ? Task.FromException<IReadOnlyList<OutsideCheckpoint>>(fault) : Task.FromResult<IReadOnlyList<OutsideCheckpoint>>(Kept);
    }
}
