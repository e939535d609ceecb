using Governor.Domain.Audit;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Journal.Commits;

/// <summary>An event with everything done that does not need its place in the chain.</summary>
internal sealed record EncodedEvent(GovernanceEvent Event, string Chain, byte[] Record, AuditPayload Payload);

/// <summary>
/// A commit on its way. Until it is sent its caller can take it back; from then on it is answered with what happened.
/// </summary>
internal sealed class PendingCommit
{
    private const int Queued = 0;
    private const int Sent = 1;
    private const int Answered = 2;

    private readonly TaskCompletionSource<CommitResult> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationToken _cancellation;
    private readonly TimeProvider _clock;
    private readonly long _since;
    private int _phase;

    /// <exception cref="ArgumentException">The commit cannot be stored; says why.</exception>
    public PendingCommit(Commit commit, TimeProvider clock, CancellationToken cancellation)
    {
        Commit = commit;
        _clock = clock;
        _since = clock.GetTimestamp();
        _cancellation = cancellation;
        if (commit.ExpectedVersion < 0)
            throw new ArgumentException($"{commit.Grain}: expected a version of at least 0, found {commit.ExpectedVersion}", nameof(commit));
        var transition = new AuditTransition(
            commit.Id, commit.Grain.Subject, commit.Grain.Key, commit.ExpectedVersion + 1, TreeHash.Of(commit.State.Span));
        Events = commit.Events.IsDefault ? [] : [.. commit.Events.Select(e => Encode(e, transition))];
        Chains = Events is [var only] ? [only.Chain] : [.. Events.Select(e => e.Chain).Distinct(StringComparer.Ordinal)];
        Bytes = commit.State.Length + Events.Sum(e => e.Record.Length + e.Payload.Bytes.Length);
    }

    public Commit Commit { get; }

    public EncodedEvent[] Events { get; }

    /// <summary>The subjects whose chains this commit moves forward.</summary>
    public string[] Chains { get; }

    /// <summary>A subject under whose events this commit is found again; null for a commit without events.</summary>
    public EventSubject? Witness => Events is [var first, ..] ? first.Event.Subject : null;

    /// <summary>How much of a batch it takes.</summary>
    public int Bytes { get; }

    /// <summary>How often it met another head of a chain or a race that a repetition resolves.</summary>
    public int Attempts { get; set; }

    public Task<CommitResult> Answer => _answer.Task;

    public TimeSpan Age => _clock.GetElapsedTime(_since);

    /// <summary>The caller does not want it any more; works until it is sent.</summary>
    public void Cancel()
    {
        if (Interlocked.CompareExchange(ref _phase, Answered, Queued) == Queued)
            _answer.TrySetCanceled(_cancellation);
    }

    /// <summary>Marks it as under way; false when it was taken back before.</summary>
    public bool TrySend() => Interlocked.CompareExchange(ref _phase, Sent, Queued) == Queued;

    /// <summary>It was certainly not written: it may be tried again, and taken back again.</summary>
    public void Requeue()
    {
        Interlocked.CompareExchange(ref _phase, Queued, Sent);
        if (_cancellation.IsCancellationRequested)
            Cancel();
    }

    public void Complete(CommitOutcome outcome, long version)
    {
        Volatile.Write(ref _phase, Answered);
        _answer.TrySetResult(new CommitResult(outcome, version));
    }

    public void Fail(Exception reason)
    {
        Volatile.Write(ref _phase, Answered);
        _answer.TrySetException(reason);
    }

    private static EncodedEvent Encode(GovernanceEvent e, AuditTransition transition)
    {
        var payload = AuditPayload.Of(e);
        var record = new AuditRecord(transition, 1, default, e, payload.Commitment).Encode();
        return new EncodedEvent(e, e.Subject.Chain, record, payload);
    }
}
