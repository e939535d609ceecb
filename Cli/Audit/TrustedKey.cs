using System.Collections.Immutable;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;

namespace Governor.Cli.Audit;

/// <summary>A log's key as a person gives it: a verifier key, or base64 of the 32 bytes; itself or in a file.</summary>
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

    private static bool TryParse(string text, out AuditTrust trust)
    {
        var raw = new byte[32];
        trust = VerifierKey.TryParse(text, out var key) ? AuditTrust.In(key)
            : Convert.TryFromBase64String(text, raw, out var written) && written == raw.Length ? new AuditTrust(ImmutableArray.Create(raw))
            : AuditTrust.None;
        return !trust.PublicKey.IsEmpty;
    }
}
