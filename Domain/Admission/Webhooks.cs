using System.Collections.Immutable;
using Governor.Domain.Kinds;

namespace Governor.Domain.Admission;

/// <summary>
/// The webhooks: the one description that the manifests are made from. Every check that has modes is here twice, for namespaces that are
/// enforced and for those that are observed; an observed namespace is never kept from anything, so there a silo that is away is ignored.
/// </summary>
public static class Webhooks
{
    private const string RbacGroup = "rbac.authorization.k8s.io";

    /// <summary>On the roles and bindings that the API server makes and repairs by itself when it starts.</summary>
    private const string DefaultsLabel = "kubernetes.io/bootstrapping";

    private const string Defaults = "rbac-defaults";

    private static readonly ImmutableArray<string> Every = ["CREATE", "UPDATE", "DELETE"];
    private static readonly ImmutableArray<string> Writes = ["CREATE", "UPDATE"];

    /// <summary>
    /// Our groups, under every name: a kind that is served under an alias is governed like ours. Cluster API's group is not among them:
    /// most of what is served there belongs to others, whom a silo that is away must not stop.
    /// </summary>
    private static readonly ImmutableArray<string> Groups =
    [
        .. AdmissionPolicy.Kinds.Kinds.SelectMany(AdmissionPolicy.Kinds.Names).Select(kind => kind.Group).Where(group => group != AliasSets.ClusterApi)
            .Distinct().Order(StringComparer.Ordinal),
    ];

    /// <summary>The cluster's own namespaces: without them nothing runs that could be repaired.</summary>
    private static readonly LabelCondition NotTheClusters = new("kubernetes.io/metadata.name", "NotIn", "kube-node-lease", "kube-public", "kube-system");

    public static ImmutableArray<WebhookDescription> All { get; } =
    [
        .. Rbac(),
        .. Both("profile", AdmissionCheck.Rbac, new WebhookRule(Writes, OfKind(KnownKinds.RBACProfile), ["rbacprofiles"])),
        new("mode", Enforced(AdmissionCheck.Rbac), WebhookFailure.Fail,
            [new WebhookRule(Writes, [""], ["namespaces", "namespaces/finalize", "namespaces/status"])],
            [], [new LabelCondition(AdmissionNames.ModeLabel, "Exists")]),
        .. Both("lineage", AdmissionCheck.Lineage, new WebhookRule(Every, Groups, ["*"])),
        .. Both("operator-cr", AdmissionCheck.OperatorObject, new WebhookRule(Writes, Groups, ["*", "*/status"])),
        .. Both("membership", AdmissionCheck.Membership, new WebhookRule(Writes, OfKind(KnownKinds.SeamMembership), ["seammemberships"])),
        new("declaring-principal", Enforced(AdmissionCheck.DeclaringPrincipal), WebhookFailure.Fail, [new WebhookRule(["CREATE"], Groups, ["*"])], [], []),
    ];

    private static IEnumerable<WebhookDescription> Rbac()
    {
        WebhookRule[] namespaced =
        [
            new(Every, [RbacGroup], ["rolebindings", "roles"], "Namespaced"),
            new(Every, [""], ["serviceaccounts"], "Namespaced"),
        ];
        yield return new WebhookDescription(
            "rbac", Enforced(AdmissionCheck.Rbac), WebhookFailure.Fail, [.. namespaced],
            [new LabelCondition(AdmissionNames.ModeLabel, "NotIn", AdmissionNames.Exempt, AdmissionNames.Observe), NotTheClusters], []);
        yield return new WebhookDescription(
            "rbac-observe", new AdmissionCall(AdmissionCheck.Rbac, AdmissionMode.Observe), WebhookFailure.Ignore, [.. namespaced],
            [new LabelCondition(AdmissionNames.ModeLabel, "In", AdmissionNames.Observe), NotTheClusters], []);
        // No namespace, no label: always enforced. What carries the label of the defaults is judged as strictly, but an API server that
        // cannot repair its own roles does not start, so for that a silo that is away does not matter.
        WebhookRule wide = new(Every, [RbacGroup], ["clusterrolebindings", "clusterroles"], "Cluster");
        yield return new WebhookDescription(
            "cluster-rbac", Enforced(AdmissionCheck.Rbac), WebhookFailure.Fail, [wide], [], [new LabelCondition(DefaultsLabel, "NotIn", Defaults)]);
        yield return new WebhookDescription(
            "cluster-rbac-defaults", Enforced(AdmissionCheck.Rbac), WebhookFailure.Ignore, [wide], [], [new LabelCondition(DefaultsLabel, "In", Defaults)]);
    }

    /// <summary>Governed kinds are governed everywhere: <c>exempt</c> is for foreign RBAC, and the roots themselves live in an exempt namespace.</summary>
    private static IEnumerable<WebhookDescription> Both(string name, AdmissionCheck check, WebhookRule rule) =>
    [
        new(name, Enforced(check), WebhookFailure.Fail, [rule], [new LabelCondition(AdmissionNames.ModeLabel, "NotIn", AdmissionNames.Observe)], []),
        new($"{name}-observe", new AdmissionCall(check, AdmissionMode.Observe), WebhookFailure.Ignore, [rule], [new LabelCondition(AdmissionNames.ModeLabel, "In", AdmissionNames.Observe)], []),
    ];

    private static AdmissionCall Enforced(AdmissionCheck check) => new(check, AdmissionMode.Enforce);

    private static ImmutableArray<string> OfKind(GroupVersionKind kind) =>
        [.. AdmissionPolicy.Kinds.Names(AdmissionPolicy.Kinds.Get(kind)).Select(name => name.Group).Order(StringComparer.Ordinal)];
}
