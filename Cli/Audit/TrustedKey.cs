using System.Collections.Immutable;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;

namespace Governor.Cli.Audit;

/// <summary>A key as a person gives it: a verifier key, or for a log base64 of the 32 bytes; itself or in a file.</summary>
internal static class TrustedKey
{
    /// <exception cref="UsageException">Neither.</exception>
    public static AuditTrust Parse(string given)
    {
        if (TryParse(given, out var trust))
            return trust;
        if (!File.Exists(given))
            throw new UsageException($"--key: expected NAME+HASH+KEY, base64 of a 32-byte Ed25519 public key, or a file with one of them; found '{given}'");
        var content = File.ReadAllText(given).Trim();
        return TryParse(content, out trust)
            ? trust
            : throw new UsageException($"--key: {given}: expected NAME+HASH+KEY or base64 of a 32-byte Ed25519 public key, found something else");
    }

    /// <exception cref="UsageException">Not the key of a witness.</exception>
    public static VerifierKey ParseWitness(string given)
    {
        if (!VerifierKey.TryParse(given, out var key) && File.Exists(given))
            _ = VerifierKey.TryParse(File.ReadAllText(given).Trim(), out key);
        return key?.Type == NoteKeyType.Cosignature
            ? key
            : throw new UsageException($"--witness: expected NAME+HASH+KEY of a witness (C2SP tlog-cosignature, type 4), or a file with it; found {(key is null ? $"'{given}'" : "the key of a log")}");
    }

    private static bool TryParse(string text, out AuditTrust trust)
    {
        var raw = new byte[32];
        trust = VerifierKey.TryParse(text, out var key) && key.Type == NoteKeyType.Ed25519 ? AuditTrust.In(key)
            : Convert.TryFromBase64String(text, raw, out var written) && written == raw.Length ? new AuditTrust(ImmutableArray.Create(raw))
            : AuditTrust.None;
        return !trust.PublicKey.IsEmpty;
    }
}
