using System.Buffers;
using System.Globalization;
using System.Text;

namespace Governor.Watchers.Client;

/// <summary>
/// An apply body is read as YAML 1.1, of which JSON is almost a subset. The exceptions: YAML does not know surrogate pairs
/// (<c>"\ud83d\ude00"</c>), and takes some characters that JSON allows raw for line breaks or refuses them. They are spelled the other
/// way round; all else is left byte for byte.
/// </summary>
internal static class YamlSafeJson
{
    public static ReadOnlyMemory<byte> Rewrite(ReadOnlyMemory<byte> json)
    {
        var from = json.Span;
        if (!from.ContainsAnyInRange((byte)0x7f, (byte)0xff) && from.IndexOf("\\u"u8) < 0)
            return json;
        var to = new ArrayBufferWriter<byte>(from.Length + 64);
        while (!from.IsEmpty)
        {
            if (from[0] == '\\')
                from = from[Escape(from, to)..];
            else if (from[0] < 0x7f)
                from = from[Plain(from, to)..];
            else
                from = from[Raw(from, to)..];
        }
        return to.WrittenMemory;
    }

    private static int Plain(ReadOnlySpan<byte> from, ArrayBufferWriter<byte> to)
    {
        var length = from.IndexOfAny(Special);
        length = length < 0 ? from.Length : length;
        to.Write(from[..length]);
        return length;
    }

    private static int Escape(ReadOnlySpan<byte> from, ArrayBufferWriter<byte> to)
    {
        if (Unit(from) is { } high && char.IsHighSurrogate(high) && Unit(from[6..]) is { } low && char.IsLowSurrogate(low))
        {
            var rune = new Rune(high, low);
            to.Advance(rune.EncodeToUtf8(to.GetSpan(4)));
            return 12;
        }
        var length = Math.Min(2, from.Length); // an escaped backslash must not be taken for the beginning of the next escape
        to.Write(from[..length]);
        return length;
    }

    private static int Raw(ReadOnlySpan<byte> from, ArrayBufferWriter<byte> to)
    {
        var valid = Rune.DecodeFromUtf8(from, out var rune, out var length) == OperationStatus.Done;
        if (valid && rune.Value is 0x7f or (>= 0x80 and < 0xa0) or 0x2028 or 0x2029 or 0xfeff or 0xfffe or 0xffff)
            to.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}")));
        else
            to.Write(from[..length]);
        return length;
    }

    private static char? Unit(ReadOnlySpan<byte> from) =>
        from.Length >= 6 && from[0] == '\\' && from[1] == 'u'
        && ushort.TryParse(from[2..6], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit)
            ? (char)unit
            : null;

    private static readonly SearchValues<byte> Special =
        SearchValues.Create([(byte)'\\', .. Enumerable.Range(0x7f, 0x81).Select(b => (byte)b)]);
}
