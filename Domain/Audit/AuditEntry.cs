using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Governor.Domain.Audit;

/// <summary>One entry of the log as it travels alone, in a bundle: the record's canonical bytes and those of its payload.</summary>
/// <param name="record">What the leaf hash is over.</param>
/// <param name="payload">What the record commits to; null when it was erased.</param>
public sealed class AuditEntry(ReadOnlyMemory<byte> record, ReadOnlyMemory<byte>? payload)
{
    private static ReadOnlySpan<byte> Domain => "\u0001governor.audit.entry\n"u8;

    public ReadOnlyMemory<byte> Record { get; } = record;

    public ReadOnlyMemory<byte>? Payload { get; } = payload;

    public byte[] Encode()
    {
        var output = new ArrayBufferWriter<byte>(Domain.Length + Record.Length + (Payload?.Length ?? 0) + 8);
        var writer = new CanonicalWriter(output);
        writer.Raw(Domain);
        writer.OptionalBytes(Record);
        writer.OptionalBytes(Payload);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Accepts exactly what <see cref="Encode"/> produces. Record and payload themselves are not looked into.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out AuditEntry? entry, [NotNullWhen(false)] out string? fault)
    {
        var reader = new CanonicalReader(bytes);
        reader.Expect(Domain, "entry");
        var (record, payload) = (reader.OptionalBytes("record"), reader.OptionalBytes("payload"));
        reader.End();
        fault = reader.Fault
            ?? (record is null or { Length: > AuditRecord.MaximumBytes } ? $"expected a record of at most {AuditRecord.MaximumBytes} bytes, found {record?.Length.ToString() ?? "none"}"
            : payload?.Length > AuditPayload.MaximumBytes ? $"expected a payload of at most {AuditPayload.MaximumBytes} bytes, found {payload.Length}"
            : null);
        // An absent payload is none, not an empty one.
        entry = fault is null ? new AuditEntry(record, payload is null ? default(ReadOnlyMemory<byte>?) : payload) : null;
        return entry is not null;
    }
}
