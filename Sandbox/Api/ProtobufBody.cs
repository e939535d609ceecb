using System.Text;
using System.Text.Json.Nodes;

namespace Governor.Sandbox.Api;

/// <summary>
/// The protobuf that kubectl sends from 1.32 on for a handful of built-in kinds, without a fallback to JSON: four magic bytes, an envelope
/// with apiVersion and kind, the message. Answers are JSON, which kubectl accepts.
/// </summary>
internal static class ProtobufBody
{
    private static readonly Dictionary<string, Dictionary<int, (string Name, string Type)>> Messages = Parse(ProtobufMessages.Text);

    /// <exception cref="ApiException">415 for kinds that are not decoded, 400 for a broken message.</exception>
    public static JsonNode Read(ReadOnlySpan<byte> body, string mediaType)
    {
        if (!body.StartsWith("k8s\0"u8))
            throw ApiException.BadRequest("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
        try
        {
            var (type, raw) = Envelope(body[4..]);
            if (!Messages.ContainsKey(type.Text("kind")))
                throw new ApiException(415, "UnsupportedMediaType", $"the body of the request was in an unknown format - {mediaType} of {type.Text("kind")} is not accepted here; accepted media types include: application/json, application/yaml");
            var made = ReadMessage(raw, type.Text("kind"));
            made["apiVersion"] = type.Text("apiVersion");
            made["kind"] = type.Text("kind");
            return made;
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or IndexOutOfRangeException)
        {
            throw ApiException.BadRequest("proto: unexpected end of message");
        }
    }

    private static (JsonObject Type, byte[] Raw) Envelope(ReadOnlySpan<byte> message)
    {
        var type = new JsonObject();
        var raw = Array.Empty<byte>();
        while (message.Length > 0)
        {
            var tag = Varint(ref message);
            var value = Field(ref message, (int)(tag & 7));
            if (tag >> 3 == 1)
                type = ReadMessage(value, "TypeMeta");
            if (tag >> 3 == 2)
                raw = value.ToArray();
        }
        return (type, raw);
    }

    private static JsonObject ReadMessage(ReadOnlySpan<byte> message, string type)
    {
        var made = new JsonObject();
        var fields = Messages[type];
        while (message.Length > 0)
        {
            var tag = Varint(ref message);
            var wire = (int)(tag & 7);
            var number = wire == 0 ? Varint(ref message) : 0;
            var value = wire == 0 ? default : Field(ref message, wire);
            if (fields.TryGetValue((int)(tag >> 3), out var field))
                Put(made, field.Name, field.Type, number, value);
            else if (value.Length > 0 || number != 0)
                throw new ApiException(415, "UnsupportedMediaType", $"field {tag >> 3} of {type} is not decoded here; send JSON or YAML");
        }
        return made;
    }

    private static void Put(JsonObject made, string name, string type, ulong number, ReadOnlySpan<byte> value)
    {
        switch (type)
        {
            case "s":
                if (value.Length > 0)
                    made[name] = Encoding.UTF8.GetString(value);
                break;
            case "s*":
                if (made.List(name) is null)
                    made[name] = new JsonArray();
                made.List(name)!.Add(JsonValue.Create(Encoding.UTF8.GetString(value)));
                break;
            case "i":
                made[name] = (long)number;
                break;
            case "b":
                made[name] = number != 0;
                break;
            case "i?" when number != 0:
                made[name] = (long)number;
                break;
            case "b?" when number != 0:
                made[name] = true;
                break;
            case "-" or "i?" or "b?": // what the sender cannot leave out and means nothing by
                break;
            case "x":
                var either = ReadMessage(value, "IntOrString");
                made[name] = either.Whole("type") is 1 ? either.Text("strVal") : either.Whole("intVal") ?? 0;
                break;
            case "map" or "bytemap":
                PutEntry(made.ChildOrNew(name), value, type == "bytemap");
                break;
            case var _ when name == ".": // an embedded struct: its members are the outer one's
                foreach (var (inner, found) in ReadMessage(value, type).ToArray())
                    made[inner] = found?.DeepClone();
                break;
            case var _ when type.EndsWith('*'):
                if (made.List(name) is null)
                    made[name] = new JsonArray();
                made.List(name)!.Add((JsonNode)ReadMessage(value, type[..^1]));
                break;
            default:
                made[name] = ReadMessage(value, type);
                break;
        }
    }

    private static void PutEntry(JsonObject map, ReadOnlySpan<byte> entry, bool isBytes)
    {
        var (key, text) = ("", "");
        while (entry.Length > 0)
        {
            var tag = Varint(ref entry);
            var value = Field(ref entry, (int)(tag & 7));
            if (tag >> 3 == 1)
                key = Encoding.UTF8.GetString(value);
            else
                text = isBytes ? Convert.ToBase64String(value) : Encoding.UTF8.GetString(value);
        }
        map[key] = text;
    }

    private static ulong Varint(ref ReadOnlySpan<byte> from)
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var b = from[0];
            from = from[1..];
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80)
                return value;
        }
        throw ApiException.BadRequest("proto: integer overflow");
    }

    private static ReadOnlySpan<byte> Field(ref ReadOnlySpan<byte> from, int wire)
    {
        var length = wire switch
        {
            2 => checked((int)Math.Min(Varint(ref from), int.MaxValue)),
            1 => 8,
            5 => 4,
            0 => 0,
            _ => throw ApiException.BadRequest("proto: illegal wireType"),
        };
        if (wire == 0)
            Varint(ref from);
        var field = from[..length];
        from = from[length..];
        return field;
    }

    private static Dictionary<string, Dictionary<int, (string, string)>> Parse(string text)
    {
        var parsed = new Dictionary<string, Dictionary<int, (string, string)>>(StringComparer.Ordinal);
        foreach (var line in text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = line.Split(':', 2);
            parsed[parts[0]] = parts[1].Split(',', StringSplitOptions.TrimEntries).Select(f => f.Split(' '))
                .ToDictionary(f => int.Parse(f[0], System.Globalization.CultureInfo.InvariantCulture), f => (f[1], f[2]));
        }
        return parsed;
    }
}
