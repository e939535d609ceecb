using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using Governor.Domain.Transparency;

namespace Governor.Domain.Audit;

/// <summary>
/// Writes the canonical form: big-endian integers of fixed width, strings as UTF-8 behind a 32-bit length, absence as length -1.
/// One value has exactly one form.
/// </summary>
internal readonly ref struct CanonicalWriter(ArrayBufferWriter<byte> output)
{
    public static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public void Raw(ReadOnlySpan<byte> bytes) => output.Write(bytes);

    public void Hash(TreeHash hash)
    {
        hash.CopyTo(output.GetSpan(TreeHash.Size));
        output.Advance(TreeHash.Size);
    }

    public void Id(Guid id)
    {
        id.TryWriteBytes(output.GetSpan(16), bigEndian: true, out var written);
        output.Advance(written);
    }

    public void Byte(byte value) => output.Write([value]);

    public void Int64(long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(output.GetSpan(8), value);
        output.Advance(8);
    }

    public void OptionalBytes(ReadOnlyMemory<byte>? bytes)
    {
        BinaryPrimitives.WriteInt32BigEndian(output.GetSpan(4), bytes?.Length ?? -1);
        output.Advance(4);
        if (bytes is { } present)
            output.Write(present.Span);
    }

    /// <exception cref="ArgumentException">Absent, with a NUL (PostgreSQL's text has none), or not valid UTF-16.</exception>
    public void Text(string text, [CallerArgumentExpression(nameof(text))] string field = "")
    {
        if (text is null || text.Contains('\0', StringComparison.Ordinal))
            throw new ArgumentException($"{field}: expected text without NUL, found {(text is null ? "none" : "one")}", field);
        OptionalText(text);
    }

    /// <exception cref="EncoderFallbackException">Not valid UTF-16.</exception>
    public void OptionalText(string? text)
    {
        var span = output.GetSpan(4 + StrictUtf8.GetMaxByteCount(text?.Length ?? 0));
        var length = text is null ? -1 : StrictUtf8.GetBytes(text, span[4..]);
        BinaryPrimitives.WriteInt32BigEndian(span, length);
        output.Advance(4 + Math.Max(length, 0));
    }
}

/// <summary>
/// Reads the canonical form and nothing else. After the first fault every read answers a default and <see cref="Fault"/> says what
/// was wrong, so that a decoder can read all fields and ask once.
/// </summary>
internal ref struct CanonicalReader(ReadOnlySpan<byte> bytes)
{
    private readonly int _length = bytes.Length;
    private ReadOnlySpan<byte> _rest = bytes;

    public string? Fault { get; private set; }

    public readonly bool AtEnd => _rest.IsEmpty;

    public ReadOnlySpan<byte> Raw(int count, string field)
    {
        if (Fault is null && count > _rest.Length)
            Fail($"{field}: expected {count} bytes, found {_rest.Length}");
        if (Fault is not null)
            return default;
        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    public void Expect(ReadOnlySpan<byte> constant, string field)
    {
        if (!Raw(constant.Length, field).SequenceEqual(constant))
            Fail($"{field}: expected the {constant.Length} bytes of this format and version");
    }

    public TreeHash Hash(string field)
    {
        var raw = Raw(TreeHash.Size, field);
        return raw.IsEmpty ? default : new TreeHash(raw);
    }

    public Guid Id(string field)
    {
        var raw = Raw(16, field);
        return raw.IsEmpty ? default : new Guid(raw, bigEndian: true);
    }

    public long Int64(string field, long minimum = long.MinValue)
    {
        var raw = Raw(8, field);
        var value = raw.IsEmpty ? minimum : BinaryPrimitives.ReadInt64BigEndian(raw);
        if (value >= minimum)
            return value;
        Fail($"{field}: expected at least {minimum}, found {value}");
        return minimum;
    }

    /// <summary>100-nanosecond ticks since 0001-01-01 UTC: what a <see cref="DateTimeOffset"/> holds without loss.</summary>
    public long Instant(string field)
    {
        var ticks = Int64(field, DateTimeOffset.MinValue.UtcTicks);
        if (ticks <= DateTimeOffset.MaxValue.UtcTicks)
            return ticks;
        Fail($"{field}: expected an instant up to the year 9999, found {ticks} ticks");
        return 0;
    }

    public byte Byte(string field, byte maximum)
    {
        var raw = Raw(1, field);
        var value = raw.IsEmpty ? (byte)0 : raw[0];
        if (value > maximum)
            Fail($"{field}: expected at most {maximum}, found {value}");
        return value;
    }

    public string Text(string field)
    {
        var text = OptionalText(field);
        if (text is null || text.Contains('\0', StringComparison.Ordinal))
            Fail($"{field}: expected text without NUL, found {(text is null ? "none" : "one")}");
        return text ?? "";
    }

    public string? OptionalText(string field)
    {
        if (!TryBytes(field, out var content))
            return null;
        if (System.Text.Unicode.Utf8.IsValid(content))
            return Encoding.UTF8.GetString(content);
        Fail($"{field}: not valid UTF-8");
        return null;
    }

    /// <summary>Null when they are absent.</summary>
    public byte[]? OptionalBytes(string field) => TryBytes(field, out var content) ? content.ToArray() : null;

    private bool TryBytes(string field, out ReadOnlySpan<byte> content)
    {
        content = default;
        var raw = Raw(4, field);
        var length = raw.IsEmpty ? -1 : BinaryPrimitives.ReadInt32BigEndian(raw);
        if (length < -1)
            Fail($"{field}: expected a length, found {length}");
        if (length < 0 || Fault is not null)
            return false;
        content = Raw(length, field);
        return Fault is null;
    }

    public void End()
    {
        if (Fault is null && !AtEnd)
            Fail($"expected the end after {_length - _rest.Length} bytes, found {_rest.Length} more");
    }

    private void Fail(string fault) => Fault ??= $"{fault} (at byte {_length - _rest.Length})";
}
