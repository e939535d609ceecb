using System.Text.Json;
using System.Text.Json.Serialization;
using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Permissions;

/// <summary>What a principal presents.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<IdentityType>))]
public enum IdentityType
{
    Oidc,
    ServiceAccount,
    Certificate,
}

/// <summary>How it is trusted.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TrustMethod>))]
public enum TrustMethod
{
    Mtls,
    Token,
}

/// <summary>How one principal proves who it is.</summary>
/// <param name="TokenMaxTtlSeconds">The longest life of a token; 0 where tokens play no part.</param>
/// <param name="IdentityProviderRef">The provider that vouches, in the binding's own namespace; "" for none.</param>
[GenerateSerializer, Immutable]
public sealed record IdentityBinding(
    ObjectKey Key, string Uid, long Generation, IdentityType IdentityType, string PrincipalName, TrustMethod TrustMethod, int TokenMaxTtlSeconds, string IdentityProviderRef)
{
    /// <summary>No token may live longer.</summary>
    public const int LongestTokenSeconds = 900;

    [JsonIgnore]
    public ObjectKey? Provider => IdentityProviderRef.Length > 0 ? Key with { Name = IdentityProviderRef } : null;

    public static Reading<IdentityBinding> Read(KubeObject source)
    {
        var reader = new FieldReader(source);
        var spec = reader.Spec;
        var principal = reader.Name(spec, "spec", "principalName", "PrincipalNameNotEmpty");
        var type = reader.OneOf(spec, "spec", "identityType", "IdentityTypeValid",
            ("oidc", IdentityType.Oidc), ("serviceAccount", IdentityType.ServiceAccount), ("certificate", IdentityType.Certificate));
        var method = reader.OneOf(spec, "spec", "trustMethod", "TrustMethodValid", ("mtls", TrustMethod.Mtls), ("token", TrustMethod.Token));
        var ttl = Ttl(reader, spec, source.FindText("spec", "trustMethod") == "token");
        reader.Require(
            source.FindText("spec", "trustMethod") != "token" || source.FindText("spec", "identityType") != "certificate",
            "TrustMethodMatches", "spec.trustMethod", "TrustMethodMismatch: expected 'mtls' for a certificate, found 'token'");
        Configuration(reader, source);
        var provider = reader.Text(spec, "spec", "identityProviderRef");
        return reader.Result(() => new IdentityBinding(source.Key, source.Uid, source.Generation, type, principal, method, ttl, provider));
    }

    private static int Ttl(FieldReader reader, JsonElement spec, bool matters)
    {
        var found = FieldReader.TryFind(spec, "tokenMaxTTLSeconds", out var value) ? value.GetRawText() : "none";
        var ttl = value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var seconds) ? seconds : 0;
        reader.Require(
            !matters || ttl is > 0 and <= LongestTokenSeconds,
            "TokenTTLValid", "spec.tokenMaxTTLSeconds", $"TokenTTLExceeded: expected more than 0 and at most {LongestTokenSeconds} seconds, found {found}");
        return ttl;
    }

    // The configuration of the type that is written has to be there; those of other types are ignored.
    private static void Configuration(FieldReader reader, KubeObject source)
    {
        switch (source.FindText("spec", "identityType"))
        {
            case "oidc":
                reader.Name(source.Find("spec", "oidcConfig"), "spec.oidcConfig", "issuer", "OIDCConfigValid");
                break;
            case "serviceAccount":
                reader.Name(source.Find("spec", "serviceAccountConfig"), "spec.serviceAccountConfig", "name", "ServiceAccountConfigValid");
                reader.Name(source.Find("spec", "serviceAccountConfig"), "spec.serviceAccountConfig", "namespace", "ServiceAccountConfigValid");
                break;
            case "certificate":
                reader.Name(source.Find("spec", "certificateConfig"), "spec.certificateConfig", "commonName", "CertificateConfigValid");
                break;
        }
    }
}
