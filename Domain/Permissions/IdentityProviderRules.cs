using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;
using Orleans;

namespace Governor.Domain.Permissions;

/// <summary>What the issuer of an oidc provider answered when it was last asked.</summary>
/// <param name="Fault">Why it could not be reached; null when it could.</param>
public sealed record IssuerAnswer(string Issuer, string? Fault, DateTimeOffset At);

/// <summary>An IdentityProvider as its actor remembers it.</summary>
/// <param name="Type">The type as it is written, also where it is not a known one.</param>
public sealed record IdentityProviderState(
    ObjectKey Key, string Uid, long Generation, string Declarer, string Type, Reading<IdentityProvider>? Provider, IssuerAnswer? Issuer,
    ImmutableSortedSet<Address> Interested, ImmutableArray<Condition> Conditions)
{
    public static IdentityProviderState Initial(ObjectKey key) => new(key, "", 0, "", "", null, null, [], []);
}

/// <summary>How an IdentityProvider is decided on. Pure.</summary>
public static class IdentityProviderRules
{
    public const string ValidCondition = "Valid";
    public const string ReachableCondition = "Reachable";

    /// <summary>There while the provider has rules: whoever wrote them must not believe that they hold.</summary>
    public const string RulesCondition = "ValidationRulesEvaluated";

    /// <summary>How long an issuer's answer stands before it is asked again.</summary>
    public static TimeSpan AskAgain { get; } = TimeSpan.FromMinutes(5);

    public static Decision<IdentityProviderState> Decide(IdentityProviderState state, DeclarationInput input, DateTimeOffset now) => input switch
    {
        DeclarationInput.Observed(var seen) => seen.Uid == state.Uid && seen.Generation == state.Generation && state.Provider is not null ? Decision.Of(state) : Observe(state, seen, now),
        DeclarationInput.Gone => state.Provider is null ? Decision.Of(state) : Decision.Of(
            state with { Provider = null, Type = "", Issuer = null, Generation = 0 },
            Events(state).Governance(now, "identityprovider.deleted", "metadata", state.Uid, null, "the IdentityProvider was deleted; what trusted it does not any more")),
        DeclarationInput.Told(Interest interest) => Decision.Of(state with { Interested = state.Interested.With(interest) }),
        DeclarationInput.IssuerAnswered answered => answered.Issuer == IssuerOf(state) ? Hear(state, answered, now) : Decision.Of(state),
        _ => Decision.Of(state),
    };

    /// <summary>The issuer that has to be asked now, or null.</summary>
    public static string? OwesQuestion(IdentityProviderState state, DateTimeOffset now) =>
        IssuerOf(state) is { } issuer && (state.Issuer is null || now >= state.Issuer.At + AskAgain) ? issuer : null;

    public static DateTimeOffset? NextTick(IdentityProviderState state) => IssuerOf(state) is not null && state.Issuer is { } answer ? answer.At + AskAgain : null;

    public static IEnumerable<Letter> Outbox(IdentityProviderState state) =>
    [
        .. state.Interested.Select(receiver => new Letter(receiver, Standing(state))),
        .. Descent.Root(KnownKinds.IdentityProvider, state.Key, state.Uid, state.Generation, state.Declarer, "guardian", state.Provider is not null),
    ];

    public static JsonObject Status(IdentityProviderState state) => new()
    {
        ["observedGeneration"] = state.Generation,
        ["conditions"] = state.Conditions.ToJson(),
    };

    private static IdentityProviderStanding Standing(IdentityProviderState state) =>
        new(state.Key, state.Provider is not null, state.Type, state.Provider is { IsValid: true }, state.Provider?.Summary() ?? "");

    private static string? IssuerOf(IdentityProviderState state) =>
        state.Provider?.Value is { Type: IdentityProvider.Oidc } provider ? provider.IssuerUrl : null;

    private static Decision<IdentityProviderState> Observe(IdentityProviderState state, KubeObject seen, DateTimeOffset now)
    {
        var provider = IdentityProvider.Read(seen);
        var (reason, message) = provider.IsValid ? ("Valid", "Valid.") : ("Invalid", provider.Summary());
        var kept = seen.Uid == state.Uid ? state.Conditions : [];
        var next = state with
        {
            Uid = seen.Uid,
            Generation = seen.Generation,
            Declarer = Descent.DeclarerOf(seen),
            Type = IdentityProvider.TypeOf(seen),
            Provider = provider,
        };
        // What one issuer answered says nothing about another, and other types have none.
        if (state.Issuer?.Issuer != IssuerOf(next))
            next = next with { Issuer = null };
        var rules = provider.Value?.ValidationRules.Length ?? 0;
        kept = [.. kept.Where(condition => (condition.Type != ReachableCondition || next.Issuer is not null) && (condition.Type != RulesCondition || rules > 0))];
        return Decision.Of(
            next with
            {
                Conditions = kept.Apply(
                    [
                        ConditionClaim.Of(ValidCondition, provider.IsValid, reason, message),
                        .. rules > 0 ? (ConditionClaim[])[ConditionClaim.Of(RulesCondition, false, "NotEvaluated", $"spec.validationRules: {rules} rules are kept as they are written, and nobody evaluates them")] : [],
                        .. Conditions.Standing(provider.IsValid, !provider.IsValid, reason, message),
                    ],
                    seen.Generation, now),
            },
            Events(next).Governance(
                now, provider.IsValid ? "identityprovider.validated" : "identityprovider.validation-failed", "spec",
                state.Provider is null ? null : $"generation {state.Generation}", $"generation {seen.Generation}", $"declared by {next.Declarer}: {message}"));
    }

    private static Decision<IdentityProviderState> Hear(IdentityProviderState state, DeclarationInput.IssuerAnswered answered, DateTimeOffset now)
    {
        var reached = answered.Fault is null;
        var next = state with
        {
            Issuer = new IssuerAnswer(answered.Issuer, answered.Fault, now),
            Conditions = state.Conditions.Set(
                ReachableCondition, reached, reached ? "Reachable" : "Unreachable", reached ? $"{answered.Issuer} answers." : answered.Fault!, now, state.Generation),
        };
        if (state.Issuer is not null && state.Issuer.Fault is null == reached)
            return Decision.Of(next);
        return Decision.Of(
            next,
            Events(state).Operator(
                now, reached ? "identityprovider.reachable" : "identityprovider.unreachable", "status.conditions", state.Issuer?.Fault, answered.Fault,
                reached ? $"{answered.Issuer} answers" : answered.Fault!));
    }

    private static Audit.EventContext Events(IdentityProviderState state) => GuardianEvents.Of(KnownKinds.IdentityProvider, state.Key, state.Uid, state.Generation);
}

/// <summary>What a binding needs to know of the provider that it refers to.</summary>
[GenerateSerializer, Immutable]
public sealed record IdentityProviderStanding(ObjectKey Key, bool Exists, string Type, bool Valid, string Message) : Fact
{
    [System.Text.Json.Serialization.JsonIgnore]
    public override string Topic => $"identity provider {Key}";
}
