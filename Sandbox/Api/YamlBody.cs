using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace Governor.Sandbox.Api;

/// <summary>YAML 1.1 bodies as JSON, with the scalars that the API server's parser knows: <c>yes</c> and <c>y</c> are booleans.</summary>
internal static partial class YamlBody
{
    private const int MaxDepth = 128;
    private const int MaxNodes = 1_000_000;

    /// <summary>JSON, which is YAML, is read as JSON: exact, and much faster.</summary>
    /// <exception cref="ApiException">400 when the text is neither.</exception>
    public static JsonNode? ReadAny(ReadOnlySpan<byte> body)
    {
        if (body.TrimStart(" \n\r\t"u8) is not [(byte)'{', ..])
            return Read(body);
        try
        {
            return BodyReader.Read(body);
        }
        catch (System.Text.Json.JsonException)
        {
            return Read(body);
        }
    }

    /// <exception cref="ApiException">400 when the text is not YAML.</exception>
    public static JsonNode? Read(ReadOnlySpan<byte> body)
    {
        try
        {
            var text = Encoding.UTF8.GetString(body);
            CheckDepth(text);
            var stream = new YamlStream();
            using var reader = new StringReader(text);
            stream.Load(reader);
            var left = MaxNodes;
            return stream.Documents.Count == 0 ? null : Convert(stream.Documents[0].RootNode, ref left);
        }
        catch (YamlException e)
        {
            throw ApiException.BadRequest($"error decoding YAML: error converting YAML to JSON: yaml: line {e.Start.Line}: {e.InnerException?.Message ?? e.Message}");
        }
    }

    /// <summary>The tree is built by recursion: what is too deep for it is refused from the events, which are not.</summary>
    private static void CheckDepth(string text)
    {
        using var reader = new StringReader(text);
        var parser = new Parser(reader);
        for (var depth = 0; parser.MoveNext();)
        {
            depth += parser.Current!.NestingIncrease;
            if (depth > MaxDepth)
                throw ApiException.BadRequest("error decoding YAML: exceeded max depth");
        }
    }

    private static JsonNode? Convert(YamlNode node, ref int left)
    {
        // Aliases are expanded: without a bound a few lines make a document of any size.
        if (--left < 0)
            throw ApiException.BadRequest("error decoding YAML: error converting YAML to JSON: yaml: document contains excessive aliasing");
        switch (node)
        {
            case YamlMappingNode map:
                var made = new JsonObject();
                foreach (var (key, value) in map.Children)
                    made[(key as YamlScalarNode)?.Value ?? throw ApiException.BadRequest("error decoding YAML: a key is no scalar")] = Convert(value, ref left);
                return made;
            case YamlSequenceNode list:
                var items = new JsonArray();
                foreach (var item in list.Children)
                    items.Add(Convert(item, ref left));
                return items;
            case YamlScalarNode { Style: ScalarStyle.Plain } scalar:
                return ReadPlain(scalar.Value ?? "");
            case YamlScalarNode scalar:
                return JsonValue.Create(scalar.Value);
            default:
                throw ApiException.BadRequest("error decoding YAML: unsupported node");
        }
    }

    /// <summary>What an unquoted scalar means.</summary>
    public static JsonValue? ReadPlain(string text)
    {
        if (text is "" or "~" or "null" or "Null" or "NULL")
            return null;
        if (True().IsMatch(text))
            return JsonValue.Create(true);
        if (False().IsMatch(text))
            return JsonValue.Create(false);
        if (Whole().IsMatch(text) && long.TryParse(text.Replace("_", "", StringComparison.Ordinal), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
            return JsonValue.Create(whole);
        if (text.StartsWith("0x", StringComparison.Ordinal) && long.TryParse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var hex))
            return JsonValue.Create(hex);
        if (Octal().IsMatch(text))
            return JsonValue.Create(System.Convert.ToInt64(text.TrimStart('0', 'o'), 8));
        return Float().IsMatch(text) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? BodyReader.Normalized(number)
            : JsonValue.Create(text);
    }

    [GeneratedRegex(@"\A(y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)\z")]
    private static partial Regex True();

    [GeneratedRegex(@"\A(n|N|no|No|NO|false|False|FALSE|off|Off|OFF)\z")]
    private static partial Regex False();

    [GeneratedRegex(@"\A[-+]?(0|[1-9][0-9_]*)\z")]
    private static partial Regex Whole();

    [GeneratedRegex(@"\A0o?[0-7]+\z")]
    private static partial Regex Octal();

    [GeneratedRegex(@"\A[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\z")]
    private static partial Regex Float();
}
