using Governor.Sandbox.Tests.Admission;

namespace Governor.Sandbox.Tests.Fixtures;

/// <summary>Webhooks are called, and their answers taken, as a real API server does it.</summary>
public sealed class AdmissionFixtureTests
{
    private const string Widgets = "/apis/fixtures.governor.dev/v1/namespaces/fx-adm/widgets";

    /// <summary>Exchanges whose difference is known and harmless.</summary>
    private static readonly string[] Known =
    [
    ];

    [Theory]
    [InlineData("10-admission-config")]
    [InlineData("10-admission-config-invalid")]
    [InlineData("10-review-create", "10-review-create-generate-name", "10-review-update", "10-review-patch", "10-review-no-op", "10-review-status", "10-review-delete")]
    [InlineData("10-review-delete-collection")]
    [InlineData("10-review-dry-run", "10-review-user-info", "10-review-match-policy")]
    [InlineData("10-deny")]
    [InlineData("10-warnings")]
    [InlineData("10-mutate")]
    [InlineData("10-mutate-faults")]
    [InlineData("10-mutate-reinvocation")]
    [InlineData("10-fail-timeout")]
    [InlineData("10-fail-bad-answers")]
    [InlineData("10-fail-bad-ca")]
    [InlineData("10-fail-webhook-down")]
    [InlineData("10-selectors")]
    [InlineData("10-operations")]
    [InlineData("10-gc-and-namespace")]
    public async Task Reviews_and_answers_are_those_of_a_real_api_server(params string[] files)
    {
        await using var cluster = await SandboxCluster.StartAsync(new SandboxOptions("admission"));
        using var admin = new SandboxClient(cluster);
        await using var server = await WebhookServer.StartAsync();
        var webhooks = new RecordedWebhooks(server);
        var replay = new Replay(cluster) { Webhooks = files[0] == "10-admission-config" ? null : webhooks };
        foreach (var (name, labels) in ((string, string)[])[("fx-adm", "\"team\":\"a\""), ("fx-adm-2", "\"team\":\"b\""), ("fx-adm-gone", "")])
            await admin.PostAsync("/api/v1/namespaces", $$$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{{name}}}","labels":{ {{{labels}}} } } }""");
        await new Replay(cluster).PlayAsync("02-crd-test-kinds");
        await PrepareAsync(files[0], admin, cluster, webhooks, replay);

        var differences = new List<string>();
        foreach (var file in files)
        {
            differences.AddRange(await replay.PlayAsync(file));
            await webhooks.RemoveConfigurationsAsync(admin);
        }

        var unknown = differences.Where(d => !Known.Any(k => d.StartsWith(k, StringComparison.Ordinal))).ToArray();
        Assert.True(unknown.Length == 0, string.Join("\n", unknown));
    }

    private static async Task PrepareAsync(string file, SandboxClient admin, SandboxCluster cluster, RecordedWebhooks webhooks, Replay replay)
    {
        switch (file)
        {
            case "10-review-delete-collection":
                foreach (var name in (string[])["dc0", "dc1"])
                    await WidgetAsync(admin, name, "\"labels\":{\"dc\":\"y\"}");
                break;
            case "10-review-create":
                await WidgetAsync(admin, "rf", "\"finalizers\":[\"fixtures.governor.dev/hold\"]");
                break;
            case "10-review-dry-run":
                await admin.PostAsync("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", """
                    {"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":"b"},"roleRef":{"kind":"ClusterRole","name":"cluster-admin"},
                    "subjects":[{"kind":"ServiceAccount","namespace":"fx-adm","name":"default"}]}
                    """);
                var token = await admin.PostAsync("/api/v1/namespaces/fx-adm/serviceaccounts/default/token", """{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}""");
                replay.Bearer = token.Json["status"]!["token"]!.GetValue<string>();
                break;
            case "10-fail-bad-ca":
                webhooks.Bundles.Enqueue(WebhookServer.Certificate("127.0.0.1").Bundle);
                webhooks.Bundles.Enqueue("bm8gUEVN");
                break;
            case "10-selectors":
                await WidgetAsync(admin, "o", "\"labels\":{\"guard\":\"on\"}");
                break;
            case "10-operations":
                await WidgetAsync(admin, "op");
                break;
            case "10-gc-and-namespace":
                await WidgetAsync(admin, "x", ns: "fx-adm-gone");
                break;
        }
        await cluster.IdleAsync();
    }

    private static async Task WidgetAsync(SandboxClient admin, string name, string metadata = "", string ns = "fx-adm")
    {
        var made = await admin.PostAsync(Widgets.Replace("fx-adm", ns, StringComparison.Ordinal),
            $$$"""{"apiVersion":"fixtures.governor.dev/v1","kind":"Widget","metadata":{"name":"{{{name}}}"{{{(metadata.Length > 0 ? "," + metadata : "")}}}},"spec":{"size":3}}""");
        Assert.Equal(201, made.Code);
    }
}
