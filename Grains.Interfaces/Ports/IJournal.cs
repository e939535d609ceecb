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

    /// <summary>The version under which a grain's state is committed, for whoever knows the state of some version; 0 for a grain without state.</summary>
    async Task<long> VersionAsync(GrainKey grain, CancellationToken cancellation) => (await LoadAsync(grain, cancellation))?.Version ?? 0;

    /// <summary>
    /// Writes state and events in one transaction, under compare-and-set on the version. Always answers: an exception means that
    /// nothing of this commit is or will become durable, with the one exception that is named so.
    /// </summary>
    /// <exception cref="JournalUnavailableException">The database does not answer; nothing of this commit is or will become durable.</exception>
    /// <exception cref="CommitInDoubtException">
    /// The connection was lost while the commit was under way and did not come back in time. Drop the state and load it again: until
    /// that works nobody knows, and whatever it shows then is the truth.
    /// </exception>
    /// <exception cref="OperationCanceledException">Cancelled before it was sent. After that a commit is no longer cancelled but answered.</exception>
    /// <exception cref="ArgumentException">The commit cannot be stored: a text with NUL, an event too large. Nothing was written.</exception>
    Task<CommitResult> CommitAsync(Commit commit, CancellationToken cancellation);

    /// <summary>The committed states of one subject, ordered by key.</summary>
    Task<IReadOnlyList<StoredState>> ListAsync(string subject, CancellationToken cancellation);

    /// <summary>The grains that owe effects, oldest first: what a restarted silo resumes.</summary>
    Task<IReadOnlyList<GrainKey>> PendingAsync(CancellationToken cancellation);
}

/// <summary>The journal's database does not answer, or refuses. What was asked for did not happen and will not.</summary>
public class JournalUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A commit whose fate is unknown, because the database went away while it was under way.</summary>
public sealed class CommitInDoubtException(Guid commit, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Commit again under this id to learn the outcome.</summary>
    public Guid Commit { get; } = commit;
}
