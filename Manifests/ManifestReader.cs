using System.Collections.Immutable;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using YamlDotNet.Core;

namespace Governor.Manifests;

/// <summary>Reads Kubernetes objects from YAML or JSON text as <c>kubectl apply -f</c> would, and refuses what it would guess at.</summary>
public static class ManifestReader
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = 256 };

    /// <summary>The objects of all documents in order; lists flattened, empty documents skipped.</summary>
    /// <param name="text">Any number of YAML documents; JSON is YAML.</param>
    /// <param name="source">Where the text came from, for errors.</param>
    /// <exception cref="ManifestException">The first problem: what, where, expected, found.</exception>
    public static ImmutableArray<KubeObject> Read(string text, string source) => Read(text, source, ManifestLimits.Default);

    /// <inheritdoc cref="Read(string, string)"/>
    public static ImmutableArray<KubeObject> Read(string text, string source, ManifestLimits limits)
    {
        var objects = ImmutableArray.CreateBuilder<KubeObject>();
        foreach (var document in Documents(text, source, limits))
        {
            if (document.Root is null)
                continue;
            foreach (var (node, path) in Flatten(document.Root, "", new Place(source, document)))
            {
                if (objects.Count == limits.Objects)
                    throw new Place(source, document).Problem($"expected at most {limits.Objects} objects, found more");
                objects.Add(ToObject(node, path, new Place(source, document)));
            }
        }
        return objects.ToImmutable();
    }

    /// <summary>One YAML document that is no Kubernetes object: a configuration file. Null where the text is empty.</summary>
    /// <exception cref="ManifestException">Not YAML, or more than one document.</exception>
    public static JsonNode? ReadDocument(string text, string source)
    {
        var documents = Documents(text, source, ManifestLimits.Default).ToList();
        return documents.Count <= 1
            ? documents.FirstOrDefault()?.Root
            : throw new Place(source, documents[1]).Problem("expected one document, found another");
    }

    private static IEnumerable<YamlDocument.Read> Documents(string text, string source, ManifestLimits limits)
    {
        if (text.Length > limits.Characters)
            throw new ManifestException(source, 1, 1, $"expected at most {limits.Characters} characters, found {text.Length}");
        var reader = new YamlDocument(source, new Parser(new StringReader(text)), limits);
        while (reader.Next() is { } document)
            yield return document;
    }

    private static IEnumerable<(JsonObject Node, string Path)> Flatten(JsonNode? node, string path, Place place)
    {
        if (node is not JsonObject mapping)
            throw place.Problem($"expected a Kubernetes object, found {Describe(node)}: not a mapping{At(path)}");
        if (!IsList(mapping))
            return [(mapping, path)];
        return mapping["items"] switch
        {
            null => [],
            JsonArray items => items.SelectMany((item, i) => Flatten(item, $"{path}items[{i}]", place)),
            var other => throw place.Problem($"expected a sequence 'items' in the list, found {Describe(other)}{At(path)}"),
        };
    }

    /// <summary><c>List</c>, or a typed one as <c>kubectl get -o yaml</c> once printed them: a kind of our own may well end in List.</summary>
    private static bool IsList(JsonObject mapping) =>
        TextOf(mapping["kind"]) is { } kind
        && (kind == "List" || (kind.EndsWith("List", StringComparison.Ordinal) && mapping["items"] is JsonArray && mapping["metadata"]?["name"] is null));

    private static KubeObject ToObject(JsonObject mapping, string path, Place place)
    {
        RequireText(mapping, "apiVersion", place, path);
        RequireText(mapping, "kind", place, path);
        if (mapping["metadata"] is not JsonObject metadata)
            throw place.Problem($"expected a mapping 'metadata', found {Describe(mapping["metadata"])}: no metadata.name{At(path)}");
        var which = $"{At(path)} in {TextOf(mapping["kind"])}";
        if (metadata["name"] is null && metadata["generateName"] is not null)
            throw place.Problem($"expected metadata.name, found only generateName, which would make another object each time{which}");
        RequireText(metadata, "name", place, path, "metadata.", which);
        which += $" '{TextOf(metadata["name"])}'";
        if (metadata.ContainsKey("namespace") && metadata["namespace"] is not null)
            RequireText(metadata, "namespace", place, path, "metadata.", which);
        RequireTexts(metadata, "labels", place, which);
        RequireTexts(metadata, "annotations", place, which);
        return KubeObject.Parse(Serialize(mapping));
    }

    private static void RequireText(JsonObject mapping, string key, Place place, string path, string prefix = "", string? which = null)
    {
        if (TextOf(mapping[key]) is { Length: > 0 })
            return;
        throw place.Problem(
            mapping[key] is null
                ? $"expected '{prefix}{key}', found none: no {prefix}{key}{which ?? At(path)}"
                : $"expected text in '{prefix}{key}', found {Describe(mapping[key])}; quote it{which ?? At(path)}");
    }

    private static void RequireTexts(JsonObject metadata, string key, Place place, string which)
    {
        if (metadata[key] is null)
            return;
        if (metadata[key] is not JsonObject entries)
            throw place.Problem($"expected a mapping 'metadata.{key}', found {Describe(metadata[key])}{which}");
        foreach (var (name, value) in entries)
            if (TextOf(value) is null)
                throw place.Problem($"expected text in metadata.{key} '{name}', found {Describe(value)}; quote it{which}");
    }

    private static byte[] Serialize(JsonObject mapping)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, WriterOptions))
            mapping.WriteTo(writer);
        return stream.ToArray();
    }

    private static string? TextOf(JsonNode? node) =>
        node is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;

    private static string At(string path) => path.Length == 0 ? "" : $" at {path}";

    private static string Describe(JsonNode? node) => node switch
    {
        null => "nothing",
        JsonObject => "a mapping",
        JsonArray => "a sequence",
        _ => node.GetValueKind() switch
        {
            JsonValueKind.String when TextOf(node)!.Length == 0 => "empty text",
            JsonValueKind.String => "text",
            JsonValueKind.Number => $"the number {node.ToJsonString()}",
            _ => node.ToJsonString(),
        },
    };

    private readonly record struct Place(string Source, YamlDocument.Read Document)
    {
        internal ManifestException Problem(string problem) => new(Source, Document.Number, Document.Line, problem);
    }
}
