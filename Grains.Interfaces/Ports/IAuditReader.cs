using Governor.Domain.Audit;
using Governor.Domain.Transparency;

namespace Governor.Grains.Interfaces.Ports;

/// <summary>Which events; every condition that is null does not matter.</summary>
/// <param name="Since">Decided at or after.</param>
/// <param name="Limit">At most so many, the newest.</param>
public sealed record EventFilter(
    string? Group = null, string? Kind = null, string? Namespace = null, string? Name = null, string? Action = null,
    string? Cluster = null, string? Correlation = null, DateTimeOffset? Since = null, int Limit = 100);

/// <summary>An event as it stands in the trail.</summary>
/// <param name="Leaf">Its index in the log; null until the sequencer has integrated it, a moment after its commit.</param>
/// <param name="Sequence">Its place in the subject's chain, from 1.</param>
/// <param name="Commit">The transition it explains.</param>
/// <param name="Erased">Values and rationale have been erased.</param>
public sealed record RecordedEvent(long? Leaf, long Sequence, Guid Commit, DateTimeOffset RecordedAt, bool Erased, GovernanceEvent Event);

/// <summary>A signed commitment to the log.</summary>
/// <param name="Note">The C2SP signed note, as to be published.</param>
public sealed record LogCheckpoint(Checkpoint Checkpoint, string Note);

/// <summary>The audit trail, for reading.</summary>
public interface IAuditReader
{
    /// <summary>
    /// The key that the log began with, under its name; its text form is what verifiers pin. Which keys came later, the log itself tells.
    /// </summary>
    VerifierKey Key { get; }

    /// <summary>The keys of the log at its newest checkpoint, as its records tell them.</summary>
    /// <exception cref="InvalidDataException">A record changes keys that may not.</exception>
    Task<LogKeyring> KeysAsync(CancellationToken cancellation);

    /// <summary>Newest first.</summary>
    Task<IReadOnlyList<RecordedEvent>> EventsAsync(EventFilter filter, CancellationToken cancellation);

    /// <summary>How many events have been committed, in the log or on their way into it.</summary>
    Task<long> CountAsync(CancellationToken cancellation);

    /// <summary>The newest checkpoint; null before the first.</summary>
    Task<LogCheckpoint?> CheckpointAsync(CancellationToken cancellation);

    /// <summary>Returns when a checkpoint covers everything that was committed before the call.</summary>
    /// <exception cref="TimeoutException">No sequencer did so in time; says what it saw.</exception>
    Task<LogCheckpoint> WaitForCheckpointAsync(CancellationToken cancellation);

    /// <summary>Writes the whole log up to its newest checkpoint in the format of <see cref="AuditExport"/>; answers that checkpoint.</summary>
    /// <exception cref="InvalidOperationException">There is no checkpoint yet.</exception>
    Task<LogCheckpoint> ExportAsync(Stream output, CancellationToken cancellation);
}
