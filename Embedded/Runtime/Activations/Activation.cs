using Governor.Embedded.Runtime.Calls;
using Governor.Embedded.Runtime.Hosting;
using Governor.Embedded.Runtime.Timers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace Governor.Embedded.Runtime.Activations;

/// <summary>
/// One grain in memory: its queue, its turns and its state. Everything here runs under the scheduler's lock or in a turn of the scheduler.
/// </summary>
internal sealed partial class Activation : IGrainContext
{
    private readonly ActivationScheduler scheduler;
    private State state;
    private CallQueue waiting;

    /// <summary>How many requests run, how many of these keep others out, and how many of those only read.</summary>
    private int running;
    private int blocking;
    private int blockingReadOnly;
    private List<Guid>? reentrantSections;

    private List<GrainTimer>? timers;
    private AsyncServiceScope? scope;
    private ActivationLifecycle? lifecycle;
    private TaskCompletionSource? ended;
    private DeactivationReason reason;
    private bool isEndRequested;
    private long lastUsed;
    private long keepUntil;

    public Activation(Silo silo, GrainClass @class, GrainId grainId)
    {
        Silo = silo;
        Class = @class;
        GrainId = grainId;
        scheduler = new(this);
        lastUsed = silo.Clock.GetTimestamp();
    }

    private enum State : byte
    {
        Created,
        Activating,
        Active,
        Ending,
        Ended,
    }

    /// <summary>What the next step of this activation is.</summary>
    private enum Step : byte
    {
        None,
        Activate,
        Serve,
        End,
    }

    public Silo Silo { get; }

    public GrainClass Class { get; }

    public GrainId GrainId { get; }

    public object? GrainInstance { get; private set; }

    public GrainReference GrainReference => new(Silo, GrainId, default);

    /// <summary>Whether it has finished at least one request.</summary>
    public bool HasServed { get; private set; }

    public IServiceProvider ActivationServices => (scope ??= Silo.Services.CreateAsyncScope()).ServiceProvider;

    public IGrainLifecycle ObservableLifecycle => Lifecycle;

    public ActivationLifecycle Lifecycle => lifecycle ??= new();

