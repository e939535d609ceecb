using System.Text.Json;
using Governor.Compiler.Packs;
using Governor.Domain.Kinds;
using Governor.LocalServers;
using Governor.Manifests;
using Governor.Registry;

namespace Governor.Compiler.Tests;

public sealed class RealRegistry : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("governor-registry-").FullName;

    public OciRegistryServer Server { get; private set; } = null!;

    public async Task InitializeAsync() => Server = await OciRegistryServer.StartAsync(_folder);

    public async Task DisposeAsync()
    {
        if (Server is not null)
            await Server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

[CollectionDefinition(Name)]
public sealed class RegistryTests : ICollectionFixture<RealRegistry>
{
    public const string Name = "registry";
}

[Collection(RegistryTests.Name)]
public sealed class PackBuildTests(RealRegistry registry)
{
    private string Repository => $"{registry.Server.Host}/packs/web";

    private async Task<PackBuildResult> BuildAsync(string inputFile, string output, DateTimeOffset? timestamp = null)
    {
        using var client = new OciClient(new RegistryOptions());
        return await PackBuild.RunAsync(new PackBuildRequest(inputFile, output) { Registry = Repository, Timestamp = timestamp }, client, default);
    }

    private async Task<PackBuildResult> BuildAsync(PackFolder folder) => await BuildAsync(folder.InputFile, folder.Output);

    private static IEnumerable<string> Names(PackBuildResult result, PackLayerKind kind) =>
        result.Layers.SingleOrDefault(l => l.Kind == kind)?.Objects.Select(o => o.ToString()) ?? [];

    [Fact]
    public async Task The_sample_is_split_pushed_and_described()
    {
        using var folder = PackFolder.With();
        var result = await BuildAsync(Path.Combine(PackFolder.Sample(), "pack.yaml"), folder.Output);

        Assert.Equal(["ServiceAccount web/web", "Role web/web", "RoleBinding web/web"], Names(result, PackLayerKind.Rbac));
        Assert.Equal(["CustomResourceDefinition sites.web.example.org"], Names(result, PackLayerKind.ClusterScoped));
        Assert.Equal(
            ["Namespace web", "ConfigMap web/web", "Deployment web/web", "Service web/web", "PodDisruptionBudget web/web", "NetworkPolicy web/web", "Site web/main"],
            Names(result, PackLayerKind.Workload));

        var written = Assert.Single(ManifestReader.Read(await File.ReadAllTextAsync(Path.Combine(folder.Output, "web.yaml")), "web.yaml"));
        Assert.Equal(["out/web.yaml"], Directory.GetFiles(folder.Output).Select(f => Path.GetRelativePath(folder.Path, f)));
        Assert.Equal(("infra.ontai.dev/v1alpha1", "ClusterPack", "seam-tenant-ccs-dev/web"), (written.ApiVersion, written.Kind, written.Key.ToString()));
        var digests = result.Layers.ToDictionary(l => l.Kind, l => l.Digest.Value);
        Assert.Equal("v1.0.0-r1", written.FindText("spec", "version"));
        Assert.Equal(Repository, written.FindText("spec", "registryRef", "url"));
        Assert.Equal(digests[PackLayerKind.Workload], written.FindText("spec", "registryRef", "digest"));
        Assert.Equal(digests[PackLayerKind.Workload], written.FindText("spec", "workloadDigest"));
        Assert.Equal(digests[PackLayerKind.ClusterScoped], written.FindText("spec", "clusterScopedDigest"));
        Assert.Equal(digests[PackLayerKind.Rbac], written.FindText("spec", "rbacDigest"));
        Assert.Equal(["ccs-dev"], written.Find("spec", "targetClusters").EnumerateArray().Select(t => t.GetString()));
        Assert.Equal("web", written.FindText("spec", "basePackName"));
        Assert.Equal(result.Checksum, written.FindText("spec", "checksum"));
        Assert.Equal(result.Checksum, written.FindText("spec", "provenance", "buildID"));
        Assert.Equal(JsonValueKind.Undefined, written.Find("spec", "provenance", "buildTimestamp").ValueKind);
        Assert.Equal(JsonValueKind.Undefined, written.Find("spec", "executionOrder").ValueKind);
    }

    [Fact]
    public async Task What_the_pack_names_is_in_the_registry()
    {
        using var folder = PackFolder.With();
        var result = await BuildAsync(Path.Combine(PackFolder.Sample(), "pack.yaml"), folder.Output);
        using var client = new OciClient(new RegistryOptions());
        var source = new OciPackSource(client, new RegistryOptions());
        foreach (var layer in result.Layers)
        {
            var pulled = await source.PullLayerAsync(Repository, layer.Digest, default);
            Assert.Equal(layer.Objects.Select(o => o.Root.GetRawText()), pulled.Select(o => o.Root.GetRawText()));
        }
        var deployment = result.Layers.Single(l => l.Kind == PackLayerKind.Workload).Objects.Single(o => o.Kind == "Deployment");
        Assert.Contains("\"defaultMode\":292", deployment.Root.GetRawText(), StringComparison.Ordinal); // 0444
    }

    [Fact]
    public async Task The_same_input_gives_the_same_bytes_wherever_it_lies()
    {
        using var here = PackFolder.With(("a.yaml", PackFolder.ConfigMap));
        using var there = PackFolder.With(("a.yaml", PackFolder.ConfigMap));
        var first = await BuildAsync(here);
        var second = await BuildAsync(there);
        Assert.Equal(first.Layers.Select(l => l.Digest), second.Layers.Select(l => l.Digest));
        Assert.Equal(await File.ReadAllBytesAsync(first.File), await File.ReadAllBytesAsync(second.File));
    }

    [Fact]
    public async Task A_changed_manifest_gives_another_digest_and_checksum()
    {
        using var one = PackFolder.With(("a.yaml", PackFolder.ConfigMap));
        using var two = PackFolder.With(("a.yaml", PackFolder.ConfigMap.Replace("\"1\"", "\"2\"", StringComparison.Ordinal)));
        var first = await BuildAsync(one);
        var second = await BuildAsync(two);
        Assert.NotEqual(first.Layers.Single().Digest, second.Layers.Single().Digest);
        Assert.NotEqual(first.Checksum, second.Checksum);
    }

    [Fact]
    public async Task A_timestamp_is_written_when_it_is_given()
    {
        using var folder = PackFolder.With(("a.yaml", PackFolder.ConfigMap));
        var result = await BuildAsync(folder.InputFile, folder.Output, new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.FromHours(1)));
        Assert.Equal("2026-01-02T02:04:05Z", result.ClusterPack.FindText("spec", "provenance", "buildTimestamp"));
    }

    [Fact]
    public async Task Every_kind_goes_to_its_layer()
    {
        static string Cluster(string apiVersion, string kind) => $"---\napiVersion: {apiVersion}\nkind: {kind}\nmetadata: {{name: x}}\n";
        using var folder = PackFolder.With(("all.yaml",
            Cluster("rbac.authorization.k8s.io/v1", "ClusterRole") + Cluster("rbac.authorization.k8s.io/v1", "ClusterRoleBinding")
            + Cluster("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration") + Cluster("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration")
            + Cluster("apiregistration.k8s.io/v1", "APIService") + Cluster("scheduling.k8s.io/v1", "PriorityClass") + Cluster("storage.k8s.io/v1", "StorageClass")
            + Cluster("networking.k8s.io/v1", "IngressClass") + Cluster("cert-manager.io/v1", "ClusterIssuer") + Cluster("example.org/v1", "Planet")
            + Cluster("example.org/v1", "Unknown") + Cluster("v1", "PersistentVolume") + Cluster("other.example.org/v1", "ClusterRole")
            + "---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: planets.example.org}\n"
            + "spec: {group: example.org, scope: Cluster, names: {plural: planets, kind: Planet}, versions: [{name: v1, served: true, storage: true}]}\n"));
        var result = await BuildAsync(folder);
        Assert.Equal(["ClusterRole x", "ClusterRoleBinding x"], Names(result, PackLayerKind.Rbac));
        Assert.Equal(
            [
                "MutatingWebhookConfiguration x", "ValidatingWebhookConfiguration x", "APIService x", "PriorityClass x", "StorageClass x", "IngressClass x",
                "ClusterIssuer x", "Planet x", "CustomResourceDefinition planets.example.org",
            ],
            Names(result, PackLayerKind.ClusterScoped));
        Assert.Equal(["Unknown x", "PersistentVolume x", "ClusterRole x"], Names(result, PackLayerKind.Workload));
    }

    [Fact]
    public async Task Missing_namespaces_are_declared_first_and_those_of_every_cluster_never()
    {
        static string In(string ns, string name) => $"---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: {name}, namespace: {ns}}}\n";
        using var folder = PackFolder.With(
            ("a.yaml", In("zeta", "a") + In("alpha", "a") + In("kube-system", "a") + In("default", "a") + In("declared", "a")),
            ("b.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: declared}\n"));
        var result = await BuildAsync(folder);
        Assert.Equal(["Namespace alpha", "Namespace zeta", "Namespace declared"], Names(result, PackLayerKind.Workload));
    }

    [Fact]
    public async Task A_pack_without_workload_names_the_layer_it_has()
    {
        using var folder = PackFolder.With(("a.yaml", "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: x}\n"));
        var spec = (await BuildAsync(folder)).ClusterPack.Spec;
        Assert.Equal(spec.GetProperty("rbacDigest").GetString(), spec.GetProperty("registryRef").GetProperty("digest").GetString());
        Assert.False(spec.TryGetProperty("workloadDigest", out _));
        Assert.False(spec.TryGetProperty("clusterScopedDigest", out _));
    }

    [Fact]
    public async Task Files_are_read_by_name_and_never_fuse()
    {
        // No separator at the start or end of either.
        using var folder = PackFolder.With(
            ("b.yml", PackFolder.ConfigMap.Replace("name: a", "name: b", StringComparison.Ordinal).TrimEnd()),
            ("a.yaml", PackFolder.ConfigMap.TrimEnd()),
            ("c.json", """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","namespace":"web"}}"""),
            ("notes.txt", "not a manifest"));
        Assert.Equal(["Namespace web", "ConfigMap web/a", "ConfigMap web/b", "ConfigMap web/c"], Names(await BuildAsync(folder), PackLayerKind.Workload));
    }

    [Fact]
    public async Task A_secret_with_content_is_packed_when_the_author_says_so_and_an_empty_one_always()
    {
        const string Secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: default}\n";
        using var allowed = PackFolder.With(PackFolder.Input + "allowSecrets: true\n", ("a.yaml", Secret + "stringData: {a: b}\n"));
        Assert.Equal(["Secret default/s"], Names(await BuildAsync(allowed), PackLayerKind.Workload));
        using var empty = PackFolder.With(("a.yaml", Secret));
        Assert.Equal(["Secret default/s"], Names(await BuildAsync(empty), PackLayerKind.Workload));
    }

    [Fact]
    public async Task An_absent_registry_leaves_no_file_behind()
    {
        using var folder = PackFolder.With(("a.yaml", PackFolder.ConfigMap));
        using var client = new OciClient(new RegistryOptions { Attempts = 1 });
        var error = await Assert.ThrowsAsync<RegistryException>(() => PackBuild.RunAsync(
            new PackBuildRequest(folder.InputFile, folder.Output) { Registry = $"127.0.0.1:{FreePort.Next()}/x" }, client, default));
        Assert.Equal(RegistryReasons.RegistryUnreachable, error.Reason);
        Assert.False(Directory.Exists(folder.Output));
    }

    [Fact]
    public async Task An_output_that_cannot_be_written_is_an_error_that_says_so()
    {
        using var folder = PackFolder.With(("a.yaml", PackFolder.ConfigMap));
        await File.WriteAllTextAsync(folder.Output, "a file");
        var error = await Assert.ThrowsAsync<PackBuildException>(() => BuildAsync(folder));
        Assert.Contains("expected a folder that can be written", Assert.Single(error.Problems), StringComparison.Ordinal);
    }
}
