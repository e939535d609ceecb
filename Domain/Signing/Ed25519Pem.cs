using System.Security.Cryptography;

namespace Governor.Domain.Signing;

/// <summary>
/// The PEM forms of Ed25519 keys (RFC 8410). Both DER encodings have one possible prefix and a fixed length, so they are compared
/// rather than parsed. Errors name lengths and labels, never content.
/// </summary>
internal static class Ed25519Pem
{
    internal const string PrivateLabel = "PRIVATE KEY";
    internal const string PublicLabel = "PUBLIC KEY";

    /// <summary>PKCS#8 up to the seed: version 0, id-Ed25519, an OCTET STRING inside an OCTET STRING.</summary>
    private static ReadOnlySpan<byte> PrivatePrefix => [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

    /// <summary>SubjectPublicKeyInfo up to the key: id-Ed25519, a BIT STRING without unused bits.</summary>
    private static ReadOnlySpan<byte> PublicPrefix => [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

    internal static byte[] PrivateDer(ReadOnlySpan<byte> seed) => [.. PrivatePrefix, .. seed];

    internal static byte[] PublicDer(ReadOnlySpan<byte> publicKey) => [.. PublicPrefix, .. publicKey];

    internal static byte[] ReadPrivate(string pem, string source) =>
        Read(pem, source, PrivateLabel, "a PKCS#8 Ed25519 private key", PrivatePrefix);

    internal static byte[] ReadPublic(string pem, string source) =>
        Read(pem, source, PublicLabel, "a PKIX Ed25519 public key", PublicPrefix);

    private static byte[] Read(string pem, string source, string label, string expected, ReadOnlySpan<byte> prefix)
    {
        if (!PemEncoding.TryFind(pem, out var fields))
            throw new FormatException($"{source}: expected {expected} in PEM ('-----BEGIN {label}-----'), found no PEM block");
        var found = pem[fields.Label];
        if (found != label)
            throw new FormatException($"{source}: expected {expected} in PEM ('-----BEGIN {label}-----'), found a block labelled '{found}'");
        if (PemEncoding.TryFind(pem.AsSpan(fields.Location.End.Value), out _))
            throw new FormatException($"{source}: expected one PEM block, found more");
        var der = Convert.FromBase64String(pem[fields.Base64Data]);
        try
        {
            if (der.Length != prefix.Length + 32)
                throw new FormatException($"{source}: expected {expected} of {prefix.Length + 32} bytes of DER, found {der.Length} bytes");
            if (!der.AsSpan().StartsWith(prefix))
                throw new FormatException($"{source}: expected {expected}, found a key of another algorithm or encoding");
            return der[prefix.Length..];
        }
        finally
        {
            if (label == PrivateLabel)
                CryptographicOperations.ZeroMemory(der);
        }
    }
}
