using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Admission;
using Governor.Domain.Kinds;
using Governor.LocalServers;

namespace Governor.Silo.Tests;

/// <summary>Real enforcement: the API server calls, the silo answers, kubectl asks.</summary>
[Collection(nameof(SiloGround))]
public sealed class AdmissionTests(SiloGround ground)
{
    private static string Role(string name, string ns, string owner = "", string verbs = "get") => $$"""
        {"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"{{name}}","namespace":"{{ns}}","annotations":{{{(owner.Length > 0 ? $"\"ontai.dev/rbac-owner\":\"{owner}\"" : "")}} } },"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["{{verbs}}"]}]}
        """;

    private const string Pack = """
        {"apiVersion":"infra.ontai.dev/v1alpha1","kind":"ClusterPack","metadata":{"name":"NAME","namespace":"seam-tenant-ccs-dev","annotations":{"infrastructure.ontai.dev/declaring-principal":"somebody-else"}},
         "spec":{"version":"v1.0.0-r1","registryRef":{"url":"127.0.0.1:1/packs/web","digest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
                 "workloadDigest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","basePackName":"web","targetClusters":["ccs-dev"]}}
        """;

    [Fact]
    public async Task Three_people_are_told_apart_before_and_after_a_restart_and_every_refusal_is_on_record()
    {
        await using var bed = await AdmissionBed.StartAsync(ground, isInstalled: false);
        await bed.GrantAsync();
        await bed.InstallAsync();

        await EnforcedAsync(bed, "a");
        await bed.Bed.StopSiloAsync();

        // Nobody answers: enforced is refused, observed and exempt go on.
        var (down, said) = await bed.KubectlAsync(bed.Guardian, "create -f -", Role("down", "strict", "guardian"));
        Assert.Equal((1, true), (down, said.Contains("failed calling webhook", StringComparison.Ordinal)));
        Assert.Equal(0, (await bed.KubectlAsync(bed.Developer, "create -f -", Role("down", "watched"))).Code);
        Assert.Equal(0, (await bed.KubectlAsync(bed.Developer, "create -f -", Role("down", "foreign"))).Code);
        Assert.Equal(0, (await bed.KubectlAsync(bed.Admin, "create -f -", Role("down", "kube-system"))).Code);
        // An API server repairs its own roles also then.
        Assert.Equal(0, (await bed.KubectlAsync(bed.Admin, "create -f -", """
            {"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"system:mended","labels":{"kubernetes.io/bootstrapping":"rbac-defaults"}},"rules":[]}
            """)).Code);

        await bed.Bed.StartSiloAsync();
        await AdmissionBed.ListeningAsync(bed.Port);
        await EnforcedAsync(bed, "b");

        using var admin = bed.Bed.Admin();
        var events = await admin.GetFromJsonAsync<JsonElement>("/api/v1/audit/events?limit=200");
        string[] seen = [.. events.EnumerateArray().Select(e => $"{e.GetProperty("actor").GetString()} {e.GetProperty("action").GetString()} {e.GetProperty("name").GetString()}").Where(e => e.Contains("admission.", StringComparison.Ordinal))];
        foreach (var expected in (string[])["dev admission.denied mine-a", "dev admission.denied mine-b", "dev admission.would-deny seen-a", "dev admission.denied forged-a", "claude admission.denied robot-b"])
            Assert.Contains(expected, seen);
        Assert.DoesNotContain(seen, e => e.Contains("draft-", StringComparison.Ordinal));
    }

