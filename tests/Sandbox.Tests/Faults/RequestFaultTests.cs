using Governor.Sandbox.Faults;

namespace Governor.Sandbox.Tests.Faults;

public sealed class RequestFaultTests : ClusterFixture
{
    [Fact]
    public async Task A_body_breaks_in_the_middle()
    {
        await CreateConfigMapAsync("a");
        Cluster.Faults.Arm(r => r.Verb == "list", new FaultEffect.BreakBody(20));
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => Admin.GetAsync(ConfigMaps));
        Assert.Equal(200, (await Admin.GetAsync(ConfigMaps)).Code);
    }

    [Fact]
    public async Task A_watch_breaks_in_the_middle_of_a_line()
    {
        Cluster.Faults.Arm(r => r.Verb == "watch", new FaultEffect.BreakBody(50));
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            using var watch = await Admin.WatchAsync($"{ConfigMaps}?resourceVersion=0");
            Assert.Fail(await watch.NextTextAsync());
        });
    }

    [Fact]
    public async Task A_stale_list_and_get_show_the_state_of_an_older_version()
    {
        await CreateConfigMapAsync("a");
        var then = Cluster.ResourceVersion;
        await Admin.MergeAsync(ConfigMaps + "/a", """{"data":{"k":"new"}}""");
        await CreateConfigMapAsync("b");
        Cluster.Faults.Arm(r => r.Verb is "list" or "get", new FaultEffect.Stale(then), count: 2);
        var list = await Admin.GetAsync(ConfigMaps);
        Assert.Equal(["a", "kube-root-ca.crt"], Names(list));
        Assert.Equal($"{then}", list.Version);
        Assert.Equal("v", (await Admin.GetAsync(ConfigMaps + "/a")).Json["data"]!["k"]!.GetValue<string>());
        Assert.Equal(["a", "b", "kube-root-ca.crt"], Names(await Admin.GetAsync(ConfigMaps)));
        using var watch = await Admin.WatchAsync($"{ConfigMaps}?resourceVersion={then}");
        Assert.Equal(["MODIFIED a", "ADDED b"], [await watch.NextTextAsync(), await watch.NextTextAsync()]);
    }

    [Fact]
    public async Task A_lagging_list_is_some_changes_behind()
    {
        foreach (var name in (string[])["a", "b", "c"])
            await CreateConfigMapAsync(name);
        Cluster.Faults.Arm(r => r.Verb == "list", new FaultEffect.Lag(2));
        Assert.Equal(["a", "kube-root-ca.crt"], Names(await Admin.GetAsync(ConfigMaps)));
    }

    [Fact]
    public async Task Load_shedding_answers_plain_text()
    {
        Cluster.Faults.Arm(r => r.User == "admin", new FaultEffect.Fail(429, Message: "Too many requests, please try again later.", RetryAfterSeconds: 1, AsText: true));
        var answer = await Admin.GetAsync(ConfigMaps);
        Assert.Equal((429, "Too many requests, please try again later.\n", "text/plain; charset=utf-8"), (answer.Code, answer.Text, answer.ContentType));
    }

    [Fact]
    public async Task A_skewed_clock_shows_in_timestamps_and_in_the_date_and_ends_tokens()
    {
        await Admin.PostAsync("/api/v1/namespaces/default/serviceaccounts", """{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"robot"}}""");
        var token = await Admin.PostAsync("/api/v1/namespaces/default/serviceaccounts/robot/token", """{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"expirationSeconds":600}}""");
        using var robot = new SandboxClient(Cluster, token.Json["status"]!["token"]!.GetValue<string>());
        Assert.Equal(403, (await robot.GetAsync(ConfigMaps)).Code);
        Cluster.Faults.ClockSkew = TimeSpan.FromDays(40);
        Assert.Equal(401, (await robot.GetAsync(ConfigMaps)).Code);
        var made = await CreateConfigMapAsync("a");
        var stamp = DateTimeOffset.Parse(made.Json["metadata"]!["creationTimestamp"]!.GetValue<string>(), System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(stamp > DateTimeOffset.UtcNow.AddDays(39));
        Assert.True(made.Headers.Date > DateTimeOffset.UtcNow.AddDays(39));
        Cluster.Faults.Clear();
        Assert.Equal(403, (await robot.GetAsync(ConfigMaps)).Code);
    }

    [Fact]
    public async Task The_history_of_one_kind_expires_and_that_of_the_others_does_not()
    {
        var from = (await CreateConfigMapAsync("a")).Version;
        await CreateConfigMapAsync("b");
        await CreateDeploymentAsync("d");
        Cluster.Faults.ExpireHistory("", "configmaps");
        using var expired = await Admin.WatchAsync($"{ConfigMaps}?resourceVersion={from}");
        using var kept = await Admin.WatchAsync($"{Deployments}?resourceVersion={from}");
        Assert.Equal("ERROR", (await expired.NextAsync())!.Value.Type);
        Assert.Equal("ADDED d", await kept.NextTextAsync());
    }

    [Fact]
    public async Task Random_faults_are_the_same_with_the_same_seed()
    {
        var first = await CodesAsync(7);
        Assert.Equal(first, await CodesAsync(7));
        Assert.NotEqual(first, await CodesAsync(8));
        Assert.Contains(503, first);
        Assert.Contains(200, first);
    }

    private static async Task<int[]> CodesAsync(int seed)
    {
        await using var cluster = await SandboxCluster.StartAsync(new SandboxOptions("seeded", Seed: seed));
        using var client = new SandboxClient(cluster);
        cluster.Faults.Arm(_ => true, new FaultEffect.Latency(TimeSpan.FromMilliseconds(0.1), TimeSpan.FromMilliseconds(1)), count: int.MaxValue);
        cluster.Faults.Arm(r => r.Verb == "list", new FaultEffect.Fail(503, "ServiceUnavailable"), count: int.MaxValue, probability: 0.5);
        var codes = new int[24];
        for (var i = 0; i < codes.Length; i++)
            codes[i] = (await client.GetAsync(ConfigMaps)).Code;
        return codes;
    }
}
