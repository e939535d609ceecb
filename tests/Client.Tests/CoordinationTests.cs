using System.Text.Json.Nodes;
using Governor.Client.Tests.Support;

namespace Governor.Client.Tests;

/// <summary>What several processes agree through, and what the server asks before it takes a write.</summary>
[Collection(Server.Name)]
public sealed class CoordinationTests(Target target)
{
    private string Leases => $"apis/coordination.k8s.io/v1/namespaces/{target.Namespace}/leases";

    [ReliesOn("Lease: of two who take it from the same state one gets it")]
    public async Task A_lease_is_taken_by_one()
    {
        var name = target.NewName("lease");
        var made = await target.Wire.PostAsync(Leases, LeaseJson(name, "one"));
        Assert.True(made.Code == 201, made.ToString());
        Assert.Equal((409, "AlreadyExists"), await target.Wire.PostAsync(Leases, LeaseJson(name, "other")) is var second ? (second.Code, second.Reason) : default);

        var (renewed, taken) = (made.Json, made.Json);
        (renewed["spec"]!["renewTime"], taken["spec"]!["holderIdentity"]) = ("2026-01-01T00:00:10.000000Z", "other");
        Assert.Equal(200, (await target.Wire.PutAsync($"{Leases}/{name}", renewed)).Code);
        Assert.Equal((409, "Conflict"), await target.Wire.PutAsync($"{Leases}/{name}", taken) is var late ? (late.Code, late.Reason) : default);
        taken["metadata"]!.AsObject().Remove("resourceVersion");
        Assert.Equal(422, (await target.Wire.PutAsync($"{Leases}/{name}", taken)).Code);
        Assert.Equal("one", (await target.Wire.GetAsync($"{Leases}/{name}")).Find("spec", "holderIdentity"));
    }

    [ReliesOn("ValidatingWebhookConfiguration: defaults, and failurePolicy Ignore when nobody answers")]
    public async Task A_webhook_that_nobody_answers_and_may_be_ignored_holds_nothing_up()
    {
        var name = $"conformance.{target.Run}.governor.dev";
        var made = await target.Wire.PostAsync(Target.ValidatingWebhooks, WebhookJson(name).ToJsonString());
        Assert.True(made.Code == 201, made.ToString());
        try
        {
            var hook = made.Json["webhooks"]![0]!;
            Assert.Equal(("Equivalent", "*"), (hook["matchPolicy"]!.GetValue<string>(), hook["rules"]![0]!["scope"]!.GetValue<string>()));
            var map = await target.Wire.PostAsync(
                target.ConfigMaps, Target.ConfigMapJson(target.NewName("hooked"), metadata: $"\"labels\":{{\"{Target.RunLabel}\":\"{target.Run}\"}}"));
            Assert.True(map.Code == 201, map.ToString());
            var listed = await target.Wire.GetAsync($"{Target.ValidatingWebhooks}?labelSelector={Uri.EscapeDataString($"{Target.RunLabel}={target.Run}")}");
            Assert.Equal([name], listed.Names);
        }
        finally
        {
            Assert.Equal(200, (await target.Wire.DeleteAsync($"{Target.ValidatingWebhooks}/{name}")).Code);
        }
        Assert.Equal(404, (await target.Wire.GetAsync($"{Target.ValidatingWebhooks}/{name}")).Code);
    }

    [ReliesOn("ValidatingWebhookConfiguration: side effects have to be declared")]
    public async Task A_webhook_that_says_nothing_of_its_side_effects_is_refused()
    {
        var odd = WebhookJson($"odd.{target.Run}.governor.dev");
        odd["webhooks"]![0]!.AsObject().Remove("sideEffects");

        var refusal = await target.Wire.PostAsync(Target.ValidatingWebhooks, odd.ToJsonString());

        Assert.Equal((422, "Invalid"), (refusal.Code, refusal.Reason));
        Assert.Contains(refusal.Causes, cause => cause.EndsWith("webhooks[0].sideEffects", StringComparison.Ordinal));
    }

    private static string LeaseJson(string name, string holder) => $$$"""
        {"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"{{{name}}}"},
         "spec":{"holderIdentity":"{{{holder}}}","leaseDurationSeconds":15,"acquireTime":"2026-01-01T00:00:00.000000Z","renewTime":"2026-01-01T00:00:00.000000Z"}}
        """;

    /// <summary>Asked about nothing but what carries this run's label in this run's namespace, and for no longer than a second.</summary>
    private JsonObject WebhookJson(string name) => JsonNode.Parse($$$$"""
        {"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingWebhookConfiguration",
         "metadata":{"name":"{{{{name}}}}","labels":{"{{{{Target.RunLabel}}}}":"{{{{target.Run}}}}"}},
         "webhooks":[{"name":"{{{{name}}}}","admissionReviewVersions":["v1"],"sideEffects":"None","failurePolicy":"Ignore","timeoutSeconds":1,
          "clientConfig":{"url":"https://127.0.0.1:9/nobody"},
          "namespaceSelector":{"matchLabels":{"{{{{Target.RunLabel}}}}":"{{{{target.Run}}}}"}},
          "objectSelector":{"matchLabels":{"{{{{Target.RunLabel}}}}":"{{{{target.Run}}}}"}},
          "rules":[{"operations":["CREATE"],"apiGroups":[""],"apiVersions":["v1"],"resources":["configmaps"]}]}]}
        """)!.AsObject();
}
