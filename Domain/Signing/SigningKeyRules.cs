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
    /// <summary>Ids of the keys that a human has revoked: for good, whatever the Secret says later.</summary>
    public ImmutableSortedSet<string> Revoked { get; init; } = [];

    public static SigningKeyState Initial { get; } =
        new("", "", $"waits for Secret {SigningKeyRules.Secret}", "", ImmutableSortedDictionary<string, string>.Empty, []);
}

public abstract record SigningKeyInput
{
    private SigningKeyInput()
    {
    }

    /// <summary>The Secret holds this key.</summary>
    public sealed record Found(string KeyId, string PublicPem, string SecretUid) : SigningKeyInput
    {
        /// <summary>Ids, or beginnings of at least 16 digits, of keys that must not be trusted any more.</summary>
        public ImmutableArray<string> Revoked { get; init; } = [];
    }

    /// <summary>There is no usable key.</summary>
    public sealed record Missing(string Message) : SigningKeyInput;

    public sealed record Told(Fact Fact) : SigningKeyInput;
}

/// <summary>How the signing key is decided on. Pure.</summary>
public static class SigningKeyRules
{
    /// <summary>Holds <c>private.pem</c> (PKCS#8) and <c>public.pem</c> (PKIX) on the management cluster.</summary>
    public static readonly ObjectKey Secret = new("ont-system", "conductor-signing-key");

    /// <summary>On the Secret: a human lists here the ids of keys that are not to be trusted any more, separated by commas.</summary>
    public const string RevokedAnnotation = "ontai.dev/revoked-signing-keys";

    public static ImmutableArray<string> RevokedBy(KubeObject secret) =>
        [.. secret.Annotations.GetValueOrDefault(RevokedAnnotation, "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Where(id => id.Length >= 16)];

    public static Decision<SigningKeyState> Decide(SigningKeyState state, SigningKeyInput input, DateTimeOffset now) => input switch
    {
        SigningKeyInput.Found found => Find(state, found, now),
        SigningKeyInput.Missing(var message) => state.KeyId.Length == 0 && message == state.Message
            ? Decision.Of(state)
            : Changed(state, state with { KeyId = "", PublicPem = "", Message = message }, now),
        SigningKeyInput.Told(Interest interest) => Decision.Of(
            state with { Interested = state.Interested.With(interest) }),
        SigningKeyInput.Told => Decision.Of(state),
        _ => throw new ArgumentOutOfRangeException(nameof(input)),
    };

    public static IEnumerable<Letter> Outbox(SigningKeyState state) =>
        state.Interested.Select(receiver => new Letter(receiver, new SigningKeyFact(state.KeyId, state.PublicPem, state.Message) { Revoked = state.Revoked }));

    private static Decision<SigningKeyState> Find(SigningKeyState state, SigningKeyInput.Found found, DateTimeOffset now)
    {
        var known = state.Trusted.SetItem(found.KeyId, found.PublicPem);
        var revoked = state.Revoked.Union(known.Keys.Where(id => found.Revoked.Any(prefix => id.StartsWith(prefix, StringComparison.Ordinal))));
        var trusted = known.RemoveRange(revoked);
        var next = state with { SecretUid = found.SecretUid, Trusted = trusted, Revoked = revoked };
        next = trusted.ContainsKey(found.KeyId)
            ? next with { KeyId = found.KeyId, PublicPem = found.PublicPem, Message = $"key {found.KeyId[..16]}" }
            : next with { KeyId = "", PublicPem = "", Message = $"Secret {Secret}: expected a key that is not revoked, found {found.KeyId[..16]}" };
        return next.KeyId == state.KeyId && next.Message == state.Message && revoked.SetEquals(state.Revoked) && trusted.Count == state.Trusted.Count
            ? Decision.Of(state)
            : Changed(state, next, now);
    }

    private static Decision<SigningKeyState> Changed(SigningKeyState old, SigningKeyState next, DateTimeOffset now) => Decision.Of(
        next,
        new EventContext(
            new EventSubject("", "Secret", Secret.Namespace, Secret.Name, next.SecretUid, 0), "system:governor:conductor", "conductor", "", "", next.SecretUid)
            .Governance(now, "signingkey.changed", "data['public.pem']", old.KeyId, next.KeyId,
                next.Revoked.Count > old.Revoked.Count ? $"{next.Message}; revoked: {string.Join(", ", next.Revoked.Except(old.Revoked))}" : next.Message));
}
