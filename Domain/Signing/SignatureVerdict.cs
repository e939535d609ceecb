using Orleans;

namespace Governor.Domain.Signing;

/// <summary>What a look at a signature found. Only <see cref="Valid"/> lets anything pass.</summary>
[GenerateSerializer, Immutable]
public abstract record SignatureVerdict
{
    private SignatureVerdict()
    {
    }

    /// <summary>Signed by a trusted key; the full key id.</summary>
    [GenerateSerializer, Immutable]
    public sealed record Valid(string KeyId) : SignatureVerdict;

    /// <summary>There is no signature.</summary>
    [GenerateSerializer, Immutable]
    public sealed record Missing : SignatureVerdict;

    /// <summary>What is there is no signature of ours, or the object has nothing that could be signed; says expected and found.</summary>
    [GenerateSerializer, Immutable]
    public sealed record Malformed(string Problem) : SignatureVerdict;

    /// <summary>Signed by a key that is not trusted; the short key id it claims.</summary>
    [GenerateSerializer, Immutable]
    public sealed record UnknownKey(string KeyId) : SignatureVerdict;

    /// <summary>Signed by a key that was trusted and is revoked: by whom and why.</summary>
    [GenerateSerializer, Immutable]
    public sealed record RevokedKey(string KeyId, string Why) : SignatureVerdict;

    /// <summary>Claims a trusted key that did not sign this object: the object, its name or the signature was changed.</summary>
    [GenerateSerializer, Immutable]
    public sealed record Forged(string KeyId) : SignatureVerdict;
}
