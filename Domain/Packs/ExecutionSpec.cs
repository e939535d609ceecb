using System.Collections.Immutable;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Packs;

/// <summary>What a PackExecution asks for: one pack, in one version, on one cluster.</summary>
/// <param name="Pack">The ClusterPack, in the execution's own namespace.</param>
/// <param name="Profile">The RBACProfile that has to be provisioned: <c>seam-tenant-{cluster}/{admissionProfileRef}</c>.</param>
[GenerateSerializer, Immutable]
public sealed record ExecutionSpec(ObjectKey Pack, string PackVersion, ClusterName Cluster, ObjectKey Profile)
{
    /// <summary>Reads and validates; every failure is listed with its path.</summary>
    public static (ExecutionSpec? Spec, ImmutableArray<string> Failures) Read(KubeObject execution)
    {
        var failures = ImmutableArray.CreateBuilder<string>();
        var pack = Required(execution, failures, "spec", "clusterPackRef", "name");
        var version = Required(execution, failures, "spec", "clusterPackRef", "version");
        var cluster = Required(execution, failures, "spec", "targetClusterRef");
        var expectedName = NameOf(pack, cluster);
        if (failures.Count == 0 && execution.Name != expectedName)
            failures.Add($"metadata.name: expected '{expectedName}', so that one pack has one execution per cluster; found '{execution.Name}'");
        if (failures.Count > 0)
            return (null, failures.ToImmutable());
        var profile = execution.FindText("spec", "admissionProfileRef");
        return (
            new ExecutionSpec(
                new ObjectKey(execution.Namespace, pack), version, new ClusterName(cluster),
                new ObjectKey(TenantNamespace(cluster), profile.Length > 0 ? profile : pack)),
            []);
    }

    /// <summary>The name of the one PackExecution of a pack on a cluster.</summary>
    public static string NameOf(string pack, string cluster) => $"{pack}-{cluster}";

    /// <summary>The namespace on the management cluster that belongs to a tenant.</summary>
    public static string TenantNamespace(string cluster) => $"seam-tenant-{cluster}";

    private static string Required(KubeObject execution, ImmutableArray<string>.Builder failures, params ReadOnlySpan<string> path)
    {
        var text = execution.FindText(path);
        if (text.Length == 0)
            failures.Add($"{string.Join('.', path)}: expected a non-empty string, found none");
        return text;
    }
}
