using System.Text.Json.Nodes;

namespace Governor.Sandbox.Tests.Faults;

/// <summary>The switches as a person reaches them: over the cluster's own HTTP.</summary>
public sealed class SwitchboardTests : ClusterFixture
{
    private const string Faults = "/sandbox/faults";

    [Fact]
    public async Task A_request_fault_is_armed_listed_hit_and_disarmed()
    {
        var armed = await Admin.PostAsync(Faults, """{"effect":"fail","code":503,"message":"not now","on":{"verb":"create","resource":"configmaps"},"from":2,"forever":true}""");
        Assert.Equal(201, armed.Code);
        Assert.Equal(201, (await CreateConfigMapAsync("a")).Code);
        var failed = await CreateConfigMapAsync("b");
        Assert.Equal((503, "not now"), (failed.Code, failed.Message));

        var listed = (await Admin.GetAsync(Faults)).Json["faults"]![0]!;
        Assert.Equal((2, 1), (listed["seen"]!.GetValue<int>(), listed["hits"]!.GetValue<int>()));
        Assert.Equal("fail", listed["fault"]!["effect"]!.GetValue<string>());

        Assert.Equal(200, (await Admin.DeleteAsync($"{Faults}/{listed["id"]}")).Code);
        Assert.Equal(404, (await Admin.DeleteAsync($"{Faults}/{listed["id"]}")).Code);
        Assert.Equal(201, (await CreateConfigMapAsync("b")).Code);
    }

    [Theory]
    [InlineData("event-drop", "MODIFIED a")]
    [InlineData("event-duplicate", "ADDED a,ADDED a")]
    [InlineData("event-end", "end")]
    public async Task An_event_fault_is_armed(string effect, string seen)
    {
        await Admin.PostAsync(Faults, $$$"""{"effect":"{{{effect}}}","on":{"type":"ADDED","resource":"configmaps","name":"a"} }""");
        using var watch = await Admin.WatchAsync($"{ConfigMaps}?resourceVersion={Cluster.ResourceVersion}");
        await CreateConfigMapAsync("a");
        await Admin.MergeAsync(ConfigMaps + "/a", """{"data":{"k":"w"}}""");
        foreach (var next in seen.Split(','))
            Assert.Equal(next, await watch.NextTextAsync());
    }

    [Fact]
    public async Task No_fault_hits_the_switches_themselves_and_all_can_be_cleared()
    {
        Assert.Equal(201, (await Admin.PostAsync(Faults, """{"effect":"fail","code":500,"forever":true}""")).Code);
        await Admin.PostAsync(Faults, """{"effect":"clock-skew","seconds":-3600}""");
        Assert.Equal(-3600, (await Admin.GetAsync(Faults)).Json["clockSkewSeconds"]!.GetValue<double>());
        Assert.Equal(500, (await Admin.GetAsync(ConfigMaps)).Code);

        var cleared = (await Admin.DeleteAsync(Faults)).Json;

        Assert.Equal((0, 0), (cleared["faults"]!.AsArray().Count, cleared["clockSkewSeconds"]!.GetValue<double>()));
        Assert.Equal(200, (await Admin.GetAsync(ConfigMaps)).Code);
    }

    [Fact]
    public async Task Watches_break_and_histories_expire_on_request()
    {
        var first = await CreateConfigMapAsync("a");
        using var watch = await Admin.WatchAsync($"{ConfigMaps}?resourceVersion={Cluster.ResourceVersion}");
        await Admin.PostAsync(Faults, """{"effect":"drop-watches"}""");
        await Assert.ThrowsAnyAsync<IOException>(watch.NextAsync);
        await Admin.MergeAsync(ConfigMaps + "/a", """{"data":{"k":"w"}}""");
        await Admin.PostAsync(Faults, """{"effect":"expire-history","on":{"group":"","resource":"configmaps"}}""");
        using var late = await Admin.WatchAsync($"{ConfigMaps}?resourceVersion={first.Version}");
        Assert.Equal("ERROR", (await late.NextAsync())!.Value.Type);
    }

    [Fact]
    public async Task Workloads_do_as_they_are_told()
    {
        await CreateDeploymentAsync("web");
        await Admin.PostAsync(Faults, """{"effect":"workloads","behaviour":"never"}""");
        await Cluster.IdleAsync();
        Assert.Equal("False", Condition(await Admin.GetAsync(Deployments + "/web"), "Available"));
    }

    [Theory]
    [InlineData("""{"effect":"explode"}""", "expected one of fail, delay")]
    [InlineData("""{"effect":"fail"}""", "effect \"fail\": expected code, found none")]
    [InlineData("""{"effect":"fail","code":200}""", "expected 400 to 599, found 200")]
    [InlineData("""{"effect":"fail","kode":500}""", "kode")]
    [InlineData("""{"effect":"fail","code":500,"from":0}""", "expected from >= 1")]
    [InlineData("""{"effect":"event-drop","on":{"verb":"get"}}""", "on.type is for effects on events")]
    [InlineData("""{"effect":"workloads","behaviour":"dance"}""", "expected ready, fail or never, found \"dance\"")]
    [InlineData("[]", "fault: ")]
    [InlineData("null", "expected a JSON object, found null")]
    public async Task An_order_that_makes_no_sense_is_refused_and_changes_nothing(string order, string message)
    {
        var refusal = await Admin.PostAsync(Faults, order);
        Assert.Equal((400, "BadRequest"), (refusal.Code, refusal.Reason));
        Assert.Contains(message, refusal.Message, StringComparison.Ordinal);
        Assert.Empty((await Admin.GetAsync(Faults)).Json["faults"]!.AsArray());
    }

    [Fact]
    public async Task Only_whom_a_role_allows_the_path_may_switch()
    {
        using var user = new SandboxClient(Cluster, Cluster.TokenFor("plain"));
        Assert.Equal(403, (await user.GetAsync(Faults)).Code);
        Assert.Equal(403, (await user.PostAsync(Faults, """{"effect":"drop-watches"}""")).Code);
        using var nobody = new SandboxClient(Cluster, "");
        Assert.Equal(403, (await nobody.DeleteAsync(Faults)).Code);
    }

    [Fact]
    public async Task A_cluster_told_to_go_answers_and_goes_and_comes_back_when_its_time_is_over()
    {
        var left = Cluster.WentAway;
        var order = await Admin.PostAsync(Faults, """{"effect":"go-away","seconds":0}""");
        Assert.Equal(200, order.Code);
        var back = await left.WaitAsync(TimeSpan.FromSeconds(20));
        await back.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(200, (await Admin.GetAsync(ConfigMaps)).Code);

        left = Cluster.WentAway;
        Assert.Equal(200, (await Admin.PostAsync(Faults, """{"effect":"go-away"}""")).Code);
        await left.WaitAsync(TimeSpan.FromSeconds(20));
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => Admin.GetAsync(ConfigMaps));
    }
}
