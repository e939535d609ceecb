using System.Buffers;
using System.Text;
using System.Text.Json;
using Governor.Domain.Kinds;

namespace Governor.Domain.Signing;

/// <summary>
/// The signature of a ClusterPack: an annotation <c>ed25519:&lt;16 hex of the key id&gt;:&lt;base64&gt;</c> over
/// <c>governor.pack.v1 LF namespace/name LF canonical JSON of the whole spec</c>. The first line keeps a signature made for anything
/// else from passing as a pack's; the second keeps one pack's from passing as another's. The group is not part of it, so that a
/// pack keeps its signature under an alias of its kind.
/// </summary>
public static class PackSignature
{
    /// <summary>The annotation that carries the signature.</summary>
    public const string Annotation = "ontai.dev/pack-signature";

    private const string Domain = "governor.pack.v1\n";
    private const string Algorithm = "ed25519";

    private static readonly SearchValues<char> Hexadecimal = SearchValues.Create("0123456789abcdef");

    /// <summary>The bytes that are signed.</summary>
    /// <exception cref="FormatException">No name, a name no API server would accept, no <c>spec</c>, or a spec without a canonical form.</exception>
    public static byte[] Payload(KubeObject pack)
    {
        if (pack.Name.Length == 0 || (pack.Namespace + pack.Name).AsSpan().ContainsAny('/', '\n'))
            throw new FormatException($"expected a pack with a valid namespace and name, found '{pack.Namespace}' and '{pack.Name}'");
        if (pack.Spec.ValueKind != JsonValueKind.Object)
            throw new FormatException($"pack {pack.Key}: expected a mapping 'spec', found {(pack.Spec.ValueKind == JsonValueKind.Undefined ? "none" : pack.Spec.ValueKind)}");
        return [.. Encoding.UTF8.GetBytes($"{Domain}{pack.Namespace}/{pack.Name}\n"), .. CanonicalJson.Encode(pack.Spec)];
    }

    /// <summary>The value for the annotation. What the pack already carries there plays no part.</summary>
    /// <exception cref="FormatException">See <see cref="Payload"/>.</exception>
    public static string Sign(KubeObject pack, SigningKey key) =>
        $"{Algorithm}:{key.VerifyingKey.ShortKeyId}:{Convert.ToBase64String(key.Sign(Payload(pack)))}";

    /// <summary>Verifies the signature in the pack's own annotation.</summary>
    public static SignatureVerdict Verify(KubeObject pack, IReadOnlyCollection<VerifyingKey> trusted) =>
        Verify(pack, pack.Annotations.GetValueOrDefault(Annotation, ""), trusted);

    /// <summary>Verifies a signature for a pack. Never throws for what is in either.</summary>
    public static SignatureVerdict Verify(KubeObject pack, string signature, IReadOnlyCollection<VerifyingKey> trusted)
    {
        if (string.IsNullOrEmpty(signature))
            return new SignatureVerdict.Missing();
        if (!TryParse(signature, out var keyId, out var bytes))
            return new SignatureVerdict.Malformed(
                $"expected '{Algorithm}:<16 hex>:<base64 of {Ed25519.SignatureLength} bytes>', found {signature.Length} characters of another form");

        byte[] payload;
        try
        {
            payload = Payload(pack);
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
