using Governor.Sandbox.Faults;

namespace Governor.Sandbox.Tests.Faults;

public sealed class EventFaultTests : ClusterFixture
{
    private async Task<WatchReader> WatchFromNowAsync(string query = "") =>
        await Admin.WatchAsync($"{ConfigMaps}?resourceVersion={Cluster.ResourceVersion}{query}");

    private static bool IsConfigMap(FaultEvent e, string name) => e.Resource == "configmaps" && e.Name == name;

    private async Task CreateAsync(params string[] names)
    {
        foreach (var name in names)
            Assert.Equal(201, (await CreateConfigMapAsync(name)).Code);
    }

    [Fact]
    public async Task A_dropped_event_is_missed_and_the_watch_goes_on()
    {
        using var watch = await WatchFromNowAsync();
        var fault = Cluster.Faults.ArmEvent(e => IsConfigMap(e, "b"), EventFate.Drop);
        await CreateAsync("a", "b", "c");
        Assert.Equal(["ADDED a", "ADDED c"], [await watch.NextTextAsync(), await watch.NextTextAsync()]);
        Assert.Equal(1, fault.Hits);
    }

    [Fact]
    public async Task The_second_event_is_duplicated()
    {
        using var watch = await WatchFromNowAsync();
        Cluster.Faults.ArmEvent(e => e.Type == "ADDED", EventFate.Duplicate, from: 2);
        await CreateAsync("a", "b", "c");
        Assert.Equal(["ADDED a", "ADDED b", "ADDED b", "ADDED c"],
            [await watch.NextTextAsync(), await watch.NextTextAsync(), await watch.NextTextAsync(), await watch.NextTextAsync()]);
    }

    [Fact]
    public async Task A_reordered_event_changes_places_with_the_next()
    {
        using var watch = await WatchFromNowAsync();
        Cluster.Faults.ArmEvent(e => IsConfigMap(e, "a"), EventFate.Reorder);
        await CreateAsync("a", "b", "c");
        Assert.Equal(["ADDED b", "ADDED a", "ADDED c"], [await watch.NextTextAsync(), await watch.NextTextAsync(), await watch.NextTextAsync()]);
    }

    [Fact]
    public async Task A_garbled_line_is_followed_by_good_ones()
    {
        using var watch = await WatchFromNowAsync();
        Cluster.Faults.ArmEvent(e => IsConfigMap(e, "a"), EventFate.Garble);
        await CreateAsync("a", "b");
        await Assert.ThrowsAnyAsync<System.Text.Json.JsonException>(watch.NextTextAsync);
        Assert.Equal("ADDED b", await watch.NextTextAsync());
    }

    [Fact]
    public async Task An_event_ends_or_breaks_the_stream_in_its_place()
    {
        using var ended = await WatchFromNowAsync();
        Cluster.Faults.ArmEvent(e => IsConfigMap(e, "a"), EventFate.End);
        await CreateAsync("a");
        Assert.Equal("end", await ended.NextTextAsync());
        using var broken = await WatchFromNowAsync();
        Cluster.Faults.ArmEvent(e => IsConfigMap(e, "b"), EventFate.Break);
        await CreateAsync("b");
        await Assert.ThrowsAnyAsync<IOException>(broken.NextTextAsync);
    }

    [Fact]
    public async Task A_silent_watch_stays_open_past_its_timeout_until_its_connection_breaks()
    {
        using var quiet = new SandboxClient(Cluster, Cluster.TokenFor("quiet", "system:masters"));
        using var silent = await quiet.WatchAsync($"{ConfigMaps}?resourceVersion={Cluster.ResourceVersion}&timeoutSeconds=1");
        using var bystander = await WatchFromNowAsync();
        var fault = Cluster.Faults.ArmEvent(e => e.User == "quiet", EventFate.Silence);
        await CreateAsync("a", "b");
        Assert.Equal(["ADDED a", "ADDED b"], [await bystander.NextTextAsync(), await bystander.NextTextAsync()]);
        await fault.FirstHit;
        Cluster.Faults.DropWatches();
        Assert.Equal("", await ReadToBreakAsync(silent));
    }

    [Fact]
    public async Task All_open_watches_can_be_silenced_and_new_ones_work()
    {
        using var old = await WatchFromNowAsync("&timeoutSeconds=1");
        await CreateAsync("a");
        Assert.Equal("ADDED a", await old.NextTextAsync());
        Cluster.Faults.SilenceWatches();
        using var fresh = await WatchFromNowAsync();
        await CreateAsync("b");
        Assert.Equal("ADDED b", await fresh.NextTextAsync());
        Cluster.Faults.DropWatches();
        Assert.Equal("", await ReadToBreakAsync(old));
    }

    [Fact]
    public async Task A_watch_that_is_silent_from_the_start_answers_headers()
    {
        Cluster.Faults.Arm(r => r is { Verb: "watch", UserAgent: "fixtures/1.0" }, new FaultEffect.Silence());
        using var watch = await WatchFromNowAsync();
        Assert.Equal(200, watch.Code);
    }

    private static async Task<string> ReadToBreakAsync(WatchReader reader)
    {
        var read = new List<string>();
        try
        {
            while (true)
                read.Add(await reader.NextTextAsync());
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            return string.Join(',', read);
        }
    }
}
