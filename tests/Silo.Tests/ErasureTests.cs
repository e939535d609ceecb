using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Governor.Domain.Audit;
using Governor.Grains.Interfaces.Ports;
using Microsoft.Extensions.DependencyInjection;

namespace Governor.Silo.Tests;

/// <summary>Three people, tokens of the management cluster, and a payload that has to go.</summary>
[Collection(nameof(SiloGround))]
public sealed class ErasureTests(SiloGround ground) : IAsyncLifetime
{
    private const string Reason = "a name that must go <& \u00fc>";

    private SiloBed _bed = null!;

    public async Task InitializeAsync()
    {
        _bed = await SiloBed.StartAsync(ground);
        // The roles of deploy/rbac, bound to the groups that these people are in.
        await RoleAsync("governor-auditor", "auditors", ("auditerasures", "create"), ("approvals", "list"));
        await RoleAsync("governor-approver", "approvers", ("approvals", "list"), ("approvals", "approve"));
        await CommitAsync("pack/a", 0, Event("a"));
        await CommitAsync("pack/b", 0, Event("b"));
        await Audit.WaitForCheckpointAsync(CancellationToken.None);
    }

    public async Task DisposeAsync() => await _bed.DisposeAsync();

    private HttpClient Auditor => _bed.Client(_bed.Management.TokenFor("ann", "auditors", "approvers"));

    private HttpClient Approver => _bed.Client(_bed.Management.TokenFor("bob", "approvers"));

    private HttpClient Ai => _bed.Client(_bed.Management.TokenFor("robin", "auditors", "approvers", "governor:ai"));

    private HttpClient Stranger => _bed.Client(_bed.Management.TokenFor("eve"));

    private IAuditReader Audit => _bed.App.Services.GetRequiredService<IAuditReader>();

    [Fact]
    public async Task One_asks_another_approves_exactly_this_plan_and_the_payload_is_gone_while_every_proof_holds()
    {
        var leaf = await LeafAsync("a");
        var asked = await AskAsync(Auditor, leaf);
        var (id, plan, digest) = (Text(asked, "id"), Text(asked, "plan"), Text(asked, "planDigest"));
        Assert.Equal(("Requested", "ann", "human"), (Text(asked, "phase"), Text(asked, "requestedBy"), Text(asked, "requesterRole")));
        Assert.Equal($"sha256:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(plan)))}", digest);
        Assert.Equal("infra.ontai.dev/ClusterPack/seam-system/a", JsonDocument.Parse(plan).RootElement.GetProperty("leaves")[0].GetProperty("subject").GetString());
        Assert.Equal(id, (await Approver.GetFromJsonAsync<JsonElement>("/api/v1/approvals?phase=requested"))[0].GetProperty("id").GetString());

        var other = $"sha256:{new string('0', 64)}";
        await ProblemAsync(Auditor, $"approvals/{id}/approve", Ruling(digest), HttpStatusCode.Forbidden, "expected somebody else than ann");
        await ProblemAsync(Ai, $"approvals/{id}/approve", Ruling(digest), HttpStatusCode.Forbidden, "expected a human, found robin, labelled as AI");
        await ProblemAsync(Ai, $"approvals/{id}/reject", Ruling(digest), HttpStatusCode.Forbidden, "labelled as AI");
        await ProblemAsync(Stranger, $"approvals/{id}/approve", Ruling(digest), HttpStatusCode.Forbidden, "cannot approve resource \"approvals\" in API group \"audit.governor.ontai.dev\"");
        await ProblemAsync(_bed.Client(null), $"approvals/{id}/approve", Ruling(digest), HttpStatusCode.Unauthorized, "Bearer");
        await ProblemAsync(Approver, $"approvals/{id}/approve", Ruling(other), HttpStatusCode.Conflict, $"planDigest: expected {digest}, found '{other}'");
        await ProblemAsync(Approver, $"approvals/{id}/approve", Ruling(digest, ""), HttpStatusCode.UnprocessableEntity, "why: expected a reason");
        Assert.NotNull((await EventAsync("a")).NewValue);

        var approved = await OkAsync(Approver, $"approvals/{id}/approve", Ruling(digest));
        Assert.Equal(("bob", "checked"), (Text(approved, "decidedBy"), Text(approved, "decidedWhy")));
        await OkAsync(Approver, $"approvals/{id}/approve", Ruling(digest));
        await ProblemAsync(Approver, $"approvals/{id}/reject", Ruling(digest), HttpStatusCode.Conflict, "Approve by bob");
        await SiloBed.UntilAsync(Auditor, $"/api/v1/approvals/{id}", HttpStatusCode.OK, text => text.Contains("\"Executed\"", StringComparison.Ordinal));

        Assert.Null((await EventAsync("a")).NewValue);
        Assert.NotNull((await EventAsync("b")).NewValue);
        await AssertTrailAsync(leaf, id);
    }

