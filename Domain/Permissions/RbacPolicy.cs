using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Permissions;

/// <summary>Whose profiles a policy governs.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SubjectScope>))]
public enum SubjectScope
{
    /// <summary>Service accounts.</summary>
    Platform,

    /// <summary>Named identities.</summary>
    Tenant,
}

/// <summary>What happens to a profile that goes further than its policy.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<EnforcementMode>))]
public enum EnforcementMode
{
    /// <summary>It is refused.</summary>
    Strict,

    /// <summary>It is noted; the effective permissions stay within the ceiling all the same.</summary>
    Audit,
}

/// <summary>How far the profiles that refer to it may go.</summary>
[GenerateSerializer, Immutable]
public sealed record RbacPolicy(
    ObjectKey Key,
    string Uid,
    long Generation,
    SubjectScope SubjectScope,
    ImmutableArray<string> AllowedClusters,
    string MaximumPermissionSetRef,
    EnforcementMode EnforcementMode)
{
    /// <summary>The ceiling: a set in the policy's own namespace, so that equally named ceilings of two tenants never mix.</summary>
    [JsonIgnore]
    public ObjectKey MaximumPermissionSet => Key with { Name = MaximumPermissionSetRef };

    public static Reading<RbacPolicy> Read(KubeObject source)
    {
        var reader = new FieldReader(source);
        var scope = reader.OneOf(reader.Spec, "spec", "subjectScope", "SubjectScopeValid",
            ("platform", SubjectScope.Platform), ("tenant", SubjectScope.Tenant));
        var mode = reader.OneOf(reader.Spec, "spec", "enforcementMode", "EnforcementModeValid",
            ("strict", EnforcementMode.Strict), ("audit", EnforcementMode.Audit));
        var clusters = reader.Texts(reader.Spec, "spec", "allowedClusters");
        for (var i = 0; i < clusters.Length; i++)
            reader.Require(clusters[i].Length > 0 && !clusters[i].Any(char.IsWhiteSpace), "AllowedClustersFormat", $"spec.allowedClusters[{i}]",
                $"expected a cluster name without white space, found '{clusters[i]}'");
        var maximum = reader.Name(reader.Spec, "spec", "maximumPermissionSetRef", "MaxPermissionSetRefNotEmpty");
        return reader.Result(() => new RbacPolicy(source.Key, source.Uid, source.Generation, scope, clusters, maximum, mode));
    }
}
