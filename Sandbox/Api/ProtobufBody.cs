using System.Text;
using System.Text.Json.Nodes;

namespace Governor.Sandbox.Api;

/// <summary>
/// The protobuf that kubectl sends from 1.32 on for a handful of built-in kinds, without a fallback to JSON: four magic bytes, an envelope
/// with apiVersion and kind, the message. Answers are JSON, which kubectl accepts.
/// </summary>
internal static class ProtobufBody
{
    private static readonly Dictionary<string, Dictionary<int, (string Name, string Type)>> Messages = Parse("""
        Envelope: 1 typeMeta TypeMeta, 2 raw bytes
        TypeMeta: 1 apiVersion s, 2 kind s
        ObjectMeta: 1 name s, 2 generateName s, 3 namespace s, 5 uid s, 6 resourceVersion s, 11 labels map, 12 annotations map, 14 finalizers s*
        Namespace: 1 metadata ObjectMeta, 2 spec NamespaceSpec
        NamespaceSpec: 1 finalizers s*
        ConfigMap: 1 metadata ObjectMeta, 2 data map, 3 binaryData bytemap, 4 immutable b
        Secret: 1 metadata ObjectMeta, 2 data bytemap, 3 type s, 4 stringData map, 5 immutable b
        ServiceAccount: 1 metadata ObjectMeta, 4 automountServiceAccountToken b
        TokenRequest: 1 metadata ObjectMeta, 2 spec TokenRequestSpec
        TokenRequestSpec: 1 audiences s*, 4 expirationSeconds i, 3 boundObjectRef BoundObjectReference
        BoundObjectReference: 1 kind s, 2 apiVersion s, 3 name s, 4 uid s
        SelfSubjectAccessReview: 1 metadata ObjectMeta, 2 spec SelfSubjectAccessReviewSpec
        SelfSubjectAccessReviewSpec: 1 resourceAttributes ResourceAttributes, 2 nonResourceAttributes NonResourceAttributes
        SubjectAccessReview: 1 metadata ObjectMeta, 2 spec SubjectAccessReviewSpec
        SubjectAccessReviewSpec: 1 resourceAttributes ResourceAttributes, 2 nonResourceAttributes NonResourceAttributes, 3 user s, 4 groups s*
        ResourceAttributes: 1 namespace s, 2 verb s, 3 group s, 4 version s, 5 resource s, 6 subresource s, 7 name s
        NonResourceAttributes: 1 path s, 2 verb s
        SelfSubjectRulesReview: 1 metadata ObjectMeta, 2 spec SelfSubjectRulesReviewSpec
        SelfSubjectRulesReviewSpec: 1 namespace s
        DeleteOptions: 1 gracePeriodSeconds i, 2 preconditions Preconditions, 3 orphanDependents b, 4 propagationPolicy s, 5 dryRun s*
        Preconditions: 1 uid s, 2 resourceVersion s
        """);

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
            case "map" or "bytemap":
                PutEntry(made.ChildOrNew(name), value, type == "bytemap");
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
