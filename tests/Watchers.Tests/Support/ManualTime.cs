namespace Governor.Watchers.Tests.Support;

/// <summary>A clock that moves when told to, and that tells when somebody begins to wait for it.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<ManualTimer> _timers = [];
    private readonly List<(Func<TimeSpan, bool> Matches, TaskCompletionSource<TimeSpan> Armed)> _watchers = [];
    private DateTimeOffset _now = new(2026, 11, 21, 0, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
            return _now;
    }

    public override long GetTimestamp() => GetUtcNow().UtcTicks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Waits until something waits for between <paramref name="least"/> and <paramref name="most"/>, and says for how long.</summary>
    public async Task<TimeSpan> ArmedAsync(TimeSpan least, TimeSpan most)
    {
        var armed = new TaskCompletionSource<TimeSpan>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            foreach (var timer in _timers)
                if (timer.Due is { } due && due - _now is var left && left >= least && left <= most)
                    return left;
            _watchers.Add((d => d >= least && d <= most, armed));
        }
        return await armed.Task.Within($"a timer between {least} and {most}");
    }

    public Task<TimeSpan> ArmedAsync(TimeSpan due) => ArmedAsync(due, due);

    public void Advance(TimeSpan by)
    {
        List<ManualTimer> due;
        lock (_gate)
        {
            _now += by;
            due = [.. _timers.Where(t => t.Due <= _now)];
            foreach (var timer in due)
                timer.Due = null;
        }
        foreach (var timer in due)
            timer.Fire();
    }

    private sealed class ManualTimer(ManualTime time, TimerCallback callback, object? state) : ITimer
    {
        public DateTimeOffset? Due { get; set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._gate)
            {
                time._timers.Remove(this);
                Due = dueTime == Timeout.InfiniteTimeSpan ? null : time._now + dueTime;
                if (Due is null)
                    return true;
                time._timers.Add(this);
                foreach (var (_, armed) in time._watchers.Where(w => w.Matches(dueTime)).ToList())
                    armed.TrySetResult(dueTime);
                time._watchers.RemoveAll(w => w.Armed.Task.IsCompleted);
            }
            return true;
        }

        public void Dispose()
        {
            lock (time._gate)
                time._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
