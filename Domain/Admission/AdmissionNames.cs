using System.Collections.Frozen;

namespace Governor.Domain.Admission;

/// <summary>The names by which admission is spoken of on the wire and on objects.</summary>
public static class AdmissionNames
{
    /// <summary>On every RBAC object that Guardian answers for; the one value is <see cref="Owner"/>.</summary>
    public const string OwnerAnnotation = "ontai.dev/rbac-owner";

    public const string Owner = "guardian";

    /// <summary>On a namespace: <c>exempt</c>, <c>observe</c> or <c>enforce</c>; anything else, and nothing at all, is <c>enforce</c>.</summary>
    public const string ModeLabel = "seam.ontai.dev/webhook-mode";

    public const string Exempt = "exempt";
    public const string Observe = "observe";
    public const string Enforce = "enforce";

    /// <summary>On an RBACProfile: that of one of the family's own operators.</summary>
    public const string ProfileTypeLabel = "ontai.dev/rbac-profile-type";

    public const string SeamOperatorProfile = "seam-operator";

    /// <summary>The one ceiling of the family's own operators: CS-INV-008.</summary>
    public const string ManagementMaximum = "management-maximum";

    /// <summary>The API group of the subjects of events about admission itself.</summary>
    public const string Group = "admission.governor.ontai.dev";

    /// <summary>
    /// The cluster's own hands, by their exact names: they collect garbage, empty namespaces, make default service accounts, aggregate
    /// roles and repair the default ones. Whoever blocked them would block the cluster.
    /// </summary>
    public static FrozenSet<string> ClusterComponents { get; } = FrozenSet.ToFrozenSet(
    [
        "system:apiserver",
        "system:kube-controller-manager",
        "system:serviceaccount:kube-system:clusterrole-aggregation-controller",
        "system:serviceaccount:kube-system:generic-garbage-collector",
        "system:serviceaccount:kube-system:namespace-controller",
        "system:serviceaccount:kube-system:service-account-controller",
    ],
    StringComparer.Ordinal);
}
