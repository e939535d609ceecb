using System.Collections.Immutable;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Packs;

/// <summary>What a PackExecution asks for: one pack, in one version, on one cluster.</summary>
/// <param name="Pack">The ClusterPack, in the execution's own namespace.</param>
/// <param name="Profile">The RBACProfile that has to be provisioned: <c>seam-tenant-{cluster}/{admissionProfileRef}</c>.</param>
/// <param name="Restores">The retained release whose content is brought back; null to deliver what the ClusterPack says.</param>
[GenerateSerializer, Immutable]
public sealed record ExecutionSpec(ObjectKey Pack, string PackVersion, ClusterName Cluster, ObjectKey Profile, ReleaseRef? Restores = null)
{
    /// <summary>Reads and validates; every failure is listed with its path.</summary>
    public static (ExecutionSpec? Spec, ImmutableArray<string> Failures) Read(KubeObject execution)
    {
        var failures = ImmutableArray.CreateBuilder<string>();
        var pack = Required(execution, failures, "spec", "clusterPackRef", "name");
        var version = Required(execution, failures, "spec", "clusterPackRef", "version");
        var cluster = Required(execution, failures, "spec", "targetClusterRef");
        var restores = ReadRestores(execution, failures);
        var expectedName = restores is null ? NameOf(pack, cluster) : "";
        if (restores is not null && !execution.Name.StartsWith(RestorationPrefix(restores.Instance), StringComparison.Ordinal))
            failures.Add($"metadata.name: expected '{RestorationPrefix(restores.Instance)}…', the name of a restoration of {restores.Instance}; found '{execution.Name}'");
        if (failures.Count == 0 && restores is null && execution.Name != expectedName)
            failures.Add($"metadata.name: expected '{expectedName}', so that one pack has one execution per cluster; found '{execution.Name}'");
        if (failures.Count > 0)
            return (null, failures.ToImmutable());
        var profile = execution.FindText("spec", "admissionProfileRef");
        return (
            new ExecutionSpec(
                new ObjectKey(execution.Namespace, pack), version, new ClusterName(cluster),
                new ObjectKey(TenantNamespace(cluster), profile.Length > 0 ? profile : pack), restores),
            []);
    }

    /// <summary>The name of the one PackExecution of a pack on a cluster.</summary>
    public static string NameOf(string pack, string cluster) => $"{pack}-{cluster}";

    /// <summary>The name of the restoration that was the n-th of its PackInstance.</summary>
    public static string RestorationOf(ObjectKey instance, int number) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{RestorationPrefix(instance)}{number}");

    private static string RestorationPrefix(ObjectKey instance) => $"{instance.Name}-restore-";

    private static ReleaseRef? ReadRestores(KubeObject execution, ImmutableArray<string>.Builder failures)
    {
        var instance = execution.FindText("spec", "packInstanceRef");
        if (execution.Find("spec", "rollbackToRevision") is not { ValueKind: System.Text.Json.JsonValueKind.Number } asked)
        {
            if (instance.Length > 0)
                failures.Add("spec.rollbackToRevision: expected the revision of the PackInstance in packInstanceRef, found none");
            return null;
        }
        if (instance.Length > 0 && asked.TryGetInt32(out var revision) && revision > 0)
            return new ReleaseRef(new ObjectKey(execution.Namespace, instance), revision);
        failures.Add($"spec.rollbackToRevision: expected a revision above zero, and its PackInstance in packInstanceRef; found {asked.GetRawText()} of '{instance}'");
        return null;
    }

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

/// <summary>One revision in the release history of a PackInstance.</summary>
[GenerateSerializer, Immutable]
public sealed record ReleaseRef(ObjectKey Instance, int Revision);
