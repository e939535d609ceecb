using System.Collections.Immutable;
using Governor.Domain.Facts;
using Orleans;

namespace Governor.Domain.Signing;

/// <summary>The public half of the management Conductor's signing key, or what keeps it from being usable.</summary>
/// <param name="KeyId">The key id, or "" where there is no usable key.</param>
/// <param name="PublicPem">The key as PKIX PEM, or "".</param>
/// <param name="Message">Why there is none.</param>
/// <param name="Revoked">Short ids of the keys whose signatures do not count any more, and who says so, and why.</param>
[GenerateSerializer, Immutable]
public sealed record SigningKeyFact(string KeyId, string PublicPem, string Message, ImmutableSortedDictionary<string, string>? Revoked = null) : Fact
{
    public bool IsUsable => KeyId.Length > 0;

    /// <summary>Who revoked a key, and why; null when nobody did.</summary>
    public string? RevocationOf(string keyId) => keyId.Length == 0 ? null : Revoked?.GetValueOrDefault(SigningKeyRules.Short(keyId));
}
