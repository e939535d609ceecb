using System.Text;
using System.Text.Json.Nodes;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;
using Governor.Sandbox;
using Governor.Sandbox.Faults;
using Governor.Watchers.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Governor.Watchers.Tests.Sandbox;

/// <summary>The client against a whole API server: over TLS, with a CRD, server-side apply, status, watches and a server that goes away.</summary>
public sealed class SandboxTests : IAsyncLifetime
{
    private static readonly GroupVersionKind ConfigMap = new("", "v1", "ConfigMap");
    private static readonly ObjectKey Key = new("default", "a");

    // The real clock: what is waited for is the server's doing, and a test double's backoff may be short.
    private readonly ServiceProvider _services = TestCluster.Services(TimeProvider.System, options =>
    {
        options.AllowInsecure = false;
        options.PageSize = 2;
        options.FailureThreshold = 2;
        (options.MinBackoff, options.MaxBackoff) = (TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(100));
    });

    private SandboxCluster _sandbox = null!;
    private ICluster _cluster = null!;

    public async Task InitializeAsync()
    {
        _sandbox = await SandboxCluster.StartAsync(new SandboxOptions("dev"));
        _cluster = _services.GetRequiredService<IClusters>().Connect(new ClusterName("dev"), Encoding.UTF8.GetBytes(_sandbox.Kubeconfig));
    }

    public async Task DisposeAsync()
    {
        await _services.DisposeAsync();
        await _sandbox.DisposeAsync();
    }

    [Fact]
    public async Task The_server_is_ready_and_says_its_version() =>
        Assert.StartsWith("v1.", (await _cluster.ProbeAsync(default)).GitVersion, StringComparison.Ordinal);

    [Fact]
    public async Task A_kind_is_served_once_its_CRD_is_established()
    {
        Assert.Null(await _cluster.DiscoverAsync(Widgets.Kind, default));
        await InstallWidgetsAsync();

        Assert.Equal(new ResourceDescription(Widgets.Kind, "widgets", true, true), await _cluster.DiscoverAsync(Widgets.Kind, default));
    }

    [Fact]
    public async Task An_object_is_applied_read_patched_and_deleted()
    {
        await InstallWidgetsAsync();
        var made = await _cluster.ApplyAsync(Widget("a", """{"size":3,"note":"😀"}"""), "one", default, default);
        Assert.Equal("😀", (await _cluster.GetAsync(Widgets.Kind, Key, default))!.FindText("spec", "note"));
        Assert.Equal(made.ResourceVersion, (await _cluster.ApplyAsync(Widget("a", """{"size":3,"note":"😀"}"""), "one", default, default)).ResourceVersion);

        var patched = await _cluster.MergePatchAsync(Widgets.Kind, Key, new JsonObject { ["spec"] = new JsonObject { ["note"] = null } }, "two", default);
        Assert.Equal("", patched.FindText("spec", "note"));

        var wrong = await Assert.ThrowsAsync<KubernetesException>(() => _cluster.DeleteAsync(Widgets.Kind, Key, "another", default));
        Assert.Equal("Conflict", wrong.Reason);
        await _cluster.DeleteAsync(Widgets.Kind, Key, made.Uid, default);
        await _cluster.DeleteAsync(Widgets.Kind, Key, made.Uid, default);
        Assert.Null(await _cluster.GetAsync(Widgets.Kind, Key, default));
    }

    [Fact]
    public async Task A_dry_run_stores_nothing()
    {
        await _cluster.ApplyAsync(Map("a", "1"), "one", new ApplyOptions(DryRun: true), default);

        Assert.Null(await _cluster.GetAsync(ConfigMap, Key, default));
    }

    [Fact]
    public async Task A_conflict_names_the_owner_and_can_be_forced()
    {
        await _cluster.ApplyAsync(Map("a", "1"), "one", default, default);

        var conflict = await Assert.ThrowsAsync<KubernetesException>(() => _cluster.ApplyAsync(Map("a", "2"), "two", default, default));
        Assert.Contains(".data.k: conflict with \"one\"", conflict.Message, StringComparison.Ordinal);

        var forced = await _cluster.ApplyAsync(Map("a", "2"), "two", new ApplyOptions(Force: true), default);
        Assert.Equal("2", forced.FindText("data", "k"));
    }

    [Fact]
    public async Task Status_is_written_beside_the_spec_and_by_managers_that_do_not_erase_each_other()
    {
        await InstallWidgetsAsync();
        await _cluster.ApplyAsync(Widget("a", """{"size":3}"""), "one", default, default);
        await _cluster.ApplyStatusAsync(Widgets.Kind, Key, new JsonObject { ["ready"] = "True" }, "ready", default);
        var both = await _cluster.ApplyStatusAsync(Widgets.Kind, Key, new JsonObject { ["phase"] = "Running" }, "phase", default);

        Assert.Equal(("True", "Running", 3), (both.FindText("status", "ready"), both.FindText("status", "phase"), both.Spec.GetProperty("size").GetInt32()));
        var missing = await Assert.ThrowsAsync<KubernetesException>(() => _cluster.ApplyStatusAsync(Widgets.Kind, Widgets.Key("none"), [], "m", default));
        Assert.Equal(("NotFound", 404), (missing.Reason, missing.Code));
    }

    [Fact]
    public async Task Pages_make_one_list()
    {
        for (var i = 0; i < 5; i++)
            await _cluster.ApplyAsync(Map($"m{i}", "1", "listed"), "one", default, default);

        var listed = await _cluster.ListAsync(ConfigMap, "default", "app=listed", default);

        Assert.Equal(["m0", "m1", "m2", "m3", "m4"], listed.Select(o => o.Name).Order(StringComparer.Ordinal));
        Assert.All(listed, o => Assert.Equal("ConfigMap", o.Kind));
    }