    public Task Deactivated
    {
        get
        {
            lock (scheduler.Sync)
            {
                if (state == State.Ended)
                    return Task.CompletedTask;
                return (ended ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }
        }
    }

    public static Activation Of(IGrainContext context) => context as Activation
        ?? throw new InvalidOperationException($"Expected a context of the embedded host, found {context?.GetType().FullName ?? "none"}.");

    public bool Equals(IGrainContext? other) => ReferenceEquals(this, other);

    public override bool Equals(object? obj) => ReferenceEquals(this, obj);

    public override int GetHashCode() => GrainId.GetHashCode();

    public override string ToString() => GrainId.ToString();

    /// <summary>Puts a request in the queue; false when this activation has ended.</summary>
    public bool TryReceive(GrainCall call)
    {
        lock (scheduler.Sync)
        {
            if (state == State.Ended)
                return false;
            call.Target = this;
            if (Silo.MostEnqueued > 0 && running + waiting.Length > Silo.MostEnqueued && call.Reference is not null)
            {
                call.Fail(new LimitExceededException($"{GrainId} has {running + waiting.Length} requests, more than MaxEnqueuedRequestsHardLimit. {call}"));
                return true;
            }

            waiting.Enqueue(call);
            if (!scheduler.MarkDue())
                return true;
        }

        scheduler.Schedule();
        return true;
    }

    /// <summary>Whether there is something to do. Call with the lock held.</summary>
    public bool HasStep() => state switch
    {
        State.Created => isEndRequested || !waiting.IsEmpty,
        State.Active => (isEndRequested && running == 0) || (!isEndRequested && MayServe()),
        _ => false,
    };

    /// <summary>Takes steps until there is none, or until work that was started wants to go on.</summary>
    public void RunSteps()
    {
        var clean = ExecutionContext.Capture()!;
        while (true)
        {
            GrainCall? call;
            Step step;
            lock (scheduler.Sync)
                step = TakeStep(out call);

            switch (step)
            {
                case Step.Serve:
                    Serve(call!);
                    ExecutionContext.Restore(clean);
                    break;
                case Step.Activate:
                    _ = ActivateAsync();
                    return;
                case Step.End:
                    _ = EndAsync();
                    return;
                default:
                    return;
            }
        }
    }

    /// <summary>Runs in a turn when a request's task has ended.</summary>
    public void OnCallDone(GrainCall call, Task finished)
    {
        if (finished.IsFaulted)
        {
            OnFailure(finished.Exception!.InnerException!);
            if (call.Reference is null || call.Method.IsOneWay)
                LogUnheard(Silo.Logger, finished.Exception.InnerException!, call);
        }

        lock (scheduler.Sync)
        {
            running--;
            if (call.IsBlocking)
            {
                blocking--;
                if (call.IsReadOnly)
                    blockingReadOnly--;
            }

            HasServed = true;
            if (call.KeepsAlive)
                lastUsed = Silo.Clock.GetTimestamp();
        }

        call.Complete(finished);
    }

    /// <summary>An activation whose write lost a race no longer knows the truth: it ends, and the next one reads it.</summary>
    public void OnFailure(Exception exception)
    {
        if (exception is not InconsistentStateException { IsSourceActivation: true } inconsistent)
            return;
        inconsistent.IsSourceActivation = false;
        Deactivate(new(DeactivationReasonCode.ApplicationError, inconsistent, "A write met a state that somebody else had changed."));
    }

    public void EnterReentrantSection(Guid id)
    {
        lock (scheduler.Sync)
            (reentrantSections ??= []).Add(id);
    }

    public void ExitReentrantSection(Guid id)
    {
        lock (scheduler.Sync)
            reentrantSections?.Remove(id);
    }

    private Step TakeStep(out GrainCall? call)
    {
        call = null;
        if (scheduler.HasContinuations || !HasStep())
            return Step.None;
        if (state == State.Created)
        {
            state = isEndRequested ? State.Ending : State.Activating;
            return isEndRequested ? Step.End : Step.Activate;
        }

        if (isEndRequested)
        {
            state = State.Ending;
            return Step.End;
        }

        while ((call = TakeCall()) is not null)
        {
            // Nobody waits for it any more, and it has not begun: dropped, as Orleans drops expired messages.
            if (call.IsSettled)
                continue;
            running++;
            call.IsBlocking = !call.IsAlwaysInterleave && Class.MayInterleave?.Invoke(GrainInstance, call) != true;
            if (call.IsBlocking)
            {
                blocking++;
                if (call.IsReadOnly)
                    blockingReadOnly++;
            }

            return Step.Serve;
        }

        return Step.None;
    }

    private bool MayServe()
    {
        if (waiting.IsEmpty)
            return false;
        return blocking == 0 || Class.IsReentrant || waiting.Interleaving > 0
            || (waiting.ReadOnly > 0 && blocking == blockingReadOnly)
            || (MustAskEach && waiting.First is not null);
    }

    /// <summary>Whether the answer depends on the single request: a predicate of the class, or an open call-chain section.</summary>
    private bool MustAskEach => Class.MayInterleave is not null || reentrantSections is { Count: > 0 };

    private GrainCall? TakeCall()
    {
        if (blocking == 0 || Class.IsReentrant)
            return waiting.TakeFirst();
        if (waiting.Interleaving > 0 || (waiting.ReadOnly > 0 && blocking == blockingReadOnly) || MustAskEach)
            return waiting.Take(this, static (activation, call) => activation.MayInterleave(call));
        return null;
    }

    private bool MayInterleave(GrainCall call) =>
        call.IsAlwaysInterleave
        || (call.IsReadOnly && blocking == blockingReadOnly)
        || (call.Context is { } context && reentrantSections?.Contains(context.ReentrancyId) == true)
        || Class.MayInterleave?.Invoke(GrainInstance, call) == true;

    private void Serve(GrainCall call)
    {
        RequestContext.Current = call.Context;
        Task task;
        try
        {
            task = Class.IsFilter || Silo.IncomingFilters.Length > 0 ? ServeFiltered(call) : call.InvokeTarget(GrainInstance!);
            task ??= Task.FromException(new InvalidOperationException($"{call.Method} of {Class.Type.FullName} returned null, expected a task."));
        }
        catch (Exception exception)
        {
            task = Task.FromException(exception);
        }

        if (task.IsCompleted)
            OnCallDone(call, task);
        else
            call.ContinueWhenDone(task);
    }

    private async Task ServeFiltered(GrainCall call)
    {
        if (call.Reference is null)
        {
            // The activation's own ticks are not grain calls.
            await call.InvokeTarget(GrainInstance!);
            return;
        }

        var context = new IncomingCallContext(call, this, Silo.IncomingFilters);
        await context.Invoke();
        call.CompleteWith(context.Response);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A request that nobody waits for failed: {Call}")]
    private static partial void LogUnheard(ILogger logger, Exception exception, GrainCall call);
}
