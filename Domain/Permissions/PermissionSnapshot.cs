using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Domain.Signing;
using Orleans;

namespace Governor.Domain.Permissions;

/// <summary>The effective permissions of one cluster at one moment, ready to be published.</summary>
/// <param name="Version">Digest of the content, the cluster's name included. Equal rights have equal versions, whenever they were computed.</param>
[GenerateSerializer, Immutable]
public sealed record PermissionSnapshot(
    ClusterPermissions Permissions, string Version, DateTimeOffset GeneratedAt, int FreshnessWindowSeconds)
{
    [JsonIgnore]
    public ClusterName Cluster => Permissions.Cluster;

    [JsonIgnore]
    public TimeSpan Window => TimeSpan.FromSeconds(FreshnessWindowSeconds);

    [JsonIgnore]
    public DateTimeOffset RefreshAt => SnapshotFreshness.RefreshAt(GeneratedAt, Window);

    public static PermissionSnapshot Build(ClusterPermissions permissions, DateTimeOffset generatedAt, TimeSpan? window = null) =>
        new(permissions, VersionOf(permissions), generatedAt, (int)(window ?? SnapshotFreshness.DefaultWindow).TotalSeconds);

    /// <summary>The same content, confirmed again.</summary>
    public PermissionSnapshot Refreshed(DateTimeOffset generatedAt) => this with { GeneratedAt = generatedAt };

    public SnapshotFreshness FreshnessAt(DateTimeOffset now) => SnapshotFreshness.Evaluate(GeneratedAt, Window, now);

    /// <summary>The name of a cluster's snapshot object: <c>snapshot-management</c> for the management cluster, otherwise <c>snapshot-{cluster}</c>.</summary>
    public static string ObjectName(ClusterName cluster, ClusterName management) =>
        cluster == management ? "snapshot-management" : $"snapshot-{cluster}";

    /// <summary>What a version is the digest of: the same for equal rights.</summary>
    public static string VersionOf(ClusterPermissions permissions) => Digest.Of(Content(permissions)).Value;

    /// <summary><c>spec</c> of the PermissionSnapshot object. The rights are written once, by principal.</summary>
    public JsonObject ToSpec() => new()
    {
        ["targetCluster"] = Cluster.Value,
        ["version"] = Version,
        ["generatedAt"] = KubeTime.Format(GeneratedAt),
        ["snapshotTimestamp"] = KubeTime.Format(GeneratedAt),
        ["freshnessWindowSeconds"] = FreshnessWindowSeconds,
        ["principalPermissions"] = Principals(Permissions),
    };

    private static byte[] Content(ClusterPermissions permissions) => JsonSerializer.SerializeToUtf8Bytes(new JsonObject
    {
        ["targetCluster"] = permissions.Cluster.Value,
        ["principalPermissions"] = Principals(permissions),
    });

    private static JsonArray Principals(ClusterPermissions permissions) => new([.. permissions.Principals.Select(held => new JsonObject
    {
        ["principalRef"] = held.Principal,
        ["allowedOperations"] = new JsonArray([.. Operations(held.Rules)]),
    })]);

    /// <summary>Rules that differ only in their namespace are one operation.</summary>
    private static IEnumerable<JsonObject> Operations(ImmutableArray<EffectiveRule> rules) => rules
        .GroupBy(rule => (rule.Namespace.Length > 0, rule.ApiGroup, rule.Resource, string.Join(',', rule.Verbs), string.Join('\n', rule.ResourceNames)))
        .Select(same => Operation(same.First(), [.. same.Select(rule => rule.Namespace).Where(name => name.Length > 0)]));

    private static JsonObject Operation(EffectiveRule rule, ImmutableArray<string> namespaces)
    {
        var operation = new JsonObject { ["apiGroup"] = rule.ApiGroup, ["resource"] = rule.Resource, ["verbs"] = Texts(rule.Verbs) };
        if (!rule.ResourceNames.IsDefaultOrEmpty)
            operation["resourceNames"] = Texts(rule.ResourceNames);
        if (!namespaces.IsEmpty)
            operation["namespaces"] = Texts(namespaces);
        return operation;
    }

    private static JsonArray Texts(ImmutableArray<string> values) => new([.. values.Select(value => JsonValue.Create(value))]);
}