    private static async Task EnforcedAsync(AdmissionBed bed, string n)
    {
        var (code, said) = await bed.KubectlAsync(bed.Developer, "create -f -", Role($"mine-{n}", "strict"));
        Assert.Equal(1, code);
        foreach (var part in (string[])["admission webhook \"rbac.admission.governor.ontai.dev\" denied the request", $"Role strict/mine-{n}", "ontai.dev/rbac-owner", "expected 'guardian', found none", "CS-INV-001", "RBACProfile"])
            Assert.Contains(part, said, StringComparison.Ordinal);
        Assert.Equal(1, (await bed.KubectlAsync(bed.Developer, "create -f -", Role($"forged-{n}", "strict", "guardian"))).Code);
        Assert.Equal(1, (await bed.KubectlAsync(bed.Admin, "create -f -", Role($"plain-{n}", "strict"))).Code);
        Assert.Equal(0, (await bed.KubectlAsync(bed.Guardian, "create -f -", Role($"owned-{n}", "strict", "guardian"))).Code);
        Assert.Equal(0, (await bed.KubectlAsync(bed.Admin, "create -f -", Role($"adopted-{n}", "strict", "guardian"))).Code);

        var (observed, warned) = await bed.KubectlAsync(bed.Developer, "create -f -", Role($"seen-{n}", "watched"));
        Assert.Equal(0, observed);
        Assert.Contains("Warning: would be denied: Role watched/seen-", warned, StringComparison.Ordinal);
        Assert.Equal(0, (await bed.KubectlAsync(bed.Developer, "create -f -", Role($"free-{n}", "foreign"))).Code);

        // Deletes; nobody talks his namespace out of it; what grants more than one was given.
        Assert.Equal(1, (await bed.KubectlAsync(bed.Developer, $"delete role owned-{n} -n strict")).Code);
        Assert.Equal(0, (await bed.KubectlAsync(bed.Admin, $"delete role owned-{n} -n strict")).Code);
        Assert.Equal(1, (await bed.KubectlAsync(bed.Developer, "label namespace strict seam.ontai.dev/webhook-mode=exempt --overwrite")).Code);
        Assert.Equal(1, (await bed.KubectlAsync(bed.Admin, "create -f -", Role($"more-{n}", "strict", "guardian", "impersonate").Replace("pods", "users", StringComparison.Ordinal))).Code);
        Assert.Equal(1, (await bed.KubectlAsync(bed.Developer, $"create clusterrole wide-{n} --verb=get --resource=nodes")).Code);

        // Cluster packs: whoever declares is written on it; an AI drafts.
        Assert.Equal(0, (await bed.KubectlAsync(bed.Developer, "create -f -", Pack.Replace("NAME", $"pack-{n}", StringComparison.Ordinal))).Code);
        var (_, stamped) = await bed.KubectlAsync(bed.Admin, $"get clusterpack pack-{n} -n seam-tenant-ccs-dev -o yaml");
        Assert.Contains("infrastructure.ontai.dev/declaring-principal: dev", stamped, StringComparison.Ordinal);
        // The silo is not kept from its own work by its own webhooks; others are.
        await bed.Bed.SeeAsync(KnownKinds.ClusterPack, new ObjectKey("seam-tenant-ccs-dev", $"pack-{n}"), pack => pack.Status.ValueKind == JsonValueKind.Object);
        var (_, status) = await bed.KubectlAsync(bed.Admin, $"patch clusterpack pack-{n} -n seam-tenant-ccs-dev --subresource=status --type=merge -p {{\\\"status\\\":{{\\\"observedGeneration\\\":7}}}}");
        Assert.Contains("CS-INV-005", status, StringComparison.Ordinal);
        Assert.Equal(1, (await bed.KubectlAsync(bed.Admin, $"annotate clusterpack pack-{n} -n seam-tenant-ccs-dev infrastructure.ontai.dev/declaring-principal=ann --overwrite")).Code);
        Assert.Equal(1, (await bed.KubectlAsync(bed.Robot, "create -f -", Pack.Replace("NAME", $"robot-{n}", StringComparison.Ordinal))).Code);
        Assert.Equal(0, (await bed.KubectlAsync(bed.Robot, "create --dry-run=server -f -", Pack.Replace("NAME", $"draft-{n}", StringComparison.Ordinal))).Code);
        Assert.Equal(1, (await bed.KubectlAsync(bed.Developer, "create --dry-run=server -f -", Role($"draft-{n}", "strict"))).Code);

        // What operators write.
        const string Snapshot = """
            {"apiVersion":"security.ontai.dev/v1alpha1","kind":"PermissionSnapshot","metadata":{"name":"NAME","namespace":"seam-tenant-ccs-dev"},
             "spec":{"targetCluster":"x","version":"1","generatedAt":"2026-11-28T00:00:00Z"}}
            """;
        var (made, why) = await bed.KubectlAsync(bed.Admin, "create -f -", Snapshot.Replace("NAME", $"s-{n}", StringComparison.Ordinal));
        Assert.Equal(1, made);
        Assert.Contains("INV-009", why, StringComparison.Ordinal);
        Assert.Equal(0, (await bed.KubectlAsync(bed.Guardian, "create -f -", Snapshot.Replace("NAME", $"s-{n}", StringComparison.Ordinal))).Code);
    }

