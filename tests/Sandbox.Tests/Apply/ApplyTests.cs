using System.Text.Json.Nodes;

namespace Governor.Sandbox.Tests.Apply;

public sealed class ApplyTests : ClusterFixture
{
    private static string Yaml(string data, string metadata = "") => $$"""
        apiVersion: v1
        kind: ConfigMap
        metadata: { name: c{{metadata}} }
        data: { {{data}} }
        """;

    [Fact]
    public async Task Fields_given_up_go_and_shared_ones_stay()
    {
        await Admin.ApplyAsync(ConfigMaps + "/c", Yaml("a: '1', b: '1'"), "one");
        await Admin.ApplyAsync(ConfigMaps + "/c", Yaml("b: '1', c: '1'"), "two");
        var answer = await Admin.ApplyAsync(ConfigMaps + "/c", Yaml(""), "one");
        Assert.Equal("""{"b":"1","c":"1"}""", answer.Json["data"]!.ToJsonString());
    }

    [Fact]
    public async Task A_conflict_names_every_field_and_its_owner_and_changes_nothing()
    {
        var made = await Admin.ApplyAsync(ConfigMaps + "/c", Yaml("a: '1', b: '1'"), "one");
        var refused = await Admin.ApplyAsync(ConfigMaps + "/c", Yaml("a: '2', b: '2'"), "two");
        Assert.Equal((409, "Conflict"), (refused.Code, refused.Reason));
        Assert.Equal("Apply failed with 2 conflicts: conflicts with \"one\":\n- .data.a\n- .data.b", refused.Message);
        Assert.Equal(made.Version, (await Admin.GetAsync(ConfigMaps + "/c")).Version);
    }

    [Fact]
    public async Task Applying_the_same_again_changes_nothing()
    {
        var first = await Admin.ApplyAsync(ConfigMaps + "/c", Yaml("a: '1'"));
        var second = await Admin.ApplyAsync(ConfigMaps + "/c", Yaml("a: '1'"));
        Assert.Equal((201, 200), (first.Code, second.Code));
        Assert.Equal(first.Text, second.Text);
    }

    [Fact]
    public async Task Conditions_of_two_managers_live_side_by_side()
    {
        await ServeWidgetsAsync();
        await CreateWidgetAsync("w");
        foreach (var type in (string[])["Ready", "Stalled"])
            await Admin.ApplyAsync(Widgets + "/w/status", $$$"""
                {"apiVersion":"fixtures.governor.dev/v1","kind":"Widget","metadata":{"name":"w"},"status":{"conditions":[{"type":"{{{type}}}","status":"True"}]} }
                """, type);
        var o = await Admin.GetAsync(Widgets + "/w");
        Assert.Equal(("True", "True"), (Condition(o, "Ready"), Condition(o, "Stalled")));
        Assert.Equal(1, o.Json["metadata"]!["generation"]!.GetValue<int>());
    }

    [Fact]
    public async Task A_list_that_was_applied_empty_may_be_filled_by_the_next_apply()
    {
        await ServeWidgetsAsync();
        await CreateWidgetAsync("w");
        foreach (var conditions in (string[])["", """{"type":"Ready","status":"True"}"""])
            await Admin.ApplyAsync(Widgets + "/w/status", $$$"""
                {"apiVersion":"fixtures.governor.dev/v1","kind":"Widget","metadata":{"name":"w"},"status":{"conditions":[{{{conditions}}}]} }
                """);
        Assert.Equal("True", Condition(await Admin.GetAsync(Widgets + "/w"), "Ready"));
    }

    [Fact]
    public async Task Containers_merge_by_name_on_apply_and_on_strategic_merge()
    {
        await CreateDeploymentAsync("web");
        var patched = await Admin.SendAsync("PATCH", Deployments + "/web",
            """{"spec":{"template":{"spec":{"containers":[{"name":"b","image":"example.test/b:2"},{"name":"a","$patch":"delete"}]}}}}""", "application/strategic-merge-patch+json");
        var container = Assert.Single(patched.Json["spec"]!["template"]!["spec"]!["containers"]!.AsArray())!;
        Assert.Equal("example.test/b:2", container["image"]!.GetValue<string>());
        var applied = await Admin.ApplyAsync(Deployments + "/web", """
            {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"template":{"spec":{"containers":[{"name":"c","image":"example.test/c:1"}]}}}}
            """);
        Assert.Equal(["b", "c"], applied.Json["spec"]!["template"]!["spec"]!["containers"]!.AsArray().Select(c => c!["name"]!.GetValue<string>()).Order());
    }

    [Fact]
    public async Task A_dry_run_answers_the_merged_object_and_stores_nothing()
    {
        var made = await Admin.ApplyAsync(ConfigMaps + "/c", Yaml("a: '1'"));
        var dry = await Admin.SendAsync("PATCH", ConfigMaps + "/c?fieldManager=tests&dryRun=All", Yaml("a: '2'"), "application/apply-patch+yaml");
        Assert.Equal("2", dry.Json["data"]!["a"]!.GetValue<string>());
        Assert.Equal(made.Version, (await Admin.GetAsync(ConfigMaps + "/c")).Version);
    }

    [Fact]
    public async Task Apply_may_create_only_with_the_right_to_create()
    {
        await Admin.PostAsync("/apis/rbac.authorization.k8s.io/v1/clusterroles",
            """{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"patcher"},"rules":[{"apiGroups":[""],"resources":["configmaps"],"verbs":["patch"]}]}""");
        await Admin.PostAsync("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            """{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":"patcher"},"subjects":[{"kind":"User","name":"bob"}],"roleRef":{"kind":"ClusterRole","name":"patcher"}}""");
        using var bob = new SandboxClient(Cluster, Cluster.TokenFor("bob"));
        Assert.Equal(403, (await bob.ApplyAsync(ConfigMaps + "/c", Yaml("a: '1'"))).Code);
        await CreateConfigMapAsync("c");
        Assert.Equal(200, (await bob.ApplyAsync(ConfigMaps + "/c", Yaml("a: '1'"))).Code);
    }

    [Fact]
    public async Task Concurrent_appliers_lose_nothing()
    {
        await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Admin.ApplyAsync(ConfigMaps + "/c", Yaml($"k{i}: '{i}'"), $"m{i}")));
        var o = (await Admin.GetAsync(ConfigMaps + "/c")).Json;
        Assert.InRange(o["data"]!.AsObject().Count, 1, 16);
        await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Admin.ApplyAsync(ConfigMaps + "/c", Yaml($"k{i}: '{i}'"), $"m{i}")));
        Assert.Equal(16, (await Admin.GetAsync(ConfigMaps + "/c")).Json["data"]!.AsObject().Count);
    }
}
