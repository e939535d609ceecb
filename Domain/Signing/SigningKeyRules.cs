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
}

public abstract record SigningKeyInput
{
    private SigningKeyInput()
    {
    }

    /// <summary>The Secret holds this key.</summary>
    public sealed record Found(string KeyId, string PublicPem, string SecretUid) : SigningKeyInput;

    /// <summary>There is no usable key.</summary>
    public sealed record Missing(string Message) : SigningKeyInput;

    public sealed record Told(Fact Fact) : SigningKeyInput;
}

/// <summary>How the signing key is decided on. Pure.</summary>
public static class SigningKeyRules
{
    /// <summary>Holds <c>private.pem</c> (PKCS#8) and <c>public.pem</c> (PKIX) on the management cluster.</summary>
    public static readonly ObjectKey Secret = new("ont-system", "conductor-signing-key");

    public static Decision<SigningKeyState> Decide(SigningKeyState state, SigningKeyInput input, DateTimeOffset now) => input switch
    {
        SigningKeyInput.Found found => found.KeyId == state.KeyId
            ? Decision.Of(state)
            : Changed(state, state with { KeyId = found.KeyId, PublicPem = found.PublicPem, Message = $"key {found.KeyId[..16]}", SecretUid = found.SecretUid, Trusted = state.Trusted.SetItem(found.KeyId, found.PublicPem) }, now),
        SigningKeyInput.Missing(var message) => state.KeyId.Length == 0 && message == state.Message
            ? Decision.Of(state)
            : Changed(state, state with { KeyId = "", PublicPem = "", Message = message }, now),
        SigningKeyInput.Told(Interest interest) => Decision.Of(
            state with { Interested = interest.Active ? state.Interested.Add(interest.From) : state.Interested.Remove(interest.From) }),
        SigningKeyInput.Told => Decision.Of(state),
        _ => throw new ArgumentOutOfRangeException(nameof(input)),
    };

    public static IEnumerable<Letter> Outbox(SigningKeyState state) =>
        state.Interested.Select(receiver => new Letter(receiver, new SigningKeyFact(state.KeyId, state.PublicPem, state.Message)));

    private static Decision<SigningKeyState> Changed(SigningKeyState old, SigningKeyState next, DateTimeOffset now) => Decision.Of(
        next,
        new EventContext(
            new EventSubject("", "Secret", Secret.Namespace, Secret.Name, next.SecretUid, 0), "system:governor:conductor", "conductor", "", "", next.SecretUid)
            .Governance(now, "signingkey.changed", "data['public.pem']", old.KeyId, next.KeyId, next.Message));
}
