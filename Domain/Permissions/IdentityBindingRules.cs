using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;

namespace Governor.Domain.Permissions;

/// <summary>An IdentityBinding as its actor remembers it.</summary>
/// <param name="Providers">What the providers that it refers to, or referred to, say of themselves.</param>
public sealed record IdentityBindingState(
    ObjectKey Key, string Uid, long Generation, string Declarer, Reading<IdentityBinding>? Binding,
    ImmutableSortedDictionary<string, IdentityProviderStanding> Providers, string Summary, ImmutableArray<Condition> Conditions)
{
    public static IdentityBindingState Initial(ObjectKey key) =>
        new(key, "", 0, "", null, ImmutableSortedDictionary<string, IdentityProviderStanding>.Empty, "", []);
}

/// <summary>How an IdentityBinding is decided on: again whenever its provider changes, appears or disappears. Pure.</summary>
public static class IdentityBindingRules
{
    public const string ValidCondition = "IdentityBindingValid";
    public const string ResolvedCondition = "TrustAnchorResolved";

    public static Decision<IdentityBindingState> Decide(IdentityBindingState state, DeclarationInput input, DateTimeOffset now) => input switch
    {
        DeclarationInput.Observed(var seen) => seen.Uid == state.Uid && seen.Generation == state.Generation && state.Binding is not null
            ? Decision.Of(state)
            : Evaluate(
                state with
                {
                    Uid = seen.Uid,
                    Generation = seen.Generation,
                    Declarer = Descent.DeclarerOf(seen),
                    Binding = IdentityBinding.Read(seen),
                    Conditions = seen.Uid == state.Uid ? state.Conditions : [],
                },
                now),
        DeclarationInput.Gone => state.Binding is null ? Decision.Of(state) : Decision.Of(
            state with { Binding = null, Generation = 0, Summary = "" },
            Events(state).Governance(now, "identitybinding.deleted", "metadata", state.Uid, null, "the IdentityBinding was deleted")),
        DeclarationInput.Told(IdentityProviderStanding provider) => provider.Supersedes(state.Providers.GetValueOrDefault(provider.Key.ToString()))
            ? Evaluate(state with { Providers = state.Providers.SetItem(provider.Key.ToString(), provider) }, now)
            : Decision.Of(state),
        _ => Decision.Of(state),
    };

    public static IEnumerable<Letter> Outbox(IdentityBindingState state)
    {
        var wanted = state.Binding?.Value?.Provider?.ToString();
        if (wanted is not null)
            yield return new Letter(new Address(Subjects.IdentityProvider, wanted), new Interest());
        foreach (var former in state.Providers.Keys.Where(key => key != wanted))
            yield return new Letter(new Address(Subjects.IdentityProvider, former), new Interest(false));
        foreach (var letter in Descent.Root(KnownKinds.IdentityBinding, state.Key, state.Uid, state.Generation, state.Declarer, "guardian", state.Binding is not null))
            yield return letter;
    }

    public static JsonObject Status(IdentityBindingState state) => new()
    {
        ["observedGeneration"] = state.Generation,
        ["validationSummary"] = state.Summary,
        ["conditions"] = state.Conditions.ToJson(),
    };

    private static Decision<IdentityBindingState> Evaluate(IdentityBindingState state, DateTimeOffset now)
    {
        if (state.Binding is not { } binding)
            return Decision.Of(state);
        var anchor = binding.Value is { Provider: { } key } valid
            ? TrustAnchor.Resolve(valid.IdentityType, key, state.Providers.GetValueOrDefault(key.ToString()))
            : null;
        var (holds, reason, message) =
            !binding.IsValid ? (false, "Invalid", binding.Summary())
            : anchor is { Resolved: false } ? (false, anchor.Reason, anchor.Message)
            : (true, "Valid", "Valid.");
        var kept = anchor is null ? [.. state.Conditions.Where(condition => condition.Type != ResolvedCondition)] : state.Conditions;
        // A provider that is of the wrong type or not there may still come right by itself; a malformed binding has to be edited.
        ConditionClaim[] claims =
        [
            ConditionClaim.Of(ValidCondition, holds, reason, message),
            .. anchor is null ? (ConditionClaim[])[] : [ConditionClaim.Of(ResolvedCondition, anchor.Resolved, anchor.Reason, anchor.Message)],
            .. Conditions.Standing(holds, stalled: !binding.IsValid, reason, message),
        ];
        var next = state with { Summary = message, Conditions = kept.Apply(claims, state.Generation, now) };
        if (next.Summary == state.Summary && next.Conditions.SequenceEqual(state.Conditions))
            return Decision.Of(next);
        return Decision.Of(
            next,
            Events(state).Governance(
                now, holds ? "identitybinding.validated" : "identitybinding.validation-failed", "status.validationSummary",
                state.Summary.Length > 0 ? state.Summary : null, message, $"generation {state.Generation}, declared by {state.Declarer}"));
    }

    private static Audit.EventContext Events(IdentityBindingState state) => GuardianEvents.Of(KnownKinds.IdentityBinding, state.Key, state.Uid, state.Generation);
}
