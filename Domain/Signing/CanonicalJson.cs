using System.Buffers;
using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Governor.Domain.Signing;

/// <summary>
/// The one byte sequence of a JSON value that signatures are made over: what Go's <c>encoding/json</c> (1.22 and later) marshals
/// from a decoded <c>map[string]any</c>.
/// <list type="bullet">
/// <item>Object keys sorted by their UTF-8 bytes; compact; a key that occurs twice is refused.</item>
/// <item><c>&lt; &gt; &amp;</c> U+2028 U+2029 as lower-case <c>\u003c</c>, …; <c>\b \f \n \r \t</c> short, other control characters
/// as <c>\u00xx</c>; everything else raw. (Go before 1.22 wrote <c>\u0008</c> and <c>\u000c</c>; such text is not produced.)</item>
/// <item>Invalid UTF-8, byte by byte, and lone surrogates become U+FFFD, raw.</item>
/// <item>A number without fraction and exponent keeps its literal, whatever its size. Any other is read as a double and written as
/// Go writes a float64: shortest digits that read back the same, positional from 1e-6 up to 1e21, else like <c>1e-7</c> and
/// <c>1e+21</c>. <c>1.0</c> is <c>1</c>. A number beyond a double is refused.</item>
/// </list>
/// </summary>
public static class CanonicalJson
{
    /// <summary>Nesting beyond this is refused.</summary>
    public const int MaxDepth = 128;

    /// <exception cref="FormatException">A duplicate key, a number beyond a double, or nesting deeper than <see cref="MaxDepth"/>.</exception>
    public static byte[] Encode(JsonElement value) => Encode(JsonMarshal.GetRawUtf8Value(value));

    /// <inheritdoc cref="Encode(JsonElement)"/>
    public static byte[] Encode(JsonNode? value) => Encode(JsonSerializer.SerializeToUtf8Bytes(value, NodeOptions));

    /// <exception cref="FormatException">Not one JSON value, or one that has no canonical form.</exception>
    public static byte[] Encode(ReadOnlySpan<byte> utf8Json)
    {
        var reader = new Utf8JsonReader(utf8Json, new JsonReaderOptions { MaxDepth = MaxDepth });
        var output = new ArrayBufferWriter<byte>(Math.Max(utf8Json.Length, 16));
        try
        {
            reader.Read();
            Write(ref reader, output, "$");
            if (reader.Read())
                throw new FormatException("expected one JSON value, found another after it");
        }
        catch (JsonException e)
        {
            throw new FormatException($"expected JSON nested at most {MaxDepth} deep: {e.Message}", e);
        }
        return output.WrittenSpan.ToArray();
    }

    private static readonly JsonSerializerOptions NodeOptions = new() { MaxDepth = MaxDepth };

    private static void Write(ref Utf8JsonReader reader, ArrayBufferWriter<byte> output, string path)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                WriteObject(ref reader, output, path);
                break;
            case JsonTokenType.StartArray:
                WriteArray(ref reader, output, path);
                break;
            case JsonTokenType.String:
                WriteString(CanonicalText.Decode(reader.ValueSpan), output);
                break;
            case JsonTokenType.Number:
                WriteNumber(reader.ValueSpan, output, path);
                break;
            default:
                output.Write(reader.ValueSpan); // true, false, null
                break;
        }
    }

    private static void WriteObject(ref Utf8JsonReader reader, ArrayBufferWriter<byte> output, string path)
    {
        var values = new ArrayBufferWriter<byte>();
        var members = new List<Member>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = CanonicalText.Decode(reader.ValueSpan);
            var start = values.WrittenCount;
            reader.Read();
            Write(ref reader, values, $"{path}.{Encoding.UTF8.GetString(key)}");
            members.Add(new Member(key, start..values.WrittenCount));
        }
        members.Sort(static (a, b) => a.Key.AsSpan().SequenceCompareTo(b.Key));

        output.Write("{"u8);
        for (var i = 0; i < members.Count; i++)
        {
            if (i > 0)
            {
                if (members[i].Key.AsSpan().SequenceEqual(members[i - 1].Key))
                    throw new FormatException($"{path}: expected every key once, found '{Encoding.UTF8.GetString(members[i].Key)}' twice");
                output.Write(","u8);
            }
            WriteString(members[i].Key, output);
            output.Write(":"u8);
            output.Write(values.WrittenSpan[members[i].Value]);
        }
        output.Write("}"u8);
    }

    private static void WriteArray(ref Utf8JsonReader reader, ArrayBufferWriter<byte> output, string path)
    {
        output.Write("["u8);
        for (var i = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; i++)
        {
            if (i > 0)
                output.Write(","u8);
            Write(ref reader, output, $"{path}[{i}]");
        }
        output.Write("]"u8);
    }

    private static void WriteNumber(ReadOnlySpan<byte> literal, ArrayBufferWriter<byte> output, string path)
    {
        if (!literal.ContainsAny(".eE"u8))
        {
            output.Write(literal);
            return;
        }
        if (!Utf8Parser.TryParse(literal, out double value, out _) || !double.IsFinite(value))
            throw new FormatException($"{path}: expected a number that fits a double, found '{Encoding.ASCII.GetString(literal)}'");
        output.Write(Encoding.ASCII.GetBytes(CanonicalText.Float(value)));
    }

    private static void WriteString(ReadOnlySpan<byte> text, ArrayBufferWriter<byte> output)
    {
        output.Write("\""u8);
        CanonicalText.Escape(text, output);
        output.Write("\""u8);
    }

    private readonly record struct Member(byte[] Key, Range Value);
}
