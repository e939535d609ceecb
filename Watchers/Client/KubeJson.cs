using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Governor.Domain.Kinds;

namespace Governor.Watchers.Client;

/// <summary>
/// Cuts lists and watch events into objects without building the whole. The cutting accepts any depth of nesting, so that one hostile
/// object cannot make all the others unreadable; whether an object itself is acceptable is decided object by object.
/// </summary>
internal static class KubeJson
{
    private static readonly JsonReaderOptions AnyDepth = new() { MaxDepth = 100_000 };

    /// <exception cref="FormatException">The bytes are no list of Kubernetes objects.</exception>
    public static ListPage ReadPage(ReadOnlySpan<byte> body, GroupVersionKind kind)
    {
        var reader = Begin(body);
        try
        {
            var (version, next, found) = ("", "", false);
            var items = new List<ListItem>();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("metadata"u8))
                {
                    var metadata = ReadMetadata(Value(ref reader, body));
                    (version, next) = (metadata.ResourceVersion, metadata.Continue);
                }
                else if (reader.ValueTextEquals("items"u8))
                {
                    found = true;
                    ReadItems(ref reader, body, kind, items);
                }
                else
                {
                    reader.Skip();
                }
            }
            return found ? new ListPage(items, version, next) : throw new FormatException("expected a list, found no 'items'");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new FormatException($"expected a list, found invalid JSON: {e.Message}", e);
        }
    }

    /// <summary>
    /// One line of a watch as every API server writes it, <c>{"type":"MODIFIED","object":…}</c>, with a readable object: read in one
    /// pass, because whatever lies between the known head and the last brace has to be exactly one object. False for every other line:
    /// <see cref="ReadEvent"/> says what it is.
    /// </summary>
    public static bool TryReadChange(ReadOnlySpan<byte> line, GroupVersionKind kind, out string type, out ListItem item)
    {
        (type, item) = ("", default);
        foreach (var change in Changes)
            if (line.StartsWith(change.Head))
                type = change.Type;
        line = line.TrimEnd(" \t\r"u8);
        if (type.Length == 0 || line[^1] != (byte)'}')
            return false;
        var json = line[(HeadLength + type.Length)..^1];
        if (!json.StartsWith("{\"apiVersion\":"u8) && !json.StartsWith("{\"kind\":"u8))
            return false;
        item = ReadItem(json, kind);
        return item.Object is not null;
    }

    private static readonly (byte[] Head, string Type)[] Changes =
        [.. new[] { "ADDED", "MODIFIED", "DELETED" }.Select(type => (Encoding.UTF8.GetBytes(Head(type)), type))];

    private static string Head(string type) => $$"""{"type":"{{type}}","object":""";

    private static readonly int HeadLength = Head("").Length;

    /// <summary>One line of a watch: its type and the bytes of its object.</summary>
    /// <exception cref="FormatException">The line is no watch event.</exception>
    public static (string Type, Range Object) ReadEvent(ReadOnlySpan<byte> line)
    {
        var reader = Begin(line); // every byte of it: what follows looks at the structure only
        try
        {
            string? type = null;
            Range? found = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("type"u8) && type is null)
                {
                    reader.Read();
                    type = reader.GetString();
                }
                else if (reader.ValueTextEquals("object"u8) && found is null)
                {
                    found = ValueRange(ref reader);
                }
                else
                {
                    throw new FormatException("expected 'type' and 'object', each once, found something else");
                }
            }
            if (reader.Read())
                throw new FormatException("expected one event, found more on its line");
            return type is not null && found is { } range ? (type, range) : throw new FormatException("expected 'type' and 'object', found only one");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new FormatException($"expected a watch event, found invalid JSON: {e.Message}", e);
        }
    }

    /// <summary>The object, or what can be said of one that cannot be read.</summary>
    public static ListItem ReadItem(ReadOnlySpan<byte> json, GroupVersionKind kind)
    {
        try
        {
            var read = KubeObject.Parse(IsNamed(json) ? json : WithKind(json, kind));
            var metadata = new ObjectMetadata(read.Namespace, read.Name, read.Uid, read.ResourceVersion, "");
            return metadata.Name.Length > 0
                ? new ListItem(metadata, read, null)
                : new ListItem(metadata, null, "expected metadata.name, found none");
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException) // the last: an unpaired surrogate
        {
            return new ListItem(ReadMetadataOf(json), null, e.Message);
        }
    }

    /// <summary>The identity of an object that cannot be read as a whole; empty where not even that can be found.</summary>
    private static ObjectMetadata ReadMetadataOf(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = Begin(json);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("metadata"u8))
                    return ReadMetadata(Value(ref reader, json));
                reader.Skip();
            }
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException)
        {
            // Then it has none.
        }
        return new ObjectMetadata("", "", "", "", "");
    }

    /// <summary>
    /// Whether the object says what it is. API servers put that first, so that one look suffices; objects in a list of a built-in kind
    /// begin with their metadata and do not say.
    /// </summary>
    private static bool IsNamed(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, AnyDepth);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw new FormatException("expected a JSON object, found something else");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("kind"u8) || reader.ValueTextEquals("apiVersion"u8))
                return true;
            reader.Skip();
        }
        return false;
    }

    private static void ReadItems(ref Utf8JsonReader reader, ReadOnlySpan<byte> body, GroupVersionKind kind, List<ListItem> items)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Null)
            return;
        if (reader.TokenType != JsonTokenType.StartArray)
            throw new FormatException("expected an array as 'items', found something else");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
                throw new FormatException("expected objects in 'items', found something else");
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            items.Add(ReadItem(body[start..(int)reader.BytesConsumed], kind));
        }
    }

    private static ObjectMetadata ReadMetadata(ReadOnlySpan<byte> json)
    {
        var (@namespace, name, uid, version, next) = ("", "", "", "", "");
        var reader = new Utf8JsonReader(json, AnyDepth);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw new FormatException("expected an object as 'metadata', found something else");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("namespace"u8))
                @namespace = Text(ref reader);
            else if (reader.ValueTextEquals("name"u8))
                name = Text(ref reader);
            else if (reader.ValueTextEquals("uid"u8))
                uid = Text(ref reader);
            else if (reader.ValueTextEquals("resourceVersion"u8))
                version = Text(ref reader);
            else if (reader.ValueTextEquals("continue"u8))
                next = Text(ref reader);
            else
                reader.Skip();
        }
        return new ObjectMetadata(@namespace, name, uid, version, next);
    }

    /// <summary>The items of a list of a built-in kind do not say what they are; the list does.</summary>
    private static byte[] WithKind(ReadOnlySpan<byte> json, GroupVersionKind kind)
    {
        var rest = json.TrimStart(" \t\r\n"u8)[1..];
        var head = string.Create(
            CultureInfo.InvariantCulture, $"{{\"apiVersion\":{JsonSerializer.Serialize(kind.ApiVersion)},\"kind\":{JsonSerializer.Serialize(kind.Kind)}");
        return [.. Encoding.UTF8.GetBytes(head), (byte)',', .. rest];
    }

    private static Utf8JsonReader Begin(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json))
            throw new FormatException("expected UTF-8, found invalid bytes");
        var reader = new Utf8JsonReader(json, AnyDepth);
        try
        {
            return reader.Read() && reader.TokenType == JsonTokenType.StartObject
                ? reader
                : throw new FormatException("expected a JSON object, found something else");
        }
        catch (JsonException e)
        {
            throw new FormatException($"expected a JSON object, found invalid JSON: {e.Message}", e);
        }
    }

    private static ReadOnlySpan<byte> Value(ref Utf8JsonReader reader, ReadOnlySpan<byte> body) => body[ValueRange(ref reader)];

    private static Range ValueRange(ref Utf8JsonReader reader)
    {
        reader.Read();
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return start..(int)reader.BytesConsumed;
    }

    private static string Text(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String)
            return reader.GetString()!;
        reader.Skip();
        return "";
    }
}

internal sealed record ListPage(List<ListItem> Items, string ResourceVersion, string Continue);

/// <param name="Object">Null when the object cannot be read; <paramref name="Fault"/> then says why.</param>
internal readonly record struct ListItem(ObjectMetadata Metadata, KubeObject? Object, string? Fault);

internal readonly record struct ObjectMetadata(string Namespace, string Name, string Uid, string ResourceVersion, string Continue)
{
    public ObjectKey Key => new(Namespace, Name);
}
