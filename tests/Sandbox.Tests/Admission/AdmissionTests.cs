using System.Text.Json.Nodes;

namespace Governor.Sandbox.Tests.Admission;

public sealed class AdmissionTests : ClusterFixture
{
    private const string Registrations = "/apis/admissionregistration.k8s.io/v1";

    private WebhookServer _server = null!;

    private async Task<Answer> RegisterAsync(bool mutating, string more = "", string rule = """ "operations":["*"],"apiGroups":[""],"apiVersions":["v1"],"resources":["configmaps"] """, string? client = null, string name = "guard")
    {
        _server ??= await WebhookServer.StartAsync();
        var kind = mutating ? "MutatingWebhookConfiguration" : "ValidatingWebhookConfiguration";
        client ??= $$""" "url":"{{_server.Url}}check","caBundle":"{{_server.Bundle}}" """;
        return await Admin.PostAsync($"{Registrations}/{kind.ToLowerInvariant()}s", $$$"""
            {"apiVersion":"admissionregistration.k8s.io/v1","kind":"{{{kind}}}","metadata":{"name":"{{{name}}}"},"webhooks":[{"name":"{{{name}}}.example.test",
            "admissionReviewVersions":["v1"],"sideEffects":"None","clientConfig":{ {{{client}}} },"rules":[{ {{{rule}}} }]{{{more}}} }]}
            """);
    }

    private static string Operation(JsonObject review) => review["request"]!["operation"]!.GetValue<string>();

    [Fact]
    public async Task A_denied_write_is_not_stored()
    {
        await RegisterAsync(false);
        _server.Answer = (_, review) => WebhookServer.Deny(review, "not here");
        var answer = await CreateConfigMapAsync("a");
        Assert.Equal((400, "admission webhook \"guard.example.test\" denied the request: not here"), (answer.Code, answer.Message));
        Assert.Equal(404, (await Admin.GetAsync(ConfigMaps + "/a")).Code);
    }

    [Fact]
    public async Task A_patch_is_stored_and_seen_by_the_validating_webhook()
    {
        await RegisterAsync(true, name: "label");
        await RegisterAsync(false);
        _server.Answer = (_, review) => _server.Reviews.Count == 1
            ? WebhookServer.Patch(review, """[{"op":"add","path":"/data/added","value":"yes"}]""")
            : WebhookServer.Allow(review, "mind the gap");
        var made = await CreateConfigMapAsync("a");
        Assert.Equal("yes", made.Json["data"]!["added"]!.GetValue<string>());
        Assert.Equal(["299 - \"mind the gap\""], made.Warnings);
        Assert.Equal("yes", _server.Reviews.Last().Review["request"]!["object"]!["data"]!["added"]!.GetValue<string>());
    }

    [Fact]
    public async Task Deletes_and_the_writes_of_controllers_are_reviewed()
    {
        var owner = await CreateConfigMapAsync("owner");
        await CreateConfigMapAsync("dependent", Owner("owner", owner.Uid));
        await RegisterAsync(false);
        await Admin.DeleteAsync(ConfigMaps + "/owner");
        await Cluster.IdleAsync();
        Assert.Equal(["DELETE admin owner", "DELETE system:serviceaccount:kube-system:generic-garbage-collector dependent"], _server.Reviews.Select(r =>
            $"{Operation(r.Review)} {r.Review["request"]!["userInfo"]!["username"]} {r.Review["request"]!["name"]}"));
    }

    [Fact]
    public async Task A_dead_webhook_fails_or_is_ignored_as_its_policy_says()
    {
        const string nowhere = """ "url":"https://127.0.0.1:9/check" """;
        await RegisterAsync(false, client: nowhere, more: ""","failurePolicy":"Ignore" """);
        Assert.Equal(201, (await CreateConfigMapAsync("a")).Code);
        await RegisterAsync(false, client: nowhere, name: "strict");
        var answer = await CreateConfigMapAsync("b");
        Assert.Equal((500, "InternalError"), (answer.Code, answer.Reason));
        Assert.Contains("failed calling webhook \"strict.example.test\": failed to call webhook: Post \"https://127.0.0.1:9/check?timeout=10s\": dial tcp 127.0.0.1:9: connect: connection refused", answer.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_leads_to_the_address_that_its_annotation_names()
    {
        _server = await WebhookServer.StartAsync();
        await Admin.PostAsync("/api/v1/namespaces/default/services", $$$"""
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"guard","annotations":{"sandbox.governor.dev/address":"{{{_server.Url.Authority}}}"}},"spec":{"ports":[{"port":443}]}}
            """);
        await RegisterAsync(false, client: $$""" "service":{"namespace":"default","name":"guard","path":"/check"},"caBundle":"{{_server.Bundle}}" """);
        _server.Answer = (path, review) => WebhookServer.Deny(review, path);
        Assert.EndsWith("/check?timeout=10s", (await CreateConfigMapAsync("a")).Message, StringComparison.Ordinal);
        await RegisterAsync(false, client: """ "service":{"namespace":"default","name":"nosuch"} """, name: "lost");
        await Admin.DeleteAsync($"{Registrations}/validatingwebhookconfigurations/guard");
        Assert.Contains("service \"nosuch\" not found", (await CreateConfigMapAsync("a")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_namespace_that_a_webhook_keeps_goes_when_the_webhook_goes()
    {
        await Admin.PostAsync("/api/v1/namespaces", """{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"kept"}}""");
        await CreateConfigMapAsync("a", ns: "kept");
        await Cluster.IdleAsync();
        await RegisterAsync(false, rule: """ "operations":["DELETE"],"apiGroups":[""],"apiVersions":["v1"],"resources":["configmaps"] """);
        _server.Answer = (_, review) => WebhookServer.Deny(review, "nobody deletes");
        await Admin.DeleteAsync("/api/v1/namespaces/kept");
        await Cluster.IdleAsync();
        Assert.Equal("True", Condition(await Admin.GetAsync("/api/v1/namespaces/kept"), "NamespaceDeletionContentFailure"));
        await Admin.DeleteAsync($"{Registrations}/validatingwebhookconfigurations/guard");
        await Cluster.IdleAsync();
        Assert.Equal(404, (await Admin.GetAsync("/api/v1/namespaces/kept")).Code);
    }

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        if (_server is not null)
            await _server.DisposeAsync();
    }
}
