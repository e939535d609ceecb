using System.Text.Json;
using Governor.Domain.Audit;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces;
using Governor.Grains.Interfaces.Ports;
using Governor.Grains.Watches;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace Governor.Grains.Governing;

/// <summary>What every governed actor needs from its silo.</summary>
public sealed record GovernedServices(IJournal Journal, IClusters Clusters, TimeProvider Clock, ILoggerFactory Loggers, ObservationGate Gate);

/// <summary>
/// The base of every governed actor: load, decide, commit, and only then act.
/// </summary>
/// <remarks>
/// <para>The actor is reentrant, so that two actors that tell each other something never wait in a circle. Deciding and committing
/// is a critical section of its own: one transition at a time, each on the state that the one before it committed.</para>
/// <para>What follows from the state — letters to other actors, objects and statuses in clusters — is done by one loop per
/// activation, outside of any caller's turn. It is worked out from the state again and again until nothing is owed, so a crash
/// anywhere is repaired by doing it once more.</para>
/// </remarks>
[Reentrant]
public abstract partial class GovernedGrain<TState, TInput> : Grain, IGoverned, IDisposable
    where TState : class
    where TInput : class
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromDays(1);
    private static readonly TimeSpan LongestTelling = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan KeptWhileActing = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan KeptPastTimer = TimeSpan.FromMinutes(5);

    private readonly GovernedServices _services;
    private readonly SemaphoreSlim _transition = new(1, 1);
    private readonly CancellationTokenSource _deactivating = new();
    private readonly Dictionary<(GroupVersionKind, ObjectKey), string> _seen = [];
    private readonly Postman _postman;
    private readonly ILogger _logger;
    private TState? _state;
    private long _version;
    private bool _pending;
    private bool _owes;
    private bool _isTelling;
    private TaskCompletionSource? _stirred;
    private Task _acting = Task.CompletedTask;
    private IGrainTimer? _timer;
    private TimeSpan _backoff = FirstRetry;

    protected GovernedGrain(GovernedServices services, string subject)
    {
        _services = services;
        _logger = services.Loggers.CreateLogger(GetType());
        Subject = subject;
        _postman = new Postman(Receiver);
    }

    protected string Subject { get; }

    protected string Key => this.GetPrimaryKeyString();

    protected IClusters Clusters => _services.Clusters;

    protected TimeProvider Clock => _services.Clock;

    /// <summary>The committed state.</summary>
    /// <exception cref="InvalidOperationException">What is committed is not known just now: it has to be loaded again.</exception>
    protected TState State => _state ?? throw new InvalidOperationException($"the state of {Subject}/{Key} has to be loaded from the journal first");

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        await LoadAsync(cancellationToken);
        if (_version > 0)
            StartActing();
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await _deactivating.CancelAsync();
        await _acting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        EndTelling();
    }

    public Task TellAsync(Fact fact) => DecideAsync(Receive(fact));

    public Task ObserveAsync(Observation observation)
    {
        if (observation.IsFollowed)
            return ReadFollowed(observation) is { } seen ? DecideAsync(seen) : Task.CompletedTask;
        // What we wrote went with the object that we wrote it to: its successor of the same name has none of it.
        var place = (observation.Kind, observation.Key);
        var uid = observation.Object is null ? "" : observation.Uid;
        if (_seen.GetValueOrDefault(place) != uid)
            Owned.Forget(observation.Kind, observation.Key);
        _seen[place] = uid;
        return Read(observation) is { } input ? DecideAsync(input) : Task.CompletedTask;
    }

    public Task ResumeAsync()
    {
        StartActing();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        _deactivating.Dispose();
        _transition.Dispose();
    }

    protected abstract TState Initial();

    /// <summary>The pure decision of this subject.</summary>
    protected abstract Decision<TState> Decide(TState state, TInput input, DateTimeOffset now);

    protected abstract TInput Receive(Fact fact);

    /// <summary>What an observation means to this subject, or null when it means nothing.</summary>
    protected abstract TInput? Read(Observation seen);

    /// <summary>What an observation of an object that this subject follows (<see cref="IWatchGrain.FollowAsync"/>) means, or null when it means nothing.</summary>
    protected virtual TInput? ReadFollowed(Observation seen) => null;

    /// <summary>What others have to be told, given the state.</summary>
    protected virtual IEnumerable<Letter> Outbox(TState state) => [];

    /// <summary>
    /// Brings the outside into line with the committed state. Idempotent. Called again after every transition, and with growing
    /// pauses for as long as it throws.
    /// </summary>
    protected virtual Task ActAsync(CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>
    /// What this subject says and does depends on what is seen of the management cluster, and waits until enough of it has been seen
    /// (<see cref="ObservationGate"/>).
    /// </summary>
    protected virtual bool DependsOnObservation => true;

    /// <summary>When the state wants to be looked at again although nothing happens, or null.</summary>
    protected virtual DateTimeOffset? NextTick(TState state) => null;

    /// <summary>The input that says that time has passed; null for subjects that do not care.</summary>
    protected virtual TInput? Tick() => default;

    /// <summary>The actor behind an address.</summary>
    protected virtual IGoverned Receiver(Address address) => GrainFactory.GetGoverned(address);

    /// <summary>Decides on the committed state and commits what comes out; then acts on it in its own time.</summary>
    protected async Task DecideAsync(TInput input)
    {
        await InTransitionAsync(async () =>
        {
            do
            {
                await EnsureLoadedAsync();
                var decision = Decide(State, input, Clock.GetUtcNow());
                if (decision.Events.IsEmpty && ReferenceEquals(decision.State, State))
                    return;
                var content = Serialize(decision.State);
                if (decision.Events.IsEmpty)
                {
                    var committed = _version > 0 ? Serialize(State) : [];
                    // Equal content need not be written again, whoever made it: told twice is told once.
                    if (content.AsSpan().SequenceEqual(committed))
                        return;
                    // No state changes without a record of it.
                    decision = decision with { Events = [UnexplainedChange.Of(Subject, Key, committed, content, Clock.GetUtcNow())] };
                }
                await TryCommitAsync(decision, content, pending: true);
            }
            while (_state is null);
            StartActing();
        });
    }

    /// <summary>An object of ours on the management cluster is as it should be: nothing is written when nothing changed.</summary>
    protected OwnedObject Owned { get => field ??= new OwnedObject(Clusters.Management); }

    private static byte[] Serialize(TState state) => JsonSerializer.SerializeToUtf8Bytes(state, StateJson.Options);

    // Leaves no state behind when another one may be committed.
    private async Task TryCommitAsync(Decision<TState> decision, byte[] content, bool pending)
    {
        var commit = new Commit(
            new GrainKey(Subject, Key), _version, content, pending, decision.Events, Guid.NewGuid());
        CommitResult result;
        try
        {
            result = await _services.Journal.CommitAsync(commit, CancellationToken.None);
        }
        catch
        {
            // Nothing of it is durable, or nobody knows: what is stored is the truth, as soon as it can be read.
            Distrust();
            throw;
        }
        if (result.Outcome == CommitOutcome.Conflict)
        {
            LogConflict(_logger, Subject, Key, _version, result.Version);
            Distrust();
            return;
        }
        _state = decision.State;
        _version = result.Version;
        _pending = pending;
    }

    // Another activation was at work, or we do not know what we did: whatever was said and written may have been undone since.
    private void Distrust()
    {
        _state = null;
        _postman.Forget();
        StartActing();
    }

    private Task EnsureLoadedAsync() => _state is null ? LoadAsync(CancellationToken.None) : Task.CompletedTask;

    private async Task LoadAsync(CancellationToken cancellation)
    {
        var stored = await _services.Journal.LoadAsync(new GrainKey(Subject, Key), cancellation);
        _state = stored is null ? Initial() : JsonSerializer.Deserialize<TState>(stored.State.Span, StateJson.Options)!;
        _version = stored?.Version ?? 0;
        _pending = stored?.Pending ?? false;
    }

    private void StartActing()
    {
        _owes = true;
        BeginTelling();
        _stirred?.TrySetResult();
        _timer?.Dispose();
        _timer = null;
        if (_acting.IsCompleted && !_deactivating.IsCancellationRequested)
            _acting = ActUntilNothingIsOwedAsync();
    }

    private async Task ActUntilNothingIsOwedAsync()
    {
        await Task.Yield();
        try
        {
            while (_owes && !_deactivating.IsCancellationRequested)
            {
                DelayDeactivation(KeptWhileActing);
                _owes = false;
                await InTransitionAsync(EnsureLoadedAsync);
                await PerformAsync();
                if (!_owes && _pending)
                    await InTransitionAsync(SettleAsync);
            }
            _backoff = FirstRetry;
            ArmTick();
        }
        catch (OperationCanceledException) when (_deactivating.IsCancellationRequested)
        {
            // The next activation goes on from the committed state.
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            _owes = true;
            if (_backoff > LongestTelling)
                EndTelling(); // one that cannot be told keeps the others from acting only so long
            TryAgainLater(e, ResumeAsync);
        }
    }

    // A receiver that cannot listen keeps nobody from writing what he owns.
    private async Task PerformAsync()
    {
        if (DependsOnObservation)
            await _services.Gate.ListedAsync(_deactivating.Token);
        var delivering = _postman.DeliverAsync(new Address(Subject, Key), _version, Outbox(State));
        await delivering.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        if (await MayActAsync(delivering))
            await ActAsync(_deactivating.Token);
        await delivering;
    }

    /// <summary>Waits until the gate is open. False when something was decided meanwhile, or could not be told: that has to be told first.</summary>
    private async Task<bool> MayActAsync(Task delivering)
    {
        while (DependsOnObservation && !_services.Gate.IsOpen)
        {
            if (_owes || delivering.IsFaulted)
                return false;
            EndTelling();
            _stirred = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await await Task.WhenAny(_services.Gate.OpenAsync(_deactivating.Token), _stirred.Task);
        }
        if (!_owes && !delivering.IsFaulted)
            EndTelling();
        return true;
    }

    private void BeginTelling()
    {
        if (_isTelling || !DependsOnObservation || _deactivating.IsCancellationRequested)
            return;
        _isTelling = true;
        _services.Gate.BeginTelling();
    }

    private void EndTelling()
    {
        if (!_isTelling)
            return;
        _isTelling = false;
        _services.Gate.EndTelling();
    }

    // Says in the journal that nothing is owed, so that a restarted silo need not resume this actor.
    private Task SettleAsync() => _owes ? Task.CompletedTask : TryCommitAsync(new Decision<TState>(State, []), Serialize(State), pending: false);

    private async Task InTransitionAsync(Func<Task> step)
    {
        await _transition.WaitAsync();
        try
        {
            await step();
        }
        finally
        {
            _transition.Release();
        }
    }

    private void ArmTick()
    {
        if (NextTick(State) is not { } at)
        {
            DelayDeactivation(TimeSpan.Zero);
            return;
        }
        // Timers count whole milliseconds and may be early by a part of one: a tick before its time decides nothing.
        var pause = at - Clock.GetUtcNow() + TimeSpan.FromMilliseconds(1);
        Arm(pause < ShortestPause ? ShortestPause : pause > LongestPause ? LongestPause : pause, TickAsync);
    }

    private async Task TickAsync()
    {
        try
        {
            if (Tick() is { } input)
                await DecideAsync(input);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            TryAgainLater(e, TickAsync);
            return;
        }
        StartActing(); // and arms the next tick, also when this one decided nothing
    }

    private void TryAgainLater(Exception fault, Func<Task> what)
    {
        LogRetry(_logger, fault, Subject, Key, _backoff);
        Arm(_backoff, what);
        _backoff = _backoff * 2 < LastRetry ? _backoff * 2 : LastRetry;
    }

    private void Arm(TimeSpan due, Func<Task> what)
    {
        _timer?.Dispose();
        if (_deactivating.IsCancellationRequested)
            return;
        // A timer alone does not keep an activation from being collected as idle.
        DelayDeactivation(due + KeptPastTimer);
        _timer = this.RegisterGrainTimer(
            _ => what(), new GrainTimerCreationOptions(due, Timeout.InfiniteTimeSpan) { Interleave = true, KeepAlive = true });
    }

    [LoggerMessage(LogLevel.Warning, "{Subject}/{Key} was decided on version {Expected}, but version {Stored} is stored: another activation was there. Reloading")]
    private static partial void LogConflict(ILogger logger, string subject, string key, long expected, long stored);

    [LoggerMessage(LogLevel.Warning, "{Subject}/{Key} could not do what it owes; trying again in {Pause}")]
    private static partial void LogRetry(ILogger logger, Exception exception, string subject, string key, TimeSpan pause);
}
