using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;
using Governor.Watchers.Client;
using Governor.Watchers.Tests.Support;

namespace Governor.Watchers.Tests.Client;

public sealed class DiscoveryTests
{
    private static readonly GroupVersionKind Gadget = Widgets.Kind with { Kind = "Gadget" };

    [Theory]
    [InlineData("v2")]
    [InlineData("v2beta1")]
    public async Task One_aggregated_document_tells_of_every_kind(string version)
    {
        await using var test = await StartAsync();
        var discovered = test.Cluster.DiscoverAsync(Widgets.Kind, default);
        var asked = await test.Server.NextAsync("GET /apis");
        Assert.StartsWith("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,", asked.Header("Accept"), StringComparison.Ordinal);
        Assert.EndsWith(",application/json", asked.Header("Accept"), StringComparison.Ordinal);
        await asked.AnswerAsync(200, Aggregated(version, Of("fixtures.governor.dev", Resource("Widget", "widgets", "Namespaced", "status"), Resource("Gadget", "gadgets", "Cluster"))));

        Assert.Equal(new ResourceDescription(Widgets.Kind, "widgets", true, true), await discovered.Within());
        Assert.Equal(new ResourceDescription(Gadget, "gadgets", false, false), await test.Cluster.DiscoverAsync(Gadget, default));
        Assert.True(test.Server.HasNoMoreRequests);
    }

    [Fact]
    public async Task A_kind_that_the_aggregated_document_lacks_is_asked_for_by_its_group_version()
    {
        await using var test = await StartAsync();
        var discovered = test.Cluster.DiscoverAsync(Widgets.Kind, default);
        await (await test.Server.NextAsync("GET /apis")).AnswerAsync(200, Aggregated("v2"));

        Assert.Equal("widgets", (await discovered.Within())!.Plural); // from /apis/fixtures.governor.dev/v1
    }

    [Fact]
    public async Task What_the_aggregator_could_not_reach_is_neither_there_nor_gone()
    {
        await using var test = await StartAsync();
        test.Server.NoLonger("/apis/fixtures.governor.dev/v1");
        var discovered = test.Cluster.DiscoverAsync(Widgets.Kind, default);
        await (await test.Server.NextAsync("GET /apis")).AnswerAsync(
            200, Aggregated("v2", Of("fixtures.governor.dev").Replace("Current", "Stale", StringComparison.Ordinal)));
        await (await test.Server.NextAsync("GET /apis/fixtures.governor.dev/v1")).AnswerAsync(500, "error trying to reach service");

        Assert.True((await Assert.ThrowsAsync<KubernetesException>(() => discovered.Within())).IsTransient);
    }

    [Fact]
    public async Task After_a_while_the_document_is_asked_for_again_and_an_unchanged_one_is_not_sent()
    {
        await using var test = await StartAsync();
        var discovered = test.Cluster.DiscoverAsync(Widgets.Kind, default);
        await (await test.Server.NextAsync("GET /apis")).AnswerAsync(
            200, Aggregated("v2", Of("fixtures.governor.dev", Resource("Widget", "widgets", "Namespaced"))), ("ETag", "\"one\""));
        Assert.False((await discovered.Within())!.HasStatus);

        test.Time.Advance(Discovery.Freshness);
        var again = test.Cluster.DiscoverAsync(Widgets.Kind, default);
        var asked = await test.Server.NextAsync("GET /apis");
        Assert.Equal("\"one\"", asked.Header("If-None-Match"));
        await asked.AnswerAsync(304, "");
        Assert.NotNull(await again.Within());

        test.Time.Advance(Discovery.Freshness);
        var changed = test.Cluster.DiscoverAsync(Widgets.Kind, default);
        await (await test.Server.NextAsync("GET /apis")).AnswerAsync(
            200, Aggregated("v2", Of("fixtures.governor.dev", Resource("Widget", "widgets", "Namespaced", "status"))), ("ETag", "\"two\""));
        Assert.True((await changed.Within())!.HasStatus);
    }

