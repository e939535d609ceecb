using System.Text.Json;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;
using Governor.Domain.Signing;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;

namespace Governor.Grains.Signing;

/// <summary>
/// The management Conductor's signing key. Its state knows the public half only; the private half is read from the Secret when
/// something has to be signed, and forgotten again.
/// </summary>
public sealed class SigningKeyGrain(GovernedServices services)
    : GovernedGrain<SigningKeyState, SigningKeyInput>(services, Subjects.SigningKey), ISigningKeyGrain
{
    public async Task<PackSigning?> SignAsync(KubeObject item)
    {
        var secret = await Clusters.Management.GetAsync(KnownKinds.Secret, SigningKeyRules.Secret, CancellationToken.None);
        if (secret is null || PrivatePem(secret) is not { } pem)
            return null;
        var key = SigningKey.Parse(pem, $"Secret {SigningKeyRules.Secret} data['private.pem']");
        return key.VerifyingKey.KeyId == State.KeyId ? new PackSigning(ObjectSignature.Sign(SignaturePurpose.Of(item), item, key), State.KeyId) : null;
    }

    public Task<SignatureVerdict> VerifyAsync(KubeObject item)
    {
        VerifyingKey[] trusted = [.. State.Trusted.Select(key => VerifyingKey.Parse(key.Value, $"journaled signing key {key.Key}"))];
        return Task.FromResult(SigningKeyRules.Judge(State, ObjectSignature.Verify(SignaturePurpose.Of(item), item, trusted)));
    }

    protected override SigningKeyState Initial() => SigningKeyState.Initial;

    protected override Decision<SigningKeyState> Decide(SigningKeyState state, SigningKeyInput input, DateTimeOffset now) => SigningKeyRules.Decide(state, input, now);

    protected override SigningKeyInput Receive(Fact fact) => new SigningKeyInput.Told(fact);

    protected override SigningKeyInput? Read(Observation seen)
    {
        if (seen.Object is not { } secret)
            return new SigningKeyInput.Missing($"waits for Secret {SigningKeyRules.Secret}");
        var revoked = SigningKeyRules.RevokedBy(secret);
        if (PrivatePem(secret) is not { } pem)
            return new SigningKeyInput.Missing($"Secret {SigningKeyRules.Secret}: expected data['private.pem'], found none", revoked);
        try
        {
            var key = SigningKey.Parse(pem, $"Secret {SigningKeyRules.Secret} data['private.pem']").VerifyingKey;
            return new SigningKeyInput.Found(key.KeyId, key.ToPem(), secret.Uid, revoked);
        }
        catch (FormatException e)
        {
            return new SigningKeyInput.Missing(e.Message, revoked);
        }
    }

    protected override IEnumerable<Letter> Outbox(SigningKeyState state) => SigningKeyRules.Outbox(state);

    private static string? PrivatePem(KubeObject secret) =>
        secret.Find("data", "private.pem") is { ValueKind: JsonValueKind.String } found && found.TryGetBytesFromBase64(out var pem)
            ? System.Text.Encoding.UTF8.GetString(pem)
            : null;
}
