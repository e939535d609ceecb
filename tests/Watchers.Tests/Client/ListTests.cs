using System.Text;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;
using Governor.Watchers.Tests.Support;

namespace Governor.Watchers.Tests.Client;

public sealed class ListTests
{
    [Fact]
    public async Task A_list_is_read_page_by_page_from_one_state()
    {
        await using var test = await TestCluster.StartAsync();
        var listed = test.Cluster.ListAsync(Widgets.Kind, "ns", "app in (a,b)", default);
        await (await test.Server.NextAsync("GET /apis/fixtures.governor.dev/v1/namespaces/ns/widgets?limit=500&labelSelector=app%20in%20%28a%2Cb%29"))
            .AnswerAsync(200, Widgets.List("7", "to=ken", Widgets.One("a"), Widgets.One("b")));
        await (await test.Server.NextAsync("?limit=500&continue=to%3Dken&labelSelector=")).AnswerAsync(200, Widgets.List("7", "", Widgets.One("c")));

        Assert.Equal(["a", "b", "c"], (await listed.Within()).Select(o => o.Name));
    }

    [Fact]
    public async Task A_list_whose_state_has_expired_begins_anew()
    {
        await using var test = await TestCluster.StartAsync();
        var listed = test.Cluster.ListAsync(Widgets.Kind, null, null, default);
        await (await test.Server.NextAsync()).AnswerAsync(200, Widgets.List("7", "t", Widgets.One("gone-meanwhile")));
        await (await test.Server.NextAsync("continue=t")).AnswerAsync(410, Fixture.Text("list-expired-continue.json"));
        await (await test.Server.NextAsync(Widgets.All + "?limit=500")).AnswerAsync(200, Widgets.List("9", "", Widgets.One("a")));

        Assert.Equal(["a"], (await listed.Within()).Select(o => o.Name));
    }

    [Fact]
    public async Task A_list_that_expires_time_and_again_is_asked_for_in_one_answer()
    {
        await using var test = await TestCluster.StartAsync();
        var listed = test.Cluster.ListAsync(Widgets.Kind, null, null, default);
        for (var attempt = 0; attempt < 2; attempt++)
        {
            await (await test.Server.NextAsync(Widgets.All + "?limit=500")).AnswerAsync(200, Widgets.List($"{attempt}", "t", Widgets.One("a")));
            await (await test.Server.NextAsync("continue=t")).AnswerAsync(410, Fixture.Text("list-expired-continue.json"));
        }
        var asked = await test.Server.NextAsync(Widgets.All);
        Assert.DoesNotContain("limit", asked.Path, StringComparison.Ordinal);
        await asked.AnswerAsync(200, Widgets.List("9", "", Widgets.One("a"), Widgets.One("b")));

        Assert.Equal(["a", "b"], (await listed.Within()).Select(o => o.Name));
    }

    [Fact]
    public async Task Pages_of_two_states_are_no_list()
    {
        await using var test = await TestCluster.StartAsync();
        var listed = test.Cluster.ListAsync(Widgets.Kind, null, null, default);
        await (await test.Server.NextAsync(Widgets.All + "?limit=500")).AnswerAsync(200, Widgets.List("7", "t", Widgets.One("a")));
        await (await test.Server.NextAsync("continue=t")).AnswerAsync(200, Widgets.List("8", "", Widgets.One("c")));
        await (await test.Server.NextAsync(Widgets.All + "?limit=500")).AnswerAsync(200, Widgets.List("8", "", Widgets.One("b"), Widgets.One("c")));

        Assert.Equal(["b", "c"], (await listed.Within()).Select(o => o.Name));
    }

    [Fact]
    public async Task Items_of_a_built_in_kind_are_told_what_they_are()
    {
        await using var test = await TestCluster.StartAsync();
        test.Server.Always("/api/v1", 200, """{"kind":"APIResourceList","resources":[{"name":"configmaps","kind":"ConfigMap","namespaced":true,"verbs":["list"]}]}""");
        var listed = test.Cluster.ListAsync(new GroupVersionKind("", "v1", "ConfigMap"), null, null, default);
        await (await test.Server.NextAsync("/api/v1/configmaps")).AnswerAsync(
            200, """{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"5"},"items":[ {"metadata":{"name":"a","namespace":"ns"},"data":{"kind":"no"}} ]}""");

        Assert.Equal(("ConfigMap", "v1", "ns/a"), (await listed.Within()).Select(o => (o.Kind, o.ApiVersion, o.Key.ToString())).Single());
    }

    [Fact]
    public async Task Pages_that_are_too_large_are_asked_for_in_smaller_ones()
    {
        await using var test = await TestCluster.StartAsync(o => (o.MaxResponseBytes, o.PageSize) = (4096, 8));
        var large = Widgets.One("large", extra: $",\"spec\":\"{new string('x', 3000)}\"");
        var listed = test.Cluster.ListAsync(Widgets.Kind, null, null, default);
        await (await test.Server.NextAsync("limit=8")).AnswerAsync(200, Widgets.List("1", "", large, large));
        await (await test.Server.NextAsync("limit=2")).AnswerAsync(200, Widgets.List("1", "", large, large));
        await (await test.Server.NextAsync("limit=1")).AnswerAsync(200, Widgets.List("1", "t", large));
        await (await test.Server.NextAsync("limit=1&continue=t")).AnswerAsync(200, Widgets.List("1", "", Widgets.One("b")));

        Assert.Equal(["large", "b"], (await listed.Within()).Select(o => o.Name));
    }

    [Fact]
    public async Task A_list_with_an_unreadable_object_is_refused_and_names_it()
    {
        await using var test = await TestCluster.StartAsync();
        var listed = test.Cluster.ListAsync(Widgets.Kind, null, null, default);
        var deep = string.Concat(Enumerable.Repeat("[", 10_000)) + string.Concat(Enumerable.Repeat("]", 10_000));
        await (await test.Server.NextAsync()).AnswerAsync(200, Widgets.List("1", "", Widgets.One("a"), Widgets.One("deep", extra: $",\"spec\":{deep}")));

        var refusal = await Assert.ThrowsAsync<KubernetesException>(() => listed.Within());
        Assert.Equal("Unreadable", refusal.Reason);
        Assert.Contains("Widget ns/deep", refusal.Message, StringComparison.Ordinal);
    }
}
