using System.Text.Json.Nodes;

namespace Governor.Sandbox.Tests;

/// <summary>A running cluster with a client, and the Widget kind when a test asks for it.</summary>
public abstract class ClusterFixture : IAsyncLifetime
{
    protected const string Widgets = "/apis/fixtures.governor.dev/v1/namespaces/default/widgets";
    protected const string ConfigMaps = "/api/v1/namespaces/default/configmaps";
    protected const string Deployments = "/apis/apps/v1/namespaces/default/deployments";
    protected const string Definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

    protected SandboxCluster Cluster { get; private set; } = null!;

    protected SandboxClient Admin { get; private set; } = null!;

    protected virtual SandboxOptions Options => new("tests");

    public async Task InitializeAsync()
    {
        Cluster = await SandboxCluster.StartAsync(Options);
        Admin = new SandboxClient(Cluster);
    }

    public virtual async Task DisposeAsync()
    {
        Admin.Dispose();
        await Cluster.DisposeAsync();
    }

    /// <summary>The Widget and Gadget definitions of the recorded fixtures.</summary>
    protected async Task ServeWidgetsAsync()
    {
        foreach (var exchange in Fixtures.FixtureFile.Read("02-crd-test-kinds"))
            Assert.Equal(201, (await Admin.PostAsync(Definitions, exchange.RequestBody)).Code);
        await Cluster.IdleAsync();
    }

    protected Task<Answer> CreateWidgetAsync(string name, string metadata = "", string spec = "\"size\":3") =>
        Admin.PostAsync(Widgets, $$$"""{"apiVersion":"fixtures.governor.dev/v1","kind":"Widget","metadata":{"name":"{{{name}}}"{{{(metadata.Length > 0 ? "," + metadata : "")}}}},"spec":{{{{spec}}}}}""");

    protected Task<Answer> CreateConfigMapAsync(string name, string metadata = "", string ns = "default") =>
        Admin.PostAsync($"/api/v1/namespaces/{ns}/configmaps", $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{{name}}}"{{{(metadata.Length > 0 ? "," + metadata : "")}}}},"data":{"k":"v"}}""");

    protected Task<Answer> CreateDeploymentAsync(string name, int replicas = 2, string annotations = "") =>
        Admin.PostAsync(Deployments, Deployment(name, replicas, annotations));

    protected static string Deployment(string name, int replicas = 2, string annotations = "") => $$$"""
        {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"{{{name}}}","annotations":{{{{annotations}}}}},"spec":{"replicas":{{{replicas}}},
        "selector":{"matchLabels":{"app":"{{{name}}}"}},"template":{"metadata":{"labels":{"app":"{{{name}}}"}},"spec":{"containers":[
        {"name":"a","image":"example.test/a:1"},{"name":"b","image":"example.test/b:1"}]} } } }
        """;

    protected static string Owner(string name, string uid, bool blocks = false) => $$$"""
        "ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"{{{name}}}","uid":"{{{uid}}}","blockOwnerDeletion":{{{(blocks ? "true" : "false")}}}}]
        """;

    protected static string[] Names(Answer list) => [.. list.Json["items"]!.AsArray().Select(i => i!["metadata"]!["name"]!.GetValue<string>())];

    protected static string? Condition(Answer o, string type) =>
        o.Json["status"]?["conditions"]?.AsArray().OfType<JsonObject>().FirstOrDefault(c => c["type"]!.GetValue<string>() == type)?["status"]?.GetValue<string>();
}
