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
    private LogHealthReport _report = new(LogRole.Disconnected, null, null, null);

    public LogHealthReport Current => Volatile.Read(ref _report);

    // One sequencer writes.
    internal void Is(LogRole role, string? reason = null) => Volatile.Write(ref _report, Current with { Role = role, Reason = reason });

    internal void Knows(long? size, DateTimeOffset? signedAt) => Volatile.Write(ref _report, Current with { Size = size, SignedAt = signedAt });
}
