using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using Governor.Domain.Tests.Packs;

namespace Governor.Domain.Tests.Permissions;

public sealed class ProfileRulesTests
{
    [Fact]
    public void A_policy_that_the_profile_no_longer_refers_to_has_no_say()
    {
        var state = Observe(ProfileState.Initial(new ObjectKey("n", "p")), "old");
        state = Told(state, Policy("old", 1));
        state = Observe(state, "new", generation: 2);
        state = Told(state, Policy("new", 1));

        var late = Told(state, Policy("old", 7));

        Assert.Equal(new ObjectKey("n", "new"), late.Policy!.Key);
        Assert.Equal(state.Verdict!.Reason, late.Verdict!.Reason);
    }

    [Fact]
    public void A_cluster_that_is_no_longer_a_target_is_told_that_it_gets_nothing()
    {
        var state = Observe(ProfileState.Initial(new ObjectKey("n", "p")), "policy", cluster: "a");
        state = Observe(state, "policy", generation: 2, cluster: "b");

        var grants = ProfileRules.Outbox(state).Where(l => l.Fact is GrantFact).ToDictionary(l => l.To.Key, l => ((GrantFact)l.Fact).Grant);

        Assert.Equal(["a", "b"], grants.Keys.Order(StringComparer.Ordinal));
        Assert.Null(grants["a"]);
    }

    private static ProfileState Told(ProfileState state, Fact fact) => ProfileRules.Decide(state, new DeclarationInput.Told(fact), Make.Now).State;

    private static PolicyStanding Policy(string name, long version) => new(new ObjectKey("n", name), null, null) { Version = version };

    private static ProfileState Observe(ProfileState state, string policy, long generation = 1, string cluster = "c") => ProfileRules.Decide(
        state,
        new DeclarationInput.Observed(Make.Json($$"""
            {"apiVersion":"security.ontai.dev/v1alpha1","kind":"RBACProfile","metadata":{"name":"p","namespace":"n","uid":"u","generation":{{generation}} },
             "spec":{"principalRef":"system:serviceaccount:n:s","targetClusters":["{{cluster}}"],"rbacPolicyRef":"{{policy}}",
                     "permissionDeclarations":[{"permissionSetRef":"s","scope":"cluster"}]} }
            """)),
        Make.Now).State;
}
