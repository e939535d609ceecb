using System.Collections.Immutable;
using Governor.Domain.Transparency;
using Governor.Journal.Log;
using Npgsql;

namespace Governor.Journal.Recovery;

/// <summary>A checkpoint from outside that the database does not contain.</summary>
/// <param name="Forked">The database has another history; otherwise it ends too early.</param>
public sealed record OutsideFinding(string Where, bool Forked, string Detail)
{
    public override string ToString() => $"{Where}: {Detail}";
}

/// <summary>Compares a database with checkpoints that were published from it, or from the one that it is a copy of.</summary>
internal sealed class OutsideComparison(NpgsqlConnection connection)
{
    /// <returns>Where the database is behind, or has another history.</returns>
    public async Task<ImmutableArray<OutsideFinding>> CompareAsync(IReadOnlyList<KnownCheckpoint> outside, CancellationToken cancellation)
    {
        var last = await LogTables.LastCheckpointAsync(connection, cancellation);
        var (placed, waiting) = await LogTables.ExtentAsync(connection, cancellation);
        var findings = ImmutableArray.CreateBuilder<OutsideFinding>();
        foreach (var (where, known) in outside)
        {
            if (await FindAsync(where, known, last?.Size ?? 0, placed + waiting, cancellation) is { } finding)
                findings.Add(finding);
        }
        return findings.ToImmutable();
    }

    private async Task<OutsideFinding?> FindAsync(string where, Checkpoint known, long signed, long events, CancellationToken cancellation)
    {
        if (known.Size > events)
            return new OutsideFinding(where, false, $"{known.Size} leaves were published, {events} are here: {known.Size - events} events are missing");
        if (known.Size > signed)
            return null; // Its events are here and wait for their place; the sequencer compares before it signs.
        var root = await TileProofs.RootAsync(known.Size, async tiles => await TreeTables.ReadAsync(connection, tiles, cancellation));
        return root == known.Root
            ? null
            : new OutsideFinding(where, true, $"the root {known.Root} was published at {known.Size} leaves, it is {root} here: this is another history");
    }
}
