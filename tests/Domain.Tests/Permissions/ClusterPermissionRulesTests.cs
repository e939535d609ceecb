using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using static Governor.Domain.Tests.Permissions.EffectivePermissionTests;
using static Governor.Domain.Tests.Permissions.SmallUniverse;

namespace Governor.Domain.Tests.Permissions;

public sealed class ClusterPermissionRulesTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Nothing_is_granted_before_it_is_known_whether_the_platform_has_a_ceiling()
    {
        var state = Told(PermissionState.Initial(Cluster), Granting("one", GrantOf("core pods get", "* * *")));
        Assert.Null(state.Snapshot);
        Assert.Contains(ClusterPermissionRules.Outbox(state), letter => letter.To == PlatformCeiling.PolicyAddress);

        Assert.NotEmpty(Told(state, NoPlatform).Snapshot!.Permissions.Principals);
    }

    [Theory]
    [InlineData("core pods list", "PlatformCeilingApplied", "list core/pods")]
    [InlineData("apps * *", "PlatformCeilingApplied", "")]
    [InlineData(null, "PlatformCeilingMissing", "")]
    public void The_platform_s_ceiling_cuts_and_one_that_was_declared_and_is_gone_closes(string? rules, string reason, string expected)
    {
        var state = Told(PermissionState.Initial(Cluster), NoPlatform, Granting("one", GrantOf("core pods get,list", "* * *")), Platform(rules, 2));

        Assert.Equal(expected, string.Join("; ", state.Snapshot!.Permissions.Principals.SelectMany(held => held.Rules)));
        Assert.Equal(reason, state.Conditions.Find("PlatformCeilingResolved")!.Reason);
    }

    [Fact]
    public void Change_by_change_comes_out_what_computing_everything_does() => FsCheck.Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(200), Prop.ForAll(Changes.ToArbitrary(), changes =>
        {
            var state = Told(PermissionState.Initial(Cluster), NoPlatform);
            var version = 0L;
            foreach (var (grant, profile, present) in changes)
                state = Told(state, Granting($"p{profile}", present ? grant with { Profile = new ObjectKey("ns", $"p{profile}"), PlatformCeiling = null } : null, ++version));

            var whole = EffectivePermissions.Compute(Cluster, [.. state.Grants.Values.Select(fact => fact.Grant).OfType<Grant>()]);
            return PermissionSnapshot.VersionOf(whole) == (state.Snapshot?.Version ?? PermissionSnapshot.VersionOf(ClusterPermissions.None(Cluster)));
        }));

    [Fact]
    public void What_is_about_to_be_written_is_remembered_once_and_only_the_newest_of_it()
    {
        var state = PermissionState.Initial(Cluster);
        foreach (var write in Enumerable.Range(1, 20).SelectMany(n => new[] { n, n }))
            state = ClusterPermissionRules.Decide(state, new PermissionInput.Writing($"sha256:{write}"), Noon).State;

        Assert.Equal(Enumerable.Range(5, 16).Select(n => $"sha256:{n}"), state.Intended);
    }

    [Fact]
    public void Losing_the_last_grant_leaves_an_empty_snapshot_and_equal_content_never_churns_it()
    {
        var granted = Told(PermissionState.Initial(Cluster), NoPlatform, Granting("one", GrantOf("core pods get", "* * *")));
        var again = Told(granted, Granting("one", GrantOf("core pods get", "* * *"), 2));
        Assert.Equal(granted.Snapshot!.GeneratedAt, again.Snapshot!.GeneratedAt);

        var empty = Told(again, Granting("one", null, 3));
        Assert.Empty(empty.Snapshot!.Permissions.Principals);
        Assert.NotEqual(again.Snapshot.Version, empty.Snapshot.Version);
    }

    [Theory]
    [InlineData("", "", false)]
    [InlineData("", "a", false)]
    [InlineData("a", "", true)]
    [InlineData("a", "a", false)]
    [InlineData("a", "b", true)]
    [InlineData("a", "a ", true)]
    public void Drift_is_whatever_is_not_acknowledged_to_the_letter(string expected, string acknowledged, bool drifts) =>
        Assert.Equal(drifts, PermissionState.HasDrift(expected, acknowledged));

    [Fact]
    public void A_cluster_that_is_called_management_does_not_take_the_management_cluster_s_snapshot()
    {
        var state = PermissionState.Initial(new("management")) with { Snapshot = PermissionSnapshot.Build(ClusterPermissions.None(new("management")), Noon) };

        Assert.Null(ClusterPermissionRules.Desired(state, new("ccs-mgmt")));
        Assert.NotNull(ClusterPermissionRules.Desired(state, new("management")));
    }

    private static Gen<(Grant Grant, int Profile, bool Present)[]> Changes { get; } = Gen.ArrayOf(
        from grant in AGrant
        from profile in Gen.Choose(0, 3)
        from present in Gen.Elements(true, true, false)
        select (grant, profile, present));

    private static PolicyStanding NoPlatform => new(PlatformCeiling.Policy, null, null) { Version = 1 };

    private static PolicyStanding Platform(string? rules, long version)
    {
        var policy = new RbacPolicy(PlatformCeiling.Policy, "u", 1, SubjectScope.Platform, [], "management-maximum", EnforcementMode.Strict);
        return rules is null
            ? new PolicyStanding(PlatformCeiling.Policy, null, null) { WasDeclared = true, Version = version }
            : new PolicyStanding(
                PlatformCeiling.Policy, new Reading<RbacPolicy>(policy, []), new Reading<PermissionSet>(new PermissionSet(policy.MaximumPermissionSet, "s", 1, "", Rules(rules)), []))
            { WasDeclared = true, Version = version };
    }

    private static GrantFact Granting(string profile, Grant? grant, long version = 1) => new(new ObjectKey("ns", profile), grant) { Version = version };

    private static PermissionState Told(PermissionState state, params ReadOnlySpan<Fact> facts)
    {
        foreach (var fact in facts)
            state = ClusterPermissionRules.Decide(state, new PermissionInput.Told(fact), Noon).State;
        return state;
    }
}
