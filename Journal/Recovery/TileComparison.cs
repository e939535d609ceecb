using Governor.Domain.Transparency;
using Governor.Journal.Log;
using Npgsql;

namespace Governor.Journal.Recovery;

/// <summary>Builds the tree again from the records, and compares every full tile with the stored one. Holds a few tiles at a time.</summary>
/// <param name="connection">Its own: records are read from another one meanwhile. Full tiles never change, so that the moment does not matter.</param>
/// <param name="signed">Tiles of leaves from here on are not stored yet.</param>
internal sealed class TileComparison(NpgsqlConnection connection, long signed)
{
    private const int AtOnce = 64;

    private readonly TiledTree _tree = new();
    private readonly List<TileHashes> _waiting = [];

    public List<JournalFinding> Findings { get; } = [];

    /// <summary>Takes the next leaf. Without those of archives that were not given there is no tree, and nothing is compared.</summary>
    public async Task TakeAsync(long leaf, byte[] record, CancellationToken cancellation)
    {
        if (leaf != _tree.Size || leaf >= signed)
            return;
        _tree.Append(Domain.Audit.AuditRecord.HashOf(record));
        _waiting.AddRange(_tree.TakeCompleted());
        if (_waiting.Count >= AtOnce)
            await CompareAsync(cancellation);
    }

    public async Task CompareAsync(CancellationToken cancellation)
    {
        var stored = await TreeTables.ReadAsync(connection, [.. _waiting.Select(tile => tile.Tile)], cancellation);
        foreach (var derived in _waiting)
        {
            if (!stored.TryGetValue(derived.Tile, out var hashes))
                Findings.Add(new JournalFinding(JournalFaultClass.AlteredTile, $"tile {derived.Tile}", FirstLeaf(derived.Tile), "it is missing"));
            else if (!hashes.Span.SequenceEqual(derived.Hashes.Span))
                Findings.Add(new JournalFinding(JournalFaultClass.AlteredTile, $"tile {derived.Tile}", FirstLeaf(derived.Tile), "it is not what the records hash to"));
        }
        _waiting.Clear();
    }

    private static long FirstLeaf(Tile tile) => tile.Index << (Tile.Height * (tile.Level + 1));
}
