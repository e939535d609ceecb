using System.Text;
using System.Text.Json;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Governor.Watchers.Kubeconfig;

/// <summary>
/// Reads a kubeconfig's YAML or JSON into mappings, lists and texts. Built for hostile input: bounded size and depth, no aliases,
/// no duplicate keys, no typed tags.
/// </summary>
internal static class KubeconfigDocument
{
    /// <summary>What a Secret can hold.</summary>
    public const int MaxBytes = 1024 * 1024;

    private const int MaxDepth = 24;

    public static KubeconfigNode Parse(ReadOnlyMemory<byte> bytes, string where)
    {
        var root = new KubeconfigNode(where, "", null);
        if (bytes.Length > MaxBytes)
            throw root.Unexpected($"at most {MaxBytes} bytes", $"{bytes.Length}");
        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes.Span).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException e)
        {
            throw root.Unexpected("UTF-8 text", $"an invalid byte at offset {e.Index}", e);
        }
        if (string.IsNullOrWhiteSpace(text))
            throw root.Unexpected("a kubeconfig", "nothing");
        var value = text.AsSpan().TrimStart() is ['{', ..] ? ParseJson(text, root) : ParseYaml(text, root);
        return value is Dictionary<string, object?>
            ? root with { Value = value }
            : throw root.Unexpected("a mapping with apiVersion, clusters, contexts and users", value is string ? "text" : "something else");
    }

    private static object? ParseJson(string text, KubeconfigNode root)
    {
        try
        {
            return FromJson(JsonElement.Parse(text, new JsonDocumentOptions { MaxDepth = MaxDepth, AllowDuplicateProperties = false }));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // the latter: an unpaired surrogate in a string
        {
            throw root.Unexpected("one JSON document", $"invalid JSON: {e.Message}", e);
        }
    }

    private static object? FromJson(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().ToDictionary(p => p.Name, p => FromJson(p.Value), StringComparer.Ordinal),
        JsonValueKind.Array => element.EnumerateArray().Select(FromJson).ToList(),
        JsonValueKind.String => element.GetString(),
        JsonValueKind.Null => null,
        _ => element.GetRawText(),
    };

    private static object? ParseYaml(string text, KubeconfigNode root)
    {
        try
        {
            var parser = new Parser(new StringReader(text));
            parser.Consume<StreamStart>();
            parser.Consume<DocumentStart>();
            var value = FromYaml(parser, root, 0);
            parser.Consume<DocumentEnd>();
            if (parser.TryConsume<DocumentStart>(out var second))
                throw root.Unexpected("one YAML document", $"another at line {second.Start.Line}");
            return value;
        }
        catch (YamlException e)
        {
            throw root.Unexpected("YAML or JSON", $"at line {e.Start.Line}, column {e.Start.Column}: {e.Message}", e);
        }
    }

    private static object? FromYaml(Parser parser, KubeconfigNode at, int depth)
    {
        if (depth > MaxDepth)
            throw at.Unexpected($"at most {MaxDepth} levels", "more");
        if (parser.TryConsume<Scalar>(out var scalar))
            return scalar is { IsPlainImplicit: true, Value: "" or "~" or "null" or "Null" or "NULL" } ? null : scalar.Value;
        if (parser.TryConsume<SequenceStart>(out _))
        {
            var list = new List<object?>();
            while (!parser.TryConsume<SequenceEnd>(out _))
                list.Add(FromYaml(parser, at with { Path = $"{at.Path}[{list.Count}]" }, depth + 1));
            return list;
        }
        if (!parser.TryConsume<MappingStart>(out _))
            throw at.Unexpected("a value", $"an alias at line {parser.Current?.Start.Line}");
        var map = new Dictionary<string, object?>(StringComparer.Ordinal);
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            if (!parser.TryConsume<Scalar>(out var key))
                throw at.Unexpected("text as key", $"something else at line {parser.Current?.Start.Line}");
            var path = at.Path.Length == 0 ? key.Value : $"{at.Path}.{key.Value}";
            if (!map.TryAdd(key.Value, FromYaml(parser, at with { Path = path }, depth + 1)))
                throw at.Unexpected($"'{key.Value}' once", $"it again at line {key.Start.Line}");
        }
        return map;
    }
}
