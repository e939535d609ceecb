using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;
using Governor.Watchers.Tests.Support;

namespace Governor.Watchers.Tests.Client;

public sealed class ClusterTests
{
    private static readonly ObjectKey Key = Widgets.Key("a");

    [Fact]
    public async Task Plural_scope_and_status_come_from_discovery()
    {
        await using var test = await TestCluster.StartAsync();

        Assert.Equal(new ResourceDescription(Widgets.Kind, "widgets", true, true), await test.Cluster.DiscoverAsync(Widgets.Kind, default));
        Assert.False((await test.Cluster.DiscoverAsync(Widgets.Kind with { Kind = "Gadget" }, default))!.Namespaced);
        Assert.Equal(["GET /apis", "GET /apis/fixtures.governor.dev/v1"], test.Server.Log);
    }

    [Fact]
    public async Task A_CRD_that_appears_is_found_at_the_next_look()
    {
        await using var test = await TestCluster.StartAsync();
        test.Server.Always("/apis/fixtures.governor.dev/v1", 404, Fixture.Text("plain-404.txt"));
        Assert.Null(await test.Cluster.DiscoverAsync(Widgets.Kind, default));

        test.Server.ServesWidgets();

        Assert.NotNull(await test.Cluster.DiscoverAsync(Widgets.Kind, default));
    }

    [Fact]
    public async Task A_caller_whose_scheduler_stands_still_holds_up_nobody()
    {
        await using var test = await TestCluster.StartAsync();
        var kind = new GroupVersionKind("", "v1", "ConfigMap");
        var stuck = Task.Factory.StartNew(() => test.Cluster.DiscoverAsync(kind, default), default, TaskCreationOptions.None, new OneTaskScheduler()).Unwrap();
        var asked = await test.Server.NextAsync("/api/v1");
        var other = test.Cluster.DiscoverAsync(kind, default);
        await asked.AnswerAsync(200, """{"kind":"APIResourceList","resources":[{"name":"configmaps","kind":"ConfigMap","namespaced":true,"verbs":["list"]}]}""");

        Assert.NotNull(await other.Within());
        Assert.NotNull(await stuck.Within());
    }

    /// <summary>Runs one task and then nothing any more, like the scheduler of a grain that is busy or gone.</summary>
    private sealed class OneTaskScheduler : TaskScheduler
    {
        private int _run;

        protected override void QueueTask(Task task)
        {
            if (Interlocked.Increment(ref _run) == 1)
                ThreadPool.UnsafeQueueUserWorkItem(_ => TryExecuteTask(task), null);
        }

        protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

        protected override IEnumerable<Task> GetScheduledTasks() => [];
    }