    [Fact]
    public async Task What_is_rejected_is_not_erased()
    {
        var asked = await AskAsync(Ai, await LeafAsync("a")); // an AI may draft
        Assert.Equal("ai", Text(asked, "requesterRole"));

        var rejected = await OkAsync(Approver, $"approvals/{Text(asked, "id")}/reject", Ruling(Text(asked, "planDigest"), "no need"));

        Assert.Equal("Rejected", Text(rejected, "phase"));
        await ProblemAsync(Auditor, $"approvals/{Text(asked, "id")}/approve", Ruling(Text(asked, "planDigest")), HttpStatusCode.Conflict, "Reject by bob");
        Assert.NotNull((await EventAsync("a")).NewValue);
    }

    [Fact]
    public async Task Asking_needs_the_right_to_and_approving_is_another_right()
    {
        const string Body = """{"leaves":[0],"reason":"because"}""";

        await ProblemAsync(Stranger, "audit/erasures", Body, HttpStatusCode.Forbidden, "cannot create resource \"auditerasures\"");
        await ProblemAsync(Approver, "audit/erasures", Body, HttpStatusCode.Forbidden, "cannot create resource \"auditerasures\"");
        await ProblemAsync(_bed.Client(null), "audit/erasures", Body, HttpStatusCode.Unauthorized, "Bearer");
        var auditorOnly = _bed.Client(_bed.Management.TokenFor("cai", "auditors"));
        await ProblemAsync(auditorOnly, "approvals/x/approve", Ruling($"sha256:{new string('0', 64)}"), HttpStatusCode.Forbidden, "cannot approve");
    }

