using System.Security.Cryptography;

namespace Governor.Domain.Signing;

/// <summary>
/// Ed25519 as in RFC 8032 (the pure variant, no context), over OpenSSL 3. Safe for any number of threads: nothing is shared
/// between calls.
/// </summary>
public static class Ed25519
{
    /// <summary>Bytes of the private key, which RFC 8032 calls the secret and everybody else the seed.</summary>
    public const int SeedLength = 32;

    public const int PublicKeyLength = 32;

    public const int SignatureLength = 64;

    public static byte[] GenerateSeed() => RandomNumberGenerator.GetBytes(SeedLength);

    /// <exception cref="ArgumentException">The seed is not 32 bytes.</exception>
    /// <exception cref="PlatformNotSupportedException">OpenSSL 3 is not installed; says what to install.</exception>
    public static byte[] PublicKey(ReadOnlySpan<byte> seed32)
    {
        RequireSeed(seed32);
        try
        {
            using var key = LibCrypto.EVP_PKEY_new_raw_private_key(LibCrypto.Ed25519KeyType, 0, seed32, (nuint)seed32.Length);
            var publicKey = new byte[PublicKeyLength];
            nuint length = PublicKeyLength;
            if (key.IsInvalid || LibCrypto.EVP_PKEY_get_raw_public_key(key, publicKey, ref length) != 1 || length != PublicKeyLength)
                throw Refused("derive the public key");
            return publicKey;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            throw LibCrypto.Missing(e);
        }
    }

    /// <summary>The 64-byte signature; deterministic.</summary>
    /// <exception cref="ArgumentException">The seed is not 32 bytes.</exception>
    /// <exception cref="PlatformNotSupportedException">OpenSSL 3 is not installed; says what to install.</exception>
    public static byte[] Sign(ReadOnlySpan<byte> seed32, ReadOnlySpan<byte> message)
    {
        RequireSeed(seed32);
        try
        {
            using var key = LibCrypto.EVP_PKEY_new_raw_private_key(LibCrypto.Ed25519KeyType, 0, seed32, (nuint)seed32.Length);
            using var context = LibCrypto.EVP_MD_CTX_new();
            var signature = new byte[SignatureLength];
            nuint length = SignatureLength;
            if (key.IsInvalid || context.IsInvalid
                || LibCrypto.EVP_DigestSignInit(context, 0, 0, 0, key) != 1
                || LibCrypto.EVP_DigestSign(context, signature, ref length, NotNull(message), (nuint)message.Length) != 1
                || length != SignatureLength)
                throw Refused("sign");
            return signature;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            throw LibCrypto.Missing(e);
        }
    }

    /// <summary>Whether the signature is this key's for this message. Input of the wrong size is not a signature: false.</summary>
    /// <exception cref="PlatformNotSupportedException">OpenSSL 3 is not installed; says what to install.</exception>
    public static bool Verify(ReadOnlySpan<byte> publicKey32, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        if (publicKey32.Length != PublicKeyLength || signature.Length != SignatureLength)
            return false;
        try
        {
            using var key = LibCrypto.EVP_PKEY_new_raw_public_key(LibCrypto.Ed25519KeyType, 0, publicKey32, (nuint)publicKey32.Length);
            using var context = LibCrypto.EVP_MD_CTX_new();
            var valid = !key.IsInvalid && !context.IsInvalid
                && LibCrypto.EVP_DigestVerifyInit(context, 0, 0, 0, key) == 1
                && LibCrypto.EVP_DigestVerify(context, signature, (nuint)signature.Length, NotNull(message), (nuint)message.Length) == 1;
            if (!valid)
                LibCrypto.ERR_clear_error();
            return valid;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            throw LibCrypto.Missing(e);
        }
    }

    /// <summary>OpenSSL takes a null message for a missing one, and an empty span is marshalled as null.</summary>
    private static ReadOnlySpan<byte> NotNull(ReadOnlySpan<byte> message) => message.IsEmpty ? [0] : message;

    private static void RequireSeed(ReadOnlySpan<byte> seed)
    {
        if (seed.Length != SeedLength)
            throw new ArgumentException($"expected an Ed25519 seed of {SeedLength} bytes, found {seed.Length}", nameof(seed));
    }

    private static CryptographicException Refused(string what)
    {
        LibCrypto.ERR_clear_error();
        return new CryptographicException($"OpenSSL would not {what} with Ed25519; is it running in a FIPS mode that forbids it?");
    }
}
