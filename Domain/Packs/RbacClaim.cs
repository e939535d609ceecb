using System.Collections.Immutable;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;

namespace Governor.Domain.Packs;

/// <summary>What a pack wants to be allowed to on its target: the objects of its RBAC step, handed to Guardian's intake before the first write.</summary>
public sealed record RbacClaim(ClusterName Cluster, PackOwner Owner, ImmutableArray<KubeObject> Objects)
{
    /// <summary>The kinds that Guardian takes in. Whatever else the RBAC group may come to serve is not for packs to bring.</summary>
    private static readonly ImmutableHashSet<(string Group, string Kind)> Taken =
    [
        ("", "ServiceAccount"),
        (KnownKinds.Role.Group, "Role"), (KnownKinds.Role.Group, "ClusterRole"),
        (KnownKinds.Role.Group, "RoleBinding"), (KnownKinds.Role.Group, "ClusterRoleBinding"),
    ];

    /// <summary>What can be refused by the objects alone, whatever the cluster's ceiling says.</summary>
    public ImmutableArray<DeliveryFailure> Faults() =>
    [
        .. Objects.Where(item => !Taken.Contains((item.Gvk.Group, item.Kind))).Select(item => new DeliveryFailure(
            DeliverySteps.Verify, $"{item.Kind} {item.Key}", "RbacKindRefused",
            $"expected {string.Join(", ", Taken.Select(kind => kind.Kind).Order(StringComparer.Ordinal))} in the RBAC layer, found {item.Gvk}")),
    ];
}
