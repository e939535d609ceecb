namespace Governor.Sandbox.Tests.Fixtures;

/// <summary>The sandbox answers as a real API server answered. Each topic is one cluster and the recorded files in the order of recording.</summary>
public sealed class FixtureTests
{
    private static string Widgets(string ns) => $"/apis/fixtures.governor.dev/v1/namespaces/{ns}/widgets";

    /// <summary>Exchanges whose difference is known and harmless: wordings of Go's parsers, Go's idea of a type, protobuf.</summary>
    private static readonly string[] Known =
    [
        "02-crd-test-kinds 1 admin -> apiserver +0..+9: metadata.managedFields[0].fieldsV1.f:spec.f:names..",
        "02-crd-test-kinds 2 admin -> apiserver +18..+20: metadata.managedFields[0].fieldsV1.f:spec.f:names..",
        "01-discovery-aggregated 2",
        "03-bad-request-400 6",
        "03-generate-name 4",
        "03-not-acceptable-406 7",
        "03-numbers 5",
        "03-metadata-immutable 5",
        "03-unknown-fields-strict 3",
        "04-status-isolation",
        "04-scale 5",
        "05-apply-bad-requests 6",
        "05-apply-yaml-1.1",
        "08-finalizer-invalid 2",
    ];

    [Theory]
    [InlineData("discovery", "01-discovery-not-found", "01-discovery-crd-before", "02-crd-test-kinds", "01-discovery-crd-after", "01-discovery-aggregated")]
    [InlineData("create", "03-create-201", "03-get-200", "03-create-409-already-exists", "03-update-conflict-409", "03-update-preconditions",
        "03-update-unconditional-configmap", "03-not-found-404", "03-invalid-cel-transition", "03-method-not-allowed-405", "03-not-acceptable-406",
        "03-unsupported-media-type-415", "03-bad-request-400", "03-yaml-body", "03-query-parameters")]
    [InlineData("invalid", "03-invalid-cel-rule", "03-invalid-enum", "03-invalid-label", "03-invalid-list-map-duplicate", "03-invalid-max-length",
        "03-invalid-maximum", "03-invalid-minimum", "03-invalid-name-dns", "03-invalid-name-too-long", "03-invalid-no-name",
        "03-invalid-required-parent", "03-invalid-required", "03-invalid-set-duplicate", "03-invalid-several", "03-invalid-type")]
    [InlineData("fields", "03-create-201", "03-unknown-fields-ignore", "03-unknown-fields-strict", "03-unknown-fields-warn", "03-defaulting", "03-numbers",
        "03-cluster-scoped")]
    [InlineData("metadata", "03-generate-name", "03-generation", "03-metadata-immutable")]
    [InlineData("delete", "03-delete-200")]
    [InlineData("no-op", "03-no-op-update")]
    [InlineData("merge-patch", "04-merge-patch")]
    [InlineData("json-patch", "04-json-patch", "04-json-patch-failures")]
    [InlineData("status", "04-status-isolation")]
    [InlineData("apply", "05-apply-create", "05-apply-no-op", "05-apply-bad-requests")]
    [InlineData("apply-list-map", "05-apply-list-map")]
    [InlineData("apply-status", "05-apply-status")]
    [InlineData("apply-after-update", "05-apply-after-update")]
    [InlineData("apply-preconditions", "05-apply-preconditions")]
    [InlineData("apply-yaml", "05-apply-yaml", "05-apply-dry-run", "05-apply-managed-fields-reset", "05-apply-yaml-1.1")]
    [InlineData("apply-builtin", "05-apply-builtin-deployment")]
    [InlineData("lists", "06-list-bad-selectors", "06-list-resource-version-errors")]
    [InlineData("selectors", "06-list-label-selectors", "06-list-field-selectors")]
    [InlineData("finalizers", "08-finalizer", "08-finalizer-invalid")]
    [InlineData("delete-options", "08-delete-preconditions", "08-delete-options-invalid")]
    [InlineData("rights", "09-forbidden-403", "09-anonymous-403")]
    public async Task Answers_are_those_of_a_real_api_server(string topic, params string[] files)
    {
        await using var cluster = await SandboxCluster.StartAsync(new SandboxOptions($"fixtures-{topic}", Clock: new StoppedClock()));
        using var admin = new SandboxClient(cluster);
        var replay = new Replay(cluster);
        foreach (var name in (string[])["fx-crud", "fx-patch", "fx-apply", "fx-list", "fx-del", "fx-auth"])
            await admin.PostAsync("/api/v1/namespaces", $$$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{{name}}}"}}""");
        if (topic != "discovery")
            Demand(await replay.PlayAsync("02-crd-test-kinds"));
        await PrepareAsync(topic, admin, cluster);

