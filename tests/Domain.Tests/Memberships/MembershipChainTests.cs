using System.Collections.Immutable;
using System.Text.Json;
using Governor.Domain.Kinds;
using Governor.Domain.Memberships;
using Governor.Domain.Permissions;
using Governor.Domain.Tests.Permissions;

namespace Governor.Domain.Tests.Memberships;

public sealed class MembershipChainTests
{
    private const string Other = "system:serviceaccount:web:other";

    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("none", false, false, "DomainIdentityMismatch")]
    [InlineData("other-identity", false, false, "DomainIdentityMismatch")]
    [InlineData("other-principal", false, false, "PrincipalMismatch")]
    [InlineData("other-namespace", false, false, "DomainIdentityMismatch")]
    [InlineData("both-apart", false, false, "PrincipalMismatch")]
    [InlineData("own-unprovisioned", true, false, "RBACProfileNotProvisioned")]
    [InlineData("own", true, true, "MembershipAdmitted")]
    [InlineData("own-and-other-principal", true, true, "MembershipAdmitted")]
    public void The_first_link_that_does_not_hold_is_named_and_both_conditions_are_always_right(string given, bool validated, bool admitted, string reason)
    {
        var verdict = MembershipChain.Evaluate(Membership(), Profiles(given), null, Noon);

        Assert.Equal((validated, admitted, reason), (verdict.Validated, verdict.Admitted, verdict.Reason));
        Assert.Equal(validated, Status(verdict, "Validated"));
        Assert.Equal(admitted, Status(verdict, "Admitted"));
        Assert.Equal(admitted, Status(verdict, "Ready"));
        Assert.Equal(admitted ? "snapshot-management" : "", verdict.SnapshotRef);
        Assert.Equal(admitted, verdict.WaitsFor.IsEmpty);
        Assert.Equal(admitted ? Noon : null, verdict.AdmittedAt);
    }

    [Fact]
    public void Losing_admission_clears_it_and_keeps_when_it_was_first_admitted()
    {
        var first = MembershipChain.Evaluate(Membership(), Profiles("own"), null, Noon);
        var lost = MembershipChain.Evaluate(Membership(), Profiles("none"), first.AdmittedAt, Noon.AddHours(1));
        var again = MembershipChain.Evaluate(Membership(), Profiles("own"), lost.AdmittedAt, Noon.AddHours(2));

        Assert.Equal((false, "", (DateTimeOffset?)Noon), (lost.Admitted, lost.SnapshotRef, lost.AdmittedAt));
        Assert.False(Status(lost, "Admitted"));
        Assert.Equal((true, (DateTimeOffset?)Noon), (again.Admitted, again.AdmittedAt));
    }

    [Fact]
    public void No_stale_condition_survives_in_the_status()
    {
        var admitted = ImmutableArray<Condition>.Empty.Apply(MembershipChain.Evaluate(Membership(), Profiles("own"), null, Noon).Claims, 1, Noon);
        var lost = admitted.Apply(MembershipChain.Evaluate(Membership(), Profiles("own-unprovisioned"), Noon, Noon.AddHours(1)).Claims, 1, Noon.AddHours(1));

        Assert.True(lost.IsTrue("Validated"));
        Assert.False(lost.IsTrue("Admitted"));
        Assert.Equal(Noon, lost.Find("Validated")!.LastTransitionTime);
        Assert.Equal(Noon.AddHours(1), lost.Find("Admitted")!.LastTransitionTime);
    }

    [Theory]
    [InlineData("infrastructure", "snapshot-management")]
    [InlineData("application", "snapshot-wrapper")]
    public void The_snapshot_follows_the_tier(string tier, string snapshot) => Assert.Equal(snapshot,
        MembershipChain.Evaluate(Membership("tier", $"\"{tier}\""), Profiles("own"), null, Noon).SnapshotRef);

    [Theory]
    [InlineData("principalRef", "\"alice\"", "PrincipalRefValid")]
    [InlineData("principalRef", "\"system:serviceaccount:a:b:c\"", "PrincipalRefValid")]
    [InlineData("tier", "\"galaxy\"", "TierValid")]
    [InlineData("appIdentityRef", null, "AppIdentityRefNotEmpty")]
    [InlineData("domainIdentityRef", "\"\"", "DomainIdentityRefNotEmpty")]
    public void A_malformed_membership_is_neither_validated_nor_admitted(string path, string? json, string check)
    {
        var membership = Membership(path, json);

        var verdict = MembershipChain.Evaluate(membership, Profiles("own"), null, Noon);

        Assert.Equal(check, Assert.Single(membership.Failures).Check);
        Assert.Equal((false, false, "MembershipInvalid"), (verdict.Validated, verdict.Admitted, verdict.Reason));
        Assert.True(Status(verdict, "Stalled"));
    }

    [Fact]
    public void Membership_and_profile_do_not_wait_for_each_other_in_a_circle()
    {
        var profile = Declarations.Profile(spec => spec.With("domainIdentityRef", "\"wrapper\""));
        var membership = Membership();
        var provisioned = false;
        var memberships = ImmutableArray<MembershipFact>.Empty;
        var turns = new List<string>();

        for (var turn = 0; turn < 3; turn++)
        {
            var chain = MembershipChain.Evaluate(membership, [ProfileFact.Of(profile.Value!, provisioned)], null, Noon);
            memberships = [chain.FactOf(membership.Value!)];
            provisioned = ProfileEvaluation.Evaluate(profile, Declarations.Policy(), Declarations.Sets("web", "cluster-maximum"), memberships).Provisioned;
            turns.Add($"{chain.Validated}/{provisioned}/{chain.Admitted}/{GrantAssembly.IsInForce(profile.Value!, provisioned, memberships)}");
        }

        Assert.Equal(["True/True/False/False", "True/True/True/True", "True/True/True/True"], turns);
    }

    [Fact]
    public void A_verdict_survives_JSON()
    {
        var text = JsonSerializer.Serialize(MembershipChain.Evaluate(Membership(), Profiles("own"), null, Noon));

        Assert.Equal(text, JsonSerializer.Serialize(JsonSerializer.Deserialize<MembershipVerdict>(text)));
    }

    private static Reading<SeamMembership> Membership(string? path = null, string? json = null)
    {
        var spec = Declarations.MembershipSpec();
        return SeamMembership.Read(Declarations.Make("SeamMembership", "wrapper", path is null ? spec : spec.With(path, json)));
    }

    private static ProfileFact[] Profiles(string given) => given switch
    {
        "none" => [],
        "other-identity" => [Fact("p", Declarations.Account, "platform", true)],
        "other-principal" => [Fact("p", Other, "wrapper", true)],
        "other-namespace" => [Fact("p", Declarations.Account, "wrapper", true) with { Key = new ObjectKey("elsewhere", "p") }],
        "both-apart" => [Fact("p", Declarations.Account, "platform", true), Fact("q", Other, "wrapper", true)],
        "own-unprovisioned" => [Fact("p", Declarations.Account, "wrapper", false)],
        "own" => [Fact("p", Declarations.Account, "wrapper", true)],
        "own-and-other-principal" => [Fact("o", Other, "wrapper", false), Fact("p", Declarations.Account, "wrapper", true)],
        _ => throw new ArgumentOutOfRangeException(nameof(given), given, "no such case"),
    };

    private static ProfileFact Fact(string name, string principal, string identity, bool provisioned) =>
        new(new ObjectKey(Declarations.Namespace, name), principal, identity, provisioned);

    private static bool Status(MembershipVerdict verdict, string type) =>
        verdict.Claims.Single(claim => claim.Type == type).Status == ConditionStatus.True;
}
