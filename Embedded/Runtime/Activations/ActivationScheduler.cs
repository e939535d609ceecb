using Orleans.Runtime;

namespace Governor.Embedded.Runtime.Activations;

/// <summary>
/// Runs one activation's turns, one thread at a time. Continuations of what its grain awaits come back here, before new requests start.
/// </summary>
internal sealed class ActivationScheduler(Activation activation) : TaskScheduler, IThreadPoolWorkItem
{
    /// <summary>How long one activation may keep its thread while others wait for one.</summary>
    private const long QuantumMilliseconds = 100;

    private Queue<Task>? continuations;
    private bool isScheduled;

    /// <summary>Guards this scheduler and the activation's queue and state.</summary>
    public Lock Sync { get; } = new();

    public override int MaximumConcurrencyLevel => 1;

    /// <summary>Whether started work waits to go on. Only right while <see cref="Sync"/> is held.</summary>
    public bool HasContinuations => continuations is { Count: > 0 };

    /// <summary>Marks the activation as due. Call with <see cref="Sync"/> held; true asks for <see cref="Schedule"/> after leaving it.</summary>
    public bool MarkDue()
    {
        if (isScheduled)
            return false;
        return isScheduled = true;
    }

    public void Schedule() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: true);

    void IThreadPoolWorkItem.Execute()
    {
        var started = Environment.TickCount64;
        RuntimeContext.Current = activation;
        try
        {
            while (true)
            {
                Task? continuation = null;
                lock (Sync)
                {
                    if (continuations?.TryDequeue(out continuation) != true && !activation.HasStep())
                    {
                        isScheduled = false;
                        return;
                    }
                }

                if (continuation is not null)
                    TryExecuteTask(continuation);
                else
                    RunSteps();

                if (Environment.TickCount64 - started > QuantumMilliseconds)
                {
                    ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                    return;
                }
            }
        }
        finally
        {
            RuntimeContext.Current = null;
        }
    }

    protected override void QueueTask(Task task)
    {
        lock (Sync)
        {
            (continuations ??= new(2)).Enqueue(task);
            if (!MarkDue())
                return;
        }

        Schedule();
    }

    /// <summary>Only code that is already in a turn of this activation may run a task in place.</summary>
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
        !taskWasPreviouslyQueued && ReferenceEquals(RuntimeContext.Current, activation) && TryExecuteTask(task);

    protected override IEnumerable<Task> GetScheduledTasks()
    {
        lock (Sync)
            return continuations?.ToArray() ?? [];
    }

    /// <summary>
    /// Requests start inside a task of this scheduler, so that what they await comes back here. One task serves as many as are due; it is
    /// made on this thread, where there is no caller's execution context to inherit.
    /// </summary>
    private void RunSteps() =>
        new Task(static state => ((Activation)state!).RunSteps(), activation, TaskCreationOptions.DenyChildAttach).RunSynchronously(this);
}
