using System.Collections.Immutable;
using Governor.Domain.Kinds;

namespace Governor.Domain.Packs;

/// <summary>The objects of one step, in the order in which they are applied.</summary>
public sealed record DeliveryStage(string Step, ImmutableArray<KubeObject> Objects);

/// <summary>
/// What a pack will do to its target, worked out completely before the first write: every object has a place, a known kind and
/// the right scope, or there is no plan.
/// </summary>
public sealed record DeliveryPlan(ImmutableArray<DeliveryStage> Stages)
{
    private static readonly ImmutableHashSet<string> RbacKinds = ["ServiceAccount", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"];

    // What others mount or select comes before those who do; everything else is a workload or a custom object.
    private static readonly ImmutableArray<string> EarlyWorkload =
        ["LimitRange", "ResourceQuota", "ConfigMap", "Secret", "PersistentVolumeClaim", "Service", "NetworkPolicy", "PodDisruptionBudget"];

    public IEnumerable<KubeObject> Objects => Stages.SelectMany(s => s.Objects);

    /// <summary>The kinds that the target's API has to be asked about: all but those that the pack brings along.</summary>
    public static ImmutableHashSet<GroupVersionKind> KindsToDiscover(ImmutableArray<(PackLayer Layer, KubeObject Object)> content)
    {
        var own = ScopesOfOwnKinds(content);
        return [.. content.Select(c => c.Object.Gvk).Where(kind => !own.ContainsKey(kind))];
    }

    /// <param name="discovered">For each kind that the target serves, whether it is namespaced.</param>
    public static (DeliveryPlan? Plan, ImmutableArray<DeliveryFailure> Failures) Build(
        ImmutableArray<(PackLayer Layer, KubeObject Object)> content, IReadOnlyDictionary<GroupVersionKind, bool> discovered)
    {
        var own = ScopesOfOwnKinds(content);
        var failures = ImmutableArray.CreateBuilder<DeliveryFailure>();
        var seen = new HashSet<(GroupVersionKind, ObjectKey)>();
        foreach (var (layer, item) in content)
        {
            if (Misfit(layer, item, own, discovered) is { } failure)
                failures.Add(failure);
            else if (!seen.Add((item.Gvk, item.Key)))
                failures.Add(Failure(layer, item, "DuplicateObject", "expected every object once, found it twice in the pack"));
        }
        if (content.IsEmpty)
            failures.Add(new DeliveryFailure(DeliverySteps.Verify, "pack", "EmptyPack", "expected at least one object in the layers, found none"));
        if (failures.Count > 0)
            return (null, failures.ToImmutable());

        var isNamespace = content.ToLookup(c => c.Object.Gvk == KnownKinds.Namespace);
        var rest = isNamespace[false].ToLookup(c => c.Layer, c => c.Object);
        return (
            new DeliveryPlan(
            [
                new DeliveryStage(DeliverySteps.Namespaces, [.. isNamespace[true].Select(c => c.Object)]),
                new DeliveryStage(DeliverySteps.Rbac, [.. rest[PackLayer.Rbac]]),
                new DeliveryStage(DeliverySteps.ClusterScoped, [.. rest[PackLayer.ClusterScoped].OrderBy(o => o.Gvk == KnownKinds.CustomResourceDefinition ? 0 : 1)]),
                new DeliveryStage(DeliverySteps.Workload, [.. rest[PackLayer.Workload].OrderBy(o => WorkloadRank(o, own))]),
            ]),
            []);
    }

    private static DeliveryFailure? Misfit(
        PackLayer layer, KubeObject item, Dictionary<GroupVersionKind, bool> own, IReadOnlyDictionary<GroupVersionKind, bool> discovered)
    {
        if (!own.TryGetValue(item.Gvk, out var namespaced) && !discovered.TryGetValue(item.Gvk, out namespaced))
            return Failure(layer, item, "KindNotServed", $"expected a kind that the target cluster serves, found {item.Gvk}");
        if (item.Name.Length == 0)
            return Failure(layer, item, "ManifestInvalid", "metadata.name: expected a name, found none");
        if (namespaced && item.Namespace.Length == 0)
            return Failure(layer, item, "NamespaceMissing", $"metadata.namespace: {item.Kind} is namespaced; expected a namespace, found none");
        if (!namespaced && item.Namespace.Length > 0)
            return Failure(layer, item, "ScopeMismatch", $"metadata.namespace: {item.Kind} is cluster-scoped; expected none, found '{item.Namespace}'");
        if (layer == PackLayer.ClusterScoped && namespaced)
            return Failure(layer, item, "ScopeMismatch", $"expected cluster-scoped objects in the cluster-scoped layer, found the namespaced kind {item.Kind}");
        if (layer == PackLayer.Rbac != RbacKinds.Contains(item.Kind))
            return Failure(layer, item, "LayerMismatch", $"expected {string.Join(", ", RbacKinds.Order(StringComparer.Ordinal))} in the RBAC layer and nowhere else, found {item.Kind} in the {layer} layer");
        return null;
    }

    private static DeliveryFailure Failure(PackLayer layer, KubeObject item, string reason, string message) =>
        new(DeliverySteps.Verify, $"{item.Kind} {item.Key} ({layer} layer)", reason, message);

    private static int WorkloadRank(KubeObject item, Dictionary<GroupVersionKind, bool> own)
    {
        var early = EarlyWorkload.IndexOf(item.Kind);
        return early >= 0 ? early : own.ContainsKey(item.Gvk) ? EarlyWorkload.Length + 1 : EarlyWorkload.Length;
    }

    private static Dictionary<GroupVersionKind, bool> ScopesOfOwnKinds(ImmutableArray<(PackLayer Layer, KubeObject Object)> content)
    {
        var scopes = new Dictionary<GroupVersionKind, bool>();
        foreach (var (_, item) in content.Where(c => c.Object.Gvk == KnownKinds.CustomResourceDefinition))
        {
            if (item.Find("spec", "versions") is not { ValueKind: System.Text.Json.JsonValueKind.Array } versions)
                continue;
            foreach (var version in versions.EnumerateArray())
                if (version.TryGetProperty("name", out var name) && name.GetString() is { } text)
                    scopes[new GroupVersionKind(item.FindText("spec", "group"), text, item.FindText("spec", "names", "kind"))] = item.FindText("spec", "scope") == "Namespaced";
        }
        return scopes;
    }
}
