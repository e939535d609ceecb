using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Governor.Domain.Approvals;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;

namespace Governor.Domain.Admission;

/// <summary>
/// The bootstrap window: the time in which RBAC and operators' objects may be put in place by hand. It opens once in the life of a
/// management cluster, and closes for good (INV-020).
/// </summary>
/// <param name="Until">It is closed from then on, whether or not anybody says so. Fixed when it opens.</param>
/// <param name="ClosedBy">Who closed it: a caller, or the actor itself when its time was over.</param>
public sealed record BootstrapState(DateTimeOffset? OpenedAt, DateTimeOffset? Until, DateTimeOffset? ClosedAt, string ClosedBy)
{
    /// <summary>How long the family has to be complete before the window closes: manifests arrive one after the other. Fixed when it opens.</summary>
    public TimeSpan Settling { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>What is known of the family's profiles and memberships; null before, and when the window is closed.</summary>
    public RosterFact? Family { get; init; }

    /// <summary>Since when the family is complete; null while it is not.</summary>
    public DateTimeOffset? CompleteSince { get; init; }

    public ImmutableArray<Condition> Conditions { get; init; } = [];

    /// <summary>Nothing has been decided. That is not open.</summary>
    public static BootstrapState Initial { get; } = new(null, null, null, "");

    /// <summary>It closes then at the latest, unless the family falls apart before.</summary>
    [JsonIgnore]
    public DateTimeOffset? End => CompleteSince + Settling is { } settled && settled < Until ? settled : Until;

    public bool IsOpen(DateTimeOffset now) => ClosedAt is null && now < End;

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
    /// <param name="Settling">How long the family has to be complete before the window closes.</param>
    public sealed record Started(TimeSpan Length, TimeSpan Settling) : BootstrapInput;

    /// <summary>Somebody closes it.</summary>
    public sealed record Closed(Caller By, string Why) : BootstrapInput;

    public sealed record Told(Fact Fact) : BootstrapInput;

    public sealed record Ticked : BootstrapInput;
}
