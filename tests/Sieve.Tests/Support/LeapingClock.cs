namespace Governor.Sieve.Tests.Support;

/// <summary>
/// The system's clock, but for whoever waits for hours: he waits until the test says that they have passed. Retries and pauses take
/// the time that they take.
/// </summary>
internal sealed class LeapingClock : TimeProvider
{
    /// <summary>From here on a wait is one for the test to end.</summary>
    public static readonly TimeSpan Hours = TimeSpan.FromHours(5);

    private readonly Lock _gate = new();
    private readonly HashSet<LongTimer> _waiting = [];

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new LongTimer(this, System.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Hours pass.</summary>
    public void Leap()
    {
        LongTimer[] due;
        lock (_gate)
        {
            due = [.. _waiting];
            _waiting.Clear();
        }
        foreach (var timer in due)
            timer.Fire();
    }

    private sealed class LongTimer(LeapingClock clock, ITimer timer) : ITimer
    {
        public void Fire() => timer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._gate)
            {
                clock._waiting.Remove(this);
                if (dueTime < Hours)
                    return timer.Change(dueTime, period);
                clock._waiting.Add(this);
                return timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }

        public void Dispose()
        {
            lock (clock._gate)
                clock._waiting.Remove(this);
            timer.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
