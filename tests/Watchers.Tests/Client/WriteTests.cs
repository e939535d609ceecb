using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;
using Governor.Watchers.Tests.Support;

namespace Governor.Watchers.Tests.Client;

public sealed class WriteTests
{
    private static readonly ObjectKey Key = Widgets.Key("a");

    [Fact]
    public async Task A_delete_carries_its_preconditions_and_what_becomes_of_dependents()
    {
        await using var test = await TestCluster.StartAsync();
        var deleted = test.Cluster.DeleteAsync(Widgets.Kind, Key, new DeleteOptions("the-uid", "7", DeletePropagation.Foreground, DryRun: true), default);
        var asked = await test.Server.NextAsync("DELETE " + Widgets.Path("ns", "a"));
        await asked.AnswerAsync(200, Widgets.One("a"));
        await deleted.Within();

        Assert.Equal(
            """{"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"Foreground","preconditions":{"uid":"the-uid","resourceVersion":"7"},"dryRun":["All"]}""",
            asked.Body);
    }

    [Fact]
    public async Task A_create_and_a_patch_can_be_dry_runs_under_a_manager()
    {
        await using var test = await TestCluster.StartAsync();
        var created = test.Cluster.CreateAsync(KubeObject.Parse(Encoding.UTF8.GetBytes(Widgets.One("a"))), new WriteOptions("m", DryRun: true), default);
        await (await test.Server.NextAsync("POST /apis/fixtures.governor.dev/v1/namespaces/ns/widgets?fieldManager=m&dryRun=All")).AnswerAsync(201, Widgets.One("a"));
        await created.Within();

        var patched = test.Cluster.MergePatchAsync(Widgets.Kind, Key, new JsonObject { ["status"] = null }, new WriteOptions("m", DryRun: true, "status"), default);
        await (await test.Server.NextAsync("PATCH " + Widgets.Path("ns", "a") + "/status?fieldManager=m&dryRun=All")).AnswerAsync(200, Widgets.One("a"));
        await patched.Within();
    }

    [Fact]
    public async Task A_subresource_that_leads_elsewhere_is_refused()
    {
        await using var test = await TestCluster.StartAsync();

        var refusal = await Assert.ThrowsAsync<KubernetesException>(() =>
            test.Cluster.MergePatchAsync(Widgets.Kind, Key, [], new WriteOptions(Subresource: "../b"), default));

        Assert.Contains("expected a subresource without", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_apply_that_finds_somebody_faster_in_making_the_object_is_sent_again()
    {
        const string Exists = """{"kind":"Status","apiVersion":"v1","status":"Failure","message":"widgets \"a\" already exists","reason":"AlreadyExists","code":409}""";
        await using var test = await TestCluster.StartAsync();
        var applied = test.Cluster.ApplyAsync(KubeObject.Parse(Encoding.UTF8.GetBytes(Widgets.One("a"))), "two", default, default);
        await (await test.Server.NextAsync("?fieldManager=two")).AnswerAsync(409, Exists);
        await (await test.Server.NextAsync("?fieldManager=two")).AnswerAsync(200, Widgets.One("a"));
        Assert.Equal("a", (await applied.Within()).Name);

        var again = test.Cluster.ApplyAsync(KubeObject.Parse(Encoding.UTF8.GetBytes(Widgets.One("a"))), "two", default, default);
        for (var attempt = 0; attempt < 3; attempt++)
            await (await test.Server.NextAsync("?fieldManager=two")).AnswerAsync(409, Exists);
        Assert.Equal("AlreadyExists", (await Assert.ThrowsAsync<KubernetesException>(() => again.Within())).Reason);
    }

    [Fact]
    public async Task An_apply_conflict_lists_the_fields_of_each_owner()
    {
        await using var test = await TestCluster.StartAsync();
        var applied = test.Cluster.ApplyAsync(KubeObject.Parse(Encoding.UTF8.GetBytes(Widgets.One("a"))), "two", default, default);
        await (await test.Server.NextAsync("?fieldManager=two")).AnswerAsync(409, Fixture.Text("apply-conflict.json"));

        var conflict = await Assert.ThrowsAsync<KubernetesException>(() => applied.Within());
        var owner = Assert.Single(conflict.Owners);
        Assert.Equal("one", owner.Key);
        Assert.Equal([".spec.size", ".spec.steps", """.spec.tags[key="k1"].value"""], owner.Value.ToArray());
    }

    [Fact]
    public async Task An_invalid_object_lists_what_is_wrong_field_by_field()
    {
        await using var test = await TestCluster.StartAsync();
        var applied = test.Cluster.ApplyAsync(KubeObject.Parse(Encoding.UTF8.GetBytes(Widgets.One("a"))), "two", default, default);
        await (await test.Server.NextAsync()).AnswerAsync(422, Fixture.Text("invalid-several.json"));

        var refusal = await Assert.ThrowsAsync<KubernetesException>(() => applied.Within());
        Assert.Contains(refusal.Causes, cause => cause is { Reason: "FieldValueInvalid", Field: "spec.size" });
        Assert.Empty(refusal.Owners);
    }

    [Fact]
    public async Task A_table_is_read_as_the_server_prints_it()
    {
        await using var test = await TestCluster.StartAsync();
        var printed = test.Cluster.TableAsync(Widgets.Kind, "ns", "parity=even", default);
        var asked = await test.Server.NextAsync("GET /apis/fixtures.governor.dev/v1/namespaces/ns/widgets?labelSelector=parity%3Deven");
        Assert.Equal("application/json;as=Table;v=v1;g=meta.k8s.io", asked.Header("Accept"));
        await asked.AnswerAsync(200, Fixture.Text("table-list.json"));

        var table = await printed.Within();
        Assert.Equal(["Name", "Size", "Color", "Ready", "Note", "Age"], table.Columns.Select(c => c.Name));
        Assert.Equal(("string", "name", 0), (table.Columns[0].Type, table.Columns[0].Format, table.Columns[0].Priority));
        Assert.Equal(1, table.Columns[4].Priority);
        Assert.Equal(new ObjectKey("fx-list", "w0"), table.Rows[0].Key);
        Assert.Equal((1, "red", JsonValueKind.Null), (table.Rows[0].Cells[1].GetInt32(), table.Rows[0].Cells[2].GetString(), table.Rows[0].Cells[3].ValueKind));
        Assert.Equal("493", table.ResourceVersion);
    }

    [Theory]
    [InlineData("""{"kind":"WidgetList","metadata":{},"items":[]}""")]
    [InlineData("""{"kind":"Table","metadata":{},"columnDefinitions":[{"name":"Name"}],"rows":[{"cells":["a","b"],"object":{"metadata":{"name":"a"}}}]}""")]
    [InlineData("""{"kind":"Table","metadata":{}}""")]
    public async Task What_is_no_table_is_refused(string body)
    {
        await using var test = await TestCluster.StartAsync();
        var printed = test.Cluster.TableAsync(Widgets.Kind, null, null, default);
        await (await test.Server.NextAsync()).AnswerAsync(200, body);

        Assert.Equal("Malformed", (await Assert.ThrowsAsync<KubernetesException>(() => printed.Within())).Reason);
    }
}
