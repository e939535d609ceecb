using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Domain.Kinds.Schemas;
using Governor.Grains.Interfaces.Ports;
using Governor.Sandbox;
using Microsoft.Extensions.DependencyInjection;

namespace Governor.Watchers.Tests.Sandbox;

/// <summary>A management cluster that serves the reference implementation's kinds: what is asked for by our names is found there, and written there.</summary>
public sealed class AliasTests : IAsyncLifetime
{
    private static readonly GroupVersionKind Delivered = new(AliasSets.Infrastructure, "v1alpha1", "InfrastructureClusterPack");
    private static readonly GroupVersionKind Execution = new(AliasSets.Infrastructure, "v1alpha1", "InfrastructurePackExecution");
    private static readonly ObjectKey Key = new("default", "one");

    private readonly string _kubeconfig = Path.Combine(Directory.CreateTempSubdirectory("governor-alias-").FullName, "kubeconfig");
    private SandboxCluster _sandbox = null!;
    private ServiceProvider _services = null!;
    private ServiceProvider _plain = null!;

    private ICluster Aliased => _services.GetRequiredService<IClusters>().Management;

    /// <summary>The same cluster without aliases: what is really there.</summary>
    private ICluster Plain => _plain.GetRequiredService<IClusters>().Management;

    public async Task InitializeAsync()
    {
        _sandbox = await SandboxCluster.StartAsync(new SandboxOptions("mgmt"));
        await File.WriteAllTextAsync(_kubeconfig, _sandbox.Kubeconfig);
        _services = Services(KindTable.Default.WithAliases(AliasSets.All));
        _plain = Services(KindTable.Default);
    }

    public async Task DisposeAsync()
    {
        await _services.DisposeAsync();
        await _plain.DisposeAsync();
        await _sandbox.DisposeAsync();
        Directory.Delete(Path.GetDirectoryName(_kubeconfig)!, true);
    }

    [Fact]
    public async Task An_object_under_an_alias_is_read_written_patched_and_deleted_by_our_name()
    {
        await ServeAsync(KnownKinds.ClusterPack, Delivered, "infrastructureclusterpacks");
        await PackAsync(Delivered);

        Assert.Equal(Delivered, (await Aliased.GetAsync(KnownKinds.ClusterPack, Key, default))!.Gvk);
        await Aliased.ApplyAsync(Named(KnownKinds.ClusterPack, new JsonObject { ["annotations"] = new JsonObject { ["a"] = "b" } }), "conductor", new ApplyOptions(Force: true), default);
        await Aliased.ApplyStatusAsync(KnownKinds.ClusterPack, Key, new JsonObject { ["signed"] = true }, "wrapper", default);
        await Aliased.MergePatchAsync(KnownKinds.ClusterPack, Key, new JsonObject { ["spec"] = new JsonObject { ["targetClusters"] = new JsonArray("dev") } }, "wrapper", default);

        var written = (await Plain.GetAsync(Delivered, Key, default))!;
        Assert.Equal("b", written.Annotations["a"]);
        Assert.True(written.Find("status", "signed").GetBoolean());
        Assert.Equal("v1", written.FindText("spec", "version"));
        Assert.Equal("dev", written.Find("spec", "targetClusters")[0].GetString());
        await Aliased.DeleteAsync(KnownKinds.ClusterPack, Key, written.Uid, default);
        Assert.Null(await Plain.GetAsync(Delivered, Key, default));
    }

    [Fact]
    public async Task A_plural_that_no_rule_gives_comes_from_discovery()
    {
        var installed = new GroupVersionKind(AliasSets.Seam, "v1alpha1", "PackInstalled");
        await ServeAsync(KnownKinds.PackInstance, installed, "packsinstalled");

        await Aliased.ApplyAsync(
            Named(KnownKinds.PackInstance, [], new JsonObject { ["clusterPackRef"] = "p", ["version"] = "v1", ["targetClusterRef"] = "dev" }), "wrapper", default, default);

        Assert.NotNull(await Plain.GetAsync(installed, Key, default));
    }

    [Fact]
    public async Task Where_both_are_served_each_object_is_written_where_it_is_and_new_ones_under_our_name()
    {
        await ServeAsync(KnownKinds.ClusterPack, Delivered, "infrastructureclusterpacks");
        await ServeAsync(KnownKinds.ClusterPack, KnownKinds.ClusterPack, "clusterpacks");
        await PackAsync(Delivered);
        await PackAsync(KnownKinds.ClusterPack, "two");

        foreach (var name in (string[])["one", "two"])
            await Aliased.ApplyStatusAsync(KnownKinds.ClusterPack, new ObjectKey("default", name), new JsonObject { ["signed"] = true }, "wrapper", default);
        await PackAsync(KnownKinds.ClusterPack, "three", Aliased);

        Assert.True((await Plain.GetAsync(Delivered, Key, default))!.Find("status", "signed").GetBoolean());
        Assert.Null(await Plain.GetAsync(KnownKinds.ClusterPack, Key, default));
        Assert.True((await Plain.GetAsync(KnownKinds.ClusterPack, new ObjectKey("default", "two"), default))!.Find("status", "signed").GetBoolean());
        Assert.Null(await Plain.GetAsync(Delivered, new ObjectKey("default", "two"), default));
        Assert.NotNull(await Plain.GetAsync(KnownKinds.ClusterPack, new ObjectKey("default", "three"), default));
    }

