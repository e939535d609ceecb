using System.Collections.Frozen;
using System.Text.Json;
using Governor.Domain.Kinds;

namespace Governor.Compiler.Packs;

/// <summary>
/// What is known about a kind's scope without asking a cluster: Kubernetes' own kinds, and those whose CRD is in the pack. About
/// any other kind nothing is claimed.
/// </summary>
internal sealed class KindScopes
{
    private static readonly FrozenDictionary<(string Group, string Kind), bool> BuiltIn = BuildBuiltIn();

    private readonly Dictionary<(string Group, string Kind), bool> _declared = [];

    internal KindScopes(IEnumerable<KubeObject> objects)
    {
        foreach (var definition in objects.Where(IsDefinition))
            if (definition.FindText("spec", "names", "kind") is { Length: > 0 } kind)
                _declared[(definition.FindText("spec", "group"), kind)] = definition.FindText("spec", "scope") == "Cluster";
    }

    internal static bool IsDefinition(KubeObject o) => o.Gvk is { Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition" };

    /// <summary>Null where nobody can know.</summary>
    internal bool? IsClusterScoped(GroupVersionKind gvk) =>
        BuiltIn.TryGetValue((gvk.Group, gvk.Kind), out var scope) || _declared.TryGetValue((gvk.Group, gvk.Kind), out scope) ? scope : null;

    /// <summary>Whether the pack itself defines this kind, for the whole cluster.</summary>
    internal bool IsDeclaredClusterScoped(GroupVersionKind gvk) => _declared.GetValueOrDefault((gvk.Group, gvk.Kind));

    /// <summary>What is wrong with the definitions themselves.</summary>
    internal static IEnumerable<string> Problems(KubeObject definition)
    {
        if (definition.FindText("spec", "scope") is not ("Cluster" or "Namespaced"))
            yield return "expected spec.scope Cluster or Namespaced, found none";
        var (plural, group) = (definition.FindText("spec", "names", "plural"), definition.FindText("spec", "group"));
        if (definition.Name != $"{plural}.{group}")
            yield return $"expected the name '{plural}.{group}', found '{definition.Name}'";
        if (definition.Find("spec", "versions") is not { ValueKind: JsonValueKind.Array } versions || versions.GetArrayLength() == 0)
            yield return "expected spec.versions, found none";
    }

    private static FrozenDictionary<(string Group, string Kind), bool> BuildBuiltIn()
    {
        var made = new Dictionary<(string Group, string Kind), bool>();
        Add(false, "", "ServiceAccount", "ConfigMap", "Secret", "Service", "Pod", "PodTemplate", "ReplicationController", "Endpoints", "Event",
            "LimitRange", "ResourceQuota", "PersistentVolumeClaim");
        Add(false, "apps", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ControllerRevision");
        Add(false, "batch", "Job", "CronJob");
        Add(false, "autoscaling", "HorizontalPodAutoscaler");
        Add(false, "networking.k8s.io", "Ingress", "NetworkPolicy");
        Add(false, "policy", "PodDisruptionBudget");
        Add(false, "rbac.authorization.k8s.io", "Role", "RoleBinding");
        Add(false, "coordination.k8s.io", "Lease");
        Add(false, "discovery.k8s.io", "EndpointSlice");
        Add(false, "storage.k8s.io", "CSIStorageCapacity");
        Add(true, "", "Namespace", "Node", "PersistentVolume");
        Add(true, "rbac.authorization.k8s.io", "ClusterRole", "ClusterRoleBinding");
        Add(true, "apiextensions.k8s.io", "CustomResourceDefinition");
        Add(true, "apiregistration.k8s.io", "APIService");
        Add(true, "admissionregistration.k8s.io", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding");
        Add(true, "scheduling.k8s.io", "PriorityClass");
        Add(true, "storage.k8s.io", "StorageClass", "VolumeAttachment", "CSIDriver", "CSINode");
        Add(true, "networking.k8s.io", "IngressClass");
        Add(true, "node.k8s.io", "RuntimeClass");
        Add(true, "flowcontrol.apiserver.k8s.io", "FlowSchema", "PriorityLevelConfiguration");
        Add(true, "certificates.k8s.io", "CertificateSigningRequest");
        Add(true, "cert-manager.io", "ClusterIssuer");
        return made.ToFrozenDictionary();

        void Add(bool isCluster, string group, params ReadOnlySpan<string> kinds)
        {
            foreach (var kind in kinds)
                made[(group, kind)] = isCluster;
        }
    }
}
