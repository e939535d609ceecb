using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Domain.Kinds.Schemas;

namespace Governor.Domain.Tests.Kinds;

public sealed class CrdTests
{
    /// <summary>Every kind of the table: none goes without a definition.</summary>
    public static TheoryData<string> Every => [.. KindTable.Default.Kinds.Select(kind => kind.Kind)];

    /// <summary>The kinds that carry a sealed lineage.</summary>
    public static TheoryData<string> Sealed =>
        [.. KindTable.Default.Kinds.Where(kind => kind.LineageRoot != LineageRoot.Never).Select(kind => kind.Kind), "PermissionSnapshot"];

    [Fact]
    public void There_is_one_definition_for_every_kind_of_the_table_and_none_besides() =>
        Assert.Equal(
            KindTable.Default.Kinds.Select(kind => kind.CrdName).Order(StringComparer.Ordinal),
            CrdGenerator.Objects().Select(crd => crd.Name).Order(StringComparer.Ordinal));

    [Fact]
    public void Generating_twice_gives_the_same_bytes() => Assert.Equal(CrdGenerator.All().AsEnumerable(), CrdGenerator.All());

    [Theory]
    [MemberData(nameof(Every))]
    public void Every_kind_has_a_definition_that_kubectl_can_show(string kind)
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
    [MemberData(nameof(Sealed))]
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
    [InlineData("TalosControlPlane", true)]
    [InlineData("TalosWorkerConfig", false)]
    [InlineData("NodeOperation", false)]
    public void Only_a_kind_with_one_number_of_replicas_scales(string kind, bool expected)
    {
        var version = Definition(kind).Find("spec", "versions")[0];

        Assert.Equal(expected, version.GetProperty("subresources").TryGetProperty("scale", out var scale));
        if (!expected)
            return;
        Assert.Equal(".spec.replicas", scale.GetProperty("specReplicasPath").GetString());
        Assert.Equal("integer", Property(version, "spec", "replicas").GetProperty("type").GetString());
        Assert.Equal("integer", Property(version, "status", "replicas").GetProperty("type").GetString());
    }

    [Theory]
    [InlineData("EtcdMaintenance", "operation", "backup,restore,defrag")]
    [InlineData("NodeMaintenance", "operation", "patch,hardening-apply,credential-rotate")]
    [InlineData("NodeOperation", "operation", "scale-up,decommission,reboot,rollback")]
    [InlineData("MaintenanceBundle", "operation", "drain,upgrade,etcd-backup,machineconfig-rotation")]
    [InlineData("UpgradePolicy", "upgradeType", "talos,kubernetes,stack")]
    [InlineData("DriftSignal", "state", "pending,delivered,queued,confirmed")]
    [InlineData("DomainRelationship", "relationshipType", "signs,provisions,delegates,governs,observes,depends-on,extends")]
    [InlineData("AppAuditPolicy", "transportPath", "conductor-federation,direct")]
    [InlineData("MachineConfig", "role", "init,controlplane,worker")]
    public void An_enum_has_the_values_of_the_specification(string kind, string field, string expected) =>
        Assert.Equal(
            expected.Split(','),
            Property(Definition(kind).Find("spec", "versions")[0], "spec", field).GetProperty("enum").EnumerateArray().Select(value => value.GetString()));

    [Fact]
    public void Every_kind_has_a_short_name_and_what_an_operator_looks_for_is_in_the_narrow_view()
    {
        foreach (var crd in CrdGenerator.Objects())
        {
            Assert.NotEmpty(crd.Find("spec", "names", "shortNames").EnumerateArray());
            var columns = crd.Find("spec", "versions")[0].GetProperty("additionalPrinterColumns").EnumerateArray().ToArray();
            Assert.True(columns.Length > 1, $"{crd.Name}: expected a column besides Age");
            Assert.Equal(columns.Length, columns.Select(column => column.GetProperty("name").GetString()).Distinct().Count());
            Assert.DoesNotContain(columns, column => column.GetProperty("name").GetString() == "Name");
        }
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
}
