using Governor.Domain.Approvals;

namespace Governor.Domain.Admission;

/// <summary>
/// The bootstrap window: the time in which RBAC and operators' objects may be put in place by hand. It opens once in the life of a
/// management cluster, and closes for good (INV-020).
/// </summary>
/// <param name="Until">It is closed from then on, whether or not anybody says so. Fixed when it opens.</param>
/// <param name="ClosedBy">Who closed it: a caller, or the actor itself when its time was over.</param>
public sealed record BootstrapState(DateTimeOffset? OpenedAt, DateTimeOffset? Until, DateTimeOffset? ClosedAt, string ClosedBy)
{
    /// <summary>Nothing has been decided. That is not open.</summary>
    public static BootstrapState Initial { get; } = new(null, null, null, "");

    public bool IsOpen(DateTimeOffset now) => ClosedAt is null && now < Until;

    /// <summary>Nothing can open it any more.</summary>
    public bool IsOver(DateTimeOffset now) => OpenedAt is not null && !IsOpen(now);
}

public abstract record BootstrapInput
{
    private BootstrapInput()
    {
    }

    /// <summary>A silo has started. The first one ever opens the window.</summary>
    /// <param name="Length">Zero opens nothing: the window begins closed.</param>
    public sealed record Started(TimeSpan Length) : BootstrapInput;

    /// <summary>Somebody closes it.</summary>
    public sealed record Closed(Caller By, string Why) : BootstrapInput;

    public sealed record Ticked : BootstrapInput;
}
