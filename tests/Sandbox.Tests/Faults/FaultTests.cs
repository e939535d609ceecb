using Governor.Sandbox.Faults;

namespace Governor.Sandbox.Tests.Faults;

public sealed class FaultTests : ClusterFixture
{
    [Fact]
    public async Task The_second_of_three_matching_writes_fails()
    {
        var fault = Cluster.Faults.Arm(r => r.Verb == "create" && r.Resource == "configmaps", new FaultEffect.Fail(503, "ServiceUnavailable"), from: 2);
        int[] codes = [(await CreateConfigMapAsync("a")).Code, (await CreateConfigMapAsync("b")).Code, (await CreateConfigMapAsync("c")).Code];
        Assert.Equal([201, 503, 201], codes);
        Assert.Equal(1, fault.Hits);
        Assert.Equal(["a", "c", "kube-root-ca.crt"], Names(await Admin.GetAsync(ConfigMaps)));
    }

    [Fact]
    public async Task A_connection_dropped_before_leaves_nothing_behind_and_one_dropped_after_does()
    {
        Cluster.Faults.Arm(r => r.Verb == "create", new FaultEffect.DropBefore());
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => CreateConfigMapAsync("before"));
        Cluster.Faults.Arm(r => r.Verb == "create", new FaultEffect.DropAfter());
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => CreateConfigMapAsync("after"));
        Assert.Equal(["after", "kube-root-ca.crt"], Names(await Admin.GetAsync(ConfigMaps)));
    }

    [Theory]
    [InlineData(HoldPoint.BeforeExecution)]
    [InlineData(HoldPoint.BeforeAnswer)]
    public async Task A_held_request_is_not_done_or_not_answered_until_it_is_released(HoldPoint point)
    {
        var hold = new RequestHold(point);
        Cluster.Faults.Arm(r => r is { Verb: "create", Name: "held" }, new FaultEffect.Hold(hold));
        Assert.Equal(201, (await CreateConfigMapAsync("other")).Code);
        var creating = CreateConfigMapAsync("held");
        await hold.Held.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.False(creating.IsCompleted);
        Assert.Equal(point == HoldPoint.BeforeAnswer, Names(await Admin.GetAsync(ConfigMaps)).Contains("held"));
        hold.Release();
        Assert.Equal(201, (await creating).Code);
        Assert.Contains("held", Names(await Admin.GetAsync(ConfigMaps)));
    }

    [Theory]
    [InlineData(HoldPoint.BeforeExecution)]
    [InlineData(HoldPoint.BeforeAnswer)]
    public async Task A_held_request_that_is_dropped_is_never_answered(HoldPoint point)
    {
        var hold = new RequestHold(point);
        Cluster.Faults.Arm(r => r.Verb == "create", new FaultEffect.Hold(hold));
        var creating = CreateConfigMapAsync("held");
        await hold.Held.WaitAsync(TimeSpan.FromSeconds(30));
        hold.Drop();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => creating);
        Assert.Equal(point == HoldPoint.BeforeAnswer, Names(await Admin.GetAsync(ConfigMaps)).Contains("held"));
    }

    [Fact]
    public async Task Too_many_requests_say_when_to_come_back()
    {
        Cluster.Faults.Arm(_ => true, new FaultEffect.Fail(429, "TooManyRequests", RetryAfterSeconds: 7));
        var answer = await Admin.GetAsync(ConfigMaps);
        Assert.Equal((429, TimeSpan.FromSeconds(7)), (answer.Code, answer.Headers.RetryAfter!.Delta));
    }

    [Fact]
    public async Task Dropped_watches_break_and_new_ones_work()
    {
        using var watch = await Admin.WatchAsync($"{ConfigMaps}?resourceVersion={Cluster.ResourceVersion}");
        await CreateConfigMapAsync("a");
        Assert.Equal("ADDED a", await watch.NextTextAsync());
        Cluster.Faults.DropWatches();
        await Assert.ThrowsAnyAsync<IOException>(watch.NextTextAsync);
        using var again = await Admin.WatchAsync($"{ConfigMaps}?resourceVersion=0");
        Assert.Equal("ADDED a", await again.NextTextAsync());
    }

    [Fact]
    public async Task An_expired_history_makes_resuming_410()
    {
        var made = await CreateConfigMapAsync("a");
        await CreateConfigMapAsync("b");
        Cluster.Faults.ExpireHistory();
        using var watch = await Admin.WatchAsync($"{ConfigMaps}?resourceVersion={made.Version}");
        Assert.Equal("ERROR", (await watch.NextAsync())!.Value.Type);
    }

    [Fact]
    public async Task An_open_watch_outlives_the_expiry_of_history()
    {
        await CreateConfigMapAsync("first");
        using var watch = await Admin.WatchAsync($"{ConfigMaps}?fieldSelector=metadata.name%3Dfirst");
        Assert.Equal("ADDED first", await watch.NextTextAsync());
        await CreateDeploymentAsync("elsewhere");
        Cluster.Faults.ExpireHistory();
        await Admin.MergeAsync(ConfigMaps + "/first", """{"data":{"k":"w"}}""");
        Assert.Equal("MODIFIED first", await watch.NextTextAsync());
    }

    [Fact]
    public async Task A_cluster_that_went_away_refuses_and_comes_back_with_its_state_on_its_port()
    {
        await CreateConfigMapAsync("a");
        var url = Cluster.Url;
        await Cluster.GoAwayAsync();
        using var client = new SandboxClient(Cluster);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => client.GetAsync(ConfigMaps));
        await Cluster.ComeBackAsync();
        Assert.Equal(url, Cluster.Url);
        Assert.Equal(200, (await client.GetAsync(ConfigMaps + "/a")).Code);
    }

    [Fact]
    public async Task An_armed_fault_can_be_waited_for_and_disarmed()
    {
        var fault = Cluster.Faults.Arm(r => r.Verb == "list", new FaultEffect.Fail(500), count: int.MaxValue);
        Assert.Equal(500, (await Admin.GetAsync(ConfigMaps)).Code);
        await fault.FirstHit;
        Cluster.Faults.Disarm(fault);
        Assert.Equal(200, (await Admin.GetAsync(ConfigMaps)).Code);
    }
}
