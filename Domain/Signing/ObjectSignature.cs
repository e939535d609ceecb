using System.Buffers;
using System.Text;
using System.Text.Json;
using Governor.Domain.Kinds;

namespace Governor.Domain.Signing;

/// <summary>
/// The signature of an object: an annotation <c>ed25519:&lt;16 hex of the key id&gt;:&lt;base64&gt;</c> over
/// <c>purpose LF identity LF canonical JSON of the whole spec</c>.
/// </summary>
public static class ObjectSignature
{
    private const string Algorithm = "ed25519";

    private static readonly SearchValues<char> Hexadecimal = SearchValues.Create("0123456789abcdef");

    /// <summary>The bytes that are signed.</summary>
    /// <exception cref="FormatException">No identity, no <c>spec</c>, or a spec without a canonical form.</exception>
    public static byte[] Payload(SignaturePurpose purpose, KubeObject item)
    {
        var identity = purpose.Identity(item);
        if (item.Spec.ValueKind != JsonValueKind.Object)
            throw new FormatException($"{item.Kind} {item.Key}: expected a mapping 'spec', found {(item.Spec.ValueKind == JsonValueKind.Undefined ? "none" : item.Spec.ValueKind)}");
        return [.. Encoding.UTF8.GetBytes($"{purpose.Domain}\n{identity}\n"), .. CanonicalJson.Encode(item.Spec)];
    }

    /// <summary>The value for the annotation. What the object already carries there plays no part.</summary>
    /// <exception cref="FormatException">See <see cref="Payload"/>.</exception>
    public static string Sign(SignaturePurpose purpose, KubeObject item, SigningKey key) =>
        $"{Algorithm}:{key.VerifyingKey.ShortKeyId}:{Convert.ToBase64String(key.Sign(Payload(purpose, item)))}";

    /// <summary>Verifies the signature in the object's own annotation.</summary>
    public static SignatureVerdict Verify(SignaturePurpose purpose, KubeObject item, IReadOnlyCollection<VerifyingKey> trusted) =>
        Verify(purpose, item, item.Annotations.GetValueOrDefault(purpose.Annotation, ""), trusted);

    /// <summary>Verifies a signature for an object. Never throws for what is in either.</summary>
    public static SignatureVerdict Verify(SignaturePurpose purpose, KubeObject item, string signature, IReadOnlyCollection<VerifyingKey> trusted)
    {
        if (string.IsNullOrEmpty(signature))
            return new SignatureVerdict.Missing();
        if (!TryParse(signature, out var keyId, out var bytes))
            return new SignatureVerdict.Malformed(
                $"expected '{Algorithm}:<16 hex>:<base64 of {Ed25519.SignatureLength} bytes>', found {signature.Length} characters of another form");

        byte[] payload;
        try
        {
            payload = Payload(purpose, item);
        }
        catch (FormatException e)
        {
            return new SignatureVerdict.Malformed(e.Message);
        }

        var candidates = trusted.Where(key => key.ShortKeyId == keyId).ToList();
        if (candidates.Count == 0)
            return new SignatureVerdict.UnknownKey(keyId);
        return candidates.Find(key => key.Verify(payload, bytes)) is { } signer
            ? new SignatureVerdict.Valid(signer.KeyId)
            : new SignatureVerdict.Forged(keyId);
    }

    /// <summary>One spelling per signature: base64 that decodes but is not what an encoder writes is refused.</summary>
    private static bool TryParse(string signature, out string keyId, out byte[] bytes)
    {
        bytes = new byte[Ed25519.SignatureLength];
        keyId = "";
        var parts = signature.Split(':');
        if (parts.Length != 3 || parts[0] != Algorithm || parts[1].Length != 16 || parts[1].AsSpan().ContainsAnyExcept(Hexadecimal))
            return false;
        keyId = parts[1];
        return Convert.TryFromBase64String(parts[2], bytes, out var written)
            && written == Ed25519.SignatureLength
            && Convert.ToBase64String(bytes) == parts[2];
    }
}
