using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Governor.Domain.Signing;

namespace Governor.Domain.Transparency;

/// <summary>What a key signs. The numbers are the signature types of C2SP signed-note.</summary>
public enum NoteKeyType : byte
{
    /// <summary>Ed25519 over the text of the note: a log's key.</summary>
    Ed25519 = 0x01,

    /// <summary>A C2SP tlog-cosignature of version 1: a witness' key.</summary>
    Cosignature = 0x04,
}

/// <summary>
/// A public key under its name, as in C2SP signed-note. Its text form, the verifier key, is <c>name+hash+base64(type || key)</c>.
/// </summary>
public sealed class VerifierKey : IEquatable<VerifierKey>
{
    /// <exception cref="ArgumentException">The name cannot name a key, or the key is not 32 bytes.</exception>
    public VerifierKey(string name, ReadOnlySpan<byte> publicKey, NoteKeyType type = NoteKeyType.Ed25519)
    {
        if (!IsName(name))
            throw new ArgumentException($"expected a key name: not empty, no white space, no '+'; found '{name}'", nameof(name));
        if (publicKey.Length != Ed25519.PublicKeyLength)
            throw new ArgumentException($"expected {Ed25519.PublicKeyLength} bytes of Ed25519 public key, found {publicKey.Length}", nameof(publicKey));
        Name = name;
        Type = type;
        PublicKey = [.. publicKey];
        Id = BinaryPrimitives.ReadUInt32BigEndian(
            SHA256.HashData([.. Encoding.UTF8.GetBytes(name), (byte)'\n', (byte)type, .. publicKey]));
    }

    public string Name { get; }

    public NoteKeyType Type { get; }

    public ImmutableArray<byte> PublicKey { get; }

    /// <summary>The first four bytes of SHA-256(name || 0x0A || type || key), big-endian. A hint, not a proof.</summary>
    public uint Id { get; }

    /// <summary>Not empty, no Unicode white space, no control character, no plus sign.</summary>
    public static bool IsName(string name) =>
        name.Length > 0 && !name.Any(c => char.IsWhiteSpace(c) || char.IsControl(c) || char.IsSurrogate(c) || c == '+');

    /// <summary>Reads the text form; its hash must be the one of this name and key.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out VerifierKey? key)
    {
        key = null;
        // base64 may contain '+', so that only the first two are separators.
        var parts = text.Split('+', 3);
        if (parts.Length != 3 || !IsName(parts[0]) || !StrictBase64.TryDecode(parts[2], out var raw)
            || raw.Length != 1 + Ed25519.PublicKeyLength || !Enum.IsDefined((NoteKeyType)raw[0]))
            return false;
        var candidate = new VerifierKey(parts[0], raw.AsSpan(1), (NoteKeyType)raw[0]);
        if (parts[1] == candidate.HexId)
            key = candidate;
        return key is not null;
    }

    /// <param name="text">The UTF-8 bytes of the note's text.</param>
    /// <param name="signature">Without the key id in front.</param>
    public bool Verify(ReadOnlySpan<byte> text, ReadOnlySpan<byte> signature)
    {
        if (Type == NoteKeyType.Cosignature)
            return Cosignature.TrySplit(text, signature, out var message, out var ed25519) && VerifyEd25519(message, ed25519);
        return VerifyEd25519(text, signature);
    }

    public bool Equals(VerifierKey? other) => other is not null && Name == other.Name && Type == other.Type && PublicKey.AsSpan().SequenceEqual(other.PublicKey.AsSpan());

    public override bool Equals(object? obj) => Equals(obj as VerifierKey);

    public override int GetHashCode() => HashCode.Combine(Name, Id);

    public override string ToString() => $"{Name}+{HexId}+{Convert.ToBase64String([(byte)Type, .. PublicKey])}";

    private string HexId => Id.ToString("x8", System.Globalization.CultureInfo.InvariantCulture);

    private bool VerifyEd25519(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) =>
        signature.Length == Ed25519.SignatureLength && Ed25519.Verify(PublicKey.AsSpan(), message, signature);
}
