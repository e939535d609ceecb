using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;

namespace Governor.Domain.Permissions;

/// <summary>A PermissionSet as its actor remembers it.</summary>
public sealed record PermissionSetState(
    ObjectKey Key, string Uid, long Generation, string Declarer, Reading<PermissionSet>? Set, ImmutableSortedSet<Address> Interested, ImmutableArray<Condition> Conditions)
{
    public static PermissionSetState Initial(ObjectKey key) => new(key, "", 0, "", null, [], []);
}

/// <summary>How a PermissionSet is decided on. Pure.</summary>
public static class PermissionSetRules
{
    public static Decision<PermissionSetState> Decide(PermissionSetState state, DeclarationInput input, DateTimeOffset now) => input switch
    {
        DeclarationInput.Observed(var seen) => seen.Uid == state.Uid && seen.Generation == state.Generation && state.Set is not null ? Decision.Of(state) : Observe(state, seen, now),
        DeclarationInput.Gone => state.Set is null ? Decision.Of(state) : Decision.Of(
            state with { Set = null, Generation = 0 },
            GuardianEvents.Of(KnownKinds.PermissionSet, state.Key, state.Uid, state.Generation).Governance(now, "permissionset.deleted", "metadata", state.Uid, null, "the PermissionSet was deleted")),
        DeclarationInput.Told(Interest interest) => Decision.Of(
            state with { Interested = state.Interested.With(interest) }),
        _ => Decision.Of(state),
    };

    public static IEnumerable<Letter> Outbox(PermissionSetState state) =>
    [
        .. state.Interested.Select(receiver => new Letter(receiver, new PermissionSetStanding(state.Key, state.Set))),
        .. Descent.Root(KnownKinds.PermissionSet, state.Key, state.Uid, state.Generation, state.Declarer, "guardian", state.Set is not null),
    ];

    public static JsonObject Status(PermissionSetState state) => new()
    {
        ["observedGeneration"] = state.Generation,
        ["profileReferenceCount"] = state.Interested.Count(address => address.Subject == Subjects.Profile),
        ["conditions"] = state.Conditions.ToJson(),
    };

    private static Decision<PermissionSetState> Observe(PermissionSetState state, KubeObject seen, DateTimeOffset now)
    {
        var set = PermissionSet.Read(seen);
        var verdict = PermissionSetEvaluation.Evaluate(set);
        return Decision.Of(
            state with
            {
                Uid = seen.Uid,
                Generation = seen.Generation,
                Declarer = Descent.DeclarerOf(seen),
                Set = set,
                Conditions = (seen.Uid == state.Uid ? state.Conditions : []).Apply(verdict.Claims, seen.Generation, now),
            },
            GuardianEvents.Of(KnownKinds.PermissionSet, seen.Key, seen.Uid, seen.Generation).Governance(
                now, verdict.Valid ? "permissionset.validated" : "permissionset.validation-failed", "spec", state.Set is null ? null : $"generation {state.Generation}", $"generation {seen.Generation}", $"declared by {Descent.DeclarerOf(seen)}: {verdict.Summary}"));
    }
}
