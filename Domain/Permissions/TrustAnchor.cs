using Governor.Domain.Kinds;

namespace Governor.Domain.Permissions;

/// <summary>Whether the provider that a binding refers to can vouch for it.</summary>
/// <param name="Reason">Of existence, type and validity the first that does not hold; <c>TrustAnchorResolved</c> when all do.</param>
public sealed record TrustAnchor(bool Resolved, string Reason, string Message)
{
    public const string Found = "TrustAnchorResolved";
    public const string NotFound = "TrustAnchorNotFound";
    public const string TypeMismatch = "TrustAnchorTypeMismatch";
    public const string Invalid = "TrustAnchorInvalid";

    /// <param name="provider">What the provider says of itself; null while it has said nothing.</param>
    public static TrustAnchor Resolve(IdentityType type, ObjectKey key, IdentityProviderStanding? provider)
    {
        var name = $"IdentityProvider {key}";
        if (provider is not { Exists: true })
            return new TrustAnchor(false, NotFound, $"spec.identityProviderRef: expected {name}, found none");
        var wanted = ProviderType(type);
        if (provider.Type != wanted)
            return new TrustAnchor(false, TypeMismatch, $"spec.identityProviderRef: expected a provider of type {wanted}, found {name} of type '{provider.Type}'");
        return provider.Valid
            ? new TrustAnchor(true, Found, $"{name} vouches.")
            : new TrustAnchor(false, Invalid, $"spec.identityProviderRef: {name} is not valid: {provider.Message}");
    }

    private static string ProviderType(IdentityType type) => type switch
    {
        IdentityType.Oidc => IdentityProvider.Oidc,
        IdentityType.Certificate => IdentityProvider.Pki,
        IdentityType.ServiceAccount => IdentityProvider.Token,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "expected a known identity type"),
    };
}
