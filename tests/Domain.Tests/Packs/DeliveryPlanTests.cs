using System.Collections.Immutable;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;

namespace Governor.Domain.Tests.Packs;

public sealed class DeliveryPlanTests
{
    private static readonly KubeObject Namespace = Make.Item("v1", "Namespace", "web");
    private static readonly KubeObject Config = Make.Item("v1", "ConfigMap", "settings", "web");
    private static readonly KubeObject Account = Make.Item("v1", "ServiceAccount", "web", "web");
    private static readonly KubeObject Deployment = Make.Item("apps/v1", "Deployment", "web", "web");
    private static readonly KubeObject Site = Make.Item("web.example.org/v1", "Site", "home", "web");
    private static readonly KubeObject SiteDefinition = Make.Item(
        "apiextensions.k8s.io/v1", "CustomResourceDefinition", "sites.web.example.org", null,
        ""","spec":{"group":"web.example.org","scope":"Namespaced","names":{"kind":"Site"},"versions":[{"name":"v1"}]}""");

    private static readonly Dictionary<GroupVersionKind, bool> Served = new()
    {
        [KnownKinds.Namespace] = false,
        [KnownKinds.ConfigMap] = true,
        [KnownKinds.ServiceAccount] = true,
        [KnownKinds.Deployment] = true,
        [KnownKinds.ClusterRole] = false,
        [KnownKinds.CustomResourceDefinition] = false,
        [new("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration")] = false,
    };

    public static TheoryData<string, PackLayer, KubeObject, string> Misfits => new()
    {
        { "a kind that the target does not know", PackLayer.Workload, Make.Item("unknown.example.org/v1", "Thing", "x", "web"), "KindNotServed" },
        { "a namespaced object without namespace", PackLayer.Workload, Make.Item("v1", "ConfigMap", "x"), "NamespaceMissing" },
        { "a namespace-less object in the cluster-scoped layer", PackLayer.ClusterScoped, Make.Item("v1", "ConfigMap", "x"), "NamespaceMissing" },
        { "a namespaced object in the cluster-scoped layer", PackLayer.ClusterScoped, Config, "ScopeMismatch" },
        { "a cluster-scoped object with a namespace", PackLayer.ClusterScoped, Make.Item("apiextensions.k8s.io/v1", "CustomResourceDefinition", "x", "web"), "ScopeMismatch" },
        { "RBAC outside the RBAC layer", PackLayer.Workload, Account, "LayerMismatch" },
        { "a workload in the RBAC layer", PackLayer.Rbac, Config, "LayerMismatch" },
        { "a name that leads elsewhere", PackLayer.Workload, Make.Item("v1", "ConfigMap", "..", "web"), "ManifestInvalid" },
        { "a namespace that leads elsewhere", PackLayer.Workload, Make.Item("v1", "ConfigMap", "x", "a/b"), "ManifestInvalid" },
        { "a live object", PackLayer.Workload, Make.Json("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","namespace":"web","resourceVersion":"1"}}"""), "ManifestInvalid" },
        { "an object without a name", PackLayer.Workload, Make.Item("v1", "ConfigMap", "", "web"), "ManifestInvalid" },
    };

    [Theory]
    [MemberData(nameof(Misfits))]
    public void There_is_no_plan_for(string what, PackLayer layer, KubeObject item, string reason)
    {
        var (plan, failures) = DeliveryPlan.Build([(layer, item)], Served);

        Assert.True(plan is null, what);
        var failure = Assert.Single(failures);
        Assert.Equal(reason, failure.Reason);
        Assert.Equal(DeliverySteps.Verify, failure.Step);
        Assert.Contains(item.Kind, failure.Object, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_misfit_is_listed()
    {
        var (_, failures) = DeliveryPlan.Build([(PackLayer.Workload, Make.Item("v1", "ConfigMap", "x")), (PackLayer.Workload, Account), (PackLayer.Rbac, Config)], Served);

        Assert.Equal(3, failures.Length);
    }

    [Fact]
    public void The_same_object_twice_is_no_plan() =>
        Assert.Equal("DuplicateObject", Assert.Single(DeliveryPlan.Build([(PackLayer.Workload, Config), (PackLayer.Workload, Config)], Served).Failures).Reason);

    [Fact]
    public void An_empty_pack_is_no_plan() => Assert.Equal("EmptyPack", Assert.Single(DeliveryPlan.Build([], Served).Failures).Reason);

    [Fact]
    public void Namespaces_come_first_then_definitions_rbac_cluster_scoped_and_workload_with_webhooks_last()
    {
        var (plan, failures) = DeliveryPlan.Build(
            [(PackLayer.Workload, Site), (PackLayer.Workload, Deployment), (PackLayer.Workload, Config), (PackLayer.Workload, Namespace), (PackLayer.Rbac, Account), (PackLayer.ClusterScoped, SiteDefinition),
             (PackLayer.ClusterScoped, Make.Item("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "web"))],
            Served);

        Assert.Empty(failures);
        Assert.Equal(
            [(DeliverySteps.Namespaces, "Namespace"), (DeliverySteps.Namespaces, "CustomResourceDefinition"), (DeliverySteps.Rbac, "ServiceAccount"),
             (DeliverySteps.Workload, "ConfigMap"), (DeliverySteps.Workload, "Deployment"), (DeliverySteps.Workload, "Site"),
             (DeliverySteps.WaitReady, "ValidatingWebhookConfiguration")],
            plan!.Stages.SelectMany(s => s.Objects.Select(o => (s.Step, o.Kind))));
    }

    [Fact]
    public void A_kind_that_the_pack_defines_itself_is_not_asked_for() =>
        Assert.DoesNotContain(Site.Gvk, DeliveryPlan.KindsToDiscover([(PackLayer.ClusterScoped, SiteDefinition), (PackLayer.Workload, Site)]));

    [Fact]
    public void The_order_in_the_layers_does_not_matter()
    {
        ImmutableArray<(PackLayer, KubeObject)> content =
            [(PackLayer.Workload, Site), (PackLayer.Workload, Deployment), (PackLayer.Workload, Namespace), (PackLayer.Rbac, Account), (PackLayer.ClusterScoped, SiteDefinition)];

        var one = DeliveryPlan.Build(content, Served).Plan!.Objects.Select(o => o.ToString());
        var other = DeliveryPlan.Build([.. content.Reverse()], Served).Plan!.Objects.Select(o => o.ToString());

        Assert.Equal(one, other);
    }
}
