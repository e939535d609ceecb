using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Governor.Domain.Transparency;

namespace Governor.Domain.Audit;

/// <summary>
/// The part of an event that may have to be erased one day: values and rationale. The record holds only its salted hash, so that
/// erasing it leaves every chain, tree and signature valid, and guessing a short value from the hash stays infeasible.
/// </summary>
public sealed record AuditPayload
{
    /// <summary>Upper bound of the encoded form in bytes.</summary>
    public const int MaximumBytes = 1 << 20;

    private const int SaltBytes = 16;

    private AuditPayload(byte[] bytes, string? previousValue, string? newValue, string? rationale)
    {
        Bytes = bytes;
        PreviousValue = previousValue;
        NewValue = newValue;
        Rationale = rationale;
    }

    private static ReadOnlySpan<byte> Domain => "\u0001governor.audit.payload\n"u8;

    /// <summary>The canonical form, as stored and as exported.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    public string? PreviousValue { get; }

    public string? NewValue { get; }

    public string? Rationale { get; }

    /// <summary>What the record holds in this payload's place.</summary>
    public TreeHash Commitment => CommitmentOf(Bytes.Span);

    /// <summary>SHA-256 of the canonical form, which begins with version and domain and holds the salt.</summary>
    public static TreeHash CommitmentOf(ReadOnlySpan<byte> payload) => TreeHash.Of(payload);

    /// <summary>Takes the erasable fields out of an event, under a fresh salt.</summary>
    /// <exception cref="ArgumentException">Too large, or text that is not valid UTF-16.</exception>
    public static AuditPayload Of(GovernanceEvent governanceEvent)
    {
        var output = new ArrayBufferWriter<byte>(256);
        var writer = new CanonicalWriter(output);
        writer.Raw(Domain);
        RandomNumberGenerator.Fill(output.GetSpan(SaltBytes)[..SaltBytes]);
        output.Advance(SaltBytes);
        writer.OptionalText(governanceEvent.PreviousValue);
        writer.OptionalText(governanceEvent.NewValue);
        writer.OptionalText(governanceEvent.Rationale);
        if (output.WrittenCount > MaximumBytes)
            throw new ArgumentException($"values and rationale of '{governanceEvent.Action}' take {output.WrittenCount} bytes; at most {MaximumBytes} are stored", nameof(governanceEvent));
        return new AuditPayload(
            output.WrittenSpan.ToArray(), governanceEvent.PreviousValue, governanceEvent.NewValue, governanceEvent.Rationale);
    }

    public static bool TryDecode(ReadOnlyMemory<byte> bytes, [NotNullWhen(true)] out AuditPayload? payload, [NotNullWhen(false)] out string? fault)
    {
        var reader = new CanonicalReader(bytes.Span);
        reader.Expect(Domain, "payload");
        reader.Raw(SaltBytes, "salt");
        payload = new AuditPayload(
            bytes.ToArray(), reader.OptionalText("previousValue"), reader.OptionalText("newValue"), reader.OptionalText("rationale"));
        reader.End();
        fault = reader.Fault;
        if (fault is not null)
            payload = null;
        return payload is not null;
    }
}
