using System.Collections.Immutable;
using Governor.Domain.Transparency;

namespace Governor.Grains.Interfaces.Ports;

/// <summary>An entry of the log.</summary>
/// <param name="Record">The canonical bytes whose hash is the leaf.</param>
/// <param name="Payload">What the record commits to; null when it was erased.</param>
public sealed record LogEntry(long Leaf, ReadOnlyMemory<byte> Record, ReadOnlyMemory<byte>? Payload);

/// <summary>The log over the audit trail as a transparency log (C2SP tlog-tiles): what other people's tools read.</summary>
public interface ITransparencyLog
{
    /// <summary>The newest checkpoint with the cosignatures it has got so far; null before the first.</summary>
    Task<LogCheckpoint?> CheckpointAsync(CancellationToken cancellation);

    /// <summary>The newest checkpoint that somebody cosigned, with the cosignatures; null when there is none.</summary>
    Task<LogCheckpoint?> CosignedCheckpointAsync(CancellationToken cancellation);

    /// <summary>The hash tiles that are there at exactly this width; the others are absent from the answer.</summary>
    Task<IReadOnlyDictionary<Tile, ReadOnlyMemory<byte>>> TilesAsync(IReadOnlyCollection<Tile> tiles, CancellationToken cancellation);

    /// <summary>An entry bundle in its wire form; null when it is not there: not yet, or not any more.</summary>
    Task<ReadOnlyMemory<byte>?> EntriesAsync(Tile bundle, CancellationToken cancellation);

    /// <summary>One entry; null when the log is not that long, or when it was archived.</summary>
    Task<LogEntry?> EntryAsync(long leaf, CancellationToken cancellation);

    /// <summary>Keeps the cosignatures of witnesses on the checkpoint of a size; those of the same key replace each other. They are not verified here.</summary>
    /// <exception cref="ArgumentException">There is no checkpoint of this size, or a line has the log's own name.</exception>
    Task CosignAsync(long size, ImmutableArray<NoteSignature> cosignatures, CancellationToken cancellation);

    /// <summary>
    /// The newest checkpoint there is, then every new one, the newest only when several came about meanwhile. Goes on when the database
    /// was away; ends when it is cancelled. Takes a connection of its own: one such loop in a process, not one per listener.
    /// </summary>
    IAsyncEnumerable<LogCheckpoint> FollowAsync(CancellationToken cancellation);
}
