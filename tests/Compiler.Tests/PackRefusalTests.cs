using Governor.Compiler.Packs;
using Governor.Registry;

namespace Governor.Compiler.Tests;

/// <summary>Nothing here reaches a registry: everything is refused before.</summary>
public sealed class PackRefusalTests
{
    private static async Task<IReadOnlyList<string>> ProblemsAsync(PackFolder folder, string? registry = null)
    {
        using (folder)
        {
            using var client = new OciClient(new RegistryOptions { Attempts = 1 });
            var error = await Assert.ThrowsAsync<PackBuildException>(() =>
                PackBuild.RunAsync(new PackBuildRequest(folder.InputFile, folder.Output) { Registry = registry }, client, default));
            Assert.False(Directory.Exists(folder.Output));
            return [.. error.Problems.Select(p => p.Replace(folder.Path + Path.DirectorySeparatorChar, "", StringComparison.Ordinal))];
        }
    }

    private static async Task OnlyAsync(string expected, PackFolder folder, string? registry = null) =>
        Assert.Contains(expected, Assert.Single(await ProblemsAsync(folder, registry)), StringComparison.Ordinal);

    private static string Without(string key) =>
        string.Join('\n', PackFolder.Input.Split('\n').Where(line => !line.StartsWith(key + ":", StringComparison.Ordinal)));

    [Theory]
    [InlineData("name", "name: expected text, found none")]
    [InlineData("version", "version: expected text, found none")]
    [InlineData("registryUrl", "registryUrl: expected text, found none")]
    [InlineData("rawSource", "rawSource: expected a mapping with 'path', found none")]
    [InlineData("targetClusters", "namespace: expected the namespace of the ClusterPack")]
    public Task A_missing_field_is_named(string key, string expected) =>
        OnlyAsync($"pack.yaml: {expected}", PackFolder.With(Without(key), ("a.yaml", PackFolder.ConfigMap)));

    [Theory]
    [InlineData("name: Web", "name: expected a name of up to 63 lower-case letters, digits and '-', found '\"Web\"'")]
    [InlineData("name: 5", "name: expected text, found 5")]
    [InlineData("version: v1/2", "version: expected a version")]
    [InlineData("version: 1.0", "version: expected text, found 1.0")]
    [InlineData("registryUrl: https://x/y", "registryUrl: expected a repository as 'host[:port]/path'")]
    [InlineData("rawSource: manifests", "rawSource: expected a mapping with 'path', found \"manifests\"")]
    [InlineData("rawSource: {path: manifests, glob: x}", "rawSource.glob: expected only 'path', found an unknown field")]
    [InlineData("rawSource: {path: ''}", "rawSource.path: expected a folder or file")]
    [InlineData("rawSource: {path: nowhere}", "nowhere: expected a folder or file of manifests, found none")]
    [InlineData("targetClusters: ccs-dev", "targetClusters: expected a sequence of cluster names")]
    [InlineData("targetClusters: [a, a]", "targetClusters[1]: expected every cluster once, found 'a' again")]
    [InlineData("targetClusters: [A_B]", "targetClusters[0]: expected a cluster name")]
    [InlineData("targetClusters: [a, b]", "namespace: expected the namespace of the ClusterPack")]
    [InlineData("category: helm", "category: expected raw, found helm, which has to be rendered")]
    [InlineData("category: magic", "category: expected raw, found 'magic'")]
    [InlineData("namespace: Bad", "namespace: expected a name")]
    [InlineData("basePackName: Bad", "basePackName: expected a name")]
    [InlineData("allowSecrets: maybe", "allowSecrets: expected true or false, found \"maybe\"")]
    [InlineData("admissionProfileRef: x", "admissionProfileRef: expected one of name, version")]
    public Task A_bad_field_is_named_with_what_was_expected(string line, string expected) =>
        OnlyAsync(
            expected.Replace("'\"Web\"'", "'Web'", StringComparison.Ordinal),
            PackFolder.With(Without(line.Split(':')[0]) + "\n" + line + "\n", ("a.yaml", PackFolder.ConfigMap)));

    [Fact]
    public Task A_bad_registry_on_the_command_line_is_named_as_such() =>
        OnlyAsync("--registry: expected a repository", PackFolder.With(("a.yaml", PackFolder.ConfigMap)), "https://x");

