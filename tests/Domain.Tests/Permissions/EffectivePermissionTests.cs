using System.Collections.Immutable;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using static Governor.Domain.Tests.Permissions.SmallUniverse;

namespace Governor.Domain.Tests.Permissions;

public sealed class EffectivePermissionTests
{
    private const string Runner = "system:serviceaccount:blue:runner";

    /// <summary>Rules are written <c>groups resources verbs [names]</c>, lists with commas, core for the core group.</summary>
    [Theory]
    [InlineData("core pods get,list", "core pods get,list,delete", "get,list core/pods")]
    [InlineData("core pods get,delete", "core pods get,list", "get core/pods")]
    [InlineData("core pods get", "apps pods get", "")]
    [InlineData("core pods get", "core secrets get", "")]
    [InlineData("core pods get", "* * *", "get core/pods")]
    [InlineData("* * *", "core pods get", "get core/pods")]
    [InlineData("* pods *", "core * get;apps pods list", "get core/pods;list apps/pods")]
    [InlineData("core secrets get", "core secrets get a,b", "get core/secrets named a,b")]
    [InlineData("core secrets get a,b", "core secrets get", "get core/secrets named a,b")]
    [InlineData("core secrets get a,b", "core secrets get b,c", "get core/secrets named b")]
    [InlineData("core secrets get a", "core secrets get b", "")]
    [InlineData("core secrets get a;core secrets delete b", "core secrets *", "get core/secrets named a;delete core/secrets named b")]
    [InlineData("core secrets get,delete", "core secrets get;core secrets delete a", "get core/secrets;delete core/secrets named a")]
    [InlineData("core secrets get a;core secrets get b", "core secrets get", "get core/secrets named a,b")]
    [InlineData("core secrets get a;core secrets get", "core secrets get", "get core/secrets")]
    [InlineData("core pods get;core * get", "* * *", "get core/*")]
    [InlineData("core pods/log get", "core */log get", "get core/pods/log")]
    [InlineData("core */log get", "core pods,pods/log get", "get core/pods/log")]
    [InlineData("core pods/log get", "core pods get", "")]
    [InlineData("core pods get", "core pods/log get", "")]
    [InlineData("core pods fly", "core pods *", "")]
    public void Declared_meets_ceiling(string declared, string ceiling, string expected)
    {
        var effective = EffectivePermissions.Compute(Cluster, [GrantOf(declared, ceiling)]);

        Assert.Equal(expected, string.Join(';', effective.Of(Runner)?.Rules.Select(rule => rule.ToString()) ?? []));
    }

    [Fact]
    public void A_service_account_gets_a_namespaced_declaration_in_its_own_namespace_only()
    {
        var effective = EffectivePermissions.Compute(Cluster, [Namespaced(GrantOf("core pods,nodes get", "* * *"))]);

        Assert.True(effective.Allows(Runner, "", "pods", "get", @namespace: "blue"));
        Assert.False(effective.Allows(Runner, "", "pods", "get", @namespace: "green"));
        Assert.False(effective.Allows(Runner, "", "pods", "get"));
        Assert.False(effective.Allows(Runner, "", "nodes", "get"));
    }

    [Fact]
    public void A_named_identity_without_namespaces_gets_nothing_from_a_namespaced_declaration() =>
        Assert.Empty(EffectivePermissions.Compute(Cluster, [Namespaced(GrantOf("core pods get", "* * *")) with { Principal = "alice" }]).Principals);

    [Fact]
    public void A_rule_with_names_does_not_allow_a_request_without_one()
    {
        var effective = EffectivePermissions.Compute(Cluster, [GrantOf("core secrets get a", "* * *")]);

        Assert.True(effective.Allows(Runner, "", "secrets", "get", "a", "blue"));
        Assert.False(effective.Allows(Runner, "", "secrets", "get", "b", "blue"));
        Assert.False(effective.Allows(Runner, "", "secrets", "get", null, "blue"));
    }

