using System.Net;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;
using Governor.Watchers.Client;
using Governor.Watchers.Tests.Support;

namespace Governor.Watchers.Tests.Client;

public sealed class ResilienceTests
{
    private static readonly ObjectKey Key = Widgets.Key("a");

    [Fact]
    public async Task Throttling_is_waited_out_for_as_long_as_the_server_says()
    {
        await using var test = await TestCluster.StartAsync();
        var got = test.Cluster.GetAsync(Widgets.Kind, Key, default);
        await (await test.Server.NextAsync()).AnswerAsync(429, Fixture.Text("throttled-429.txt"), ("Retry-After", "7"));

        var pause = await test.Time.ArmedAsync(TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(8.4));
        Assert.True(test.Server.HasNoMoreRequests);
        test.Time.Advance(pause);

        await (await test.Server.NextAsync()).AnswerAsync(200, Widgets.One("a"));
        Assert.NotNull(await got.Within());
    }

    [Fact]
    public async Task A_server_that_starts_is_waited_for()
    {
        await using var test = await TestCluster.StartAsync();
        var got = test.Cluster.GetAsync(Widgets.Kind, Key, default);
        await (await test.Server.NextAsync()).AnswerAsync(503, Fixture.Text("starting-503.json"), ("Retry-After", "5"));
        test.Time.Advance(await test.Time.ArmedAsync(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(6)));

        await (await test.Server.NextAsync()).AnswerAsync(200, Widgets.One("a"));
        Assert.NotNull(await got.Within());
    }

    [Fact]
    public async Task Beyond_the_budget_the_answer_is_handed_on()
    {
        await using var test = await TestCluster.StartAsync();
        var got = test.Cluster.GetAsync(Widgets.Kind, Key, default);
        await (await test.Server.NextAsync()).AnswerAsync(429, Fixture.Text("throttled-429.txt"), ("Retry-After", "11"));

        var refusal = await Assert.ThrowsAsync<KubernetesException>(() => got.Within());
        Assert.Equal((429, "TooManyRequests", true), (refusal.Code, refusal.Reason, refusal.IsTransient));
    }