    [Fact]
    public async Task While_the_server_is_in_trouble_what_was_known_is_still_used()
    {
        await using var test = await StartAsync();
        var discovered = test.Cluster.DiscoverAsync(Widgets.Kind, default);
        await (await test.Server.NextAsync("GET /apis")).AnswerAsync(200, Aggregated("v2", Of("fixtures.governor.dev", Resource("Widget", "widgets", "Namespaced"))));
        await discovered.Within();
        test.Time.Advance(Discovery.Freshness);

        var again = test.Cluster.DiscoverAsync(Widgets.Kind, default);
        await (await test.Server.NextAsync("GET /apis")).AnswerAsync(500, "no");

        Assert.Equal("widgets", (await again.Within())!.Plural);
    }

    [Fact]
    public async Task A_status_subresource_that_came_later_is_found_when_it_is_needed()
    {
        await using var test = await StartAsync();
        var applied = test.Cluster.ApplyStatusAsync(Widgets.Kind, Widgets.Key("a"), [], "m", default);
        await (await test.Server.NextAsync("GET /apis")).AnswerAsync(200, Aggregated("v2", Of("fixtures.governor.dev", Resource("Widget", "widgets", "Namespaced"))));

        // The document of the group version says otherwise by now.
        await (await test.Server.NextAsync("PATCH " + Widgets.Path("ns", "a") + "/status")).AnswerAsync(200, Widgets.One("a"));
        await applied.Within();
    }

    [Fact]
    public async Task A_proxys_404_says_nothing_about_the_kinds_of_a_cluster()
    {
        await using var test = await TestCluster.StartAsync();
        test.Server.Always("/apis/fixtures.governor.dev/v1", 404, "<html>default backend - 404</html>");

        var fault = await Assert.ThrowsAsync<KubernetesException>(() => test.Cluster.DiscoverAsync(Widgets.Kind, default));

        Assert.Equal((502, "NotAnApiServer", true), (fault.Code, fault.Reason, fault.IsTransient));
    }

    [Fact]
    public async Task A_plural_that_leads_elsewhere_is_not_taken_from_a_server()
    {
        await using var test = await StartAsync();
        test.Server.Always("/apis/fixtures.governor.dev/v1", 200, """{"kind":"APIResourceList","resources":[{"name":"..","kind":"Widget","namespaced":true,"verbs":["list"]}]}""");
        var discovered = test.Cluster.DiscoverAsync(Widgets.Kind, default);
        await (await test.Server.NextAsync("GET /apis")).AnswerAsync(
            200, Aggregated("v2", Of("fixtures.governor.dev", Resource("Widget", "../secrets?x=", "Namespaced"))));

        Assert.Null(await discovered.Within());
    }

    private static async Task<TestCluster> StartAsync()
    {
        var test = await TestCluster.StartAsync();
        test.Server.NoLonger("/apis");
        return test;
    }

    private static string Aggregated(string version, params string[] groups) =>
        $$"""{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/{{version}}","metadata":{},"items":[{{string.Join(',', groups)}}]}""";

    private static string Of(string group, params string[] resources) =>
        $$$"""{"metadata":{"name":"{{{group}}}","creationTimestamp":null},"versions":[{"version":"v1","resources":[{{{string.Join(',', resources)}}}],"freshness":"Current"}]}""";

    private static string Resource(string kind, string plural, string scope, params string[] subresources) => $$$"""
        {"resource":"{{{plural}}}","responseKind":{"group":"fixtures.governor.dev","version":"v1","kind":"{{{kind}}}"},"scope":"{{{scope}}}","singularResource":"x",
         "verbs":["get","list"],"subresources":[{{{string.Join(',', subresources.Select(s => $$"""{"subresource":"{{s}}","verbs":["get"]}"""))}}}]}
        """;
}
