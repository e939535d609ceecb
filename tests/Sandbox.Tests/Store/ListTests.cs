namespace Governor.Sandbox.Tests.Store;

public sealed class ListTests : ClusterFixture
{
    private async Task FillAsync()
    {
        for (var i = 0; i < 6; i++)
            await CreateConfigMapAsync($"c{i}", "\"labels\":{\"set\":\"c\"}");
    }

    [Fact]
    public async Task All_pages_show_the_state_of_the_first()
    {
        await FillAsync();
        var first = await Admin.GetAsync($"{ConfigMaps}?limit=3");
        await CreateConfigMapAsync("c2a");
        await Admin.DeleteAsync(ConfigMaps + "/c4");
        var rest = await Admin.GetAsync($"{ConfigMaps}?limit=10&continue={first.Json["metadata"]!["continue"]}");
        Assert.Equal(["c0", "c1", "c2"], Names(first));
        Assert.Equal(4, first.Json["metadata"]!["remainingItemCount"]!.GetValue<int>());
        Assert.Equal(["c3", "c4", "c5", "kube-root-ca.crt"], Names(rest));
        Assert.Equal(first.Version, rest.Version);
    }

    [Fact]
    public async Task An_expired_page_is_410_with_a_token_to_go_on_inconsistently()
    {
        await FillAsync();
        var first = await Admin.GetAsync($"{ConfigMaps}?limit=3");
        await CreateConfigMapAsync("c9");
        Cluster.Faults.ExpireHistory();
        var expired = await Admin.GetAsync($"{ConfigMaps}?limit=3&continue={first.Json["metadata"]!["continue"]}");
        Assert.Equal((410, "Expired"), (expired.Code, expired.Reason));
        var rest = await Admin.GetAsync($"{ConfigMaps}?continue={expired.Json["metadata"]!["continue"]}");
        Assert.Equal(["c3", "c4", "c5", "c9", "kube-root-ca.crt"], Names(rest));
    }

    [Fact]
    public async Task An_exact_list_shows_the_past()
    {
        await FillAsync();
        var then = await Admin.GetAsync(ConfigMaps);
        await CreateConfigMapAsync("later");
        var exact = await Admin.GetAsync($"{ConfigMaps}?resourceVersion={then.Version}&resourceVersionMatch=Exact");
        Assert.Equal(Names(then), Names(exact));
        Assert.Contains("later", Names(await Admin.GetAsync($"{ConfigMaps}?resourceVersion={then.Version}")));
    }

    [Fact]
    public async Task An_exact_list_of_a_kind_that_never_changed_works()
    {
        var then = await Admin.GetAsync("/apis/batch/v1/jobs");
        await CreateConfigMapAsync("other");
        Assert.Equal(200, (await Admin.GetAsync($"/apis/batch/v1/jobs?resourceVersion={then.Version}&resourceVersionMatch=Exact")).Code);
    }

    [Fact]
    public async Task Items_of_built_in_kinds_come_without_kind_and_those_of_custom_kinds_with()
    {
        await ServeWidgetsAsync();
        await CreateWidgetAsync("w");
        Assert.Null((await Admin.GetAsync(ConfigMaps)).Json["items"]![0]!["kind"]);
        Assert.Equal("Widget", (await Admin.GetAsync(Widgets)).Json["items"]![0]!["kind"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_collection_is_deleted_by_selector()
    {
        await FillAsync();
        await CreateConfigMapAsync("kept");
        var answer = await Admin.DeleteAsync($"{ConfigMaps}?labelSelector=set%3Dc");
        Assert.Equal(6, answer.Json["items"]!.AsArray().Count);
        Assert.Equal(["kept", "kube-root-ca.crt"], Names(await Admin.GetAsync(ConfigMaps)));
    }

    [Fact]
    public async Task Lists_across_namespaces_are_ordered_by_namespace_and_name()
    {
        await CreateConfigMapAsync("a", ns: "kube-system");
        await CreateConfigMapAsync("z");
        Assert.Equal(["z", "a"], Names(await Admin.GetAsync("/api/v1/configmaps")).Where(n => n is "a" or "z"));
    }

    [Fact]
    public async Task A_table_has_the_columns_of_the_definition()
    {
        await ServeWidgetsAsync();
        await CreateWidgetAsync("w");
        var table = (await Admin.GetAsync(Widgets, "application/json;as=Table;v=v1;g=meta.k8s.io,application/json")).Json;
        Assert.Equal(["Name", "Size", "Color", "Ready", "Note", "Age"], table["columnDefinitions"]!.AsArray().Select(c => c!["name"]!.GetValue<string>()));
        Assert.StartsWith("[\"w\",3,\"red\",null,\"none\",", table["rows"]![0]!["cells"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("PartialObjectMetadata", table["rows"]![0]!["object"]!["kind"]!.GetValue<string>());
    }

    [Fact]
    public async Task Metadata_alone_can_be_asked_for()
    {
        var list = await Admin.GetAsync(ConfigMaps, "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io");
        Assert.Equal("PartialObjectMetadataList", list.Json["kind"]!.GetValue<string>());
        Assert.Null(list.Json["items"]![0]!["data"]);
    }

    [Fact]
    public async Task Bodies_over_three_mebibytes_are_refused_before_parsing()
    {
        var answer = await Admin.PostAsync(ConfigMaps, new string(' ', 3 * 1024 * 1024 + 1));
        Assert.Equal(413, answer.Code);
    }
}