    [Fact]
    public async Task Rights_that_are_missing_are_named()
    {
        var stranger = _services.GetRequiredService<IClusters>().Connect(
            new ClusterName("stranger"), Encoding.UTF8.GetBytes(_sandbox.KubeconfigFor("stranger")));

        var refusal = await Assert.ThrowsAsync<KubernetesException>(() => stranger.GetAsync(ConfigMap, Key, default));

        Assert.Equal(("Forbidden", 403), (refusal.Reason, refusal.Code));
        Assert.Contains("stranger", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_missed_when_watches_break_and_history_expires()
    {
        await _cluster.ApplyAsync(Map("a", "1"), "one", default, default);
        await _cluster.ApplyAsync(Map("b", "1"), "one", default, default);
        using var stop = new CancellationTokenSource();
        await using var watch = _cluster.WatchAsync(new WatchRequest(ConfigMap, "default"), stop.Token).GetAsyncEnumerator(stop.Token);
        await UntilAsync(watch, e => e.Type == WatchEventType.Synced);

        await _cluster.ApplyAsync(Map("a", "2"), "one", default, default);
        await UntilAsync(watch, e => e is { Type: WatchEventType.Present, Key.Name: "a" } && e.Object!.FindText("data", "k") == "2");

        _sandbox.Faults.DropWatches();
        await _cluster.ApplyAsync(Map("a", "3"), "one", default, default);
        await UntilAsync(watch, e => e is { Type: WatchEventType.Present, Key.Name: "a" } && e.Object!.FindText("data", "k") == "3");

        _sandbox.Faults.DropWatches();
        await _cluster.DeleteAsync(ConfigMap, new ObjectKey("default", "b"), null, default);
        _sandbox.Faults.ExpireHistory();
        await UntilAsync(watch, e => e is { Type: WatchEventType.Gone, Key.Name: "b" });
        await stop.CancelAsync();
    }

    [Fact]
    public async Task A_server_that_goes_away_and_comes_back_is_found_again()
    {
        await _cluster.ApplyAsync(Map("a", "1"), "one", default, default);
        using var stop = new CancellationTokenSource();
        await using var watch = _cluster.WatchAsync(new WatchRequest(ConfigMap, "default"), stop.Token).GetAsyncEnumerator(stop.Token);
        await UntilAsync(watch, e => e.Type == WatchEventType.Synced);

        await _sandbox.GoAwayAsync();
        await UntilAsync(watch, e => e.Type == WatchEventType.Interrupted);
        await Assert.ThrowsAsync<KubernetesException>(() => _cluster.ProbeAsync(default));
        await _sandbox.ComeBackAsync();

        await UntilAsync(watch, e => e.Type == WatchEventType.Synced);
        await stop.CancelAsync();
    }

    [Fact]
    public async Task What_was_done_without_an_answer_can_be_done_again()
    {
        _sandbox.Faults.Arm(r => r.Verb is "patch" or "create", new FaultEffect.DropAfter());

        var lost = await Assert.ThrowsAsync<KubernetesException>(() => _cluster.ApplyAsync(Map("a", "1"), "one", default, default));
        Assert.True(lost.IsTransient);

        await _cluster.ApplyAsync(Map("a", "1"), "one", default, default);
        Assert.Equal("1", (await _cluster.GetAsync(ConfigMap, Key, default))!.FindText("data", "k"));
    }

    [Fact]
    public async Task A_kind_that_appears_under_a_waiting_watch_is_picked_up()
    {
        using var stop = new CancellationTokenSource();
        await using var watch = _cluster.WatchAsync(new WatchRequest(Widgets.Kind), stop.Token).GetAsyncEnumerator(stop.Token);
        await UntilAsync(watch, e => e.Type == WatchEventType.Interrupted);

        await InstallWidgetsAsync();
        await _cluster.ApplyAsync(Widget("a", """{"size":3}"""), "one", default, default);

        await UntilAsync(watch, e => e is { Type: WatchEventType.Present, Key.Name: "a" });
        await stop.CancelAsync();
    }

    private static async Task UntilAsync(IAsyncEnumerator<WatchEvent> watch, Func<WatchEvent, bool> wanted)
    {
        do
        {
            Assert.True(await watch.MoveNextAsync().AsTask().Within("a watch event"));
        }
        while (!wanted(watch.Current));
    }

    private async Task InstallWidgetsAsync()
    {
        await _cluster.ApplyAsync(KubeObject.Parse(
            """
            {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"widgets.fixtures.governor.dev"},
             "spec":{"group":"fixtures.governor.dev","scope":"Namespaced","names":{"plural":"widgets","singular":"widget","kind":"Widget","listKind":"WidgetList"},
              "versions":[{"name":"v1","served":true,"storage":true,"subresources":{"status":{}},"schema":{"openAPIV3Schema":{"type":"object","properties":{
               "spec":{"type":"object","properties":{"size":{"type":"integer"},"note":{"type":"string"}}},
               "status":{"type":"object","properties":{"ready":{"type":"string"},"phase":{"type":"string"}}}}}}}]}}
            """u8), "tests", default, default);
        await _sandbox.IdleAsync();
    }

    private static KubeObject Widget(string name, string spec) => KubeObject.From(JsonNode.Parse(
        $$$"""{"apiVersion":"fixtures.governor.dev/v1","kind":"Widget","metadata":{"name":"{{{name}}}","namespace":"default"},"spec":{{{spec}}}}""")!);

    private static KubeObject Map(string name, string value, string app = "any") => KubeObject.From(JsonNode.Parse(
        $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{{name}}}","namespace":"default","labels":{"app":"{{{app}}}"}},"data":{"k":"{{{value}}}"}}""")!);
}
