using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;

namespace Governor.Domain.Permissions;

/// <summary>An RBACPolicy as its actor remembers it.</summary>
/// <param name="Ceilings">What the sets that it names, or named, as its maximum say of themselves.</param>
public sealed record PolicyState(
    ObjectKey Key, string Uid, long Generation, string Declarer, Reading<RbacPolicy>? Policy, ImmutableSortedDictionary<string, PermissionSetStanding> Ceilings, string Summary,
    ImmutableSortedSet<Address> Interested, ImmutableArray<Condition> Conditions)
{
    /// <summary>What the policy of the platform's ceiling says of itself.</summary>
    public PolicyStanding? Platform { get; init; }

    public static PolicyState Initial(ObjectKey key) => new(key, "", 0, "", null, ImmutableSortedDictionary<string, PermissionSetStanding>.Empty, "", [], []);
}

/// <summary>How an RBACPolicy is decided on. Pure.</summary>
public static class PolicyRules
{
    public static Decision<PolicyState> Decide(PolicyState state, DeclarationInput input, DateTimeOffset now) => input switch
    {
        DeclarationInput.Observed(var seen) => seen.Uid == state.Uid && seen.Generation == state.Generation && state.Policy is not null
            ? Decision.Of(state)
            : Evaluate(
                state with
                {
                    Uid = seen.Uid,
                    Generation = seen.Generation,
                    Declarer = Descent.DeclarerOf(seen),
                    Policy = RbacPolicy.Read(seen),
                    Conditions = seen.Uid == state.Uid ? state.Conditions : [],
                },
                state.Summary, now),
        DeclarationInput.Gone => state.Policy is null ? Decision.Of(state) : Decision.Of(
            state with { Policy = null, Generation = 0, Summary = "" },
            GuardianEvents.Of(KnownKinds.RBACPolicy, state.Key, state.Uid, state.Generation).Governance(now, "rbacpolicy.deleted", "metadata", state.Uid, null, "the RBACPolicy was deleted")),
        DeclarationInput.Told(Interest interest) => Decision.Of(
            state with { Interested = state.Interested.With(interest) }),
        // Sets that the policy named before go on speaking: each has its own place, and only the present one counts.
        DeclarationInput.Told(PermissionSetStanding ceiling) => ceiling.Supersedes(state.Ceilings.GetValueOrDefault(ceiling.Key.ToString()))
            ? Evaluate(state with { Ceilings = state.Ceilings.SetItem(ceiling.Key.ToString(), ceiling) }, state.Summary, now)
            : Decision.Of(state),
        DeclarationInput.Told(PolicyStanding platform) => platform.Key == PlatformCeiling.Policy && platform.Supersedes(state.Platform)
            ? Evaluate(state with { Platform = platform }, state.Summary, now)
            : Decision.Of(state),
        _ => Decision.Of(state),
    };

    public static IEnumerable<Letter> Outbox(PolicyState state)
    {
        var maximum = state.Policy?.Value?.MaximumPermissionSet.ToString();
        if (maximum is not null)
            yield return new Letter(new Address(Subjects.PermissionSet, maximum), new Interest());
        foreach (var former in state.Ceilings.Keys.Where(key => key != maximum))
            yield return new Letter(new Address(Subjects.PermissionSet, former), new Interest(false));
        if (state.Policy is not null && state.Key != PlatformCeiling.Policy)
            yield return new Letter(PlatformCeiling.PolicyAddress, new Interest());
        foreach (var receiver in state.Interested)
            yield return new Letter(receiver, new PolicyStanding(state.Key, state.Policy, Ceiling(state)) { WasDeclared = state.Uid.Length > 0 });
        foreach (var letter in Descent.Root(KnownKinds.RBACPolicy, state.Key, state.Uid, state.Generation, state.Declarer, "guardian", state.Policy is not null))
            yield return letter;
    }

    public static JsonObject Status(PolicyState state) => new()
    {
        ["observedGeneration"] = state.Generation,
        ["validationSummary"] = state.Summary,
        ["profileCount"] = state.Interested.Count(address => address.Subject == Subjects.Profile),
        ["conditions"] = state.Conditions.ToJson(),
    };

    private static Reading<PermissionSet>? Ceiling(PolicyState state) =>
        state.Policy?.Value is { } policy ? state.Ceilings.GetValueOrDefault(policy.MaximumPermissionSet.ToString())?.Set : null;

    private static Decision<PolicyState> Evaluate(PolicyState state, string before, DateTimeOffset now)
    {
        if (state.Policy is not { } policy)
            return Decision.Of(state);
        var verdict = PolicyEvaluation.Evaluate(policy, Ceiling(state));
        var next = state with { Summary = verdict.Summary, Conditions = state.Conditions.Apply([.. verdict.Claims, .. PlatformClaim(state)], state.Generation, now) };
        if (next.Summary == before && next.Conditions.SequenceEqual(state.Conditions))
            return Decision.Of(next);
        return Decision.Of(
            next,
            GuardianEvents.Of(KnownKinds.RBACPolicy, state.Key, state.Uid, state.Generation).Governance(
                now, verdict.Valid ? "rbacpolicy.validated" : "rbacpolicy.validation-failed", "status.validationSummary", before, verdict.Summary, $"generation {state.Generation}, declared by {state.Declarer}"));
    }

    // A ceiling that is higher than the platform's is no fault: nobody gets what exceeds either. But whoever wrote it should know.
    private static IEnumerable<ConditionClaim> PlatformClaim(PolicyState state)
    {
        if (state.Platform is null || PlatformCeiling.Of(state.Platform) is not { } platform || Ceiling(state)?.Value is not { } maximum)
            return [];
        var excess = PolicyCompliance.Excess(maximum, platform.Rules).ToArray();
        return
        [
            ConditionClaim.Of(
                "WithinPlatformCeiling", excess.Length == 0, excess.Length == 0 ? "WithinCeiling" : "ExceedsPlatformCeiling",
                excess.Length == 0 ? $"All of {maximum.Key} is in {platform.PermissionSet}." : $"beyond {platform.PermissionSet}, and therefore granted to nobody: {maximum.Key} {string.Join("; ", excess)}"),
        ];
    }
}