    [Theory]
    [InlineData("""{"leaves":[],"reason":"r"}""", 422, "leaves: expected one to 256, found 0")]
    [InlineData("""{"leaves":[99999],"reason":"r"}""", 422, "leaf 99999: expected a record of the log, found none")]
    [InlineData("""{"leaves":[-1],"reason":"r"}""", 422, "leaf -1: expected a record of the log, found none")]
    [InlineData("""{"leaves":[0],"reason":" "}""", 422, "why: expected a reason")]
    [InlineData("""{"leaves":["0"],"reason":"r"}""", 400, "body.leaves[0]")]
    [InlineData("""{"leaves":[0]}""", 400, "reason")]
    [InlineData("""{"leaves":[0],"reason":null}""", 400, "reason")]
    [InlineData("""{"leaves":[0],"reason":"r","reason":"s"}""", 400, "reason")]
    [InlineData("""{"leaves":[0],"reason":"\ud800"}""", 400, "body")]
    [InlineData("""{"leaves":[0],"reason":"r","approvedBy":"bob"}""", 400, "approvedBy")]
    [InlineData("null", 400, "expected an object, found null")]
    [InlineData("", 400, "body")]
    [InlineData("no JSON", 400, "body")]
    public async Task A_request_that_cannot_be_taken_says_what_is_wrong(string body, int status, string why) =>
        await ProblemAsync(Auditor, "audit/erasures", body, (HttpStatusCode)status, why);

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data")]
    public async Task What_a_browser_would_send_without_asking_is_not_taken(string type)
    {
        using var content = new StringContent("""{"leaves":[0],"reason":"r"}""", Encoding.UTF8, type);

        using var answer = await Auditor.PostAsync(new Uri("/api/v1/audit/erasures", UriKind.Relative), content);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
        Assert.Contains("expected application/json", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_much_is_refused_and_so_is_a_decision_on_nothing()
    {
        await ProblemAsync(Auditor, "audit/erasures", $$"""{"leaves":[0],"reason":"{{new string('x', 65536)}}"}""", HttpStatusCode.RequestEntityTooLarge, "at most 65536 bytes");
        await ProblemAsync(Approver, "approvals/none/approve", Ruling($"sha256:{new string('0', 64)}"), HttpStatusCode.NotFound, "none");
        await ProblemAsync(Approver, "approvals/none/approve", Ruling("md5:0"), HttpStatusCode.UnprocessableEntity, "planDigest: expected sha256:");
    }

    [Fact]
    public async Task The_trail_itself_cannot_be_erased()
    {
        await CommitAsync("pack/c", 0, Event("c") with { Action = AuditActions.RecoveryDrilled });
        await Audit.WaitForCheckpointAsync(CancellationToken.None);
        var leaf = await LeafAsync("c");

        await ProblemAsync(Auditor, "audit/erasures", $$"""{"leaves":[{{leaf}}],"reason":"r"}""", HttpStatusCode.UnprocessableEntity, "found one of 'audit.recovery-drilled'");
    }

    private async Task AssertTrailAsync(long leaf, string id)
    {
        var events = (await Audit.EventsAsync(new EventFilter(Correlation: id), CancellationToken.None)).Reverse().Select(e => e.Event).ToArray();
        Assert.Equal(
            [("approval.requested", "ann", null), ("approval.approved", "bob", "bob"), (AuditActions.ErasureApproved, "ann", "bob"), (AuditActions.PayloadErased, "system:governor:audit", "bob"), ("approval.executed", "system:governor:approval", "bob")],
            events.Select(e => (e.Action, e.Actor, e.Reviewer)));
        Assert.All(events.Where(e => e.Subject.Kind == AuditActions.RecordKind), e => Assert.Equal($"{leaf}", e.Subject.Name));
        await Audit.WaitForCheckpointAsync(CancellationToken.None);
        using var export = new MemoryStream(await _bed.Admin().GetByteArrayAsync(new Uri("/api/v1/audit/export", UriKind.Relative)));
        var verdict = AuditVerifier.Verify(export, AuditTrust.In(Audit.Key));
        Assert.Null(verdict.Fault);
        Assert.Equal((AuditOutcome.Ok, 1L), (verdict.Outcome, verdict.Erased));
    }

    private static string Ruling(string digest, string why = "checked") => JsonSerializer.Serialize(new { planDigest = digest, why });

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private static GovernanceEvent Event(string name) => new(
        new DateTimeOffset(2026, 11, 21, 7, 0, 0, TimeSpan.Zero), "system:governor:pack", "wrapper", new EventSubject("infra.ontai.dev", "ClusterPack", "seam-system", name, "uid", 1),
        ChangeType.Operational, "pack.observed", "two", "$.spec", null, "contact: Ada Lovelace", "as declared", false, null, "", "", "");

    private Task<CommitResult> CommitAsync(string key, long expected, GovernanceEvent e) => _bed.App.Services.GetRequiredService<IJournal>().CommitAsync(
        new Commit(new GrainKey("test", key), expected, "{}"u8.ToArray(), false, [e], Guid.CreateVersion7()), CancellationToken.None);

    private async Task<long> LeafAsync(string name) => (await Audit.EventsAsync(new EventFilter(Kind: "ClusterPack", Name: name), CancellationToken.None)).Single().Leaf!.Value;

    private async Task<GovernanceEvent> EventAsync(string name) => (await Audit.EventsAsync(new EventFilter(Kind: "ClusterPack", Name: name), CancellationToken.None)).Single().Event;

    private static async Task<JsonElement> AskAsync(HttpClient client, long leaf)
    {
        using var answer = await PostAsync(client, "audit/erasures", JsonSerializer.Serialize(new { leaves = (long[])[leaf, leaf], reason = Reason }));
        var asked = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal($"/api/v1/approvals/{Text(asked, "id")}", answer.Headers.Location!.ToString());
        return asked;
    }

    private static async Task<JsonElement> OkAsync(HttpClient client, string path, string body)
    {
        using var answer = await PostAsync(client, path, body);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private static Task ProblemAsync(HttpClient client, string path, string body, HttpStatusCode status, string why) =>
        JsonCall.ProblemAsync(client, $"/api/v1/{path}", body, status, why);

    private static Task<HttpResponseMessage> PostAsync(HttpClient client, string path, string body) => JsonCall.PostAsync(client, $"/api/v1/{path}", body);

    private async Task RoleAsync(string role, string group, params (string Resource, string Verb)[] rules)
    {
        var list = string.Join(',', rules.Select(rule => $$"""{"apiGroups":["{{AuditActions.Group}}"],"resources":["{{rule.Resource}}"],"verbs":["{{rule.Verb}}"]}"""));
        await _bed.ApplyAsync($$"""{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"{{role}}"},"rules":[{{list}}]}""");
        await _bed.ApplyAsync($$"""{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":"{{role}}"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"{{role}}"},"subjects":[{"kind":"Group","apiGroup":"rbac.authorization.k8s.io","name":"{{group}}"}]}""");
    }
}
