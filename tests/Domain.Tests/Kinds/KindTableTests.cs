using System.Text.Json.Nodes;
using Governor.Domain.Kinds;

namespace Governor.Domain.Tests.Kinds;

public sealed class KindTableTests
{
    [Theory]
    [InlineData("security.ontai.dev", "RBACPolicy", "rbacpolicies", "guardian")]
    [InlineData("platform.ontai.dev", "TalosCluster", "talosclusters", "platform")]
    [InlineData("infra.ontai.dev", "ClusterPack", "clusterpacks", "wrapper")]
    [InlineData("infra.ontai.dev", "PackExecution", "packexecutions", "wrapper")]
    [InlineData("runner.ontai.dev", "RunnerConfig", "runnerconfigs", "conductor")]
    [InlineData("infrastructure.ontai.dev", "InfrastructureLineageIndex", "infrastructurelineageindices", "seam-core")]
    [InlineData("infrastructure.ontai.dev", "SeamMembership", "seammemberships", "guardian")]
    public void A_kind_is_found_by_its_type(string group, string kind, string plural, string owner)
    {
        var found = KindTable.Default.Get(new GroupVersionKind(group, "v1alpha1", kind));

        Assert.Equal((plural, owner, $"{plural}.{group}"), (found.Plural, found.Owner.Name(), found.CrdName));
    }

    [Theory]
    [InlineData("infrastructure.ontai.dev", "InfrastructureClusterPack", "ClusterPack")]
    [InlineData("infrastructure.ontai.dev", "InfrastructureTalosCluster", "TalosCluster")]
    [InlineData("infrastructure.ontai.dev", "InfrastructureRunnerConfig", "RunnerConfig")]
    [InlineData("guardian.ontai.dev", "RBACPolicy", "RBACPolicy")]
    [InlineData("seam.ontai.dev", "SeamMembership", "SeamMembership")]
    [InlineData("seam.ontai.dev", "LineageRecord", "InfrastructureLineageIndex")]
    public void An_alias_is_found_only_when_its_set_is_active(string group, string kind, string canonical)
    {
        var alias = new GroupVersionKind(group, "v1alpha1", kind);

        Assert.Null(KindTable.Default.Find(alias));
        Assert.Null(KindTable.Default.WithAliases(AliasSets.All.Where(set => set != group)).Find(alias));
        Assert.Equal(canonical, KindTable.Default.WithAliases(group).Get(alias).Kind);
        Assert.Equal(canonical, KindTable.Default.WithAliases(AliasSets.All).Canonical(alias).Kind);
    }

    [Fact]
    public void An_unknown_alias_set_is_refused_with_the_sets_there_are()
    {
        var refused = Assert.Throws<ArgumentException>(() => KindTable.Default.WithAliases("seam.ontai.dev", "sea.ontai.dev"));

        Assert.Contains("found sea.ontai.dev", refused.Message, StringComparison.Ordinal);
        Assert.Contains("guardian.ontai.dev", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_two_kinds_of_a_group_share_a_plural_and_no_two_kinds_share_a_short_name()
    {
        var kinds = KindTable.Default.Kinds;

        Assert.Equal(kinds.Length, kinds.Select(kind => kind.CrdName).Distinct().Count());
        var shortNames = kinds.SelectMany(kind => kind.ShortNames).ToArray();
        Assert.Equal(shortNames.Length, shortNames.Distinct().Count());
    }

    [Fact]
    public void All_alias_sets_together_name_every_kind_once()
    {
        var table = KindTable.Default.WithAliases(AliasSets.All);
        var names = table.Kinds.SelectMany(table.Names).ToArray();

        Assert.Equal(names.Length, names.Distinct().Count());
        Assert.All(table.Kinds, kind => Assert.All(table.Names(kind), name => Assert.Same(kind, table.Find(name))));
    }

    [Theory]
    [InlineData("TalosCluster", false, true)]
    [InlineData("ClusterPack", false, true)]
    [InlineData("RBACPolicy", true, true)]
    [InlineData("PackExecution", false, true)]
    [InlineData("PackExecution", true, false)]
    [InlineData("PackInstance", true, false)]
    [InlineData("RunnerConfig", true, false)]
    [InlineData("RunnerConfig", false, true)]
    [InlineData("PermissionSnapshot", false, false)]
    [InlineData("InfrastructureLineageIndex", false, false)]
    public void An_object_is_a_root_when_a_human_declared_it(string kind, bool isSealed, bool expected)
    {
        var description = KindTable.Default.Kinds.Single(row => row.Kind == kind);
        var spec = isSealed ? new JsonObject { ["lineage"] = new JsonObject { ["rootKind"] = "ClusterPack" } } : [];
        var candidate = KubeObject.From(new JsonObject { ["apiVersion"] = description.Gvk.ApiVersion, ["kind"] = kind, ["spec"] = spec });

        Assert.Equal(expected, description.IsRoot(candidate));
    }
}
