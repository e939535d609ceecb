using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using static Governor.Domain.Tests.Permissions.EffectivePermissionTests;
using static Governor.Domain.Tests.Permissions.SmallUniverse;

namespace Governor.Domain.Tests.Permissions;

public sealed class PermissionQueryTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Check_and_who_can_agree_with_the_brute_force_evaluator_on_every_question() => Check(Worlds, 200, world =>
        Questions.All(question => PermissionQueries.Check(world.State, Asking(question)).Allowed == Answer(world.Grants, question)
            && PermissionQueries.WhoCan(world.State, Asking(question)).Contains(question.Principal) == Answer(world.Grants, question)));

    [Fact]
    public void Explain_answers_as_check_does_and_its_evidence_grants_exactly_when_it_is_allowed() => Check(Worlds, 40, world =>
        Questions.All(question =>
        {
            var explained = DecisionExplanation.Of(world.State, Asking(question));
            return explained.Answer == PermissionQueries.Check(world.State, Asking(question))
                && explained.Evidence.Any(evidence => evidence.Verdict == RightVerdict.Grants) == explained.Answer.Allowed;
        }));

    [Fact]
    public void The_ceiling_that_is_named_is_the_one_that_cuts() => Check(Worlds, 40, world =>
        Questions.All(question => DecisionExplanation.Of(world.State, Asking(question)).Evidence.All(evidence =>
        {
            var grant = world.Grants.Single(grant => grant.Profile == evidence.Right.Profile);
            return evidence.Verdict switch
            {
                RightVerdict.OutsideClusterCeiling => Declared(grant, question) && !Within(grant.ClusterCeiling.Rules, question),
                RightVerdict.OutsidePlatformCeiling => Declared(grant, question) && Within(grant.ClusterCeiling.Rules, question) && !Within(grant.PlatformCeiling!.Rules, question),
                RightVerdict.Grants => Answer([grant], question),
                _ => true,
            };
        })));

    [Theory]
    [InlineData("core pods get", "core pods get", null, "Grants")]
    [InlineData("core pods get", "core pods list", null, "OutsideClusterCeiling")]
    [InlineData("core pods list", "core pods *", null, "NotDeclared")]
    [InlineData("core pods get", "core pods *", "core pods list", "OutsidePlatformCeiling")]
    [InlineData("apps pods get", "* * *", null, "")]
    public void Every_right_about_the_resource_says_what_it_means(string declared, string ceiling, string? platform, string expected)
    {
        var state = Told(PermissionState.Initial(Cluster), Platform(platform is null ? null : Rules(platform)), Granting(GrantOf(declared, ceiling), "one"));

        var explained = DecisionExplanation.Of(state, new PermissionQuestion(GrantOf(declared, ceiling).Principal, "", "pods", "get"));

        Assert.Equal(expected, string.Join(",", explained.Evidence.Select(evidence => evidence.Verdict)));
        Assert.Equal(expected == "Grants", explained.Answer.Allowed);
    }

    [Fact]
    public void A_right_to_some_is_no_answer_to_a_question_about_all()
    {
        var grant = GrantOf("* * get", "* * *");
        var state = Told(PermissionState.Initial(Cluster), Platform(null), Granting(grant, "one"));

        Assert.True(Allowed("*", "*", "get"));
        Assert.False(Allowed("*", "*", "*"));
        Assert.False(Allowed("apps", "*", "*"));
        Assert.True(Allowed("apps", "*/scale", "get"));

        bool Allowed(string group, string resource, string verb) => PermissionQueries.Check(state, new PermissionQuestion(grant.Principal, group, resource, verb)).Allowed;
    }

    [Fact]
    public void Whoever_is_in_a_group_may_what_the_group_may_and_a_user_of_that_name_may_not()
    {
        var team = GrantOf("core pods get", "* * *") with { Principal = "system:group:team" };
        var own = GrantOf("core pods list", "* * *") with { Principal = "ann" };
        var state = Told(PermissionState.Initial(Cluster), Platform(null), Granting(team, "team"), Granting(own, "ann"));
        var question = new PermissionQuestion("ann", "", "pods", "get");

        Assert.Equal("no rule of ann on dev allows get core/pods".Replace("dev", Cluster.Value, StringComparison.Ordinal), PermissionQueries.Check(state, question).Reason);
        Assert.False(PermissionQueries.Check(state, question with { Principal = "team" }).Allowed);
        Assert.True(PermissionQueries.Check(state, question with { Principal = "system:group:team" }).Allowed);
        var member = question with { Groups = ["others", "team"] };
        Assert.Equal((true, "granted to system:group:team: get core/pods"), (PermissionQueries.Check(state, member).Allowed, PermissionQueries.Check(state, member).Reason));
        Assert.Equal("no rule of ann or of system:group:team on " + Cluster + " allows delete core/pods", PermissionQueries.Check(state, member with { Verb = "delete" }).Reason);
        Assert.Equal(RightVerdict.Grants, Assert.Single(DecisionExplanation.Of(state, member).Evidence, evidence => evidence.Right.Profile.Name == "team").Verdict);
        Assert.Equal("get,list core/pods", Assert.Single(PermissionQueries.List(state, "ann", ["team", "team"])).ToString());
        Assert.Equal("list core/pods", Assert.Single(PermissionQueries.List(state, "ann", [])).ToString());
        Assert.Equal("groups: expected names of groups, of at most 1024 characters, found nothing", $"{Assert.Single((member with { Groups = ["a", ""] }).Faults())}");
    }

    [Fact]
    public void Whoever_has_nothing_learns_why()
    {
        var grant = GrantOf("core pods get", "* * *");
        var question = new PermissionQuestion("nobody", "", "pods", "get");
        var silent = PermissionState.Initial(Cluster);
        var unheard = Told(silent, Granting(grant, "one"));
        var granted = Told(unheard, Platform(null));
        var withheld = Told(granted, new GrantFact(new ObjectKey("ns", "two"), null) { Version = 1, Withheld = "PolicyNotFound: none" });

        Assert.Equal("no profile has granted anything on ccs-dev yet", Why(silent, question));
        Assert.Equal("nothing is granted on ccs-dev before RBACPolicy seam-system/management-policy has been heard of", Why(unheard, question));
        Assert.Equal("nobody has no rights on ccs-dev", Why(granted, question));
        Assert.Equal($"no rule of {grant.Principal} on ccs-dev allows get core/pods/log in blue",
            Why(granted, question with { Principal = grant.Principal, Resource = "pods/log", Namespace = "blue" }));
        Assert.Equal(new WithheldProfile(new ObjectKey("ns", "two"), "PolicyNotFound: none"), Assert.Single(DecisionExplanation.Of(withheld, question).Withheld));
        Assert.Empty(DecisionExplanation.Of(withheld, question with { Principal = grant.Principal }).Withheld);

        static string Why(PermissionState state, PermissionQuestion question) => PermissionQueries.Check(state, question).Reason;
    }

    [Fact]
    public void Rights_that_do_not_fit_are_none_and_the_evidence_says_so()
    {
        var grant = GrantOf("core pods get", "* * *");
        var state = Told(PermissionState.Initial(Cluster), Platform(null), Granting(grant, "one"));
        state = state with { Snapshot = PermissionSnapshot.Build(state.Snapshot!.Permissions, Noon, mostBytes: 1) };

        var explained = DecisionExplanation.Of(state, new PermissionQuestion(grant.Principal, "", "pods", "get"));

        Assert.False(explained.Answer.Allowed);
        Assert.Contains("do not fit", explained.Answer.Reason, StringComparison.Ordinal);
        Assert.Equal([RightVerdict.LeftOut], explained.Evidence.Select(evidence => evidence.Verdict));
    }

    [Theory]
    [InlineData("Apps", "pods", "get", null, null, "apiGroup: expected")]
    [InlineData("", "Pods", "get", null, null, "resource: expected")]
    [InlineData("", "pods.apps", "get", null, null, "resource: expected")]
    [InlineData("", "", "get", null, null, "found nothing")]
    [InlineData("", "pods/", "get", null, null, "resource: expected")]
    [InlineData("", "pods", "Get", null, null, "verb: expected")]
    [InlineData("", "pods", "", null, null, "verb: expected")]
    [InlineData("", "pods", "get", "*", null, "resourceName: expected")]
    [InlineData("", "pods", "get", "a/b", null, "resourceName: expected")]
    [InlineData("", "pods", "get", null, "*", "namespace: expected")]
    [InlineData("", "pods", "get", "a", "Blue", "found 'Blue'")]
    public void A_question_that_cannot_be_meant_is_refused(string group, string resource, string verb, string? name, string? place, string why)
    {
        var fault = Assert.Single(new PermissionQuestion("alice", group, resource, verb, name, place).Faults());

        Assert.Contains(why, fault.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "pods", "get", "system:node:a", "blue")]
    [InlineData("*", "*", "*", null, null)]
    [InlineData("apps", "deployments/scale", "update", "", "")]
    [InlineData("", "*/log", "get", null, null)]
    public void Every_question_of_an_API_server_can_be_asked(string group, string resource, string verb, string? name, string? place) =>
        Assert.Empty(new PermissionQuestion("alice", group, resource, verb, name, place).Faults());

    private sealed record World(ImmutableArray<Grant> Grants, PermissionState State);

    /// <summary>Grants as an actor hears of them, one after the other, under one ceiling of the platform or none.</summary>
    private static Gen<World> Worlds { get; } =
        from grants in Grants
        from hasPlatform in Gen.Elements(true, false)
        from rules in SmallUniverse.Rules
        select WorldOf(grants, hasPlatform ? rules : null);

    private static World WorldOf(ImmutableArray<Grant> grants, ImmutableArray<PermissionRule>? platform)
    {
        ImmutableArray<Grant> named = [.. grants.Select((grant, i) => grant with
        {
            Profile = new ObjectKey("ns", $"profile-{i}"),
            PlatformCeiling = platform is { } rules ? CeilingOf(rules) : null,
        })];
        var state = Told(PermissionState.Initial(Cluster), Platform(platform));
        foreach (var grant in named)
            state = Told(state, Granting(grant with { PlatformCeiling = null }, grant.Profile.Name));
        return new World(named, state);
    }

    private static PermissionQuestion Asking(Question question) =>
        new(question.Principal, question.Group, question.Resource, question.Verb, question.Name, question.Namespace);

    private static PolicyStanding Platform(ImmutableArray<PermissionRule>? rules)
    {
        var policy = new RbacPolicy(PlatformCeiling.Policy, "u", 1, SubjectScope.Platform, [], "management-maximum", EnforcementMode.Strict);
        return rules is null
            ? new PolicyStanding(PlatformCeiling.Policy, null, null) { Version = 1 }
            : new PolicyStanding(
                PlatformCeiling.Policy, new Reading<RbacPolicy>(policy, []), new Reading<PermissionSet>(new PermissionSet(policy.MaximumPermissionSet, "s", 1, "", rules.Value), []))
            { WasDeclared = true, Version = 1 };
    }

    private static GrantFact Granting(Grant grant, string profile) => new(new ObjectKey("ns", profile), grant with { Profile = new ObjectKey("ns", profile) }) { Version = 1 };

    private static PermissionState Told(PermissionState state, params ReadOnlySpan<Fact> facts)
    {
        foreach (var fact in facts)
            state = ClusterPermissionRules.Decide(state, new PermissionInput.Told(fact), Noon).State;
        return state;
    }

    private static void Check<T>(Gen<T> cases, int count, Func<T, bool> holds) =>
        FsCheck.Check.One(Config.QuickThrowOnFailure.WithMaxTest(count), Prop.ForAll(cases.ToArbitrary(), holds));
}
