using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Domain.Signing;
using Orleans;

namespace Governor.Domain.Permissions;

/// <summary>The effective permissions of one cluster at one moment, ready to be published.</summary>
/// <param name="Version">Digest of the content, the cluster's name included. Equal rights have equal versions, whenever they were computed.</param>
/// <param name="GeneratedAt">To the microsecond, and later than of every snapshot of the cluster before it: it says which of two is the newer.</param>
[GenerateSerializer, Immutable]
public sealed record PermissionSnapshot(
    ClusterPermissions Permissions, string Version, DateTimeOffset GeneratedAt, int FreshnessWindowSeconds)
{
    /// <summary>
    /// How large the content may be. An API server takes objects of up to 1.5 MiB, metadata, status and the record of field owners
    /// included.
    /// </summary>
    public const int MostBytes = 1024 * 1024;

    /// <summary>Principals whose rights did not fit, the largest first; on this cluster they have none.</summary>
    [Id(0)]
    public ImmutableArray<string> LeftOut { get; init; } = [];

    [JsonIgnore]
    public ClusterName Cluster => Permissions.Cluster;

    [JsonIgnore]
    public TimeSpan Window => TimeSpan.FromSeconds(FreshnessWindowSeconds);

    [JsonIgnore]
    public DateTimeOffset FreshUntil => GeneratedAt + Window;

    [JsonIgnore]
    public DateTimeOffset RefreshAt => SnapshotFreshness.RefreshAt(GeneratedAt, Window);

    /// <param name="previous">The snapshot before it, whose time this one's has to exceed.</param>
    public static PermissionSnapshot Build(ClusterPermissions permissions, DateTimeOffset now, PermissionSnapshot? previous = null, TimeSpan? window = null, int mostBytes = MostBytes)
    {
        var (fitting, leftOut) = SnapshotContent.Fit(permissions, mostBytes);
        return new(fitting, VersionOf(fitting), After(previous, now), (int)(window ?? SnapshotFreshness.DefaultWindow).TotalSeconds) { LeftOut = leftOut };
    }

    /// <summary>The same content, confirmed again.</summary>
    public PermissionSnapshot Refreshed(DateTimeOffset now) => this with { GeneratedAt = After(this, now) };

    public SnapshotFreshness FreshnessAt(DateTimeOffset now) => SnapshotFreshness.Evaluate(GeneratedAt, Window, now);

    /// <summary>The name of a cluster's snapshot object: <c>snapshot-management</c> for the management cluster, otherwise <c>snapshot-{cluster}</c>.</summary>
    public static string ObjectName(ClusterName cluster, ClusterName management) =>
        cluster == management ? ManagementName : $"{NamePrefix}{cluster}";

    /// <summary>The name of the management cluster's snapshot.</summary>
    public const string ManagementName = "snapshot-management";

    /// <summary>What the names of all snapshots begin with.</summary>
    public const string NamePrefix = "snapshot-";

    /// <summary>What a version is the digest of: the same for equal rights.</summary>
    public static string VersionOf(ClusterPermissions permissions) => Digest.Of(SnapshotContent.Of(permissions)).Value;

    /// <summary><c>spec</c> of the PermissionSnapshot object. The rights are written once, by principal.</summary>
    /// <param name="keyId">The key that it is going to be signed with; "" for none.</param>
    public JsonObject ToSpec(string keyId = "")
    {
        // The rights come from the very bytes that the version is the digest of.
        var content = JsonNode.Parse(SnapshotContent.Of(Permissions))!.AsObject();
        var principals = content["principalPermissions"];
        content.Remove("principalPermissions");
        var spec = new JsonObject
        {
            ["targetCluster"] = Cluster.Value,
            ["version"] = Version,
            ["generatedAt"] = KubeTime.Format(GeneratedAt),
            ["snapshotTimestamp"] = KubeTime.FormatExact(GeneratedAt),
            ["freshnessWindowSeconds"] = FreshnessWindowSeconds,
            ["principalPermissions"] = principals,
        };
        if (keyId.Length > 0)
            spec["signingKeyFingerprint"] = keyId;
        return spec;
    }

    // Clocks go back, and silos have different ones; the order of a cluster's snapshots does not.
    private static DateTimeOffset After(PermissionSnapshot? previous, DateTimeOffset now)
    {
        var moment = new DateTimeOffset(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
        return previous is null || moment > previous.GeneratedAt ? moment : previous.GeneratedAt + TimeSpan.FromMicroseconds(1);
    }
}
