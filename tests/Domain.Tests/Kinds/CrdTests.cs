using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Domain.Kinds.Schemas;

namespace Governor.Domain.Tests.Kinds;

public sealed class CrdTests
{
    /// <summary>The kinds that the main job needs on the wire.</summary>
    public static TheoryData<string> Needed =>
    [
        "TalosCluster", "RunnerConfig", "ClusterPack", "PackExecution", "PackInstance", "RBACPolicy", "RBACProfile", "PermissionSet",
        "PermissionSnapshot", "IdentityBinding", "IdentityProvider", "SeamMembership", "InfrastructureLineageIndex", "PackReceipt", "DriftSignal",
    ];

    [Fact]
    public void The_files_in_deploy_crds_are_current()
    {
        var folder = Path.Combine(RepositoryRoot(), "deploy", "crds");
        var expected = CrdGenerator.All();
        if (Environment.GetEnvironmentVariable("GOVERNOR_REGENERATE") == "1")
            Regenerate(folder, expected);

        var found = Directory.EnumerateFiles(folder, "*.yaml").ToDictionary(path => Path.GetFileName(path), File.ReadAllText, StringComparer.Ordinal);
        var stale = expected.Where(file => found.GetValueOrDefault(file.FileName) != file.Text).Select(file => file.FileName)
            .Concat(found.Keys.Except(expected.Select(file => file.FileName)))
            .ToArray();

        Assert.True(stale.Length == 0,
            $"deploy/crds is not what the schemas say: {string.Join(", ", stale)}. Regenerate with GOVERNOR_REGENERATE=1 dotnet test tests/Domain.Tests");
    }

    [Fact]
    public void Generating_twice_gives_the_same_bytes() => Assert.Equal(CrdGenerator.All().AsEnumerable(), CrdGenerator.All());

    [Theory]
    [MemberData(nameof(Needed))]
    public void Every_needed_kind_has_a_definition_that_kubectl_can_show(string kind)
    {
        var crd = Definition(kind);
        var version = crd.Find("spec", "versions")[0];

        Assert.Equal(JsonValueKind.Object, version.GetProperty("subresources").GetProperty("status").ValueKind);
        Assert.Equal("Age", version.GetProperty("additionalPrinterColumns").EnumerateArray().Last().GetProperty("name").GetString());
        Assert.Contains("governor", crd.Find("spec", "names", "categories").EnumerateArray().Select(category => category.GetString()));
        var conditions = Property(version, "status", "conditions");
        Assert.Equal("map", conditions.GetProperty("x-kubernetes-list-type").GetString());
        Assert.Equal("type", conditions.GetProperty("x-kubernetes-list-map-keys")[0].GetString());
    }

    [Theory]
    [InlineData("TalosCluster")]
    [InlineData("RunnerConfig")]
    [InlineData("ClusterPack")]
    [InlineData("PackExecution")]
    [InlineData("PackInstance")]
    [InlineData("RBACPolicy")]
    [InlineData("RBACProfile")]
    [InlineData("PermissionSet")]
    [InlineData("PermissionSnapshot")]
    [InlineData("IdentityBinding")]
    [InlineData("IdentityProvider")]
    public void Lineage_can_be_neither_changed_nor_added_nor_removed(string kind)
    {
        var version = Definition(kind).Find("spec", "versions")[0];

        Assert.Contains("self == oldSelf", Rules(Property(version, "spec", "lineage")));
        Assert.Contains("has(self.lineage) == has(oldSelf.lineage)", Rules(Property(version, "spec")));
    }

    [Theory]
    [InlineData("version", false)]
    [InlineData("registryRef", false)]
    [InlineData("checksum", true)]
    [InlineData("rbacDigest", true)]
    [InlineData("workloadDigest", true)]
    [InlineData("clusterScopedDigest", true)]
    [InlineData("executionOrder", true)]
    [InlineData("basePackName", true)]
    [InlineData("chartVersion", true)]
    public void The_content_of_a_pack_is_immutable(string field, bool optional)
    {
        var version = Definition("ClusterPack").Find("spec", "versions")[0];

        Assert.Contains("self == oldSelf", Rules(Property(version, "spec", field)));
        Assert.Equal(optional, Rules(Property(version, "spec")).Contains($"has(self.{field}) == has(oldSelf.{field})"));
    }

    [Theory]
    [InlineData("targetClusters")]
    [InlineData("rollbackToRevision")]
    public void Where_a_pack_goes_and_back_to_what_can_be_changed(string field) =>
        Assert.Empty(Rules(Property(Definition("ClusterPack").Find("spec", "versions")[0], "spec", field)));

    [Theory]
    [MemberData(nameof(Needed))]
    public void Every_schema_is_structural(string kind) =>
        AssertStructural(Definition(kind).Find("spec", "versions")[0].GetProperty("schema").GetProperty("openAPIV3Schema"), kind);

    private static void AssertStructural(JsonElement schema, string path)
    {
        var type = schema.GetProperty("type").GetString();
        if (type == "array")
        {
            Assert.True(schema.TryGetProperty("items", out var items), $"{path}: an array says what its items are");
            AssertStructural(items, $"{path}[]");
            if (schema.TryGetProperty("x-kubernetes-list-map-keys", out var keys))
                foreach (var key in keys.EnumerateArray().Select(key => key.GetString()))
                    Assert.Contains(key, items.GetProperty("required").EnumerateArray().Select(required => required.GetString()));
        }
        if (!schema.TryGetProperty("properties", out var properties))
            return;
        Assert.Equal("object", type);
        foreach (var property in properties.EnumerateObject())
            AssertStructural(property.Value, $"{path}.{property.Name}");
        if (schema.TryGetProperty("required", out var names))
            foreach (var name in names.EnumerateArray())
                Assert.True(properties.TryGetProperty(name.GetString()!, out _), $"{path} requires '{name}', which it does not have");
    }

    private static KubeObject Definition(string kind) =>
        CrdGenerator.Objects().Single(crd => crd.FindText("spec", "names", "kind") == kind);

    private static JsonElement Property(JsonElement version, params ReadOnlySpan<string> path)
    {
        var at = version.GetProperty("schema").GetProperty("openAPIV3Schema");
        foreach (var step in path)
            at = at.GetProperty("properties").GetProperty(step);
        return at;
    }

    private static string[] Rules(JsonElement schema) =>
        schema.TryGetProperty("x-kubernetes-validations", out var rules)
            ? [.. rules.EnumerateArray().Select(rule => rule.GetProperty("rule").GetString()!)]
            : [];

    private static void Regenerate(string folder, IEnumerable<GeneratedFile> files)
    {
        Directory.CreateDirectory(folder);
        foreach (var old in Directory.EnumerateFiles(folder, "*.yaml"))
            File.Delete(old);
        foreach (var file in files)
            File.WriteAllText(Path.Combine(folder, file.FileName), file.Text);
    }

    private static string RepositoryRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Governor.sln")))
                return folder.FullName;
        throw new InvalidOperationException($"expected Governor.sln above {AppContext.BaseDirectory}, found none");
    }
}