    [Fact]
    public async Task A_kind_that_is_not_served_is_no_missing_object()
    {
        await using var test = await TestCluster.StartAsync();
        test.Server.Always("/apis/fixtures.governor.dev/v1", 404, Fixture.Text("plain-404.txt"));

        var refusal = await Assert.ThrowsAsync<KubernetesException>(() => test.Cluster.GetAsync(Widgets.Kind, Key, default));

        Assert.Equal(("KindNotServed", 404), (refusal.Reason, refusal.Code));
        Assert.Contains("cluster 'dev'", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_kind_that_vanished_is_discovered_again_before_its_objects_are_called_missing()
    {
        await using var test = await TestCluster.StartAsync();
        await test.Cluster.DiscoverAsync(Widgets.Kind, default);
        test.Server.Always("/apis/fixtures.governor.dev/v1", 404, Fixture.Text("plain-404.txt"));

        var got = test.Cluster.GetAsync(Widgets.Kind, Key, default);
        await (await test.Server.NextAsync("GET " + Widgets.Path("ns", "a"))).AnswerAsync(404, Fixture.Text("plain-404.txt"));

        Assert.Equal("KindNotServed", (await Assert.ThrowsAsync<KubernetesException>(() => got.Within())).Reason);
    }

    [Fact]
    public async Task A_missing_object_is_null()
    {
        await using var test = await TestCluster.StartAsync();
        var got = test.Cluster.GetAsync(Widgets.Kind, Key, default);
        await (await test.Server.NextAsync()).AnswerAsync(404, Fixture.Text("get-not-found.json"));

        Assert.Null(await got.Within());
    }

    [Fact]
    public async Task An_object_comes_back_as_it_was_sent()
    {
        await using var test = await TestCluster.StartAsync();
        var sent = Widgets.One("a", extra: ""","spec":{"n":12345678901234567890.123456789,"s":"\u003c\ud83d\ude00","x":1e400}""");
        var got = test.Cluster.GetAsync(Widgets.Kind, Key, default);
        var asked = await test.Server.NextAsync("GET " + Widgets.Path("ns", "a"));
        await asked.AnswerAsync(200, sent);

        Assert.Equal(sent, Encoding.UTF8.GetString((await got.Within())!.Json.Span));
        Assert.Equal("Bearer secret-token", asked.Header("Authorization"));
        Assert.Equal("governor", asked.Header("User-Agent"));
        Assert.Contains("gzip", asked.Header("Accept-Encoding"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_compressed_answer_is_read()
    {
        await using var test = await TestCluster.StartAsync();
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            await gzip.WriteAsync(Encoding.UTF8.GetBytes(Widgets.One("a")));
        var got = test.Cluster.GetAsync(Widgets.Kind, Key, default);
        await (await test.Server.NextAsync()).AnswerBytesAsync(packed.ToArray(), ("Content-Encoding", "gzip"));

        Assert.Equal("a", (await got.Within())!.Name);
    }

    [Theory]
    [InlineData("""{"apiVersion":"fixtures.governor.dev/v1","kind":"Widget","kind":"Widget","metadata":{"name":"a"}}""", "uplicate")]
    [InlineData("""{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"}}""", "expected a fixtures.governor.dev/v1/Widget, found a v1/Secret")]
    [InlineData("<html>a portal</html>", "invalid JSON")]
    public async Task An_answer_that_is_not_the_object_is_refused(string body, string why)
    {
        await using var test = await TestCluster.StartAsync();
        var got = test.Cluster.GetAsync(Widgets.Kind, Key, default);
        await (await test.Server.NextAsync()).AnswerAsync(200, body);

        var refusal = await Assert.ThrowsAsync<KubernetesException>(() => got.Within());
        Assert.Equal("Malformed", refusal.Reason);
        Assert.Contains(why, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Invalid_UTF8_is_refused()
    {
        await using var test = await TestCluster.StartAsync();
        var bytes = Encoding.UTF8.GetBytes(Widgets.One("a", extra: ""","spec":{"s":"?"}"""));
        bytes[Array.LastIndexOf(bytes, (byte)'?')] = 0xff;
        var got = test.Cluster.GetAsync(Widgets.Kind, Key, default);
        await (await test.Server.NextAsync()).AnswerBytesAsync(bytes);

        Assert.Contains("invalid UTF-8", (await Assert.ThrowsAsync<KubernetesException>(() => got.Within())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ten_thousand_levels_are_refused()
    {
        await using var test = await TestCluster.StartAsync();
        var deep = string.Concat(Enumerable.Repeat("[", 10_000)) + string.Concat(Enumerable.Repeat("]", 10_000));
        var got = test.Cluster.GetAsync(Widgets.Kind, Key, default);
        await (await test.Server.NextAsync()).AnswerAsync(200, Widgets.One("a", extra: $",\"spec\":{deep}"));

        Assert.Equal("Malformed", (await Assert.ThrowsAsync<KubernetesException>(() => got.Within())).Reason);
    }

    [Theory]
    [InlineData("", "a", "expected a namespace")]
    [InlineData("ns", "", "expected a name")]
    [InlineData("ns", "..", "expected a name without")]
    [InlineData("ns", "a/b", "expected a name without")]
    [InlineData("../../secrets", "a", "expected a namespace without")]
    public async Task A_key_that_does_not_fit_is_refused_before_anything_is_sent(string @namespace, string name, string why)
    {
        await using var test = await TestCluster.StartAsync();

        var refusal = await Assert.ThrowsAsync<KubernetesException>(() => test.Cluster.GetAsync(Widgets.Kind, new ObjectKey(@namespace, name), default));

        Assert.False(refusal.IsTransient);
        Assert.Contains(why, refusal.Message, StringComparison.Ordinal);
        Assert.True(test.Server.HasNoMoreRequests);
    }

    [Fact]
    public async Task A_review_is_created_without_a_name_and_answers_with_its_verdict()
    {
        await using var test = await TestCluster.StartAsync();
        test.Server.Always(
            "/apis/authentication.k8s.io/v1", 200,
            """{"kind":"APIResourceList","resources":[{"name":"tokenreviews","kind":"TokenReview","namespaced":false,"verbs":["create"]}]}""");
        var review = """{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":"t"}}""";
        var created = test.Cluster.CreateAsync(KubeObject.Parse(Encoding.UTF8.GetBytes(review)), default);
        var asked = await test.Server.NextAsync("POST /apis/authentication.k8s.io/v1/tokenreviews");
        await asked.AnswerAsync(201, review.Replace("\"spec\"", "\"status\":{\"authenticated\":true},\"spec\"", StringComparison.Ordinal));

        Assert.True((await created.Within()).Find("status", "authenticated").GetBoolean());
        Assert.Equal(review, asked.Body);
    }

    [Fact]
    public async Task An_apply_is_a_patch_under_a_field_manager()
    {
        await using var test = await TestCluster.StartAsync();
        var intent = KubeObject.Parse(Encoding.UTF8.GetBytes(Widgets.One("a", extra: ""","spec":{"size":3}""")));
        var applied = test.Cluster.ApplyAsync(intent, "governor pack", new ApplyOptions(Force: true, DryRun: true), default);
        var asked = await test.Server.NextAsync("PATCH " + Widgets.Path("ns", "a") + "?fieldManager=governor%20pack&force=true&dryRun=All");
        await asked.AnswerAsync(200, Widgets.One("a", "7"));

        Assert.Equal("7", (await applied.Within()).ResourceVersion);
        Assert.Equal("application/apply-patch+yaml", asked.Header("Content-Type"));
        Assert.Equal(Encoding.UTF8.GetString(intent.Json.Span), asked.Body);
    }

    [Fact]
    public async Task An_apply_conflict_names_each_field_and_its_owner()
    {
        await using var test = await TestCluster.StartAsync();
        var applied = test.Cluster.ApplyAsync(KubeObject.Parse(Encoding.UTF8.GetBytes(Widgets.One("a"))), "two", default, default);
        await (await test.Server.NextAsync("?fieldManager=two")).AnswerAsync(409, Fixture.Text("apply-conflict.json"));

        var conflict = await Assert.ThrowsAsync<KubernetesException>(() => applied.Within());
        Assert.Equal((409, "Conflict", false), (conflict.Code, conflict.Reason, conflict.IsTransient));
        Assert.Equal(
            """cluster 'dev': apply Widget ns/a: Apply failed with 3 conflicts: conflicts with "one": .spec.size: conflict with "one"; .spec.steps: conflict with "one"; .spec.tags[key="k1"].value: conflict with "one" """.Trim(),
            conflict.Message);
    }

    [Fact]
    public async Task An_unknown_field_is_a_bad_request_although_the_server_says_500()
    {
        await using var test = await TestCluster.StartAsync();
        var applied = test.Cluster.ApplyAsync(KubeObject.Parse(Encoding.UTF8.GetBytes(Widgets.One("a"))), "one", default, default);
        await (await test.Server.NextAsync()).AnswerAsync(500, Fixture.Text("apply-unknown-field.json"));

        var refusal = await Assert.ThrowsAsync<KubernetesException>(() => applied.Within());
        Assert.Equal((422, "Invalid", false), (refusal.Code, refusal.Reason, refusal.IsTransient));
        Assert.Contains(".spec.bogus: field not declared in schema", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_invalid_is_told_once()
    {
        await using var test = await TestCluster.StartAsync();
        var applied = test.Cluster.ApplyAsync(KubeObject.Parse(Encoding.UTF8.GetBytes(Widgets.One("a"))), "one", default, default);
        await (await test.Server.NextAsync()).AnswerAsync(422, Fixture.Text("invalid-several.json"));

        var refusal = await Assert.ThrowsAsync<KubernetesException>(() => applied.Within());
        Assert.Equal(2, refusal.Message.Split("spec.size in body should be").Length);
    }

    [Fact]
    public async Task Status_is_applied_to_its_subresource_and_carries_nothing_else()
    {
        await using var test = await TestCluster.StartAsync();
        var status = new JsonObject { ["phase"] = "Ready" };
        var applied = test.Cluster.ApplyStatusAsync(Widgets.Kind, Key, status, "gov-ready", default);
        var asked = await test.Server.NextAsync("PATCH " + Widgets.Path("ns", "a") + "/status?fieldManager=gov-ready&force=true");
        await asked.AnswerAsync(200, Widgets.One("a"));
        await applied.Within();

        Assert.Equal(
            """{"apiVersion":"fixtures.governor.dev/v1","kind":"Widget","metadata":{"name":"a","namespace":"ns"},"status":{"phase":"Ready"}}""",
            asked.Body);
    }

    [Fact]
    public async Task Status_of_a_kind_without_the_subresource_is_refused()
    {
        await using var test = await TestCluster.StartAsync();

        var refusal = await Assert.ThrowsAsync<KubernetesException>(() =>
            test.Cluster.ApplyStatusAsync(Widgets.Kind with { Kind = "Gadget" }, new ObjectKey("", "g"), [], "m", default));

        Assert.Contains("expected a status subresource", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_merge_patch_is_sent_as_one()
    {
        await using var test = await TestCluster.StartAsync();
        var patched = test.Cluster.MergePatchAsync(Widgets.Kind, Key, new JsonObject { ["spec"] = null }, "m", default);
        var asked = await test.Server.NextAsync("PATCH " + Widgets.Path("ns", "a") + "?fieldManager=m");
        await asked.AnswerAsync(200, Widgets.One("a"));
        await patched.Within();

        Assert.Equal(("application/merge-patch+json", """{"spec":null}"""), (asked.Header("Content-Type"), asked.Body));
    }

    [Fact]
    public async Task A_delete_says_everything_in_its_body()
    {
        await using var test = await TestCluster.StartAsync();
        var deleted = test.Cluster.DeleteAsync(Widgets.Kind, Key, "the-uid", default);
        var asked = await test.Server.NextAsync("DELETE " + Widgets.Path("ns", "a"));
        await asked.AnswerAsync(200, """{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success"}""");
        await deleted.Within();

        using var body = JsonDocument.Parse(asked.Body);
        Assert.Equal("DeleteOptions", body.RootElement.GetProperty("kind").GetString());
        Assert.Equal("Background", body.RootElement.GetProperty("propagationPolicy").GetString());
        Assert.Equal("the-uid", body.RootElement.GetProperty("preconditions").GetProperty("uid").GetString());
    }

    [Fact]
    public async Task Deleting_what_is_not_there_is_success_and_deleting_another_is_a_conflict()
    {
        await using var test = await TestCluster.StartAsync();
        var absent = test.Cluster.DeleteAsync(Widgets.Kind, Key, null, default);
        await (await test.Server.NextAsync()).AnswerAsync(404, Fixture.Text("get-not-found.json"));
        await absent.Within();

        var another = test.Cluster.DeleteAsync(Widgets.Kind, Key, "x", default);
        await (await test.Server.NextAsync()).AnswerAsync(409, Fixture.Text("delete-wrong-uid.json"));
        Assert.Equal("Conflict", (await Assert.ThrowsAsync<KubernetesException>(() => another.Within())).Reason);
    }

    [Fact]
    public async Task Ready_is_what_readyz_says()
    {
        await using var test = await TestCluster.StartAsync();
        test.Server.Always("/readyz", 200, "ok").Always("/version", 200, Fixture.Text("version.json"));
        Assert.Equal(new ServerVersion("v1.26.4"), await test.Cluster.ProbeAsync(default));

        test.Server.Always("/readyz", 500, "[-]etcd failed: reason withheld\nreadyz check failed");
        var refusal = await Assert.ThrowsAsync<KubernetesException>(() => test.Cluster.ProbeAsync(default));

        Assert.Equal("NotReady", refusal.Reason);
        Assert.Contains("[-]etcd failed", refusal.Message, StringComparison.Ordinal);
    }
}
