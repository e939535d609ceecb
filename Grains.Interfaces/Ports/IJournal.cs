using System.Collections.Immutable;
using Governor.Domain.Audit;

namespace Governor.Grains.Interfaces.Ports;

/// <summary>The identity of a governed grain in the journal: its subject (<c>cluster</c>, <c>pack</c>, …) and its key.</summary>
public readonly record struct GrainKey(string Subject, string Key)
{
    public override string ToString() => $"{Subject}/{Key}";
}

/// <summary>A grain's committed snapshot. <paramref name="Pending"/> says that it still owes effects to the outside.</summary>
public sealed record StoredState(GrainKey Grain, long Version, ReadOnlyMemory<byte> State, bool Pending, DateTimeOffset CommittedAt);

/// <summary>
/// One transition: the new state and the events that explain it, written together or not at all.
/// </summary>
/// <param name="ExpectedVersion">The version this transition was decided on; 0 for a grain without state.</param>
/// <param name="Pending">The new state owes effects: a restarted silo must resume this grain.</param>
/// <param name="Id">Makes a repeated commit of the same transition answer as the first did.</param>
public sealed record Commit(
    GrainKey Grain, long ExpectedVersion, ReadOnlyMemory<byte> State, bool Pending, ImmutableArray<GovernanceEvent> Events, Guid Id);

public enum CommitOutcome
{
    /// <summary>State and events are durable under <see cref="CommitResult.Version"/>.</summary>
    Committed,

    /// <summary>Another activation was there first; <see cref="CommitResult.Version"/> is the stored one. Nothing was written.</summary>
    Conflict,
}

public readonly record struct CommitResult(CommitOutcome Outcome, long Version);

/// <summary>
/// State and audit trail of all governed grains. One PostgreSQL transaction per group of commits; a commit that returned is durable.
/// </summary>
public interface IJournal
{
    Task<StoredState?> LoadAsync(GrainKey grain, CancellationToken cancellation);

    /// <summary>
    /// Writes state and events in one transaction, under compare-and-set on the version. Always answers: an exception means that
    /// nothing of this commit is or will become durable.
    /// </summary>
    Task<CommitResult> CommitAsync(Commit commit, CancellationToken cancellation);

    /// <summary>The committed states of one subject, ordered by key.</summary>
    Task<IReadOnlyList<StoredState>> ListAsync(string subject, CancellationToken cancellation);

    /// <summary>The grains that owe effects, oldest first: what a restarted silo resumes.</summary>
    Task<IReadOnlyList<GrainKey>> PendingAsync(CancellationToken cancellation);
}
