namespace Governor.Sandbox.Tests.Watch;

public sealed class WatchTests : ClusterFixture
{
    protected override SandboxOptions Options => new("watch", WatchHistory: 50);

    [Fact]
    public async Task A_watch_from_a_list_sees_every_change_in_order()
    {
        var list = await Admin.GetAsync(ConfigMaps);
        using var watch = await Admin.WatchAsync($"{ConfigMaps}?resourceVersion={list.Version}");
        await CreateConfigMapAsync("a");
        await Admin.MergeAsync(ConfigMaps + "/a", """{"data":{"k":"w"}}""");
        await Admin.DeleteAsync(ConfigMaps + "/a");
        string[] seen = [await watch.NextTextAsync(), await watch.NextTextAsync(), await watch.NextTextAsync()];
        Assert.Equal(["ADDED a", "MODIFIED a", "DELETED a"], seen);
    }

    [Fact]
    public async Task A_watch_without_a_version_begins_with_what_exists()
    {
        await CreateConfigMapAsync("a");
        using var watch = await Admin.WatchAsync($"{ConfigMaps}?fieldSelector=metadata.name%3Da");
        Assert.Equal("ADDED a", await watch.NextTextAsync());
    }

    [Fact]
    public async Task A_watch_resumes_from_an_older_version()
    {
        var first = await CreateConfigMapAsync("a");
        await CreateConfigMapAsync("b");
        await CreateConfigMapAsync("c");
        using var watch = await Admin.WatchAsync($"{ConfigMaps}?resourceVersion={first.Version}");
        Assert.Equal("ADDED b", await watch.NextTextAsync());
        Assert.Equal("ADDED c", await watch.NextTextAsync());
    }

    [Fact]
    public async Task A_version_behind_the_history_is_an_error_event_and_the_end()
    {
        using var watch = await Admin.WatchAsync($"{ConfigMaps}?resourceVersion=1");
        Assert.Equal(200, watch.Code);
        var (type, status) = (await watch.NextAsync())!.Value;
        Assert.Equal("ERROR", type);
        Assert.Equal(410, status["code"]!.GetValue<int>());
        Assert.Equal("Expired", status["reason"]!.GetValue<string>());
        Assert.Equal("end", await watch.NextTextAsync());
    }

    [Fact]
    public async Task The_history_keeps_as_many_changes_as_it_was_told_to()
    {
        var first = await CreateConfigMapAsync("a");
        for (var i = 0; i < 51; i++)
            await Admin.MergeAsync(ConfigMaps + "/a", $$$"""{"data":{"k":"{{{i}}}"}}""");
        using var watch = await Admin.WatchAsync($"{ConfigMaps}?resourceVersion={first.Version}");
        Assert.Equal("ERROR", (await watch.NextAsync())!.Value.Type);
    }

    [Fact]
    public async Task Entering_a_selection_is_added_and_leaving_it_is_deleted_with_the_state_before()
    {
        var made = await CreateConfigMapAsync("a");
        using var watch = await Admin.WatchAsync($"{ConfigMaps}?resourceVersion={made.Version}&labelSelector=x%3Dy");
        await Admin.MergeAsync(ConfigMaps + "/a", """{"metadata":{"labels":{"x":"y"}}}""");
        Assert.Equal("ADDED a", await watch.NextTextAsync());
        var left = await Admin.MergeAsync(ConfigMaps + "/a", """{"metadata":{"labels":{"x":"z"}}}""");
        var (type, o) = (await watch.NextAsync())!.Value;
        Assert.Equal("DELETED", type);
        Assert.Equal("y", o["metadata"]!["labels"]!["x"]!.GetValue<string>());
        Assert.Equal(left.Version, o["metadata"]!["resourceVersion"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_watch_ends_at_its_timeout_after_a_bookmark()
    {
        var made = await CreateConfigMapAsync("a");
        var later = await CreateConfigMapAsync("b");
        using var watch = await Admin.WatchAsync($"{ConfigMaps}?resourceVersion={made.Version}&allowWatchBookmarks=true&timeoutSeconds=2&labelSelector=never");
        var (type, o) = (await watch.NextAsync())!.Value;
        Assert.Equal("BOOKMARK", type);
        Assert.Equal(later.Version, o["metadata"]!["resourceVersion"]!.GetValue<string>());
        Assert.Equal("end", await watch.NextTextAsync());
    }

    [Fact]
    public async Task A_table_watch_names_its_columns_once()
    {
        await CreateConfigMapAsync("a");
        await CreateConfigMapAsync("b");
        using var watch = await Admin.WatchAsync($"{ConfigMaps}?resourceVersion=0", "application/json;as=Table;v=v1;g=meta.k8s.io");
        var first = (await watch.NextAsync())!.Value.Object;
        var second = (await watch.NextAsync())!.Value.Object;
        Assert.NotNull(first["columnDefinitions"]);
        Assert.Null(second["columnDefinitions"]);
        Assert.Single(second["rows"]!.AsArray());
    }

    [Fact]
    public async Task A_change_of_a_definition_ends_the_watches_of_its_kind_and_expires_them()
    {
        await ServeWidgetsAsync();
        var made = await CreateWidgetAsync("a");
        using var watch = await Admin.WatchAsync($"{Widgets}?resourceVersion={made.Version}");
        await Admin.MergeAsync(Definitions + "/widgets.fixtures.governor.dev", """{"spec":{"names":{"categories":["other"]}}}""");
        Assert.Equal("end", await watch.NextTextAsync());
        using var again = await Admin.WatchAsync($"{Widgets}?resourceVersion={made.Version}");
        Assert.Equal("ERROR", (await again.NextAsync())!.Value.Type);
    }

    [Fact]
    public async Task The_write_that_removes_the_last_finalizer_is_seen_as_deleted_only()
    {
        var made = await CreateConfigMapAsync("a", "\"finalizers\":[\"example.test/hold\"]");
        using var watch = await Admin.WatchAsync($"{ConfigMaps}?resourceVersion={made.Version}");
        await Admin.DeleteAsync(ConfigMaps + "/a");
        await Admin.MergeAsync(ConfigMaps + "/a", """{"metadata":{"finalizers":null}}""");
        string[] seen = [await watch.NextTextAsync(), await watch.NextTextAsync()];
        Assert.Equal(["MODIFIED a", "DELETED a"], seen);
    }

    [Fact]
    public async Task A_resource_version_match_is_refused_as_this_version_does()
    {
        var answer = await Admin.GetAsync($"{ConfigMaps}?watch=true&resourceVersionMatch=NotOlderThan&sendInitialEvents=true");
        Assert.Equal(422, answer.Code);
    }

    [Fact]
    public async Task Every_writer_of_many_is_seen_once_by_every_watcher_of_many()
    {
        var list = await Admin.GetAsync(ConfigMaps);
        var watches = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Admin.WatchAsync($"{ConfigMaps}?resourceVersion={list.Version}")));
        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => CreateConfigMapAsync($"c{i}")));
        foreach (var watch in watches)
        {
            var versions = new List<long>();
            for (var i = 0; i < 40; i++)
                versions.Add(long.Parse((await watch.NextAsync())!.Value.Object["metadata"]!["resourceVersion"]!.GetValue<string>(), null));
            Assert.Equal(versions.Distinct().Order(), versions);
            watch.Dispose();
        }
    }
}
