using Governor.Domain.Kinds;
using Governor.Sandbox.Schema;

namespace Governor.Sandbox.Discovery;

/// <summary>The built-in kinds, in discovery's order.</summary>
internal static class BuiltinKinds
{
    public static readonly IReadOnlyList<ServedResource> All =
    [
        Core("ConfigMap", "configmaps", "cm"),
        Core("Endpoints", "endpoints", "ep"),
        Core("Event", "events", "ev"),
        Core("LimitRange", "limitranges", "limits"),
        Core("Namespace", "namespaces", "ns") with { IsNamespaced = false, HasStatus = true, NamesAreLabels = true },
        Core("Node", "nodes", "no") with { IsNamespaced = false, HasStatus = true },
        Core("PersistentVolumeClaim", "persistentvolumeclaims", "pvc") with { HasStatus = true },
        Core("PersistentVolume", "persistentvolumes", "pv") with { IsNamespaced = false, HasStatus = true },
        Core("Pod", "pods", "po") with { HasStatus = true, Categories = ["all"] },
        Core("ResourceQuota", "resourcequotas", "quota") with { HasStatus = true },
        Core("Secret", "secrets"),
        Core("ServiceAccount", "serviceaccounts", "sa"),
        Core("Service", "services", "svc") with { HasStatus = true, NamesAreLabels = true, Categories = ["all"] },
        Kind("apps", "ControllerRevision", "controllerrevisions"),
        Kind("apps", "DaemonSet", "daemonsets", "ds") with { HasStatus = true, CountsGenerations = true, Categories = ["all"] },
        Kind("apps", "Deployment", "deployments", "deploy") with { HasStatus = true, CountsGenerations = true, Categories = ["all"], Scale = Replicas },
        Kind("apps", "ReplicaSet", "replicasets", "rs") with { HasStatus = true, CountsGenerations = true, Categories = ["all"], Scale = Replicas },
        Kind("apps", "StatefulSet", "statefulsets", "sts") with { HasStatus = true, CountsGenerations = true, Categories = ["all"], Scale = Replicas },
        Kind("authentication.k8s.io", "TokenReview", "tokenreviews") with { IsVirtual = true, IsNamespaced = false },
        Kind("authorization.k8s.io", "LocalSubjectAccessReview", "localsubjectaccessreviews") with { IsVirtual = true },
        Kind("authorization.k8s.io", "SelfSubjectAccessReview", "selfsubjectaccessreviews") with { IsVirtual = true, IsNamespaced = false },
        Kind("authorization.k8s.io", "SelfSubjectRulesReview", "selfsubjectrulesreviews") with { IsVirtual = true, IsNamespaced = false },
        Kind("authorization.k8s.io", "SubjectAccessReview", "subjectaccessreviews") with { IsVirtual = true, IsNamespaced = false },
        Kind("autoscaling", "HorizontalPodAutoscaler", "horizontalpodautoscalers", "hpa") with
            { Gvk = new GroupVersionKind("autoscaling", "v2", "HorizontalPodAutoscaler"), StorageApiVersion = "autoscaling/v2", HasStatus = true, Categories = ["all"] },
        Kind("batch", "CronJob", "cronjobs", "cj") with { HasStatus = true, CountsGenerations = true, Categories = ["all"] },
        Kind("batch", "Job", "jobs") with { HasStatus = true, CountsGenerations = true, Categories = ["all"] },
        Kind("networking.k8s.io", "IngressClass", "ingressclasses") with { IsNamespaced = false, CountsGenerations = true },
        Kind("networking.k8s.io", "Ingress", "ingresses", "ing") with { HasStatus = true, CountsGenerations = true },
        Kind("networking.k8s.io", "NetworkPolicy", "networkpolicies", "netpol") with { HasStatus = true, CountsGenerations = true },
        Kind("policy", "PodDisruptionBudget", "poddisruptionbudgets", "pdb") with { HasStatus = true, CountsGenerations = true, AllowsBlindUpdate = false },
        Kind("rbac.authorization.k8s.io", "ClusterRoleBinding", "clusterrolebindings") with { IsNamespaced = false, NamesArePaths = true },
        Kind("rbac.authorization.k8s.io", "ClusterRole", "clusterroles") with { IsNamespaced = false, NamesArePaths = true },
        Kind("rbac.authorization.k8s.io", "RoleBinding", "rolebindings") with { NamesArePaths = true },
        Kind("rbac.authorization.k8s.io", "Role", "roles") with { NamesArePaths = true },
        Kind("storage.k8s.io", "StorageClass", "storageclasses", "sc") with { IsNamespaced = false },
        Kind("admissionregistration.k8s.io", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations") with
            { IsNamespaced = false, CountsGenerations = true, AllowsBlindUpdate = false, Categories = ["api-extensions"] },
        Kind("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations") with
            { IsNamespaced = false, CountsGenerations = true, AllowsBlindUpdate = false, Categories = ["api-extensions"] },
        Kind("apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions", "crd", "crds") with
            { IsNamespaced = false, HasStatus = true, CountsGenerations = true, AllowsBlindUpdate = false, Categories = ["api-extensions"] },
        Kind("scheduling.k8s.io", "PriorityClass", "priorityclasses", "pc") with { IsNamespaced = false, CountsGenerations = true },
        Kind("coordination.k8s.io", "Lease", "leases") with { AllowsBlindUpdate = false },
        Kind("node.k8s.io", "RuntimeClass", "runtimeclasses") with { IsNamespaced = false },
        Kind("discovery.k8s.io", "EndpointSlice", "endpointslices") with { CountsGenerations = true },
    ];

    private static ScalePaths Replicas => new(".spec.replicas", ".status.replicas", "");

    private static ServedResource Core(string kind, string plural, params string[] shortNames) => Kind("", kind, plural, shortNames);

    private static ServedResource Kind(string group, string kind, string plural, params string[] shortNames) =>
        new(new GroupVersionKind(group, "v1", kind), plural, kind.ToLowerInvariant(), true, BuiltinSchemas.Kind(kind))
        {
            ShortNames = shortNames,
        };
}
