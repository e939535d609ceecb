namespace Governor.Sandbox.Tests.Workloads;

public sealed class GarbageTests : ClusterFixture
{
    private async Task<int> CodeOf(string name)
    {
        await Cluster.IdleAsync();
        return (await Admin.GetAsync($"{ConfigMaps}/{name}")).Code;
    }

    [Fact]
    public async Task Dependents_go_with_their_owner()
    {
        var owner = await CreateConfigMapAsync("owner");
        var child = await CreateConfigMapAsync("child", Owner("owner", owner.Uid));
        await CreateConfigMapAsync("grandchild", Owner("child", child.Uid));
        await Admin.DeleteAsync(ConfigMaps + "/owner");
        Assert.Equal(404, await CodeOf("child"));
        Assert.Equal(404, await CodeOf("grandchild"));
    }

    [Fact]
    public async Task A_dependent_of_nobody_goes()
    {
        await CreateConfigMapAsync("orphan", Owner("never", "5f1ac1b2-0000-4000-8000-000000000000"));
        Assert.Equal(404, await CodeOf("orphan"));
    }

    [Fact]
    public async Task A_dependent_with_two_owners_stays_and_loses_the_dead_one()
    {
        var one = await CreateConfigMapAsync("one");
        var two = await CreateConfigMapAsync("two");
        await CreateConfigMapAsync("child", $$$"""
            "ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"one","uid":"{{{one.Uid}}}"},{"apiVersion":"v1","kind":"ConfigMap","name":"two","uid":"{{{two.Uid}}}"}]
            """);
        await Admin.DeleteAsync(ConfigMaps + "/one");
        await Cluster.IdleAsync();
        var child = await Admin.GetAsync(ConfigMaps + "/child");
        Assert.Equal(two.Uid, Assert.Single(child.Json["metadata"]!["ownerReferences"]!.AsArray())!["uid"]!.GetValue<string>());
    }

    [Fact]
    public async Task Foreground_deletion_waits_for_blocking_dependents()
    {
        var owner = await CreateConfigMapAsync("owner");
        await CreateConfigMapAsync("child", Owner("owner", owner.Uid, true) + ",\"finalizers\":[\"example.test/hold\"]");
        var answer = await Admin.DeleteAsync(ConfigMaps + "/owner", """{"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"Foreground"}""");
        Assert.Equal("foregroundDeletion", answer.Json["metadata"]!["finalizers"]![0]!.GetValue<string>());
        Assert.Equal(200, await CodeOf("owner"));
        await Admin.MergeAsync(ConfigMaps + "/child", """{"metadata":{"finalizers":null}}""");
        Assert.Equal(404, await CodeOf("owner"));
    }

    [Fact]
    public async Task Orphaned_dependents_stay_without_owner()
    {
        var owner = await CreateConfigMapAsync("owner");
        await CreateConfigMapAsync("child", Owner("owner", owner.Uid));
        await Admin.DeleteAsync(ConfigMaps + "/owner?propagationPolicy=Orphan");
        Assert.Equal(404, await CodeOf("owner"));
        var child = await Admin.GetAsync(ConfigMaps + "/child");
        Assert.Null(child.Json["metadata"]!["ownerReferences"]);
    }

    [Fact]
    public async Task A_namespace_goes_with_its_content()
    {
        await Admin.PostAsync("/api/v1/namespaces", """{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"gone"}}""");
        await CreateConfigMapAsync("a", ns: "gone");
        var answer = await Admin.DeleteAsync("/api/v1/namespaces/gone");
        Assert.Equal("Terminating", answer.Json["status"]!["phase"]!.GetValue<string>());
        await Cluster.IdleAsync();
        Assert.Equal(404, (await Admin.GetAsync("/api/v1/namespaces/gone")).Code);
        Assert.Equal(404, (await Admin.GetAsync("/api/v1/namespaces/gone/configmaps/a")).Code);
    }

    [Fact]
    public async Task A_namespace_waits_for_finalizers_and_refuses_new_content()
    {
        await Admin.PostAsync("/api/v1/namespaces", """{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"held"}}""");
        await CreateConfigMapAsync("a", "\"finalizers\":[\"example.test/hold\"]", "held");
        await Admin.DeleteAsync("/api/v1/namespaces/held");
        await Cluster.IdleAsync();
        Assert.Equal("True", Condition(await Admin.GetAsync("/api/v1/namespaces/held"), "NamespaceFinalizersRemaining"));
        var refused = await CreateConfigMapAsync("b", ns: "held");
        Assert.Equal(403, refused.Code);
        Assert.Equal("NamespaceTerminating", refused.Json["details"]!["causes"]![0]!["reason"]!.GetValue<string>());
        await Admin.MergeAsync("/api/v1/namespaces/held/configmaps/a", """{"metadata":{"finalizers":null}}""");
        await Cluster.IdleAsync();
        Assert.Equal(404, (await Admin.GetAsync("/api/v1/namespaces/held")).Code);
    }

    [Fact]
    public async Task A_new_namespace_gets_its_label_and_service_account()
    {
        var made = await Admin.PostAsync("/api/v1/namespaces", """{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"fresh"}}""");
        await Cluster.IdleAsync();
        Assert.Equal("fresh", made.Json["metadata"]!["labels"]!["kubernetes.io/metadata.name"]!.GetValue<string>());
        Assert.Equal(200, (await Admin.GetAsync("/api/v1/namespaces/fresh/serviceaccounts/default")).Code);
    }

    [Fact]
    public async Task The_default_namespace_cannot_be_deleted() =>
        Assert.Equal(403, (await Admin.DeleteAsync("/api/v1/namespaces/default")).Code);
}
