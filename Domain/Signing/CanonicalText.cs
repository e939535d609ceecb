using System.Buffers;
using System.Globalization;
using System.Text;

namespace Governor.Domain.Signing;

/// <summary>How Go reads and writes the strings and floats of JSON; see <see cref="CanonicalJson"/>.</summary>
internal static class CanonicalText
{
    private static ReadOnlySpan<byte> Replacement => "\uFFFD"u8;

    /// <summary>The UTF-8 content of a JSON string without its quotes, escapes resolved, whatever is not Unicode replaced by U+FFFD.</summary>
    internal static byte[] Decode(ReadOnlySpan<byte> raw)
    {
        var output = new ArrayBufferWriter<byte>(Math.Max(raw.Length, 1));
        while (raw.Length > 0)
        {
            if (raw[0] == '\\')
            {
                raw = raw[(raw[1] == 'u' ? DecodeUnicodeEscape(raw, output) : DecodeShortEscape(raw[1], output))..];
            }
            else if (Rune.DecodeFromUtf8(raw, out _, out var length) == OperationStatus.Done)
            {
                output.Write(raw[..length]);
                raw = raw[length..];
            }
            else
            {
                output.Write(Replacement);
                raw = raw[1..]; // Go replaces byte by byte, not sequence by sequence
            }
        }
        return output.WrittenSpan.ToArray();
    }

    private static int DecodeShortEscape(byte letter, ArrayBufferWriter<byte> output)
    {
        output.Write([letter switch
        {
            (byte)'b' => (byte)'\b',
            (byte)'f' => (byte)'\f',
            (byte)'n' => (byte)'\n',
            (byte)'r' => (byte)'\r',
            (byte)'t' => (byte)'\t',
            _ => letter, // quote, backslash, slash; the JSON reader refused every other
        }]);
        return 2;
    }

    private static int DecodeUnicodeEscape(ReadOnlySpan<byte> raw, ArrayBufferWriter<byte> output)
    {
        Span<byte> utf8 = stackalloc byte[4];
        var first = Unit(raw);
        if (Rune.TryCreate(first, out var rune))
        {
            output.Write(utf8[..rune.EncodeToUtf8(utf8)]);
            return 6;
        }
        if (raw.Length >= 12 && raw[6] == '\\' && raw[7] == 'u' && Rune.TryCreate(first, Unit(raw[6..]), out rune))
        {
            output.Write(utf8[..rune.EncodeToUtf8(utf8)]);
            return 12;
        }
        output.Write(Replacement);
        return 6;
    }

    private static char Unit(ReadOnlySpan<byte> escape) =>
        (char)ushort.Parse(escape[2..6], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    internal static void Escape(ReadOnlySpan<byte> text, ArrayBufferWriter<byte> output)
    {
        while (text.Length > 0)
        {
            var plain = 0;
            while (plain < text.Length && !NeedsEscape(text[plain..]))
                plain++;
            output.Write(text[..plain]);
            text = text[plain..];
            if (text.Length > 0)
                text = text[WriteEscape(text, output)..];
        }
    }

    private static bool NeedsEscape(ReadOnlySpan<byte> at) =>
        at[0] < 0x20 || at[0] is (byte)'"' or (byte)'\\' or (byte)'<' or (byte)'>' or (byte)'&' || IsLineSeparator(at);

    /// <summary>U+2028 or U+2029: E2 80 A8 or A9.</summary>
    private static bool IsLineSeparator(ReadOnlySpan<byte> at) =>
        at.Length >= 3 && at[0] == 0xE2 && at[1] == 0x80 && at[2] is 0xA8 or 0xA9;

    private static int WriteEscape(ReadOnlySpan<byte> at, ArrayBufferWriter<byte> output)
    {
        if (IsLineSeparator(at))
        {
            output.Write(at[2] == 0xA8 ? "\\u2028"u8 : "\\u2029"u8);
            return 3;
        }
        ReadOnlySpan<byte> escape = at[0] switch
        {
            (byte)'"' => "\\\""u8,
            (byte)'\\' => "\\\\"u8,
            (byte)'\b' => "\\b"u8,
            (byte)'\f' => "\\f"u8,
            (byte)'\n' => "\\n"u8,
            (byte)'\r' => "\\r"u8,
            (byte)'\t' => "\\t"u8,
            var other => Encoding.ASCII.GetBytes($"\\u{other:x4}"),
        };
        output.Write(escape);
        return 1;
    }

    /// <summary>A float64 as Go's encoding/json writes it, which follows ECMAScript's Number-to-String in all but the exponent's sign.</summary>
    internal static string Float(double value)
    {
        var sign = double.IsNegative(value) ? "-" : "";
        if (value == 0)
            return sign + "0";

        // "R" gives the shortest digits that read back the same, as 123.45, 0.00012 or 1.2E-07: normalise to digits and the exponent
        // of the first of them.
        var text = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture);
        var mark = text.IndexOf('E', StringComparison.Ordinal);
        var mantissa = mark < 0 ? text : text[..mark];
        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        var all = mantissa.Replace(".", "", StringComparison.Ordinal);
        var leading = all.Length - all.TrimStart('0').Length;
        var digits = all.Trim('0');
        var exponent = (point < 0 ? mantissa.Length : point) - 1 - leading
            + (mark < 0 ? 0 : int.Parse(text.AsSpan(mark + 1), CultureInfo.InvariantCulture));
        return sign + (Math.Abs(value) is < 1e-6 or >= 1e21 ? Scientific(digits, exponent) : Positional(digits, exponent));
    }

    private static string Scientific(string digits, int exponent) =>
        $"{digits[0]}{(digits.Length > 1 ? "." + digits[1..] : "")}e{(exponent < 0 ? "-" : "+")}{Math.Abs(exponent)}";

    private static string Positional(string digits, int exponent) =>
        exponent < 0 ? "0." + new string('0', -exponent - 1) + digits
        : digits.Length <= exponent + 1 ? digits.PadRight(exponent + 1, '0')
        : digits[..(exponent + 1)] + "." + digits[(exponent + 1)..];
}
