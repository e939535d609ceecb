using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Governor.Sandbox.Api;

/// <summary>
/// Reads JSON as the API server does: of duplicate members the last wins and is reported, whole floats become integers,
/// integers beyond 64 bits become floats.
/// </summary>
internal static class BodyReader
{
    /// <exception cref="JsonException">The text is not one JSON value.</exception>
    public static JsonNode? Read(ReadOnlySpan<byte> json, List<string>? duplicates = null)
    {
        var reader = new Utf8JsonReader(GoText.Repaired(json), new JsonReaderOptions { MaxDepth = JsonText.MaxDepth });
        try
        {
            if (!reader.Read())
                throw new JsonException("unexpected end of JSON input");
            var node = ReadValue(ref reader, "", duplicates);
            return reader.Read() ? throw new JsonException("invalid character after top-level value") : node;
        }
        catch (JsonException e) when (e.Message.Contains("maximum configured depth", StringComparison.Ordinal))
        {
            throw new JsonException("exceeded max depth", e);
        }
    }

    private static JsonNode? ReadValue(ref Utf8JsonReader reader, string path, List<string>? duplicates) => reader.TokenType switch
    {
        JsonTokenType.StartObject => ReadObject(ref reader, path, duplicates),
        JsonTokenType.StartArray => ReadArray(ref reader, path, duplicates),
        JsonTokenType.String => JsonValue.Create(GoText.Read(ref reader)),
        JsonTokenType.Number => ReadNumber(ref reader),
        JsonTokenType.True => JsonValue.Create(true),
        JsonTokenType.False => JsonValue.Create(false),
        _ => null,
    };

    private static JsonObject ReadObject(ref Utf8JsonReader reader, string path, List<string>? duplicates)
    {
        var made = new JsonObject();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = GoText.Read(ref reader);
            var at = path.Length == 0 ? name : $"{path}.{name}";
            reader.Read();
            var value = ReadValue(ref reader, at, duplicates);
            if (made.ContainsKey(name))
                duplicates?.Add(at);
            made[name] = value;
        }
        return made;
    }

    private static JsonArray ReadArray(ref Utf8JsonReader reader, string path, List<string>? duplicates)
    {
        var made = new JsonArray();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            made.Add(ReadValue(ref reader, $"{path}[{made.Count}]", duplicates));
        return made;
    }

    private static JsonValue ReadNumber(ref Utf8JsonReader reader) =>
        reader.TryGetInt64(out var whole) ? JsonValue.Create(whole)
        : reader.GetDouble() is var number && double.IsFinite(number) ? Normalized(number)
        : throw new JsonException($"json: cannot unmarshal number {Encoding.ASCII.GetString(reader.ValueSpan)} into Go value of type float64");

    public static JsonValue Normalized(double number) =>
        double.IsInteger(number) && Math.Abs(number) < 9.2e18 ? JsonValue.Create((long)number) : JsonValue.Create(number);

    /// <summary>The start of a body, for messages.</summary>
    public static string Excerpt(ReadOnlySpan<byte> body)
    {
        if (body.Length == 0)
            return "<empty>";
        if (body[0] != (byte)'{')
            return Convert.ToHexStringLower(body.Length > 1024 ? body[..1024] : body);
        var text = Encoding.UTF8.GetString(body);
        return text.Length > 30 ? string.Create(CultureInfo.InvariantCulture, $"{text[..30]} ...") : text;
    }
}
