using Governor.Embedded.Runtime.Activations;
using Governor.Embedded.Runtime.Calls;
using Orleans.Runtime;

namespace Governor.Embedded.Runtime.Timers;

/// <summary>A timer whose ticks queue like requests of its activation.</summary>
internal sealed class GrainTimer : IGrainTimer
{
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(0xfffffffe);

    private readonly Lock sync = new();
    private readonly CancellationTokenSource disposed = new();
    private readonly Activation activation;
    private readonly Func<CancellationToken, Task> callback;
    private readonly GrainTimerCreationOptions options;
    private readonly ITimer timer;
    private TimeSpan next;
    private TimeSpan period;
    private bool isTicking;

    public GrainTimer(Activation activation, Func<CancellationToken, Task> callback, GrainTimerCreationOptions options)
    {
        this.activation = activation;
        this.callback = callback;
        this.options = options;
        using (ExecutionContext.IsFlowSuppressed() ? default(AsyncFlowControl?) : ExecutionContext.SuppressFlow())
        {
            timer = activation.Silo.Clock.CreateTimer(
                static state => ((GrainTimer)state!).Fire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    public void Change(TimeSpan dueTime, TimeSpan period)
    {
        CheckRange(dueTime, nameof(dueTime));
        CheckRange(period, nameof(period));
        lock (sync)
        {
            if (disposed.IsCancellationRequested)
                return;
            this.period = period;
            next = dueTime;
            if (!isTicking)
                timer.Change(dueTime, Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        lock (sync)
        {
            if (disposed.IsCancellationRequested)
                return;
            disposed.Cancel();
            timer.Dispose();
        }

        activation.Remove(this);
    }

    private static void CheckRange(TimeSpan value, string name)
    {
        if (value != Timeout.InfiniteTimeSpan && (value < TimeSpan.Zero || value > Longest))
            throw new ArgumentOutOfRangeException(name, value, $"Expected between zero and {Longest}, or Timeout.InfiniteTimeSpan.");
    }

    private void Fire()
    {
        lock (sync)
        {
            if (disposed.IsCancellationRequested)
                return;
            isTicking = true;
            next = period;
        }

        activation.TryReceive(new Tick(this));
    }

    private async Task RunAsync()
    {
        if (disposed.IsCancellationRequested)
            return;
        try
        {
            await callback(disposed.Token);
        }
        finally
        {
            lock (sync)
            {
                isTicking = false;
                if (!disposed.IsCancellationRequested)
                    timer.Change(next, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>One tick in the queue of the activation.</summary>
    private sealed class Tick(GrainTimer timer) : VoidCall
    {
        private static readonly GrainMethod Shape = new(typeof(IGrainTimer), typeof(Tick).GetMethod(nameof(InvokeTarget))!);

        public override GrainMethod Method => Shape;

        public override bool IsAlwaysInterleave => timer.options.Interleave;

        public override bool IsLocalOnly => true;

        public override bool KeepsAlive => timer.options.KeepAlive;

        public override Task InvokeTarget(object grain) => timer.RunAsync();
    }
}
