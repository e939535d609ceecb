using Orleans;
using Orleans.Runtime;

namespace Governor.Embedded.Runtime.Reminders;

/// <summary>Fires at a reminder's start and every period after it; a tick that is under way when the next is due swallows that one.</summary>
internal sealed class ReminderClock : IDisposable
{
    /// <summary>Timers reach less than fifty days; a longer wait is taken in parts.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(30);

    private readonly Lock sync = new();
    private readonly TimeProvider clock;
    private readonly ReminderEntry entry;
    private readonly Func<ReminderEntry, TickStatus, Task> tick;
    private readonly ITimer timer;
    private DateTime due;
    private bool isDisposed;

    public ReminderClock(TimeProvider clock, ReminderEntry entry, Func<ReminderEntry, TickStatus, Task> tick)
    {
        this.clock = clock;
        this.entry = entry;
        this.tick = tick;
        using (ExecutionContext.IsFlowSuppressed() ? default(AsyncFlowControl?) : ExecutionContext.SuppressFlow())
            timer = clock.CreateTimer(static state => _ = ((ReminderClock)state!).FireAsync(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Goes on with the reminder's rhythm; what was missed while nobody ran is not made up for.</summary>
    public void Start() => Await(NextDue());

    public void Dispose()
    {
        lock (sync)
        {
            isDisposed = true;
            timer.Dispose();
        }
    }

    private DateTime Now => clock.GetUtcNow().UtcDateTime;

    /// <summary>The first due time that is not in the past.</summary>
    private DateTime NextDue()
    {
        var late = Now - entry.StartAt;
        if (late <= TimeSpan.Zero)
            return entry.StartAt;
        var passed = (late.Ticks + entry.Period.Ticks - 1) / entry.Period.Ticks;
        return entry.StartAt.AddTicks(passed * entry.Period.Ticks);
    }

    private void Await(DateTime next)
    {
        lock (sync)
        {
            if (isDisposed)
                return;
            due = next;
            var wait = next - Now;
            timer.Change(wait < TimeSpan.Zero ? TimeSpan.Zero : wait > LongestWait ? LongestWait : wait, Timeout.InfiniteTimeSpan);
        }
    }

    private async Task FireAsync()
    {
        if (Now < due)
        {
            Await(due);
            return;
        }

        await tick(entry, new(entry.StartAt, entry.Period, Now));
        var next = NextDue();
        Await(next > due ? next : due + entry.Period);
    }
}