    [Fact]
    public void Ceilings_of_two_tenants_with_equal_names_never_mix()
    {
        var blue = GrantOf("core pods get,delete", "core pods get") with { Principal = "blue" };
        var green = GrantOf("core pods get,delete", "core pods delete") with { Principal = "green" };

        var effective = EffectivePermissions.Compute(Cluster, [blue, green]);

        Assert.Equal(["get core/pods"], effective.Of("blue")!.Rules.Select(rule => rule.ToString()));
        Assert.Equal(["delete core/pods"], effective.Of("green")!.Rules.Select(rule => rule.ToString()));
    }

    [Fact]
    public void The_platform_ceiling_cuts_what_the_cluster_ceiling_leaves()
    {
        var grant = GrantOf("core pods get,list,delete", "core pods get,delete") with { PlatformCeiling = CeilingOf(Rules("core * get,list")) };

        Assert.Equal(["get core/pods"], EffectivePermissions.Compute(Cluster, [grant]).Of(Runner)!.Rules.Select(rule => rule.ToString()));
    }

    [Fact]
    public void Who_can_names_every_principal_that_may()
    {
        var effective = EffectivePermissions.Compute(Cluster,
        [
            GrantOf("core pods get", "* * *") with { Principal = "zoe" },
            GrantOf("core * *", "* * *") with { Principal = "alice" },
            GrantOf("core secrets get", "* * *") with { Principal = "mallory" },
        ]);

        Assert.Equal(["alice", "zoe"], effective.WhoCan("", "pods", "get"));
    }

    [Theory]
    [InlineData("core pods get", "core pods get,list", RightOutcome.Granted, "WithinCeiling")]
    [InlineData("core pods get,list", "core pods get", RightOutcome.Narrowed, "NarrowedByClusterCeiling")]
    [InlineData("core pods get", "core pods get a", RightOutcome.Narrowed, "NarrowedByClusterCeiling")]
    [InlineData("core pods get", "apps * get", RightOutcome.Dropped, "OutsideClusterCeiling")]
    [InlineData("core pods delete", "core pods *", RightOutcome.Dropped, "OutsidePlatformCeiling")]
    [InlineData("core pods get,delete", "core pods *", RightOutcome.Narrowed, "NarrowedByPlatformCeiling")]
    [InlineData("core pods fly", "core pods *", RightOutcome.Dropped, "VerbUnknown")]
    public void Every_declared_right_is_explained(string declared, string ceiling, RightOutcome outcome, string reason)
    {
        var grant = GrantOf(declared, ceiling) with { PlatformCeiling = CeilingOf(Rules("core pods get,list,watch")) };

        var right = Assert.Single(Explanation.Explain(grant));

        Assert.Equal((outcome, reason), (right.Outcome, right.Reason));
        Assert.Equal(reason is "OutsideClusterCeiling" or "VerbUnknown" ? "" : "0", string.Join(',', right.ClusterCeilingRules));
    }

    internal static Grant GrantOf(string declared, string ceiling) => new(
        Runner, new ObjectKey("seam-tenant-ccs-dev", "runner"),
        [new GrantedDeclaration(new ObjectKey("seam-tenant-ccs-dev", "claim"), DeclarationScope.Cluster, [], Rules(declared))],
        CeilingOf(Rules(ceiling)));

    internal static ImmutableArray<PermissionRule> Rules(string text) => [.. text.Split(';').Select(Rule)];

    private static PermissionRule Rule(string text)
    {
        var parts = text.Split(' ');
        return new PermissionRule(List(parts[0].Replace("core", "", StringComparison.Ordinal)), List(parts[1]), List(parts[2]), parts.Length > 3 ? List(parts[3]) : []);
    }

    private static ImmutableArray<string> List(string text) => [.. text.Split(',')];

    private static Grant Namespaced(Grant grant) =>
        grant with { Declarations = [.. grant.Declarations.Select(declaration => declaration with { Scope = DeclarationScope.Namespaced })] };
}
