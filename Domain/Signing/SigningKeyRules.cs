using System.Collections.Immutable;
using Governor.Domain.Audit;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;

namespace Governor.Domain.Signing;

/// <summary>What is known of the management Conductor's signing key: its public half only.</summary>
/// <param name="Trusted">Public keys by id: the present one and those before it. What they signed stays signed when the key is rotated or its Secret is away.</param>
public sealed record SigningKeyState(
    string KeyId, string PublicPem, string Message, string SecretUid, ImmutableSortedDictionary<string, string> Trusted, ImmutableSortedSet<Address> Interested)
{
    public static SigningKeyState Initial { get; } =
        new("", "", $"waits for Secret {SigningKeyRules.Secret}", "", ImmutableSortedDictionary<string, string>.Empty, []);

    /// <summary>Short ids of revoked keys, with who and why. It only grows: what a thief may have signed never counts again.</summary>
    public ImmutableSortedDictionary<string, string> Revoked { get; init; } = ImmutableSortedDictionary<string, string>.Empty;
}

public abstract record SigningKeyInput
{
    private SigningKeyInput()
    {
    }

    /// <summary>The Secret holds this key.</summary>
    /// <param name="Revoked">The keys that the Secret's annotations revoke.</param>
    public sealed record Found(string KeyId, string PublicPem, string SecretUid, ImmutableSortedDictionary<string, string>? Revoked = null) : SigningKeyInput;

    /// <summary>There is no usable key.</summary>
    public sealed record Missing(string Message, ImmutableSortedDictionary<string, string>? Revoked = null) : SigningKeyInput;

    public sealed record Told(Fact Fact) : SigningKeyInput;
}

/// <summary>How the signing key is decided on. Pure.</summary>
public static class SigningKeyRules
{
    /// <summary>A human revokes a key by an annotation of this prefix and its short id on the Secret; the value says who and why.</summary>
    public const string RevokedPrefix = "revoked-key.ontai.dev/";

    private const int ShortLength = 16;

    /// <summary>Holds <c>private.pem</c> (PKCS#8) and <c>public.pem</c> (PKIX) on the management cluster.</summary>
    public static readonly ObjectKey Secret = new("ont-system", "conductor-signing-key");

    public static Decision<SigningKeyState> Decide(SigningKeyState state, SigningKeyInput input, DateTimeOffset now) => input switch
    {
        SigningKeyInput.Found found => Find(state, found, now),
        SigningKeyInput.Missing(var message, var revoked) => Revoke(state, revoked, now, revising => Lose(revising, message, now)),
        SigningKeyInput.Told(Interest interest) => Decision.Of(
            state with { Interested = state.Interested.With(interest) }),
        SigningKeyInput.Told => Decision.Of(state),
        _ => throw new ArgumentOutOfRangeException(nameof(input)),
    };

    public static IEnumerable<Letter> Outbox(SigningKeyState state) =>
        state.Interested.Select(receiver => new Letter(receiver, new SigningKeyFact(state.KeyId, state.PublicPem, state.Message, state.Revoked)));

    /// <summary>The keys that a Secret revokes: those whose annotation says why. A longer id than the short one names the same key; a shorter one names none.</summary>
    public static ImmutableSortedDictionary<string, string> RevokedBy(KubeObject secret) => secret.Annotations
        .Where(a => a.Key.StartsWith(RevokedPrefix, StringComparison.Ordinal) && a.Key.Length >= RevokedPrefix.Length + ShortLength && a.Value.Length > 0)
        .GroupBy(a => Short(a.Key[RevokedPrefix.Length..].ToLowerInvariant()), StringComparer.Ordinal)
        .ToImmutableSortedDictionary(same => same.Key, same => string.Join("; ", same.Select(a => a.Value).Order(StringComparer.Ordinal)), StringComparer.Ordinal);

    /// <summary>What a look at a signature means once it is known which keys are revoked.</summary>
    public static SignatureVerdict Judge(SigningKeyState state, SignatureVerdict verdict) =>
        verdict is SignatureVerdict.Valid valid && state.Revoked.TryGetValue(Short(valid.KeyId), out var why)
            ? new SignatureVerdict.RevokedKey(valid.KeyId, why)
            : verdict;

    public static string Short(string keyId) => keyId.Length > ShortLength ? keyId[..ShortLength] : keyId;

    private static Decision<SigningKeyState> Find(SigningKeyState state, SigningKeyInput.Found found, DateTimeOffset now) => Revoke(
        state, found.Revoked, now,
        revising => revising.Revoked.TryGetValue(Short(found.KeyId), out var why)
            ? Lose(revising, $"Secret {Secret} holds key {Short(found.KeyId)}, which is revoked: {why}; put another key there", now)
            : found.KeyId == revising.KeyId
                ? Decision.Of(revising)
                : Changed(
                    revising,
                    revising with
                    {
                        KeyId = found.KeyId,
                        PublicPem = found.PublicPem,
                        Message = $"key {Short(found.KeyId)}",
                        SecretUid = found.SecretUid,
                        Trusted = revising.Trusted.SetItem(found.KeyId, found.PublicPem),
                    },
                    now));

    private static Decision<SigningKeyState> Lose(SigningKeyState state, string message, DateTimeOffset now) =>
        state.KeyId.Length == 0 && message == state.Message
            ? Decision.Of(state)
            : Changed(state, state with { KeyId = "", PublicPem = "", Message = message }, now);

    // A revocation is for good: taking the annotation away does not make a stolen key trustworthy again.
    private static Decision<SigningKeyState> Revoke(
        SigningKeyState state, ImmutableSortedDictionary<string, string>? revoked, DateTimeOffset now, Func<SigningKeyState, Decision<SigningKeyState>> then)
    {
        var news = (revoked ?? ImmutableSortedDictionary<string, string>.Empty).Where(r => !state.Revoked.ContainsKey(r.Key)).ToArray();
        if (news.Length == 0)
            return then(state);
        var next = state with { Revoked = state.Revoked.AddRange(news) };
        var decided = then(next);
        return decided with { Events = [.. news.Select(r => Context(next).Governance(now, "signingkey.revoked", $"metadata.annotations['{RevokedPrefix}{r.Key}']", null, r.Key, r.Value)), .. decided.Events] };
    }

    private static Decision<SigningKeyState> Changed(SigningKeyState old, SigningKeyState next, DateTimeOffset now) =>
        Decision.Of(next, Context(next).Governance(now, "signingkey.changed", "data['public.pem']", old.KeyId, next.KeyId, next.Message));

    private static EventContext Context(SigningKeyState state) => new(
        new EventSubject("", "Secret", Secret.Namespace, Secret.Name, state.SecretUid, 0), "system:governor:conductor", "conductor", "", "", state.SecretUid);
}
