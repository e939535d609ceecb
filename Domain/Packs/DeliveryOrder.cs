using System.Collections.Frozen;
using System.Collections.Immutable;
using Governor.Domain.Kinds;

namespace Governor.Domain.Packs;

/// <summary>
/// In which order the objects of a pack are applied: what others live in or are made of, what they are allowed to, what they mount or
/// select, what keeps state, what does not, and last what could stand in the way of all of these.
/// </summary>
internal static class DeliveryOrder
{
    private const string RbacGroup = "rbac.authorization.k8s.io";
    private const string AdmissionGroup = "admissionregistration.k8s.io";

    /// <summary>The places, in order.</summary>
    private static readonly ImmutableArray<(string Step, string Batch)> Places =
    [
        (DeliverySteps.Namespaces, "namespaces"),
        (DeliverySteps.Namespaces, Definitions),
        (DeliverySteps.Rbac, "accounts"),
        (DeliverySteps.Rbac, "roles"),
        (DeliverySteps.Rbac, "bindings"),
        (DeliverySteps.ClusterScoped, "cluster-scoped"),
        (DeliverySteps.ClusterScoped, "cluster-storage"),
        (DeliverySteps.Workload, "limits"),
        (DeliverySteps.Workload, "configuration"),
        (DeliverySteps.Workload, "storage"),
        (DeliverySteps.Workload, "services"),
        (DeliverySteps.Workload, "stateful"),
        (DeliverySteps.Workload, "stateless"),
        (DeliverySteps.Workload, "custom"),
        (DeliverySteps.WaitReady, "admission"),
    ];

    private static readonly FrozenDictionary<(string Group, string Kind), string> Batches = new Dictionary<(string, string), string>
    {
        [("", "Namespace")] = "namespaces",
        [("apiextensions.k8s.io", "CustomResourceDefinition")] = Definitions,
        [("", "ServiceAccount")] = "accounts",
        [(RbacGroup, "Role")] = "roles",
        [(RbacGroup, "ClusterRole")] = "roles",
        [(RbacGroup, "RoleBinding")] = "bindings",
        [(RbacGroup, "ClusterRoleBinding")] = "bindings",
        [("storage.k8s.io", "StorageClass")] = "cluster-storage",
        [("", "PersistentVolume")] = "cluster-storage",
        [("", "LimitRange")] = "limits",
        [("", "ResourceQuota")] = "limits",
        [("networking.k8s.io", "NetworkPolicy")] = "limits",
        [("policy", "PodDisruptionBudget")] = "limits",
        [("", "ConfigMap")] = "configuration",
        [("", "Secret")] = "configuration",
        [("", "PersistentVolumeClaim")] = "storage",
        [("", "Service")] = "services",
        [("apps", "StatefulSet")] = "stateful",
        [("apps", "DaemonSet")] = "stateful",
        [("batch", "Job")] = "stateful",
        [("batch", "CronJob")] = "stateful",
        // What asks the pack's own workload before it lets others pass: while that does not run, it would keep it from running.
        [("apiregistration.k8s.io", "APIService")] = "admission",
    }.ToFrozenDictionary();

    /// <summary>The batch that has to be served before anything else goes on.</summary>
    internal const string Definitions = "definitions";

    /// <summary>The kinds that Guardian has to agree to.</summary>
    internal static bool IsRbac(GroupVersionKind kind) => kind is { Group: "", Kind: "ServiceAccount" } || kind.Group == RbacGroup;

    /// <param name="ownKind">Whether the pack itself defines the kind: whoever looks after such objects comes with the pack, too.</param>
    internal static ImmutableArray<DeliveryStage> Sort(IEnumerable<(KubeObject Object, bool Namespaced, bool OwnKind)> objects)
    {
        var placed = objects.ToLookup(o => BatchOf(o.Object.Gvk, o.Namespaced, o.OwnKind), o => o.Object);
        return
        [
            .. DeliverySteps.All.Where(step => step != DeliverySteps.Verify).Select(step => new DeliveryStage(
                step,
                [
                    .. Places.Where(place => place.Step == step && placed.Contains(place.Batch)).Select(place => new DeliveryBatch(
                        place.Batch, [.. placed[place.Batch].OrderBy(o => o.Kind, StringComparer.Ordinal).ThenBy(o => o.Key.ToString(), StringComparer.Ordinal)])),
                ])),
        ];
    }

    private static string BatchOf(GroupVersionKind kind, bool namespaced, bool ownKind) =>
        Batches.GetValueOrDefault((kind.Group, kind.Kind))
        ?? (kind.Group == AdmissionGroup ? "admission" : ownKind ? "custom" : namespaced ? "stateless" : "cluster-scoped");
}
