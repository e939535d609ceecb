using System.Collections.Immutable;
using System.Text.Json;
using Governor.Domain.Kinds;

namespace Governor.Domain.Packs;

/// <summary>Objects that may be applied beside each other.</summary>
/// <param name="Name">What they have in common, for people.</param>
public sealed record DeliveryBatch(string Name, ImmutableArray<KubeObject> Objects)
{
    /// <summary>Whether what comes after may be of a kind that these define.</summary>
    public bool HasToBeServed => Name == DeliveryOrder.Definitions;
}

/// <summary>The batches of one step, in the order in which they are applied.</summary>
public sealed record DeliveryStage(string Step, ImmutableArray<DeliveryBatch> Batches)
{
    public IEnumerable<KubeObject> Objects => Batches.SelectMany(batch => batch.Objects);
}

/// <summary>
/// What a pack will do to its target, worked out completely before the first write: every object has a place, a known kind and
/// the right scope, or there is no plan.
/// </summary>
/// <param name="Stages">Every step after <see cref="DeliverySteps.Verify"/>, the empty ones too. What the last one applies, it applies when all else is ready.</param>
public sealed record DeliveryPlan(ImmutableArray<DeliveryStage> Stages)
{
    public IEnumerable<KubeObject> Objects => Stages.SelectMany(s => s.Objects);

    /// <summary>What will be on the target, without what only the target knows of it.</summary>
    public ImmutableArray<DeployedResource> ToDeployed() => [.. Objects.Select(item => new DeployedResource(item.ApiVersion, item.Kind, item.Namespace, item.Name))];

    /// <summary>The kinds that the target's API has to be asked about: all but those that the pack brings along.</summary>
    public static ImmutableHashSet<GroupVersionKind> KindsToDiscover(ImmutableArray<(PackLayer Layer, KubeObject Object)> content)
    {
        var own = ScopesOfOwnKinds(content);
        return [.. content.Select(c => c.Object.Gvk).Where(kind => !own.ContainsKey(kind))];
    }

    /// <summary>The kinds that a definition brings along, those that it does not serve left out.</summary>
    public static IEnumerable<GroupVersionKind> KindsOf(KubeObject definition)
    {
        if (definition.Find("spec", "versions") is not { ValueKind: JsonValueKind.Array } versions)
            yield break;
        foreach (var version in versions.EnumerateArray())
            if (version.ValueKind == JsonValueKind.Object && version.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String
                && !(version.TryGetProperty("served", out var served) && served.ValueKind == JsonValueKind.False))
                yield return new GroupVersionKind(definition.FindText("spec", "group"), name.GetString()!, definition.FindText("spec", "names", "kind"));
    }

    /// <param name="discovered">For each kind that the target serves, whether it is namespaced.</param>
    public static (DeliveryPlan? Plan, ImmutableArray<DeliveryFailure> Failures) Build(
        ImmutableArray<(PackLayer Layer, KubeObject Object)> content, IReadOnlyDictionary<GroupVersionKind, bool> discovered)
    {
        var own = ScopesOfOwnKinds(content);
        var failures = ImmutableArray.CreateBuilder<DeliveryFailure>();
        var seen = new HashSet<(string Group, string Kind, ObjectKey Key)>();
        foreach (var (layer, item) in content)
        {
            if (Misfit(layer, item, own, discovered) is { } failure)
                failures.Add(failure);
            // In two versions of its group it is the same object still.
            else if (!seen.Add((item.Gvk.Group, item.Kind, item.Key)))
                failures.Add(Failure(layer, item, "DuplicateObject", "expected every object once, found it twice in the pack"));
        }
        if (content.IsEmpty)
            failures.Add(new DeliveryFailure(DeliverySteps.Verify, "pack", "EmptyPack", "expected at least one object in the layers, found none"));
        return failures.Count > 0
            ? (null, failures.ToImmutable())
            : (new DeliveryPlan(DeliveryOrder.Sort(content.Select(c => (c.Object, IsNamespaced(c.Object.Gvk), own.ContainsKey(c.Object.Gvk))))), []);

        bool IsNamespaced(GroupVersionKind kind) => own.TryGetValue(kind, out var namespaced) ? namespaced : discovered[kind];
    }

    private static DeliveryFailure? Misfit(
        PackLayer layer, KubeObject item, Dictionary<GroupVersionKind, bool> own, IReadOnlyDictionary<GroupVersionKind, bool> discovered)
    {
        if (ManifestFaults.Of(item) is { } fault)
            return Failure(layer, item, "ManifestInvalid", fault);
        if (!own.TryGetValue(item.Gvk, out var namespaced) && !discovered.TryGetValue(item.Gvk, out namespaced))
            return Failure(layer, item, "KindNotServed", $"expected a kind that the target cluster serves, found {item.Gvk}");
        if (namespaced && item.Namespace.Length == 0)
            return Failure(layer, item, "NamespaceMissing", $"metadata.namespace: {item.Kind} is namespaced; expected a namespace, found none");
        if (!namespaced && item.Namespace.Length > 0)
            return Failure(layer, item, "ScopeMismatch", $"metadata.namespace: {item.Kind} is cluster-scoped; expected none, found '{item.Namespace}'");
        if (layer == PackLayer.ClusterScoped && namespaced)
            return Failure(layer, item, "ScopeMismatch", $"expected cluster-scoped objects in the cluster-scoped layer, found the namespaced kind {item.Kind}");
        if (layer == PackLayer.Rbac != DeliveryOrder.IsRbac(item.Gvk))
            return Failure(layer, item, "LayerMismatch", $"expected ServiceAccounts, Roles, ClusterRoles and their bindings in the RBAC layer and nowhere else, found {item.Kind} in the {layer} layer");
        return null;
    }

    private static DeliveryFailure Failure(PackLayer layer, KubeObject item, string reason, string message) =>
        new(DeliverySteps.Verify, $"{item.Kind} {item.Key} ({layer} layer)", reason, message);

    private static Dictionary<GroupVersionKind, bool> ScopesOfOwnKinds(ImmutableArray<(PackLayer Layer, KubeObject Object)> content)
    {
        var scopes = new Dictionary<GroupVersionKind, bool>();
        foreach (var (_, item) in content.Where(c => c.Object.Gvk == KnownKinds.CustomResourceDefinition))
            foreach (var kind in KindsOf(item))
                scopes[kind] = item.FindText("spec", "scope") == "Namespaced";
        return scopes;
    }
}
