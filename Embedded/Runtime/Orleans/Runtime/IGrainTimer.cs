using System.Diagnostics.CodeAnalysis;

namespace Orleans.Runtime;

/// <summary>A timer of one activation.</summary>
public interface IGrainTimer : IDisposable
{
    /// <summary>Starts over: the next tick after <paramref name="dueTime"/>, then every <paramref name="period"/> after the end of a tick.</summary>
    void Change(TimeSpan dueTime, TimeSpan period);
}

/// <summary>When a timer ticks and what its ticks may do.</summary>
public readonly struct GrainTimerCreationOptions
{
    public GrainTimerCreationOptions()
    {
    }

    [SetsRequiredMembers]
    public GrainTimerCreationOptions(TimeSpan dueTime, TimeSpan period)
    {
        DueTime = dueTime;
        Period = period;
    }

    /// <summary>Time to the first tick; <see cref="Timeout.InfiniteTimeSpan"/> for none before <see cref="IGrainTimer.Change"/>.</summary>
    public required TimeSpan DueTime { get; init; }

    /// <summary>Time from the end of a tick to the next; <see cref="Timeout.InfiniteTimeSpan"/> for a single tick.</summary>
    public required TimeSpan Period { get; init; }

    /// <summary>Whether a tick may start while a request is running. Default: no.</summary>
    public bool Interleave { get; init; }

    /// <summary>Whether a tick counts as use, so that idle collection starts counting again. Default: no.</summary>
    public bool KeepAlive { get; init; }
}
