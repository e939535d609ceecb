using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Governor.Domain.Kinds.Schemas;

/// <summary>Writes a JSON tree as block-style YAML: two spaces, no anchors, strings quoted only where YAML would read something else.</summary>
public static class YamlText
{
    private static readonly SearchValues<char> PlainCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-/+$(),;=<>|'");

    private static readonly string[] Reserved = ["null", "true", "false", "yes", "no", "on", "off", "y", "n", ".nan", ".inf"];

    /// <summary>The document, ended by a line feed.</summary>
    public static string Of(JsonNode? node)
    {
        var text = new StringBuilder();
        Write(text, node, 0, afterKey: false);
        return text.ToString();
    }

    private static void Write(StringBuilder text, JsonNode? node, int indent, bool afterKey)
    {
        switch (node)
        {
            case JsonObject { Count: > 0 } map:
                if (afterKey)
                    text.Append('\n');
                Members(text, map, indent, continued: false);
                break;
            case JsonArray { Count: > 0 } list:
                if (afterKey)
                    text.Append('\n');
                Items(text, list, indent);
                break;
            default:
                text.Append(afterKey ? " " : "").Append(Scalar(node)).Append('\n');
                break;
        }
    }

    private static void Members(StringBuilder text, JsonObject map, int indent, bool continued)
    {
        foreach (var (key, value) in map)
        {
            text.Append(' ', continued ? 0 : indent).Append(Quoted(key)).Append(':');
            continued = false;
            // A list may stand at its key's own indentation; everything else is nested.
            Write(text, value, value is JsonArray ? indent : indent + 2, afterKey: true);
        }
    }

    private static void Items(StringBuilder text, JsonArray list, int indent)
    {
        foreach (var item in list)
        {
            text.Append(' ', indent).Append('-');
            if (item is JsonObject { Count: > 0 } map)
                Members(text.Append(' '), map, indent + 2, continued: true);
            else
                Write(text, item, indent + 2, afterKey: true);
        }
    }

    private static string Scalar(JsonNode? node) => node switch
    {
        null => "null",
        JsonObject => "{}",
        JsonArray => "[]",
        JsonValue value when value.GetValueKind() == JsonValueKind.String => Quoted(value.GetValue<string>()),
        _ => node.ToJsonString(),
    };

    private static string Quoted(string text) => IsPlain(text) ? text : DoubleQuoted(text);

    private static bool IsPlain(string text) =>
        text.Length > 0
        && (char.IsAsciiLetter(text[0]) || (text[0] is '.' && text.Length > 1 && char.IsAsciiLetter(text[1])))
        && text[^1] != ' '
        && !text.AsSpan().ContainsAnyExcept(PlainCharacters)
        && !Reserved.Contains(text, StringComparer.OrdinalIgnoreCase);

    private static string DoubleQuoted(string text)
    {
        var quoted = new StringBuilder(text.Length + 2).Append('"');
        foreach (var character in text)
            _ = character switch
            {
                '"' => quoted.Append("\\\""),
                '\\' => quoted.Append("\\\\"),
                '\n' => quoted.Append("\\n"),
                '\t' => quoted.Append("\\t"),
                < ' ' or (>= '\u007f' and < '\u00a0') or '\u2028' or '\u2029' or '\ufeff' =>
                    quoted.Append("\\u").Append(((int)character).ToString("x4", CultureInfo.InvariantCulture)),
                _ => quoted.Append(character),
            };
        return quoted.Append('"').ToString();
    }
}
