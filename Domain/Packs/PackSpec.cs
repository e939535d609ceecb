using System.Collections.Immutable;
using System.Text.Json;
using System.Text.RegularExpressions;
using Governor.Domain.Kinds;
using Governor.Domain.Signing;
using Orleans;

namespace Governor.Domain.Packs;

/// <summary>The part of a ClusterPack's spec that delivery needs. Layer digests are OCI manifest digests under <see cref="Repository"/>.</summary>
/// <param name="Repository"><c>spec.registryRef.url</c>: <c>host[:port]/path</c>.</param>
/// <param name="RollbackToRevision">Every target goes back to its own revision of this number; 0 for none.</param>
/// <param name="RetainOnDeletion">What was delivered stays when the pack is deleted, or no longer meant for the target.</param>
[GenerateSerializer, Immutable]
public sealed partial record PackSpec(
    string Version,
    string Repository,
    Digest? RbacDigest,
    Digest? ClusterScopedDigest,
    Digest? WorkloadDigest,
    string BasePackName,
    ImmutableArray<string> TargetClusters,
    long RollbackToRevision = 0,
    bool RetainOnDeletion = true)
{
    // Who may write to the ClusterPack changes these at will; everything else is the pack.
    private static readonly ImmutableArray<string> Mutable = ["targetClusters", "lifecyclePolicies", "rollbackToRevision"];

    /// <summary>What the pack is called across its versions; its profile is named so, too.</summary>
    public string BaseNameOr(string name) => BasePackName.Length > 0 ? BasePackName : name;

    /// <summary>The layers in the order in which they are applied.</summary>
    public IEnumerable<(PackLayer Layer, Digest Digest)> Layers()
    {
        if (RbacDigest is { } rbac)
            yield return (PackLayer.Rbac, rbac);
        if (ClusterScopedDigest is { } clusterScoped)
            yield return (PackLayer.ClusterScoped, clusterScoped);
        if (WorkloadDigest is { } workload)
            yield return (PackLayer.Workload, workload);
    }

    public bool Equals(PackSpec? other) =>
        other is not null && Version == other.Version && Repository == other.Repository && RbacDigest == other.RbacDigest
        && ClusterScopedDigest == other.ClusterScopedDigest && WorkloadDigest == other.WorkloadDigest
        && BasePackName == other.BasePackName && TargetClusters.SequenceEqual(other.TargetClusters)
        && RollbackToRevision == other.RollbackToRevision && RetainOnDeletion == other.RetainOnDeletion;

    public override int GetHashCode() => HashCode.Combine(Version, Repository, RbacDigest, ClusterScopedDigest, WorkloadDigest, BasePackName);

    /// <summary>Reads and validates; every failure is listed, each with its path, what was expected and what was found.</summary>
    public static (PackSpec? Spec, ImmutableArray<string> Failures) Read(KubeObject pack)
    {
        var failures = ImmutableArray.CreateBuilder<string>();
        var version = Required(pack, failures, "spec", "version");
        var repository = Required(pack, failures, "spec", "registryRef", "url");
        var rbac = ReadDigest(pack, failures, "rbacDigest");
        var clusterScoped = ReadDigest(pack, failures, "clusterScopedDigest");
        var workload = ReadDigest(pack, failures, "workloadDigest");
        if (rbac is null && clusterScoped is null && workload is null && failures.Count == 0)
            failures.Add("spec: expected at least one of rbacDigest, clusterScopedDigest and workloadDigest, found none");

        var targets = ImmutableArray<string>.Empty;
        if (pack.Find("spec", "targetClusters") is { ValueKind: JsonValueKind.Array } listed)
            targets = [.. listed.EnumerateArray().Select(t => t.ValueKind == JsonValueKind.String ? t.GetString()! : t.GetRawText()).Distinct().Order(StringComparer.Ordinal)];
        foreach (var target in targets.Where(t => !ClusterLabel().IsMatch(t)))
            failures.Add($"spec.targetClusters: expected names of clusters (DNS labels), found '{target}'");

        var rollback = 0L;
        if (pack.Find("spec", "rollbackToRevision") is { ValueKind: not (JsonValueKind.Undefined or JsonValueKind.Null) } asked
            && !(asked.ValueKind == JsonValueKind.Number && asked.TryGetInt64(out rollback) && rollback >= 0))
            failures.Add($"spec.rollbackToRevision: expected a revision, or 0 for none; found {asked.GetRawText()}");
        var retain = pack.Find("spec", "lifecyclePolicies", "retainOnDeletion").ValueKind != JsonValueKind.False;

        return failures.Count > 0
            ? (null, failures.ToImmutable())
            : (new PackSpec(version, repository, rbac, clusterScoped, workload, pack.FindText("spec", "basePackName"), targets, rollback, retain), []);
    }

    /// <summary>SHA-256 of the canonical spec: what a signature stands for. "" where there is no spec.</summary>
    public static string DigestOf(KubeObject pack) =>
        pack.Spec.ValueKind == JsonValueKind.Undefined ? "" : Digest.Of(CanonicalJson.Encode(pack.Spec)).Value;

    /// <summary>SHA-256 of the canonical spec without what may change: who the pack is. "" where there is no spec.</summary>
    public static string ContentDigestOf(KubeObject pack)
    {
        if (pack.Spec.ValueKind != JsonValueKind.Object)
            return DigestOf(pack);
        var content = System.Text.Json.Nodes.JsonNode.Parse(pack.Spec.GetRawText())!.AsObject();
        foreach (var field in Mutable)
            content.Remove(field);
        return Digest.Of(CanonicalJson.Encode(content)).Value;
    }

    [GeneratedRegex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
    private static partial Regex ClusterLabel();

    private static string Required(KubeObject pack, ImmutableArray<string>.Builder failures, params ReadOnlySpan<string> path)
    {
        var text = pack.FindText(path);
        if (text.Length == 0)
            failures.Add($"{string.Join('.', path)}: expected a non-empty string, found none");
        return text;
    }

    private static Digest? ReadDigest(KubeObject pack, ImmutableArray<string>.Builder failures, string field)
    {
        var text = pack.FindText("spec", field);
        if (text.Length == 0)
            return null;
        if (Digest.TryParse(text, out var digest))
            return digest;
        failures.Add($"spec.{field}: expected a digest 'sha256:<64 hex>', found '{text}'");
        return null;
    }
}

public enum PackLayer
{
    Rbac,
    ClusterScoped,
    Workload,
}
