using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Governor.Domain.Audit;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Permissions;
using Governor.Domain.Transparency;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;
using Governor.Grains.Interfaces.Ports;
using Microsoft.Extensions.DependencyInjection;
using Orleans;

namespace Governor.Silo.Tests;

[Collection(nameof(SiloGround))]
public sealed class SiloTests(SiloGround ground) : IAsyncLifetime
{
    private SiloBed _bed = null!;

    public async Task InitializeAsync() => _bed = await SiloBed.StartAsync(ground);

    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Fact]
    public async Task It_is_alive_and_ready_and_says_what_is_missing_while_the_management_cluster_is_away()
    {
        using var client = _bed.Client(null);
        Assert.Equal("ok", await client.GetStringAsync("/livez"));
        await _bed.ReadyAsync();

        await _bed.Management.GoAwayAsync();
        var report = await SiloBed.UntilAsync(client, "/readyz", HttpStatusCode.ServiceUnavailable, _ => true);
        Assert.Contains("[-]management-cluster failed", report, StringComparison.Ordinal);
        Assert.Contains("[+]journal ok", report, StringComparison.Ordinal);
        Assert.Equal("ok", await client.GetStringAsync("/livez"));

        await _bed.Management.ComeBackAsync();
        await _bed.ReadyAsync();
    }

    [Fact]
    public async Task Its_metrics_are_ours_and_the_actor_hosts()
    {
        await _bed.ReadyAsync();
        using var client = _bed.Client(null);

        using var answer = await client.GetAsync(new Uri("/metrics", UriKind.Relative));
        var text = await answer.Content.ReadAsStringAsync();

        Assert.Equal("text/plain; version=0.0.4", answer.Content.Headers.ContentType!.ToString().Split("; charset", StringSplitOptions.None)[0]);
        Assert.Contains("\ngovernor_", $"\n{text}", StringComparison.Ordinal);
        Assert.Contains("\norleans_", text.Replace("# TYPE ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            Assert.Matches("^(# TYPE [a-z_0-9]+ (counter|gauge|histogram)|[a-zA-Z_0-9]+(\\{.*\\})? [-+0-9.eE]+)$", line);
    }

    [Fact]
    public async Task The_API_describes_itself()
    {
        using var client = _bed.Client(null);

        var document = await client.GetFromJsonAsync<JsonElement>("/openapi/v1.json");

        var operations = document.GetProperty("paths").EnumerateObject().SelectMany(p => p.Value.EnumerateObject())
            .Select(o => o.Value.TryGetProperty("operationId", out var id) ? id.GetString() : null).OfType<string>().Order(StringComparer.Ordinal);
        Assert.Equal(
            [
                "approve", "awaitCheckpoint", "checkPermission", "closeBootstrapWindow", "explainDecision", "explainExecution", "explainInstance", "exportAudit",
                "getApproval", "getBootstrapWindow", "getCheckpoint", "getCluster", "getExecution", "getInstance", "getLogCheckpoint", "getLogEntries", "getLogTile",
                "getPack", "listApprovals", "listClusters", "listEvents", "listExecutions", "listInstances", "listLineage", "listPacks", "listPermissions", "listRelationships",
                "proveRecord", "reject", "requestAbandonment", "requestErasure", "watchCheckpoints", "whoCanDo",
            ],
            operations);
    }

    [Fact]
    public async Task Whoever_says_nothing_or_something_wrong_is_not_let_in()
    {
        string[] paths =
            ["clusters", "packs", "executions", "instances", "lineage", "audit/events", "audit/checkpoint", "audit/export", "clusters/x", "executions/a/b/explain", "approvals", "approvals/x"];
        foreach (var path in paths)
        {
            await RefusedAsync(_bed.Client(null), path, HttpStatusCode.Unauthorized);
            await RefusedAsync(_bed.Client("not-a-token"), path, HttpStatusCode.Unauthorized);
            await RefusedAsync(_bed.Client(_bed.Management.TokenFor("nobody")), path, HttpStatusCode.Forbidden);
        }
    }

    [Fact]
    public async Task A_role_that_lets_one_list_executions_opens_the_executions_and_nothing_else()
    {
        await _bed.ApplyAsync("""{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"reader"},"rules":[{"apiGroups":["infra.ontai.dev"],"resources":["packexecutions"],"verbs":["list"]}]}""");
        await _bed.ApplyAsync("""{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":"readers"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"reader"},"subjects":[{"kind":"Group","apiGroup":"rbac.authorization.k8s.io","name":"readers"}]}""");
        using var jane = _bed.Client(_bed.Management.TokenFor("jane", "readers"));

        using var executions = await jane.GetAsync(new Uri("/api/v1/executions", UriKind.Relative));

        Assert.Equal(HttpStatusCode.OK, executions.StatusCode);
        Assert.Equal("[]", await executions.Content.ReadAsStringAsync());
        await RefusedAsync(jane, "packs", HttpStatusCode.Forbidden);
        await RefusedAsync(jane, "audit/events", HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task While_the_management_cluster_is_away_nobody_new_is_let_in()
    {
        await _bed.ReadyAsync();
        await _bed.Management.GoAwayAsync();

        await RefusedAsync(_bed.Admin(), "packs", HttpStatusCode.ServiceUnavailable);

        await _bed.Management.ComeBackAsync();
    }

    [Fact]
    public async Task What_is_not_there_is_a_problem_with_a_name()
    {
        using var admin = _bed.Admin();
        foreach (var path in (string[])["clusters/none", "packs/a/none", "executions/a/none", "executions/a/none/explain", "instances/a/none"])
        {
            using var answer = await admin.GetAsync(new Uri($"/api/v1/{path}", UriKind.Relative));
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
            Assert.Contains("none", (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString()!, StringComparison.Ordinal);
        }
        using var unknown = await admin.GetAsync(new Uri("/api/v1/nonsense", UriKind.Relative));
        Assert.Equal((HttpStatusCode.NotFound, "application/problem+json"), (unknown.StatusCode, unknown.Content.Headers.ContentType!.MediaType));
    }

    [Fact]
    public async Task A_pack_that_waits_is_listed_explained_and_audited()
    {
        await DeclarePackAsync();
        using var admin = _bed.Admin();

        var text = await SiloBed.UntilAsync(admin, "/api/v1/executions/seam-tenant-ccs-dev/web-ccs-dev/explain", HttpStatusCode.OK, t => t.Contains("gate 3", StringComparison.Ordinal));
        var explained = JsonDocument.Parse(text).RootElement;
        var words = explained.GetProperty("text").GetString()!;
        Assert.Equal("Gated", explained.GetProperty("state").GetString());
        Assert.Equal(7, explained.GetProperty("gates").GetArrayLength());
        foreach (var said in (string[])["PackExecution seam-tenant-ccs-dev/web-ccs-dev is Gated.", "gate 0 ConductorReady: closed since", "waits for TalosCluster ccs-dev", "can be unblocked by:"])
            Assert.Contains(said, words, StringComparison.Ordinal);

        var packs = await admin.GetFromJsonAsync<JsonElement>("/api/v1/packs");
        Assert.Equal("web", packs[0].GetProperty("name").GetString());
        await SiloBed.UntilAsync(admin, "/api/v1/lineage", HttpStatusCode.OK, t => t.Contains("PackExecution", StringComparison.Ordinal));
        await AuditAsync(admin);
    }

    [Fact]
    public async Task The_portal_is_one_page_that_may_load_nothing_from_elsewhere()
    {
        using var client = _bed.Client(null);

        using var answer = await client.GetAsync(new Uri("/portal", UriKind.Relative));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("text/html", answer.Content.Headers.ContentType!.MediaType);
        Assert.Contains("default-src 'none'", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.Contains("connect-src 'self'", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        var page = await answer.Content.ReadAsStringAsync();
        Assert.DoesNotMatch("(src|href)=\"https?://", page);
        using var root = await client.GetAsync(new Uri("/", UriKind.Relative));
        Assert.EndsWith("/portal", root.RequestMessage!.RequestUri!.AbsolutePath, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_silo_that_is_told_to_stop_ends_what_it_has_begun_and_the_next_one_goes_on()
    {
        await _bed.ReadyAsync();
        var permissions = _bed.App.Services.GetRequiredService<IGrainFactory>().GetGrain<IPermissionGrain>("ccs-dev");
        var first = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var telling = Enumerable.Range(0, 300).Select(async n =>
        {
            var from = new Address(Subjects.Execution, $"ns/e{n}");
            try
            {
                await permissions.TellAsync(new Interest { From = from, Version = 1 });
                first.TrySetResult();
                return (Address?)from;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                first.TrySetResult();
                return null; // said no: nothing was promised
            }
        }).ToArray();
        await first.Task;
        await _bed.StopSiloAsync();
        var promised = (await Task.WhenAll(telling)).OfType<Address>().ToArray();
        Assert.NotEmpty(promised);

        await _bed.StartSiloAsync();
        var stored = await _bed.App.Services.GetRequiredService<IJournal>().LoadAsync(new GrainKey(Subjects.Permission, "ccs-dev"), CancellationToken.None);
        var kept = JsonSerializer.Deserialize<PermissionState>(stored!.State.Span, StateJson.Options)!.Interested;
        Assert.Subset(kept.ToHashSet(), promised.ToHashSet());
        await _bed.ReadyAsync();
    }

    private static async Task RefusedAsync(HttpClient client, string path, HttpStatusCode status)
    {
        using var answer = await client.GetAsync(new Uri($"/api/v1/{path}", UriKind.Relative));
        Assert.Equal((path, status), (path, answer.StatusCode));
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        if (status == HttpStatusCode.Unauthorized)
            Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.Single().Scheme);
    }

    private Task DeclarePackAsync() => _bed.ApplyAsync($$"""
        {"apiVersion":"infra.ontai.dev/v1alpha1","kind":"ClusterPack","metadata":{"name":"web","namespace":"seam-tenant-ccs-dev"},
         "spec":{"version":"v1.0.0-r1","registryRef":{"url":"127.0.0.1:1/packs/web","digest":"sha256:{{new string('a', 64)}}"},
                 "workloadDigest":"sha256:{{new string('a', 64)}}","basePackName":"web","targetClusters":["ccs-dev"] } }
        """);

    private static async Task AuditAsync(HttpClient admin)
    {
        using var awaited = await admin.PostAsync(new Uri("/api/v1/audit/checkpoint", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.OK, awaited.StatusCode);
        var checkpoint = await awaited.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Contains("governor.test/silo", checkpoint.GetProperty("note").GetString()!, StringComparison.Ordinal);

        var events = await admin.GetFromJsonAsync<JsonElement>("/api/v1/audit/events?kind=PackExecution&limit=50");
        Assert.Contains(events.EnumerateArray(), e => e.GetProperty("action").GetString() == "packexecution.gate-blocked");
        Assert.All(events.EnumerateArray(), e => Assert.Equal("PackExecution", e.GetProperty("kind").GetString()));
        Assert.Equal(1, (await admin.GetFromJsonAsync<JsonElement>("/api/v1/audit/events?limit=1")).GetArrayLength());

        using var export = new MemoryStream(await admin.GetByteArrayAsync("/api/v1/audit/export"));
        Assert.True(VerifierKey.TryParse(checkpoint.GetProperty("key").GetString()!, out var key));
        var verdict = AuditVerifier.Verify(export, AuditTrust.In(key));
        Assert.Equal((AuditOutcome.Ok, null, true), (verdict.Outcome, verdict.Fault, verdict.KeyWasTrusted));
    }
}