    [Fact]
    public async Task A_description_that_cannot_be_read_is_an_error_that_says_so()
    {
        await OnlyAsync("pack.yaml: expected a readable file", PackFolder.With((string?)null));
        await OnlyAsync("pack.yaml: document 1, line", PackFolder.With("a: ["));
        await OnlyAsync("pack.yaml: expected a mapping", PackFolder.With("- a"));
        await OnlyAsync("pack.yaml: expected a mapping", PackFolder.With(""));
    }

    [Fact]
    public async Task A_source_without_objects_is_refused()
    {
        await OnlyAsync("manifests: expected at least one .yaml, .yml or .json file", PackFolder.With());
        await OnlyAsync("manifests: expected at least one object, found none", PackFolder.With(("a.yaml", "# nothing\n")));
    }

    [Fact]
    public Task Manifests_in_subfolders_are_not_left_out_silently() =>
        OnlyAsync("manifests/more: expected manifests at the top level", PackFolder.With(("a.yaml", PackFolder.ConfigMap), ("more/b.yaml", PackFolder.ConfigMap)));

    [Theory]
    [InlineData("apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: web}\ndata: {a: Yg==}", "Secret web/s: expected a Secret without 'data' and 'stringData'")]
    [InlineData("apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: web}\nstringData: {a: b}", "base64 is not encryption")]
    [InlineData("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}", "Deployment d: expected metadata.namespace, because the kind is namespaced, found none")]
    [InlineData("apiVersion: v1\nkind: Namespace\nmetadata: {name: n, namespace: x}", "expected no metadata.namespace, because the kind is cluster-scoped, found 'x'")]
    [InlineData("apiVersion: batch/v1\nkind: Job\nmetadata: {name: j, namespace: x, annotations: {helm.sh/hook: pre-install}}", "expected no Helm hooks")]
    [InlineData("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: x, uid: abc}", "expected no metadata.uid, because the API server sets it")]
    [InlineData("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: x, managedFields: []}", "expected no metadata.managedFields")]
    [InlineData("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: x}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: x}", "expected every object once")]
    [InlineData("kind: ConfigMap", "a.yaml: document 1, line 1: expected 'apiVersion', found none: no apiVersion")]
    [InlineData("a: [", "a.yaml: document 1, line")]
    public Task A_bad_object_is_named_with_its_file(string manifest, string expected) => OnlyAsync(expected, PackFolder.With(("a.yaml", manifest)));

    [Theory]
    [InlineData("scope: Everywhere, names: {plural: planets, kind: Planet}, versions: [{name: v1}]", "expected spec.scope Cluster or Namespaced")]
    [InlineData("scope: Cluster, names: {plural: moons, kind: Planet}, versions: [{name: v1}]", "expected the name 'moons.example.org', found 'planets.example.org'")]
    [InlineData("scope: Cluster, names: {plural: planets, kind: Planet}, versions: []", "expected spec.versions, found none")]
    public Task A_bad_definition_is_refused(string spec, string expected) => OnlyAsync(expected, PackFolder.With(("a.yaml",
        $"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: planets.example.org}}\nspec: {{group: example.org, {spec}}}\n")));

    [Fact]
    public Task A_custom_object_must_have_the_scope_that_the_packs_definition_gives_it() => OnlyAsync(
        "Planet p: expected metadata.namespace",
        PackFolder.With(("a.yaml",
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: planets.example.org}\n"
            + "spec: {group: example.org, scope: Namespaced, names: {plural: planets, kind: Planet}, versions: [{name: v1}]}\n"
            + "---\napiVersion: example.org/v1\nkind: Planet\nmetadata: {name: p}\n")));

    [Fact]
    public async Task Everything_that_is_wrong_is_said_at_once()
    {
        var problems = await ProblemsAsync(PackFolder.With(
            "name: Bad\nversion: 1\nregistryUrl: x\nrawSource: {path: manifests}\ntargetClusters: []\ntypo: 1\n",
            ("a.yaml", "kind: X"),
            ("b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, uid: x}\n"),
            ("c.yaml", "{")));
        Assert.Equal(9, problems.Count);
    }
}
