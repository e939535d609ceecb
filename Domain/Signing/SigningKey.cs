using System.Security.Cryptography;

namespace Governor.Domain.Signing;

/// <summary>An Ed25519 private key, as in <c>private.pem</c> (PKCS#8). Its text form names the key and never shows it.</summary>
public sealed class SigningKey
{
    private readonly byte[] _seed;

    private SigningKey(byte[] seed)
    {
        _seed = seed;
        VerifyingKey = VerifyingKey.FromBytes(Ed25519.PublicKey(seed));
    }

    public VerifyingKey VerifyingKey { get; }

    public static SigningKey Generate() => new(Ed25519.GenerateSeed());

    /// <exception cref="ArgumentException">Not 32 bytes.</exception>
    public static SigningKey FromSeed(ReadOnlySpan<byte> seed32) => new(seed32.ToArray());

    /// <param name="pem">The text of the file.</param>
    /// <param name="source">Where the text is from, for errors.</param>
    /// <exception cref="FormatException">Not one PKCS#8 Ed25519 private key; says what, where, expected and found.</exception>
    public static SigningKey Parse(string pem, string source) => new(Ed25519Pem.ReadPrivate(pem, source));

    public byte[] Sign(ReadOnlySpan<byte> message) => Ed25519.Sign(_seed, message);

    /// <summary>The private key itself: for writing a key file and nothing else.</summary>
    public string ToPem() => PemEncoding.WriteString(Ed25519Pem.PrivateLabel, Ed25519Pem.PrivateDer(_seed)) + "\n";

    public override string ToString() => $"Ed25519 signing key {VerifyingKey.ShortKeyId}";
}
