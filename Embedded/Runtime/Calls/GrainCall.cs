using System.Reflection;
using Governor.Embedded.Runtime.Activations;
using Orleans.Runtime;
using Orleans.Serialization.Invocation;

namespace Governor.Embedded.Runtime.Calls;

/// <summary>
/// One request: the arguments, where it goes, and the promise its caller waits on, in one object. Emitted subclasses hold the arguments
/// in typed fields and make the actual call.
/// </summary>
internal abstract class GrainCall : IInvokable
{
    /// <summary>Its place among the calls whose callers wait.</summary>
    public PendingCalls.Link Pending;

    private int settled;
    private CancellationTokenRegistration cancellation;

    public abstract GrainMethod Method { get; }

    /// <summary>The reference it was sent through; null for what an activation sends itself, such as timer ticks.</summary>
    public GrainReference? Reference { get; set; }

    /// <summary>The activation that sent it; null when it comes from outside.</summary>
    public Activation? Source { get; set; }

    /// <summary>The activation that has it in its queue or runs it.</summary>
    public Activation? Target { get; set; }

    public RequestContext.Snapshot? Context { get; set; }

    /// <summary>The next request in the queue of the target.</summary>
    public GrainCall? Next { get; set; }

    /// <summary>Cancelled when the caller has waited too long; only with <c>CancelRequestOnTimeout</c> and a method that takes a token.</summary>
    public CancellationTokenSource? CancelOnTimeout { get; set; }

    /// <summary>How often an activation that had served nothing passed it on.</summary>
    public int Forwards { get; set; }

    /// <summary>Whether it keeps others out while it runs. Set when it starts.</summary>
    public bool IsBlocking { get; set; }

    public bool IsSettled => Volatile.Read(ref settled) != 0;

    public virtual bool IsAlwaysInterleave => Method.IsAlwaysInterleave;

    public virtual bool IsReadOnly => Method.IsReadOnly;

    /// <summary>Whether it belongs to one activation and dies with it.</summary>
    public virtual bool IsLocalOnly => false;

    /// <summary>Whether serving it counts as use of the grain.</summary>
    public virtual bool KeepsAlive => true;

    /// <summary>Makes the call on the grain.</summary>
    public abstract Task InvokeTarget(object grain);

    /// <summary>Runs the promise's part of a finished method.</summary>
    public void Complete(Task finished)
    {
        if (TrySettle())
            SetFrom(finished);
    }

    public void CompleteWith(Response? response)
    {
        if (!TrySettle())
            return;
        if (response?.Exception is { } exception)
            SetException(exception);
        else
            SetResult(response?.Result);
    }

    public bool Fail(Exception exception)
    {
        if (!TrySettle())
            return false;
        SetException(exception);
        return true;
    }

    /// <summary>Lets the caller go when <paramref name="token"/> is cancelled; the callee was handed the same token.</summary>
    public void ObserveCancellation(CancellationToken token)
    {
        cancellation = token.UnsafeRegister(static (call, token) => ((GrainCall)call!).Fail(new OperationCanceledException(token)), this);
        if (IsSettled)
            cancellation.Dispose();
    }

    /// <summary>Continues with <see cref="Activation.OnCallDone"/> on the activation's scheduler, where this is called.</summary>
    public void ContinueWhenDone(Task running)
    {
        Running = running;
        running.GetAwaiter().UnsafeOnCompleted(OnDone);
    }

    /// <summary>The method's task, while and after it runs asynchronously.</summary>
    public Task? Running { get; private set; }

    /// <summary>Makes the promise and hands out its result boxed, for filters.</summary>
    public abstract Task<object?> ExpectBoxed();

    /// <summary>The boxed result of a finished method; its exception, if that is what it came to.</summary>
    public abstract object? ResultOf(Task finished);

    protected abstract void SetFrom(Task finished);

    protected abstract void SetResult(object? result);

    protected abstract void SetException(Exception exception);

    private void OnDone() => Target!.OnCallDone(this, Running!);

    private bool TrySettle()
    {
        if (Interlocked.Exchange(ref settled, 1) != 0)
            return false;
        PendingCalls.Remove(this);
        cancellation.Dispose();
        return true;
    }

    object? IInvokable.GetTarget() => Target?.GrainInstance;

    public virtual int GetArgumentCount() => 0;

    public virtual object? GetArgument(int index) => throw new ArgumentOutOfRangeException(nameof(index));

    public virtual void SetArgument(int index, object value) => throw new ArgumentOutOfRangeException(nameof(index));

    string IInvokable.GetMethodName() => Method.Method.Name;

    string IInvokable.GetInterfaceName() => Method.InterfaceType.ToString();

    Type IInvokable.GetInterfaceType() => Method.Interface;

    MethodInfo IInvokable.GetMethod() => Method.Method;

    public CancellationToken GetCancellationToken() =>
        Method.CancellationTokenIndex < 0 ? CancellationToken.None : (CancellationToken)GetArgument(Method.CancellationTokenIndex)!;

    TimeSpan? IInvokable.GetDefaultResponseTimeout() => Method.ResponseTimeout;

    public override string ToString() =>
        $"Request [{Source?.GrainId.ToString() ?? "outside"}]->[{Target?.GrainId ?? Reference?.GrainId}] {Method}";
}

/// <summary>A call without a result.</summary>
internal abstract class VoidCall : GrainCall
{
    /// <summary>Null for one-way calls.</summary>
    public TaskCompletionSource? Completion { get; set; }

    public override async Task<object?> ExpectBoxed()
    {
        Completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await Completion.Task;
        return null;
    }

    public override object? ResultOf(Task finished)
    {
        finished.GetAwaiter().GetResult();
        return null;
    }

    protected override void SetFrom(Task finished) => Completion?.TrySetFromTask(finished);

    protected override void SetResult(object? result) => Completion?.TrySetResult();

    protected override void SetException(Exception exception)
    {
        if (exception is OperationCanceledException cancelled)
            Completion?.TrySetCanceled(cancelled.CancellationToken);
        else
            Completion?.TrySetException(exception);
    }
}

/// <summary>A call with a result.</summary>
internal abstract class ValueCall<T> : GrainCall
{
    /// <summary>Null for one-way calls.</summary>
    public TaskCompletionSource<T>? Completion { get; set; }

    public override async Task<object?> ExpectBoxed()
    {
        Completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
        return await Completion.Task;
    }

    public override object? ResultOf(Task finished) => ((Task<T>)finished).GetAwaiter().GetResult();

    protected override void SetFrom(Task finished)
    {
        if (finished is Task<T> typed)
            Completion?.TrySetFromTask(typed);
        else if (finished.IsCanceled)
            SetException(new TaskCanceledException(finished));
        else
            SetException(finished.Exception!.InnerException!);
    }

    protected override void SetResult(object? result)
    {
        if (result is T value)
            Completion?.TrySetResult(value);
        else if (result is null)
            Completion?.TrySetResult(default!);
        else
            Completion?.TrySetException(new InvalidCastException($"A filter of {Method} set a result of {result.GetType()}, expected {typeof(T)}."));
    }

    protected override void SetException(Exception exception)
    {
        if (exception is OperationCanceledException cancelled)
            Completion?.TrySetCanceled(cancelled.CancellationToken);
        else
            Completion?.TrySetException(exception);
    }
}