        var differences = new List<string>();
        foreach (var file in files)
            differences.AddRange(await replay.PlayAsync(file));

        Demand(differences);
    }

    private static void Demand(IEnumerable<string> differences)
    {
        var unknown = differences.Where(d => !Known.Any(k => d.StartsWith(k, StringComparison.Ordinal))).ToArray();
        Assert.True(unknown.Length == 0, string.Join("\n", unknown));
    }

    /// <summary>What the recorder had made before the first recorded exchange.</summary>
    private static async Task PrepareAsync(string topic, SandboxClient admin, SandboxCluster cluster)
    {
        switch (topic)
        {
            case "create":
                await ConfigMapAsync(admin, "fx-crud", "c1");
                break;
            case "delete":
                await WidgetAsync(admin, "fx-crud", "d1");
                await ConfigMapAsync(admin, "fx-crud", "c1");
                break;
            case "no-op":
                await WidgetAsync(admin, "fx-crud", "noop");
                break;
            case "json-patch":
                await admin.PostAsync(Widgets("fx-patch"), """
                    {"apiVersion":"fixtures.governor.dev/v1","kind":"Widget","metadata":{"name":"p","labels":{"t":"1"}},"spec":{"size":4,"ports":[1,2],
                    "steps":["a","b","c"],"tags":[{"key":"x","value":"1"},{"key":"y","value":"2"}],"freeform":{"deep":{"a":1,"b":2,"c":3}}}}
                    """);
                foreach (var size in (int[])[3, 4, 3, 4, 3])
                    await admin.MergeAsync(Widgets("fx-patch") + "/p", $$$"""{"spec":{"size":{{{size}}}}}""");
                break;
            case "merge-patch":
                await admin.PostAsync(Widgets("fx-patch"), """
                    {"apiVersion":"fixtures.governor.dev/v1","kind":"Widget","metadata":{"name":"p"},"spec":{"size":3,"ports":[1,2],"steps":["a","b","c"],
                    "tags":[{"key":"x","value":"1"},{"key":"y","value":"2"}],"freeform":{"deep":{"a":1,"b":2}}}}
                    """);
                break;
            case "apply-preconditions":
                await admin.ApplyAsync(Widgets("fx-apply") + "/pre",
                    """{"apiVersion":"fixtures.governor.dev/v1","kind":"Widget","metadata":{"name":"pre"},"spec":{"size":3}}""", "one");
                break;
            case "apply-status":
                await WidgetAsync(admin, "fx-apply", "st");
                break;
            case "selectors":
                for (var i = 0; i < 7; i++)
                    await admin.PostAsync(Widgets("fx-list"), $$$"""
                        {"apiVersion":"fixtures.governor.dev/v1","kind":"Widget","metadata":{"name":"w{{{i}}}","labels":{"n":"{{{i}}}","parity":"{{{(i % 2 == 0 ? "even" : "odd")}}}"{{{(i == 6 ? ",\"extra\":\"\"" : "")}}}}},"spec":{"size":{{{i + 1}}}}}
                        """);
                break;
            case "finalizers":
                await WidgetAsync(admin, "fx-del", "fin", "fixtures.governor.dev/a", "fixtures.governor.dev/b");
                break;
            case "delete-options":
                await WidgetAsync(admin, "fx-del", "pre");
                await WidgetAsync(admin, "fx-del", "opt");
                break;
        }
        await cluster.IdleAsync();
    }

    private static Task<Answer> WidgetAsync(SandboxClient admin, string ns, string name, params string[] finalizers) =>
        admin.PostAsync(Widgets(ns), $$$"""
            {"apiVersion":"fixtures.governor.dev/v1","kind":"Widget","metadata":{"name":"{{{name}}}","finalizers":[{{{string.Join(",", finalizers.Select(f => $"\"{f}\""))}}}]},"spec":{"size":3}}
            """);

    private static Task<Answer> ConfigMapAsync(SandboxClient admin, string ns, string name) =>
        admin.PostAsync($"/api/v1/namespaces/{ns}/configmaps", $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{{name}}}"},"data":{"k":"v"}}""");
}
