using System.Buffers;
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
    public JsonObject ToSpec()
    {
        // The rights come from the very bytes that the version is the digest of.
        var content = JsonNode.Parse(Content(Permissions))!.AsObject();
        var principals = content["principalPermissions"];
        content.Remove("principalPermissions");
        return new JsonObject
        {
            ["targetCluster"] = Cluster.Value,
            ["version"] = Version,
            ["generatedAt"] = KubeTime.Format(GeneratedAt),
            ["snapshotTimestamp"] = KubeTime.Format(GeneratedAt),
            ["freshnessWindowSeconds"] = FreshnessWindowSeconds,
            ["principalPermissions"] = principals,
        };
    }

    /// <summary>Compact JSON of <c>targetCluster</c> and <c>principalPermissions</c>, in that order.</summary>
    private static ReadOnlySpan<byte> Content(ClusterPermissions permissions)
    {
        var content = new ArrayBufferWriter<byte>(4096);
        using var json = new Utf8JsonWriter(content);
        json.WriteStartObject();
        json.WriteString("targetCluster", permissions.Cluster.Value);
        json.WriteStartArray("principalPermissions");
        foreach (var held in permissions.Principals)
        {
            json.WriteStartObject();
            json.WriteString("principalRef", held.Principal);
            json.WriteStartArray("allowedOperations");
            foreach (var rule in held.Rules.Where(rule => rule.Namespace.Length == 0))
                WriteOperation(json, rule, []);
            foreach (var same in held.Rules.Where(rule => rule.Namespace.Length > 0).GroupBy(WithoutNamespace))
                WriteOperation(json, same.First(), same.Select(rule => rule.Namespace));
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return content.WrittenSpan;
    }

    /// <summary>Rules that differ only in their namespace are one operation.</summary>
    private static (string Group, string Resource, string Verbs, string Names) WithoutNamespace(EffectiveRule rule) =>
        (rule.ApiGroup, rule.Resource, string.Join(',', rule.Verbs), string.Join('\n', rule.ResourceNames));

    private static void WriteOperation(Utf8JsonWriter json, EffectiveRule rule, IEnumerable<string> namespaces)
    {
        json.WriteStartObject();
        json.WriteString("apiGroup", rule.ApiGroup);
        json.WriteString("resource", rule.Resource);
        WriteTexts(json, "verbs", rule.Verbs);
        if (!rule.ResourceNames.IsDefaultOrEmpty)
            WriteTexts(json, "resourceNames", rule.ResourceNames);
        if (rule.Namespace.Length > 0)
            WriteTexts(json, "namespaces", namespaces);
        json.WriteEndObject();
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
