using System.Collections.Immutable;
using Governor.Domain.Transparency;
using Governor.Journal.Log;
using Npgsql;

namespace Governor.Journal.Recovery;

/// <summary>Compares a database with checkpoints that were published from it, or from the one that it is a copy of.</summary>
internal sealed class OutsideComparison(NpgsqlConnection connection)
{
    /// <returns>Where the database is behind, or has another history; one sentence each.</returns>
    public async Task<ImmutableArray<string>> CompareAsync(IReadOnlyList<KnownCheckpoint> outside, CancellationToken cancellation)
    {
        var last = await LogTables.LastCheckpointAsync(connection, cancellation);
        var (placed, waiting) = await LogTables.ExtentAsync(connection, cancellation);
        var findings = ImmutableArray.CreateBuilder<string>();
        foreach (var (where, known) in outside)
        {
            if (await FindAsync(known, last?.Size ?? 0, placed + waiting, cancellation) is { } finding)
                findings.Add($"{where}: {finding}");
        }
        return findings.ToImmutable();
    }

    private async Task<string?> FindAsync(Checkpoint known, long signed, long events, CancellationToken cancellation)
    {
        if (known.Size > events)
            return $"{known.Size} leaves were published, {events} are here: {known.Size - events} events are missing";
        if (known.Size > signed)
            return null; // Its events are here and wait for their place; the sequencer compares before it signs.
        var root = await TileProofs.RootAsync(known.Size, async tiles => await TreeTables.ReadAsync(connection, tiles, cancellation));
        return root == known.Root ? null : $"the root {known.Root} was published at {known.Size} leaves, it is {root} here: this is another history";
    }
}
