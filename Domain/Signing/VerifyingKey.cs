using System.Security.Cryptography;

namespace Governor.Domain.Signing;

/// <summary>An Ed25519 public key, as in <c>public.pem</c> (PKIX).</summary>
public sealed class VerifyingKey : IEquatable<VerifyingKey>
{
    private readonly byte[] _publicKey;

    private VerifyingKey(byte[] publicKey)
    {
        _publicKey = publicKey;
        KeyId = Convert.ToHexStringLower(SHA256.HashData(Ed25519Pem.PublicDer(publicKey)));
    }

    /// <summary>Lower-case hexadecimal SHA-256 of the PKIX encoding.</summary>
    public string KeyId { get; }

    /// <summary>The first 16 digits of <see cref="KeyId"/>, what signatures carry.</summary>
    public string ShortKeyId => KeyId[..16];

    /// <summary>The 32 bytes of the key.</summary>
    public ReadOnlyMemory<byte> Bytes => _publicKey;

    /// <param name="pem">The text of the file.</param>
    /// <param name="source">Where the text is from, for errors.</param>
    /// <exception cref="FormatException">Not one PKIX Ed25519 public key; says what, where, expected and found.</exception>
    public static VerifyingKey Parse(string pem, string source) => new(Ed25519Pem.ReadPublic(pem, source));

    /// <exception cref="ArgumentException">Not 32 bytes.</exception>
    public static VerifyingKey FromBytes(ReadOnlySpan<byte> publicKey) =>
        publicKey.Length == Ed25519.PublicKeyLength
            ? new VerifyingKey(publicKey.ToArray())
            : throw new ArgumentException($"expected an Ed25519 public key of {Ed25519.PublicKeyLength} bytes, found {publicKey.Length}", nameof(publicKey));

    public bool Verify(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) => Ed25519.Verify(_publicKey, message, signature);

    public string ToPem() => PemEncoding.WriteString(Ed25519Pem.PublicLabel, Ed25519Pem.PublicDer(_publicKey)) + "\n";

    public bool Equals(VerifyingKey? other) => other is not null && _publicKey.AsSpan().SequenceEqual(other._publicKey);

    public override bool Equals(object? obj) => Equals(obj as VerifyingKey);

    public override int GetHashCode() => BitConverter.ToInt32(_publicKey);

    public override string ToString() => $"Ed25519 key {ShortKeyId}";
}
