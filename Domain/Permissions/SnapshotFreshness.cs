using System.Text.Json.Serialization;
using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Permissions;

/// <summary>Whether a snapshot may be relied on at a moment.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "is")]
[JsonDerivedType(typeof(FreshSnapshot), "fresh")]
[JsonDerivedType(typeof(StaleSnapshot), "stale")]
[GenerateSerializer, Immutable]
public abstract record SnapshotFreshness
{
    /// <summary>How long a snapshot holds when it does not say so itself.</summary>
    public static TimeSpan DefaultWindow { get; } = TimeSpan.FromSeconds(3600);

    /// <summary>Fresh up to and including the end of the window. A window that is not positive means the default.</summary>
    public static SnapshotFreshness Evaluate(DateTimeOffset generatedAt, TimeSpan window, DateTimeOffset now)
    {
        var until = generatedAt + Effective(window);
        return now <= until ? new FreshSnapshot(until) : new StaleSnapshot(until);
    }

    /// <summary>When to refresh: after four fifths of the window, so that it does not lapse while the refresh is under way.</summary>
    public static DateTimeOffset RefreshAt(DateTimeOffset generatedAt, TimeSpan window) => generatedAt + (Effective(window) * 0.8);

    /// <summary>The <c>Fresh</c> condition of the snapshot, which the delivery gate reads.</summary>
    public ConditionClaim ToClaim() => this switch
    {
        FreshSnapshot fresh => ConditionClaim.Of("Fresh", true, "SnapshotFresh", $"Fresh until {KubeTime.Format(fresh.Until)}."),
        StaleSnapshot stale => ConditionClaim.Of("Fresh", false, "SnapshotStale", $"Stale since {KubeTime.Format(stale.Since)}."),
        _ => throw new InvalidOperationException($"expected fresh or stale, found {this}"),
    };

    private static TimeSpan Effective(TimeSpan window) => window > TimeSpan.Zero ? window : DefaultWindow;
}

[GenerateSerializer, Immutable]
public sealed record FreshSnapshot(DateTimeOffset Until) : SnapshotFreshness;

[GenerateSerializer, Immutable]
public sealed record StaleSnapshot(DateTimeOffset Since) : SnapshotFreshness;
