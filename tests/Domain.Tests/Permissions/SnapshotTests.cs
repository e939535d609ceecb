using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Clusters;
using Governor.Domain.Permissions;
using static Governor.Domain.Tests.Permissions.EffectivePermissionTests;
using static Governor.Domain.Tests.Permissions.SmallUniverse;

namespace Governor.Domain.Tests.Permissions;

public sealed class SnapshotTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(3600, 0, true)]
    [InlineData(3600, 3599, true)]
    [InlineData(3600, 3600, true)]
    [InlineData(3600, 3600.001, false)]
    [InlineData(3600, 7200, false)]
    [InlineData(60, 61, false)]
    [InlineData(0, 3600, true)]
    [InlineData(0, 3601, false)]
    [InlineData(-5, 3600, true)]
    public void A_snapshot_is_fresh_up_to_the_end_of_its_window(int window, double age, bool fresh)
    {
        var until = Noon.AddSeconds(window > 0 ? window : 3600);

        var freshness = SnapshotFreshness.Evaluate(Noon, TimeSpan.FromSeconds(window), Noon.AddSeconds(age));

        Assert.Equal(fresh ? new FreshSnapshot(until) : new StaleSnapshot(until), freshness);
        Assert.Equal(fresh ? "SnapshotFresh" : "SnapshotStale", freshness.ToClaim().Reason);
    }

    [Fact]
    public void It_is_refreshed_before_it_lapses()
    {
        var snapshot = PermissionSnapshot.Build(ClusterPermissions.None(Cluster), Noon);

        Assert.Equal(Noon.AddSeconds(2880), snapshot.RefreshAt);
        Assert.IsType<FreshSnapshot>(snapshot.FreshnessAt(snapshot.RefreshAt));
        Assert.IsType<StaleSnapshot>(snapshot.FreshnessAt(Noon.AddSeconds(3601)));
    }

    [Fact]
    public void Refreshing_does_not_change_the_version()
    {
        var permissions = EffectivePermissions.Compute(Cluster, [GrantOf("core pods get", "* * *")]);

        var snapshot = PermissionSnapshot.Build(permissions, Noon);

        Assert.StartsWith("sha256:", snapshot.Version, StringComparison.Ordinal);
        Assert.Equal(snapshot.Version, snapshot.Refreshed(Noon.AddHours(1)).Version);
        Assert.Equal(snapshot.Version, PermissionSnapshot.Build(permissions, Noon.AddDays(1)).Version);
    }

    [Fact]
    public void Equal_rights_on_another_cluster_are_another_version() =>
        Assert.NotEqual(PermissionSnapshot.VersionOf(ClusterPermissions.None(Cluster)), PermissionSnapshot.VersionOf(ClusterPermissions.None(new ClusterName("other"))));

    [Fact]
    public void The_spec_carries_names_and_namespaces_and_writes_rights_once()
    {
        var named = GrantOf("core secrets get a,b", "* * *");
        var inTwo = named with
        {
            Declarations = [new GrantedDeclaration(new("ns", "set"), DeclarationScope.Namespaced, ["green", "blue"], Rules("apps deployments get,list"))],
        };

        var spec = PermissionSnapshot.Build(EffectivePermissions.Compute(Cluster, [named, inTwo]), Noon).ToSpec();

        var expected = JsonNode.Parse("""
            [{"principalRef": "system:serviceaccount:blue:runner", "allowedOperations": [
              {"apiGroup": "", "resource": "secrets", "verbs": ["get"], "resourceNames": ["a", "b"]},
              {"apiGroup": "apps", "resource": "deployments", "verbs": ["get", "list"], "namespaces": ["blue", "green"]}]}]
            """);
        Assert.True(JsonNode.DeepEquals(expected, spec["principalPermissions"]), spec.ToJsonString());
        Assert.Equal("2026-03-01T12:00:00Z", (string?)spec["generatedAt"]);
        Assert.Equal(3600, (int?)spec["freshnessWindowSeconds"]);
        Assert.Equal("ccs-dev", (string?)spec["targetCluster"]);
    }

    [Fact]
    public void A_cluster_without_grants_has_an_empty_snapshot()
    {
        var spec = PermissionSnapshot.Build(EffectivePermissions.Compute(Cluster, []), Noon).ToSpec();

        Assert.Empty(spec["principalPermissions"]!.AsArray());
    }

    [Theory]
    [InlineData("ccs-mgmt", "snapshot-management")]
    [InlineData("ccs-dev", "snapshot-ccs-dev")]
    public void The_object_is_named_after_its_cluster(string cluster, string name) =>
        Assert.Equal(name, PermissionSnapshot.ObjectName(new ClusterName(cluster), new ClusterName("ccs-mgmt")));

    [Fact]
    public void A_snapshot_and_its_freshness_survive_JSON()
    {
        var snapshot = PermissionSnapshot.Build(EffectivePermissions.Compute(Cluster, [GrantOf("core pods get a", "* * *")]), Noon);
        SnapshotFreshness freshness = new StaleSnapshot(Noon);

        var back = JsonSerializer.Deserialize<PermissionSnapshot>(JsonSerializer.Serialize(snapshot))!;

        Assert.Equal(snapshot.ToSpec().ToJsonString(), back.ToSpec().ToJsonString());
        Assert.Equal(snapshot.Version, PermissionSnapshot.VersionOf(back.Permissions));
        Assert.Equal(freshness, JsonSerializer.Deserialize<SnapshotFreshness>(JsonSerializer.Serialize(freshness)));
    }
}
