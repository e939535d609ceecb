using System.Collections.Immutable;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;

namespace Governor.Grains.Interfaces.Ports;

/// <summary>Proofs from the tiles of a log.</summary>
public static class TransparencyLogProofs
{
    /// <summary>
    /// A C2SP tlog-proof of one entry, with the entry itself (<see cref="AuditEntry"/>) in it: whoever knows the log's key needs nothing
    /// else. It is against the newest cosigned checkpoint, or against the newest one when none that contains the leaf was cosigned.
    /// </summary>
    /// <returns>Null when no signed tree contains the leaf yet, or when its entry was archived.</returns>
    /// <exception cref="InvalidDataException">The entry is not the one that was signed: the database was altered.</exception>
    /// <exception cref="TileMissingException">A tile of a signed tree is not there: the database was altered.</exception>
    public static async Task<TlogProof?> ProveAsync(this ITransparencyLog log, long leaf, CancellationToken cancellation)
    {
        if (leaf < 0)
            return null;
        var signed = await log.CosignedCheckpointAsync(cancellation).ConfigureAwait(false);
        if (signed is null || signed.Checkpoint.Size <= leaf)
            signed = await log.CheckpointAsync(cancellation).ConfigureAwait(false);
        if (signed is null || signed.Checkpoint.Size <= leaf || await log.EntryAsync(leaf, cancellation).ConfigureAwait(false) is not { } entry)
            return null;
        var path = await TileProofs.InclusionAsync(leaf, signed.Checkpoint.Size, tiles => log.TilesAsync(tiles, cancellation)).ConfigureAwait(false);
        if (!SignedNote.TryParse(signed.Note, out var note))
            throw new InvalidDataException($"the checkpoint of {signed.Checkpoint.Size} leaves is not a signed note");
        var proof = new TlogProof(leaf, path, note, signed.Checkpoint, [.. new AuditEntry(entry.Record, entry.Payload).Encode()]);
        return proof.Includes(AuditRecord.HashOf(entry.Record.Span))
            ? proof
            : throw new InvalidDataException($"leaf {leaf} is not in the tree of {signed.Checkpoint.Size} leaves that was signed: the database was altered; verify an export");
    }

    /// <summary>That the tree of <paramref name="first"/> leaves is a prefix of the tree of <paramref name="second"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not 0 &lt; first ≤ second.</exception>
    /// <exception cref="TileMissingException">No tree of this size was signed yet.</exception>
    public static Task<ImmutableArray<TreeHash>> ConsistencyAsync(this ITransparencyLog log, long first, long second, CancellationToken cancellation) =>
        TileProofs.ConsistencyAsync(first, second, tiles => log.TilesAsync(tiles, cancellation));

    /// <summary>The root of the tree as it was at a size.</summary>
    /// <exception cref="TileMissingException">No tree of this size was signed yet.</exception>
    public static Task<TreeHash> RootAsync(this ITransparencyLog log, long size, CancellationToken cancellation) =>
        TileProofs.RootAsync(size, tiles => log.TilesAsync(tiles, cancellation));
}
