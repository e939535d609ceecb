using System.Collections.Immutable;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Silo.Audit;

/// <summary>Makes the requests that witnesses are asked with.</summary>
internal sealed class WitnessRequests(ITransparencyLog log, IAuditReader audit)
{
    /// <summary>The way from what a witness has seen to a checkpoint of ours.</summary>
    /// <param name="seen">A size of at most that of the checkpoint. A wrong one makes a useless request, and does no other harm.</param>
    /// <exception cref="TileMissingException">A part of the tree is not there.</exception>
    public async Task<WitnessRequest> MakeAsync(long seen, LogCheckpoint shown, CancellationToken cancellation)
    {
        if (!SignedNote.TryParse(shown.Note, out var note))
            throw new InvalidOperationException($"expected a signed note for {shown.Checkpoint.Size} leaves, found something else");
        var proof = seen == 0 || seen == shown.Checkpoint.Size
            ? ImmutableArray<TreeHash>.Empty
            : await TileProofs.ConsistencyAsync(seen, shown.Checkpoint.Size, tiles => log.TilesAsync(tiles, cancellation));
        return new WitnessRequest(seen, proof, note, shown.Checkpoint);
    }

    /// <summary>Whether a key that this log has, or had, signed a note.</summary>
    public async Task<bool> IsOursAsync(SignedNote note, CancellationToken cancellation) =>
        (await audit.KeysAsync(cancellation)).All.Any(key => note.Verify(key) == NoteVerdict.Good);

    /// <summary>Keeps the cosignatures of one witness on a checkpoint.</summary>
    public Task CosignAsync(long size, IEnumerable<NoteSignature> cosignatures, CancellationToken cancellation) =>
        log.CosignAsync(size, [.. cosignatures], cancellation);

    /// <summary>The newest checkpoint that there is, also when nobody has told it yet.</summary>
    public Task<LogCheckpoint?> NewestAsync(CancellationToken cancellation) => log.CheckpointAsync(cancellation);
}