    [Fact]
    public async Task The_bootstrap_window_closes_for_good_also_after_a_restart_and_on_another_replica()
    {
        await using var bed = await AdmissionBed.StartAsync(ground, "01:00:00", isInstalled: false);
        await bed.GrantAsync();
        await bed.InstallAsync();
        using var admin = bed.Bed.Admin();
        await SiloBed.UntilAsync(admin, "/api/v1/admission/bootstrap", HttpStatusCode.OK, text => text.Contains("\"open\":true", StringComparison.Ordinal));
        var otherPort = FreePort.Next();
        await using var other = bed.Bed.Build($"--Governor:Admission:Url=https://127.0.0.1:{otherPort}", "--Governor:Admission:BootstrapWindow=7.00:00:00");
        await other.StartAsync();
        await AdmissionBed.ListeningAsync(otherPort);

        Assert.True(await AllowsAsync(bed.Port));
        Assert.True(await AllowsAsync(otherPort));
        Assert.Equal(0, (await bed.KubectlAsync(bed.Developer, "create -f -", Role("early", "strict"))).Code);

        using var silent = await admin.PostAsJsonAsync("/api/v1/admission/bootstrap/close", new { why = "" });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, silent.StatusCode);
        using var closed = await admin.PostAsJsonAsync("/api/v1/admission/bootstrap/close", new { why = "all is in place" });
        Assert.Equal(HttpStatusCode.OK, closed.StatusCode);

        Assert.False(await AllowsAsync(bed.Port));
        Assert.False(await AllowsAsync(otherPort));
        Assert.Equal(1, (await bed.KubectlAsync(bed.Developer, "create -f -", Role("late", "strict"))).Code);

