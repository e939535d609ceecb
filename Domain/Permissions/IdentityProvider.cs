using System.Collections.Immutable;
using System.Text.Json;
using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Permissions;

/// <summary>An anchor of trust: who vouches for identities, and what that can be checked with.</summary>
/// <param name="Type"><c>oidc</c>, <c>pki</c> or <c>token</c>.</param>
/// <param name="IssuerUrl">For oidc.</param>
/// <param name="CaBundle">For pki: certificates as PEM; for oidc, where the issuer's certificate is not publicly trusted.</param>
/// <param name="ValidationRules">Kept as they are written; nobody evaluates them.</param>
[GenerateSerializer, Immutable]
public sealed record IdentityProvider(
    ObjectKey Key, string Uid, long Generation, string Type, string IssuerUrl, string CaBundle, string TokenSigningKey,
    ImmutableArray<string> AllowedAudiences, ImmutableArray<string> ValidationRules)
{
    public const string Oidc = "oidc", Pki = "pki", Token = "token";

    public static Reading<IdentityProvider> Read(KubeObject source)
    {
        var reader = new FieldReader(source);
        var type = reader.OneOf(reader.Spec, "spec", "type", "ProviderTypeValid", (Oidc, Oidc), (Pki, Pki), (Token, Token));
        var issuer = reader.Text(reader.Spec, "spec", "issuerURL");
        var bundle = reader.Text(reader.Spec, "spec", "caBundle");
        var key = reader.Text(reader.Spec, "spec", "tokenSigningKey");
        switch (TypeOf(source))
        {
            case Oidc:
                reader.Require(IsIssuer(issuer), "IssuerURLValid", "spec.issuerURL", $"expected an https URL without query and fragment, found '{issuer}'");
                break;
            case Pki:
                reader.Require(!string.IsNullOrWhiteSpace(bundle), "CABundleNotEmpty", "spec.caBundle", "expected certificates as PEM, found none");
                break;
            case Token:
                reader.Require(!string.IsNullOrWhiteSpace(key), "TokenSigningKeyNotEmpty", "spec.tokenSigningKey", "expected a public key, found none");
                break;
        }
        var audiences = reader.Texts(reader.Spec, "spec", "allowedAudiences");
        var rules = reader.Texts(reader.Spec, "spec", "validationRules");
        return reader.Result(() => new IdentityProvider(source.Key, source.Uid, source.Generation, type, issuer, bundle, key, audiences, rules));
    }

    /// <summary>The type as it is written, whatever else is wrong.</summary>
    public static string TypeOf(KubeObject source) => source.FindText("spec", "type");

    // OpenID Connect Discovery 1.0, section 3: https, no query, no fragment. A silo on a laptop may have its issuer beside it.
    private static bool IsIssuer(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Query.Length == 0 && url.Fragment.Length == 0 && url.UserInfo.Length == 0
        && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback));
}
