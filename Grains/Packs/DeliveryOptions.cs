namespace Governor.Grains.Packs;

/// <summary>How long a delivery is patient.</summary>
public sealed class DeliveryOptions
{
    public const string Section = "Governor:Delivery";

    /// <summary>How long the objects of a pack may take to become ready; between a second and a day.</summary>
    public TimeSpan ReadinessDeadline { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How many objects of one delivery are applied at a time; between 1 and 64. The cluster's own limit of requests comes on top.</summary>
    public int MaxParallel { get; set; } = 8;

    /// <summary>How long faults that may pass (registry or cluster unreachable) are retried; between a second and a day.</summary>
    public TimeSpan RetryBudget { get; set; } = TimeSpan.FromMinutes(10);
}