        await bed.Bed.StopSiloAsync();
        await bed.Bed.StartSiloAsync();
        await AdmissionBed.ListeningAsync(bed.Port);
        Assert.False(await AllowsAsync(bed.Port));
        await other.StopAsync();
    }

    [Fact]
    public async Task The_bootstrap_window_closes_by_itself_when_the_family_is_complete_and_stays_closed()
    {
        await using var bed = await AdmissionBed.StartAsync(ground, "01:00:00", isInstalled: false, "--Governor:Admission:BootstrapSettling=00:00:00");
        await bed.GrantAsync();
        await bed.InstallAsync();
        await bed.Bed.SeeAsync(KnownKinds.Guardian, BootstrapRules.Guardian, g => g.FindText("status", "webhookMode") == "Initialising");
        Assert.Equal(0, (await bed.KubectlAsync(bed.Developer, "create -f -", Role("early", "strict"))).Code);

        await bed.DeclareFamilyAsync();
        await bed.Bed.SeeAsync(KnownKinds.Guardian, BootstrapRules.Guardian, g => g.FindText("status", "webhookMode") == "Enforcing" && Conditions.Of(g).IsTrue(BootstrapRules.Condition));

        Assert.Equal(1, (await bed.KubectlAsync(bed.Developer, "create -f -", Role("late", "strict"))).Code);
        await bed.Bed.StopSiloAsync();
        await bed.Bed.StartSiloAsync();
        await AdmissionBed.ListeningAsync(bed.Port);
        Assert.False(await AllowsAsync(bed.Port));
        using var admin = bed.Bed.Admin();
        var view = JsonNode.Parse(await admin.GetStringAsync(new Uri("/api/v1/admission/bootstrap", UriKind.Relative)))!;
        Assert.Equal((false, "system:governor:guardian"), (view["open"]!.GetValue<bool>(), view["closedBy"]!.ToString()));
    }

    [Fact]
    public async Task A_CA_is_replaced_under_load_without_a_call_that_fails()
    {
        await using var bed = await AdmissionBed.StartAsync(ground, isInstalled: false);
        await bed.GrantAsync();
        await bed.InstallAsync();
        var before = await AdmissionBed.ListeningAsync(bed.Port);
        using var stop = new CancellationTokenSource();
        var writes = 0;
        var load = Enumerable.Range(0, 4).Select(async worker =>
        {
            using var client = new HttpClient(new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, shown, _, _) => shown is not null });
            client.DefaultRequestHeaders.Authorization = new("Bearer", bed.Bed.Management.TokenFor(AdmissionBed.Operator, "operators"));
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                using var answer = await client.PostAsync(
                    new Uri(bed.Bed.Management.Url, "/apis/rbac.authorization.k8s.io/v1/namespaces/strict/roles"),
                    new StringContent(Role($"r-{worker}-{i}", "strict", "guardian"), System.Text.Encoding.UTF8, "application/json"));
                Assert.True(answer.StatusCode == HttpStatusCode.Created, await answer.Content.ReadAsStringAsync());
                Interlocked.Increment(ref writes);
            }
        }).ToArray();

        await bed.Bed.ApplyAsync($$"""{"apiVersion":"v1","kind":"Secret","metadata":{"name":"{{AdmissionManifests.AuthoritySecret}}","namespace":"seam-system","annotations":{"admission.governor.ontai.dev/rotate":"now"} } }""");
        (string Serial, string Issuer) now;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        do
        {
            patience.Token.ThrowIfCancellationRequested();
            now = await AdmissionBed.ListeningAsync(bed.Port);
        }
        while (now.Issuer == before.Issuer);
        var reached = Volatile.Read(ref writes);
        while (Volatile.Read(ref writes) < reached + 20 && !load.Any(worker => worker.IsCompleted))
            await Task.Yield();
        await stop.CancelAsync();
        await Task.WhenAll(load);

        // Old and new stand side by side until the old one has expired.
        await bed.Bed.SeeAsync(AdmissionManifests.Validating, new ObjectKey("", "governor"), found => AdmissionBed.BundlesOf(found).All(bundle =>
            System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(bundle)).Split("BEGIN CERTIFICATE").Length == 3));
    }

    [Fact]
    public async Task Two_silos_share_one_CA()
    {
        await using var bed = await AdmissionBed.StartAsync(ground);
        var port = FreePort.Next();
        await using var other = bed.Bed.Build($"--Governor:Admission:Url=https://127.0.0.1:{port}");
        await other.StartAsync();

        var (one, two) = (await AdmissionBed.ListeningAsync(bed.Port), await AdmissionBed.ListeningAsync(port));

        Assert.Equal(one.Issuer, two.Issuer);
        Assert.NotEqual(one.Serial, two.Serial);
        await other.StopAsync();
    }

    [Theory]
    [InlineData("{}", "application/json", HttpStatusCode.BadRequest, "apiVersion: expected 'admission.k8s.io/v1', found ''")]
    [InlineData("""{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview","request":{}}""", "application/json", HttpStatusCode.BadRequest, "found 'admission.k8s.io/v1beta1'")]
    [InlineData("no", "application/json", HttpStatusCode.BadRequest, "body: expected JSON")]
    [InlineData("{}", "text/plain", HttpStatusCode.UnsupportedMediaType, "expected application/json")]
    [InlineData(null, "application/json", HttpStatusCode.RequestEntityTooLarge, "expected at most 8388608 bytes")]
    public async Task What_is_no_review_is_told_what_where_expected_and_found(string? body, string type, HttpStatusCode status, string said)
    {
        await using var bed = await AdmissionBed.StartAsync(ground);
        using var client = Client(bed.Port);
        client.DefaultRequestHeaders.ExpectContinue = true; // who is refused need not send all of it

        using var answer = await client.PostAsync(new Uri("/validate-rbac", UriKind.Relative), new StringContent(body ?? new string('x', (8 * 1024 * 1024) + 1), System.Text.Encoding.UTF8, type));

        Assert.Equal(status, answer.StatusCode);
        Assert.Contains(said, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        // Neither port serves what is the other's.
        using var api = await client.GetAsync(new Uri("/api/v1/packs", UriKind.Relative));
        using var anonymous = bed.Bed.Client(null);
        using var webhook = await anonymous.PostAsync(new Uri("/validate-rbac", UriKind.Relative), new StringContent("{}", System.Text.Encoding.UTF8, "application/json"));
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), (api.StatusCode, webhook.StatusCode));
    }

    private static HttpClient Client(int port) =>
        new(new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, shown, _, _) => shown is not null }) { BaseAddress = new Uri($"https://127.0.0.1:{port}") };

    private static async Task<bool> AllowsAsync(int port)
    {
        using var client = Client(port);
        var review = JsonNode.Parse($$"""
            {"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"{{Guid.NewGuid()}}","kind":{"group":"rbac.authorization.k8s.io","version":"v1","kind":"Role"},
             "resource":{"group":"rbac.authorization.k8s.io","version":"v1","resource":"roles"},"operation":"CREATE","namespace":"strict","name":"x","userInfo":{"username":"dev"},"object":{{Role("x", "strict")}},"dryRun":true} }
            """);
        using var answer = await client.PostAsJsonAsync("/validate-rbac", review);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("response").GetProperty("allowed").GetBoolean();
    }
}
