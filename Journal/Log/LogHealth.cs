namespace Governor.Journal.Log;

/// <summary>What this silo does for the log.</summary>
public enum LogRole
{
    /// <summary>It has not reached the database yet, or lost it.</summary>
    Disconnected,

    /// <summary>Another silo leads; this one takes over when that one ends.</summary>
    StandingBy,

    /// <summary>It gives events their place and signs checkpoints.</summary>
    Leading,

    /// <summary>It leads and signs nothing, because somebody put the log on hold.</summary>
    Held,

    /// <summary>It found a reason not to sign, and looks again at a slow pace.</summary>
    Refusing,
}

/// <summary>How the log is, as this silo sees it.</summary>
/// <param name="Reason">Why nothing is signed, or why there is no connection; null where that is not so.</param>
/// <param name="Size">Of the newest checkpoint that this silo knows.</param>
/// <param name="SignedAt">When it was signed.</param>
public sealed record LogHealthReport(LogRole Role, string? Reason, long? Size, DateTimeOffset? SignedAt);

/// <summary>The state of the sequencer of this process, for readiness and metrics.</summary>
public sealed class LogHealth
{
    private readonly Lock _change = new();
    private LogHealthReport _report = new(LogRole.Disconnected, null, null, null);
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public LogHealthReport Current => Volatile.Read(ref _report);

    /// <summary>Returns the first report, from now on, of which the condition is true.</summary>
    public async Task<LogHealthReport> UntilAsync(Predicate<LogHealthReport> condition, CancellationToken cancellation)
    {
        while (true)
        {
            var changed = Volatile.Read(ref _changed).Task;
            var report = Current;
            if (condition(report))
                return report;
            await changed.WaitAsync(cancellation);
        }
    }

    internal void Is(LogRole role, string? reason = null) => Change(report => report with { Role = role, Reason = reason });

    internal void Knows(long? size, DateTimeOffset? signedAt) => Change(report => report with { Size = size, SignedAt = signedAt });

    private void Change(Func<LogHealthReport, LogHealthReport> change)
    {
        TaskCompletionSource before;
        lock (_change)
        {
            Volatile.Write(ref _report, change(_report));
            before = Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        before.TrySetResult();
    }
}
