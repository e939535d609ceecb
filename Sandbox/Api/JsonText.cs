using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Governor.Sandbox.Api;

/// <summary>The few things that the standard JSON tree lacks: one writer, lookups by path, Go's rewriting of numbers.</summary>
internal static class JsonText
{
    public const int MaxDepth = 512;

    public static readonly JsonDocumentOptions DocumentOptions = new() { MaxDepth = MaxDepth };

    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = MaxDepth };
    private static readonly JsonWriterOptions Indented = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = MaxDepth,
        Indented = true,
    };

    private static readonly JsonSerializerOptions Serialization = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = MaxDepth,
    };

    public static byte[] Bytes(JsonNode node, bool indented = false)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, indented ? Indented : Compact))
            node.WriteTo(writer, Serialization);
        return stream.ToArray();
    }

    public static string Compacted(JsonNode? node) => node?.ToJsonString(Serialization) ?? "null";

    public static string Text(this JsonObject o, string property) =>
        o.TryGetPropertyValue(property, out var v) && v is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";

    public static JsonObject? Child(this JsonObject o, string property) =>
        o.TryGetPropertyValue(property, out var v) ? v as JsonObject : null;

    public static JsonArray? List(this JsonObject o, string property) =>
        o.TryGetPropertyValue(property, out var v) ? v as JsonArray : null;

    public static JsonObject ChildOrNew(this JsonObject o, string property)
    {
        if (o.Child(property) is { } found)
            return found;
        var made = new JsonObject();
        o[property] = made;
        return made;
    }

    public static bool Flag(this JsonObject o, string property) =>
        o.TryGetPropertyValue(property, out var v) && v is JsonValue value && value.TryGetValue<bool>(out var flag) && flag;

    public static long? Whole(this JsonObject o, string property) =>
        o.TryGetPropertyValue(property, out var v) && v is JsonValue value && TryWhole(value, out var n) ? n : null;

    public static JsonNode? At(this JsonNode? node, params ReadOnlySpan<string> path)
    {
        foreach (var step in path)
        {
            if (node is not JsonObject o || !o.TryGetPropertyValue(step, out var next))
                return null;
            node = next;
        }
        return node;
    }

    public static JsonElement Find(this JsonElement at, params ReadOnlySpan<string> path)
    {
        foreach (var step in path)
            if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(step, out at))
                return default;
        return at;
    }

    public static string FindText(this JsonElement at, params ReadOnlySpan<string> path) =>
        at.Find(path) is { ValueKind: JsonValueKind.String } found ? found.GetString()! : "";

    public static JsonObject Metadata(this JsonObject o) => o.ChildOrNew("metadata");

    public static IEnumerable<string> Texts(this JsonArray? array)
    {
        foreach (var item in array ?? [])
            if (item is JsonValue value && value.TryGetValue<string>(out var text))
                yield return text;
    }

    public static JsonArray ArrayOf(IEnumerable<string> texts) => new(texts.Select(t => (JsonNode?)JsonValue.Create(t)).ToArray());

    public static bool TryWhole(JsonValue value, out long whole)
    {
        whole = 0;
        if (value.GetValueKind() != JsonValueKind.Number)
            return false;
        if (value.TryGetValue(out whole))
            return true;
        if (value.TryGetValue<int>(out var narrow))
        {
            whole = narrow;
            return true;
        }
        return false;
    }

    public static double Number(JsonValue value) =>
        TryWhole(value, out var whole) ? whole : double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture);

    /// <summary>Equality of values; object members in any order.</summary>
    public static bool Same(JsonNode? a, JsonNode? b) => JsonNode.DeepEquals(a, b);

    /// <summary>A copy with the members of every object in byte order, so that equal objects are equal bytes.</summary>
    public static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject o => new JsonObject(o.OrderBy(p => p.Key, StringComparer.Ordinal)
            .Select(p => KeyValuePair.Create(p.Key, Sorted(p.Value)))),
        JsonArray a => new JsonArray(a.Select(Sorted).ToArray()),
        null => null,
        _ => node.DeepClone(),
    };

    public static string Stamp(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
