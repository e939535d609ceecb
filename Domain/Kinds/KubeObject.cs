using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;
using Orleans;

namespace Governor.Domain.Kinds;

/// <summary>
/// A Kubernetes object exactly as it was sent or received: UTF-8 JSON, with the metadata that everybody needs read once.
/// Immutable. Numbers and unknown fields are carried untouched.
/// </summary>
[GenerateSerializer, Immutable]
public sealed class KubeObject
{
    [Id(0)]
    private readonly byte[] _json;

    [NonSerialized]
    private JsonElement? _root;

    private KubeObject(byte[] json) => _json = json;

    /// <summary>The object's bytes.</summary>
    public ReadOnlyMemory<byte> Json => _json;

    /// <summary>The parsed object. Safe to keep: it owns its memory.</summary>
    public JsonElement Root => _root ??= ParseRoot(_json);

    public string ApiVersion => Text("apiVersion");
    public string Kind => Text("kind");
    public GroupVersionKind Gvk => GroupVersionKind.Of(ApiVersion, Kind);
    public string Name => MetadataText("name");
    public string Namespace => MetadataText("namespace");
    public ObjectKey Key => new(Namespace, Name);
    public string Uid => MetadataText("uid");
    public string ResourceVersion => MetadataText("resourceVersion");
    public long Generation => Metadata is { } m && m.TryGetProperty("generation", out var g) && g.TryGetInt64(out var n) ? n : 0;
    public bool IsBeingDeleted => MetadataText("deletionTimestamp").Length > 0;
    public ImmutableDictionary<string, string> Labels => Map("labels");
    public ImmutableDictionary<string, string> Annotations => Map("annotations");

    /// <summary><c>spec</c>, or an undefined element where there is none.</summary>
    public JsonElement Spec => Find("spec");

    /// <summary><c>status</c>, or an undefined element where there is none.</summary>
    public JsonElement Status => Find("status");

    /// <summary>The element at a path of property names; <see cref="JsonValueKind.Undefined"/> where any step is missing.</summary>
    public JsonElement Find(params ReadOnlySpan<string> path)
    {
        var at = Root;
        foreach (var step in path)
            if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(step, out at))
                return default;
        return at;
    }

    /// <summary>The string at a path, or "" where there is none.</summary>
    public string FindText(params ReadOnlySpan<string> path) =>
        Find(path) is { ValueKind: JsonValueKind.String } found ? found.GetString()! : "";

    /// <summary>A private, mutable copy to build a changed object from.</summary>
    public JsonObject ToJsonObject() => JsonNode.Parse(_json)!.AsObject();

    /// <exception cref="FormatException">The bytes are not one JSON object with <c>apiVersion</c>, <c>kind</c> and <c>metadata</c>.</exception>
    public static KubeObject Parse(ReadOnlySpan<byte> json)
    {
        var made = new KubeObject(json.ToArray());
        JsonElement root;
        try
        {
            root = made.Root;
        }
        catch (JsonException e)
        {
            throw new FormatException($"expected a Kubernetes object, found invalid JSON: {e.Message}", e);
        }
        if (root.ValueKind != JsonValueKind.Object)
            throw new FormatException($"expected a Kubernetes object, found a JSON {root.ValueKind.ToString().ToLowerInvariant()}");
        foreach (var required in (ReadOnlySpan<string>)["apiVersion", "kind"])
            if (!root.TryGetProperty(required, out var value) || value.ValueKind != JsonValueKind.String || value.GetString()!.Length == 0)
                throw new FormatException($"expected a Kubernetes object with '{required}', found none");
        return made;
    }

    /// <summary>The same object without its parsed form, which is made again when somebody looks inside: for whoever keeps many.</summary>
    public KubeObject Folded() => _root is null ? this : new KubeObject(_json);

    public static KubeObject From(JsonNode node) => Parse(JsonSerializer.SerializeToUtf8Bytes(node));

    public override string ToString() => $"{Kind} {Key}";

    private JsonElement? Metadata => Root.TryGetProperty("metadata", out var m) && m.ValueKind == JsonValueKind.Object ? m : null;

    private string Text(string property) =>
        Root.TryGetProperty(property, out var v) && v.ValueKind == JsonValueKind.String ? v.GetString()! : "";

    private string MetadataText(string property) =>
        Metadata is { } m && m.TryGetProperty(property, out var v) && v.ValueKind == JsonValueKind.String ? v.GetString()! : "";

    private ImmutableDictionary<string, string> Map(string property)
    {
        if (Metadata is not { } m || !m.TryGetProperty(property, out var map) || map.ValueKind != JsonValueKind.Object)
            return ImmutableDictionary<string, string>.Empty;
        var made = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var entry in map.EnumerateObject())
            if (entry.Value.ValueKind == JsonValueKind.String)
                made[entry.Name] = entry.Value.GetString()!;
        return made.ToImmutable();
    }

    // Duplicate names and invalid UTF-8 mean different things to different readers: what was judged would not be what is applied.
    private static JsonElement ParseRoot(byte[] json) => Utf8.IsValid(json)
        ? JsonElement.Parse(json, new JsonDocumentOptions { MaxDepth = 128, AllowDuplicateProperties = false })
        : throw new JsonException("invalid UTF-8");
}
