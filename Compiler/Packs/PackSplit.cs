using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Registry;

namespace Governor.Compiler.Packs;

/// <summary>Sorts a pack's objects into its three layers, each in the order of the source.</summary>
internal static class PackSplit
{
    private const string RbacGroup = "rbac.authorization.k8s.io";

    private static readonly FrozenSet<(string Group, string Kind)> Rbac = new[]
    {
        ("", "ServiceAccount"), (RbacGroup, "Role"), (RbacGroup, "ClusterRole"), (RbacGroup, "RoleBinding"), (RbacGroup, "ClusterRoleBinding"),
    }.ToFrozenSet();

    private static readonly FrozenSet<(string Group, string Kind)> ClusterScoped = new[]
    {
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        ("apiregistration.k8s.io", "APIService"),
        ("scheduling.k8s.io", "PriorityClass"),
        ("storage.k8s.io", "StorageClass"),
        ("networking.k8s.io", "IngressClass"),
        ("cert-manager.io", "ClusterIssuer"),
    }.ToFrozenSet();

    /// <summary>Every cluster has these; a pack that declared them would own them, and take them along when it is removed.</summary>
    private static readonly FrozenSet<string> Given = new[] { "default", "kube-system", "kube-public", "kube-node-lease" }.ToFrozenSet();

    /// <summary>The layers that have objects, in the order in which they are applied.</summary>
    internal static ImmutableArray<(PackLayerKind Kind, ImmutableArray<KubeObject> Objects)> Split(IReadOnlyList<KubeObject> objects, KindScopes scopes)
    {
        var layers = objects.ToLookup(o => LayerOf(o, scopes));
        ImmutableArray<KubeObject> workload = [.. MissingNamespaces(objects), .. layers[PackLayerKind.Workload]];
        return
        [
            .. new (PackLayerKind Kind, ImmutableArray<KubeObject> Objects)[]
            {
                (PackLayerKind.Rbac, [.. layers[PackLayerKind.Rbac]]),
                (PackLayerKind.ClusterScoped, [.. layers[PackLayerKind.ClusterScoped]]),
                (PackLayerKind.Workload, workload),
            }.Where(layer => layer.Objects.Length > 0),
        ];
    }

    private static PackLayerKind LayerOf(KubeObject o, KindScopes scopes) =>
        Rbac.Contains((o.Gvk.Group, o.Kind)) ? PackLayerKind.Rbac
        : ClusterScoped.Contains((o.Gvk.Group, o.Kind)) || scopes.IsDeclaredClusterScoped(o.Gvk) ? PackLayerKind.ClusterScoped
        : PackLayerKind.Workload;

    private static IEnumerable<KubeObject> MissingNamespaces(IReadOnlyList<KubeObject> objects)
    {
        var declared = objects.Where(o => o.Gvk is { Group: "", Kind: "Namespace" }).Select(o => o.Name).ToHashSet(StringComparer.Ordinal);
        return objects.Select(o => o.Namespace)
            .Where(name => name.Length > 0 && !declared.Contains(name) && !Given.Contains(name))
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)
            .Select(name => KubeObject.From(new JsonObject
            {
                ["apiVersion"] = "v1",
                ["kind"] = "Namespace",
                ["metadata"] = new JsonObject { ["name"] = name },
            }));
    }
}
