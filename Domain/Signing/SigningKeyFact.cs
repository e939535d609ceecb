using System.Collections.Immutable;
using Governor.Domain.Facts;
using Orleans;

namespace Governor.Domain.Signing;

/// <summary>The public half of the management Conductor's signing key, or what keeps it from being usable.</summary>
/// <param name="KeyId">The short key id, or "" where there is no usable key.</param>
/// <param name="PublicPem">The key as PKIX PEM, or "".</param>
/// <param name="Message">Why there is none.</param>
[GenerateSerializer, Immutable]
public sealed record SigningKeyFact(string KeyId, string PublicPem, string Message) : Fact
{
    public bool IsUsable => KeyId.Length > 0;

    /// <summary>Ids of the keys that are not trusted any more: whatever they signed has to be looked at again.</summary>
    [Id(0)]
    public ImmutableSortedSet<string> Revoked { get; init; } = [];
}