    [Fact]
    public async Task Who_shed_the_load_is_told()
    {
        await using var test = await TestCluster.StartAsync();
        var got = test.Cluster.GetAsync(Widgets.Kind, Key, default);
        await (await test.Server.NextAsync()).AnswerAsync(
            429, Fixture.Text("throttled-429.txt"), ("Retry-After", "11"),
            ("X-Kubernetes-Pf-Flowschema-Uid", "the-schema"), ("X-Kubernetes-Pf-Prioritylevel-Uid", "the-level"));

        var refusal = await Assert.ThrowsAsync<KubernetesException>(() => got.Within());
        Assert.EndsWith("(priority level the-level, flow schema the-schema)", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disruption_budget_that_forbids_is_no_load_that_passes()
    {
        await using var test = await TestCluster.StartAsync();
        var got = test.Cluster.GetAsync(Widgets.Kind, Key, default);
        await (await test.Server.NextAsync()).AnswerAsync(429, Fixture.Text("eviction-429.json"), ("Retry-After", "1"));

        var refusal = await Assert.ThrowsAsync<KubernetesException>(() => got.Within());
        Assert.Equal("DisruptionBudget", Assert.Single(refusal.Causes).Reason);
        Assert.Equal(test.Options.MaxConcurrency, Limit(test));
    }

    [Fact]
    public async Task Answers_that_take_long_let_fewer_requests_in()
    {
        await using var test = await TestCluster.StartAsync();
        await test.Cluster.DiscoverAsync(Widgets.Kind, default);
        var got = test.Cluster.GetAsync(Widgets.Kind, Key, default);
        var asked = await test.Server.NextAsync();
        test.Time.Advance(TestCluster.RequestTimeout / 2);
        await asked.AnswerAsync(200, Widgets.One("a"));
        await got.Within();

        Assert.Equal(test.Options.MaxConcurrency / 2, Limit(test));
    }

    [Fact]
    public async Task Of_large_answers_only_a_few_are_held_at_a_time()
    {
        using var permits = new SemaphoreSlim(1, 1);
        var large = new byte[PooledBody.Large + 1];
        var first = await PooledBody.ReadAsync(new MemoryStream(large), int.MaxValue, permits, default);
        var second = PooledBody.ReadAsync(new MemoryStream(large), int.MaxValue, permits, default);
        using var small = await PooledBody.ReadAsync(new MemoryStream(new byte[1000]), int.MaxValue, permits, default);
        Assert.False(second.IsCompleted);

        first.Dispose();

        using var read = await second.Within();
        Assert.Equal(large.Length, read.Span.Length);
    }

    private static int Limit(TestCluster test) => ((Cluster)test.Cluster).Session.Transport.ConcurrencyLimit;

    [Fact]
    public async Task What_may_have_happened_is_not_repeated_unless_it_is_idempotent()
    {
        await using var test = await TestCluster.StartAsync();
        var deleted = test.Cluster.DeleteAsync(Widgets.Kind, Key, null, default);
        await (await test.Server.NextAsync("DELETE")).AnswerAsync(503, Fixture.Text("starting-503.json"), ("Retry-After", "1"));

        Assert.Equal(503, (await Assert.ThrowsAsync<KubernetesException>(() => deleted.Within())).Code);
    }

    [Fact]
    public async Task A_request_without_an_answer_times_out()
    {
        await using var test = await TestCluster.StartAsync();
        await test.Cluster.DiscoverAsync(Widgets.Kind, default);
        var got = test.Cluster.GetAsync(Widgets.Kind, Key, default);
        await test.Server.NextAsync();
        test.Time.Advance(TestCluster.RequestTimeout);

        var fault = await Assert.ThrowsAsync<KubernetesException>(() => got.Within());
        Assert.Equal((0, "Timeout", true), (fault.Code, fault.Reason, fault.IsTransient));
        Assert.Contains("expected an answer within 00:00:25", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_caller_that_gives_up_is_let_go()
    {
        await using var test = await TestCluster.StartAsync();
        using var enough = new CancellationTokenSource();
        var got = test.Cluster.GetAsync(Widgets.Kind, Key, enough.Token);
        var asked = await test.Server.NextAsync();
        await enough.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => got.Within());
        await asked.Gone.Within();
    }

    [Fact]
    public async Task An_oversized_answer_is_refused_without_reading_it_all()
    {
        await using var test = await TestCluster.StartAsync(o => o.MaxResponseBytes = 2048);
        var got = test.Cluster.GetAsync(Widgets.Kind, Key, default);
        await (await test.Server.NextAsync()).AnswerBytesAsync(new byte[1024 * 1024]);

        var refusal = await Assert.ThrowsAsync<KubernetesException>(() => got.Within());
        Assert.Equal(("ResponseTooLarge", false), (refusal.Reason, refusal.IsTransient));
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        await using var test = await TestCluster.StartAsync();
        var got = test.Cluster.GetAsync(Widgets.Kind, Key, default);
        await (await test.Server.NextAsync()).AnswerAsync(302, "elsewhere", ("Location", test.Server.Url + "elsewhere"));

        Assert.Equal(302, (await Assert.ThrowsAsync<KubernetesException>(() => got.Within())).Code);
        Assert.True(test.Server.HasNoMoreRequests);
    }

    [Fact]
    public async Task An_unreachable_cluster_fails_at_once_until_one_probe_finds_it_back()
    {
        var server = await FakeApiServer.StartAsync();
        await using var test = await TestCluster.StartAsync(o => o.FailureThreshold = 2, server);
        await test.Cluster.DiscoverAsync(Widgets.Kind, default);
        for (var failure = 0; failure < 2; failure++)
        {
            var failing = test.Cluster.GetAsync(Widgets.Kind, Key, default);
            (await server.NextAsync()).Cut();
            Assert.Equal("Unreachable", (await Assert.ThrowsAsync<KubernetesException>(() => failing.Within())).Reason);
        }

        var atOnce = await Assert.ThrowsAsync<KubernetesException>(() => test.Cluster.GetAsync(Widgets.Kind, Key, default));
        Assert.Contains("cluster 'dev' is unreachable since 2026-11-21 00:00:00Z", atOnce.Message, StringComparison.Ordinal);
        Assert.True(server.HasNoMoreRequests);

        test.Time.Advance(TimeSpan.FromSeconds(1));
        var probe = test.Cluster.GetAsync(Widgets.Kind, Key, default);
        var asked = await server.NextAsync();
        await Assert.ThrowsAsync<KubernetesException>(() => test.Cluster.GetAsync(Widgets.Kind, Key, default)); // one at a time
        await asked.AnswerAsync(200, Widgets.One("a"));
        await probe.Within();

        var after = test.Cluster.GetAsync(Widgets.Kind, Key, default);
        await (await server.NextAsync()).AnswerAsync(200, Widgets.One("a"));
        Assert.NotNull(await after.Within());
    }

    [Fact]
    public async Task Nobody_listening_is_unreachable()
    {
        var server = await FakeApiServer.StartAsync();
        await using var test = await TestCluster.StartAsync(server: server);
        await server.DisposeAsync();

        var fault = await Assert.ThrowsAsync<KubernetesException>(() => test.Cluster.ProbeAsync(default));

        Assert.Equal((0, "Unreachable"), (fault.Code, fault.Reason));
        Assert.Contains("refused", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rotated_token_is_read_when_the_old_one_is_refused()
    {
        var folder = Directory.CreateTempSubdirectory();
        await using var server = await FakeApiServer.StartAsync();
        var token = Path.Combine(folder.FullName, "token");
        await File.WriteAllTextAsync(token, "old");
        var config = Path.Combine(folder.FullName, "config");
        await File.WriteAllTextAsync(config, Kubeconfigs.With($"server: {server.ServesWidgets().Url}", "tokenFile: token"));
        await using var test = await TestCluster.StartAsync(o => o.ManagementKubeconfig = config);
        var management = test.Clusters.Management;
        await management.DiscoverAsync(Widgets.Kind, default);
        await File.WriteAllTextAsync(token, "new");

        var got = management.GetAsync(Widgets.Kind, Key, default);
        var first = await server.NextAsync();
        Assert.Equal("Bearer old", first.Header("Authorization"));
        await first.AnswerAsync(401, """{"kind":"Status","code":401,"reason":"Unauthorized","message":"Unauthorized"}""");
        var second = await server.NextAsync();
        Assert.Equal("Bearer new", second.Header("Authorization"));
        await second.AnswerAsync(401, """{"kind":"Status","code":401,"reason":"Unauthorized","message":"Unauthorized"}""");

        Assert.Equal("Unauthorized", (await Assert.ThrowsAsync<KubernetesException>(() => got.Within())).Reason); // once, not for ever
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_failed_probe_makes_the_next_one_wait_longer()
    {
        var options = new KubernetesOptions { FailureThreshold = 1, MinBackoff = TimeSpan.FromSeconds(1), MaxBackoff = TimeSpan.FromSeconds(8) };
        var time = new ManualTime();
        var state = new FailureState("dev", options, time, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        state.Failed(state.Enter(), new KubernetesException(0, "Unreachable", "refused"));
        for (var round = 0; round < 6; round++)
        {
            time.Advance(TimeSpan.FromSeconds(Math.Pow(2, round) / 2 - 0.001));
            if (round < 4)
                Assert.Throws<KubernetesException>(() => state.Enter());
            time.Advance(TimeSpan.FromSeconds(8));
            state.Failed(state.Enter(), new KubernetesException(0, "Unreachable", "refused"));
        }

        Assert.False(state.IsClosed);
        Assert.False(state.Recovered.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(8));
        state.Answered(state.Enter());
        Assert.True(state.IsClosed);
        await state.Recovered.Within();
    }

    [Fact]
    public async Task Throttling_halves_what_is_in_flight_and_calm_lets_it_grow()
    {
        var limit = new AdaptiveLimit("dev", 8, 100);
        var rounds = new List<long>();
        for (var i = 0; i < 8; i++)
            rounds.Add(await limit.EnterAsync(default));
        var ninth = limit.EnterAsync(default).AsTask();
        Assert.False(ninth.IsCompleted);

        foreach (var round in rounds)
            limit.Leave(round, overloaded: true); // one burst: halved once
        Assert.Equal(4, limit.Limit);
        limit.Leave(await ninth.Within(), overloaded: false);

        for (var i = 0; i < 100; i++)
            limit.Leave(await limit.EnterAsync(default), overloaded: false);
        Assert.Equal(8, limit.Limit);
    }

    [Fact]
    public async Task The_queue_is_bounded_and_a_waiter_can_leave_it()
    {
        var limit = new AdaptiveLimit("dev", 1, 1);
        var first = await limit.EnterAsync(default);
        using var enough = new CancellationTokenSource();
        var second = limit.EnterAsync(enough.Token).AsTask();

        Assert.Equal("TooManyRequests", (await Assert.ThrowsAsync<KubernetesException>(() => limit.EnterAsync(default).AsTask())).Reason);
        await enough.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        Assert.Equal(0, limit.Queued);

        var third = limit.EnterAsync(default).AsTask();
        limit.Leave(first, overloaded: false);
        await third.Within();
    }

    [Fact]
    public async Task Another_kubeconfig_is_another_connection_and_the_old_one_leads_nowhere()
    {
        await using var test = await TestCluster.StartAsync();
        var underWay = test.Cluster.GetAsync(Widgets.Kind, Key, default);
        await test.Server.NextAsync();

        Assert.Same(test.Cluster, test.Connect(Kubeconfigs.WithToken(test.Server.Url)));
        Assert.False(underWay.IsCompleted);
        var another = test.Connect(Kubeconfigs.WithToken(test.Server.Url, "another-token"));
        Assert.NotSame(test.Cluster, another);

        Assert.Equal(("Replaced", true), (await Assert.ThrowsAsync<KubernetesException>(() => underWay.Within())) is var e ? (e.Reason, e.IsTransient) : default);
        Assert.Equal("Replaced", (await Assert.ThrowsAsync<KubernetesException>(() => test.Cluster.GetAsync(Widgets.Kind, Key, default).Within())).Reason);
        var got = another.GetAsync(Widgets.Kind, Key, default);
        var asked = await test.Server.NextAsync();
        Assert.Equal("Bearer another-token", asked.Header("Authorization"));
        await asked.AnswerAsync((int)HttpStatusCode.OK, Widgets.One("a"));
        await got.Within();
    }
}
