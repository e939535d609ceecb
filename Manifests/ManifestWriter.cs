using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using Governor.Domain.Kinds;

namespace Governor.Manifests;

/// <summary>
/// Writes Kubernetes objects as YAML: block style, two spaces, properties in the object's own order, LF. The same objects always
/// give the same text, and <see cref="ManifestReader"/> reads back what was written. Text that YAML 1.1 or 1.2 would read as
/// anything else is quoted.
/// </summary>
public static partial class ManifestWriter
{
    /// <summary>Keys up to this length may stand before their colon on one line (YAML 1.2, 7.4: 1024 characters, quotes and escapes counted).</summary>
    private const int ImplicitKeyLength = 1000;

    private static readonly JsonSerializerOptions Quoting = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The documents one after another, each begun with <c>---</c> where there are several.</summary>
    public static string Write(params IReadOnlyList<KubeObject> objects)
    {
        var output = new StringBuilder();
        foreach (var item in objects)
        {
            if (objects.Count > 1)
                output.Append("---\n");
            WriteValue(item.Root, output, indent: 0);
        }
        return output.ToString();
    }

    /// <summary>Writes a value that begins on a line of its own.</summary>
    private static void WriteValue(JsonElement value, StringBuilder output, int indent)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object when value.GetPropertyCount() > 0:
                foreach (var member in value.EnumerateObject())
                    WriteMember(member, output, indent);
                break;
            case JsonValueKind.Array when value.GetArrayLength() > 0:
                foreach (var item in value.EnumerateArray())
                    WriteItem(item, output, indent);
                break;
            default:
                output.Append(' ', indent).Append(Inline(value, indent)).Append('\n');
                break;
        }
    }

    private static void WriteMember(JsonProperty member, StringBuilder output, int indent)
    {
        var key = Text(member.Name);
        output.Append(' ', indent);
        if (key.Length > ImplicitKeyLength)
            output.Append("? ").Append(key).Append('\n').Append(' ', indent).Append(':');
        else
            output.Append(key).Append(':');
        WriteAfterIndicator(member.Value, output, indent);
    }

    private static void WriteAfterIndicator(JsonElement value, StringBuilder output, int indent)
    {
        if (IsBlock(value))
        {
            output.Append('\n');
            // A sequence may stand at its key's own indentation; that is how kubectl prints it.
            WriteValue(value, output, value.ValueKind == JsonValueKind.Array ? indent : indent + 2);
        }
        else
        {
            output.Append(' ').Append(Inline(value, indent + 2)).Append('\n');
        }
    }

    private static void WriteItem(JsonElement item, StringBuilder output, int indent)
    {
        output.Append(' ', indent).Append('-');
        if (!IsBlock(item))
        {
            output.Append(' ').Append(Inline(item, indent + 2)).Append('\n');
            return;
        }
        // The first line of the nested block moves up behind the dash, which takes the place of its indentation.
        var nested = new StringBuilder();
        WriteValue(item, nested, indent + 2);
        output.Append(' ').Append(nested, indent + 2, nested.Length - indent - 2);
    }

    private static bool IsBlock(JsonElement value) =>
        (value.ValueKind == JsonValueKind.Object && value.GetPropertyCount() > 0) || (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0);

    private static string Inline(JsonElement value, int indent) => value.ValueKind switch
    {
        JsonValueKind.Object => "{}",
        JsonValueKind.Array => "[]",
        JsonValueKind.String => value.GetString() is var text && CanBeLiteral(text!) ? Literal(text!, indent) : Text(text!),
        _ => value.GetRawText(),
    };

    private static string Text(string text) =>
        Plain().IsMatch(text) && !YamlScalar.IsAmbiguous(text) ? text : JsonSerializer.Serialize(text, Quoting);

    /// <summary>Several lines without anything that block scalars lose or that needs an escape.</summary>
    private static bool CanBeLiteral(string text) =>
        text.Contains('\n', StringComparison.Ordinal) && LiteralLines().IsMatch(text);

    private static string Literal(string text, int indent)
    {
        var chomping = !text.EndsWith('\n') ? "-" : "";
        var output = new StringBuilder("|").Append(chomping);
        foreach (var line in text.TrimEnd('\n').Split('\n'))
        {
            output.Append('\n');
            if (line.Length > 0)
                output.Append(' ', indent).Append(line);
        }
        return output.ToString();
    }

    [GeneratedRegex(@"\A[A-Za-z_/][A-Za-z0-9_./@-]*(:[A-Za-z0-9_./@-]+)*\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Plain();

    /// <summary>Begins with text, ends with text or one line feed, and holds printable characters only.</summary>
    [GeneratedRegex(@"\A[\x21-\x7e\u00a1-\u1fff][\x20-\x7e\u00a1-\u1fff\n\t]*[\x21-\x7e\u00a1-\u1fff]\n?\z")]
    private static partial Regex LiteralLines();
}