    [Fact]
    public async Task An_owner_is_named_as_it_is_there_so_that_the_collector_finds_it()
    {
        await ServeAsync(KnownKinds.ClusterPack, Delivered, "infrastructureclusterpacks");
        await ServeAsync(KnownKinds.PackExecution, Execution, "infrastructurepackexecutions");
        var pack = await PackAsync(Delivered);
        var owners = new JsonArray(new JsonObject
        {
            ["apiVersion"] = KnownKinds.ClusterPack.ApiVersion, ["kind"] = KnownKinds.ClusterPack.Kind, ["name"] = pack.Name, ["uid"] = pack.Uid,
        });

        await ExecutionAsync(new JsonObject { ["ownerReferences"] = owners });
        await _sandbox.IdleAsync();

        var made = (await Plain.GetAsync(Execution, Key, default))!;
        Assert.Equal(Delivered.ApiVersion, made.Find("metadata", "ownerReferences")[0].GetProperty("apiVersion").GetString());
        Assert.Equal(Delivered.Kind, made.Find("metadata", "ownerReferences")[0].GetProperty("kind").GetString());
    }

    [Fact]
    public async Task A_status_that_the_alias_cannot_hold_is_written_without_what_it_lacks()
    {
        await ServeAsync(KnownKinds.PackExecution, Execution, "infrastructurepackexecutions", "gates", "phase");
        await ExecutionAsync([]);
        var status = new JsonObject
        {
            ["jobName"] = "job", ["phase"] = "Applying",
            ["gates"] = new JsonArray(new JsonObject { ["gate"] = "g", ["verdict"] = "v" }),
        };

        await Aliased.ApplyStatusAsync(KnownKinds.PackExecution, Key, status, "wrapper", default);
        await Aliased.ApplyStatusAsync(KnownKinds.PackExecution, Key, status, "wrapper", default);

        var written = (await Plain.GetAsync(Execution, Key, default))!;
        Assert.Equal("job", written.FindText("status", "jobName"));
        Assert.Equal("Applying", status["phase"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_spec_that_the_alias_cannot_hold_is_refused()
    {
        await ServeAsync(KnownKinds.PackExecution, Execution, "infrastructurepackexecutions");

        var refused = await Assert.ThrowsAsync<KubernetesException>(() => Aliased.ApplyAsync(
            Named(KnownKinds.PackExecution, [], new JsonObject { ["newer"] = 1 }), "wrapper", default, default));

        Assert.Contains("field not declared in schema", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_kind_that_is_served_under_no_name_is_not_served()
    {
        var refused = await Assert.ThrowsAsync<KubernetesException>(() =>
            Aliased.ApplyStatusAsync(KnownKinds.ClusterPack, Key, new JsonObject { ["signed"] = true }, "wrapper", default));

        Assert.Contains(KnownKinds.ClusterPack.Kind, refused.Message, StringComparison.Ordinal);
    }

    private ServiceProvider Services(KindTable kinds) => new ServiceCollection()
        .AddSingleton(kinds)
        .AddKubernetes(options => (options.ManagementName, options.ManagementKubeconfig) = ("mgmt", _kubeconfig))
        .BuildServiceProvider();

    /// <summary>Serves our kind's definition under another name, with fields of its status left out.</summary>
    private async Task ServeAsync(GroupVersionKind ours, GroupVersionKind name, string plural, params string[] lacks)
    {
        var definition = CrdGenerator.Objects().Single(crd => crd.FindText("spec", "names", "kind") == ours.Kind).ToJsonObject();
        definition["metadata"]!["name"] = $"{plural}.{name.Group}";
        definition["spec"]!["group"] = name.Group;
        definition["spec"]!["names"] = new JsonObject { ["kind"] = name.Kind, ["plural"] = plural };
        var status = definition["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!["properties"]!["status"]!["properties"]!.AsObject();
        foreach (var field in lacks)
            Assert.True(status.Remove(field), $"expected {field} in the status of {ours.Kind}");
        await Plain.ApplyAsync(KubeObject.From(definition), "human", default, default);
        await _sandbox.IdleAsync();
    }

    private async Task<KubeObject> PackAsync(GroupVersionKind kind, string name = "one", ICluster? through = null)
    {
        var pack = Named(kind, [], new JsonObject { ["version"] = "v1", ["registryRef"] = new JsonObject { ["url"] = "r", ["digest"] = "d" } }).ToJsonObject();
        pack["metadata"]!["name"] = name;
        return await (through ?? Plain).ApplyAsync(KubeObject.From(pack), "human", default, default);
    }

    private Task<KubeObject> ExecutionAsync(JsonObject metadata) => Aliased.ApplyAsync(
        Named(KnownKinds.PackExecution, metadata, new JsonObject
        {
            ["clusterPackRef"] = new JsonObject { ["name"] = "one", ["version"] = "v1" }, ["targetClusterRef"] = "dev",
        }), "wrapper", default, default);

    private static KubeObject Named(GroupVersionKind kind, JsonObject metadata, JsonObject? spec = null)
    {
        (metadata["namespace"], metadata["name"]) = (Key.Namespace, Key.Name);
        var item = new JsonObject { ["apiVersion"] = kind.ApiVersion, ["kind"] = kind.Kind, ["metadata"] = metadata };
        if (spec is not null)
            item["spec"] = spec;
        return KubeObject.From(item);
    }
}
