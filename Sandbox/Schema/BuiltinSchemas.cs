using System.Text.Json.Nodes;

namespace Governor.Sandbox.Schema;

/// <summary>
/// The schemas of the built-in kinds, read from a compact text beside this class. One line per type:
/// <c>Name: field type, field type</c>. A type is <c>s</c>, <c>i</c>, <c>b</c>, <c>n</c>, <c>q</c> (quantity), <c>x</c> (integer or
/// string), <c>t</c> (time), <c>*</c> (anything), a name, <c>{T}</c> (map), <c>[T]</c> (list), <c>[T!]</c> (set),
/// <c>[T k1+k2]</c> (list told apart by keys). <c>T!</c> is owned as a whole, <c>[T k]?</c> may be null, <c>T=value</c> has a default.
/// </summary>
internal static class BuiltinSchemas
{
    private static readonly Dictionary<string, SchemaNode> Types = Parse(BuiltinTypes.Text);

    public static SchemaNode ObjectMeta => Types["ObjectMeta"];

    /// <summary>The schema of a kind with apiVersion, kind and metadata on top; free-form where the table does not describe it.</summary>
    public static SchemaNode Kind(string kind)
    {
        if (!Types.TryGetValue(kind, out var body))
            return new SchemaNode { Type = "object", PreserveUnknown = true, Properties = Top() };
        var properties = Top();
        foreach (var (name, schema) in body.Properties)
            properties[name] = schema;
        return new SchemaNode { Type = "object", Properties = properties, TypeName = kind };
    }

    private static Dictionary<string, SchemaNode> Top() => new(StringComparer.Ordinal)
    {
        ["apiVersion"] = new SchemaNode { Type = "string" },
        ["kind"] = new SchemaNode { Type = "string" },
        ["metadata"] = ObjectMeta,
    };

    private static Dictionary<string, SchemaNode> Parse(string text)
    {
        var lines = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            lines[line[..colon]] = line[(colon + 1)..];
        }
        var types = new Dictionary<string, SchemaNode>(StringComparer.Ordinal);
        var lookup = new Dictionary<string, Dictionary<string, SchemaNode>>(StringComparer.Ordinal);
        foreach (var name in lines.Keys)
        {
            // Types refer to each other, in circles too: make the node first and fill its members afterwards.
            var members = new Dictionary<string, SchemaNode>(StringComparer.Ordinal);
            lookup[name] = members;
            types[name] = new SchemaNode { Type = "object", Properties = members, TypeName = name };
        }
        foreach (var (name, line) in lines)
            foreach (var field in line.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                var space = field.IndexOf(' ', StringComparison.Ordinal);
                lookup[name][field[..space]] = ReadType(field[(space + 1)..], types);
            }
        return types;
    }

    private static SchemaNode ReadType(string text, Dictionary<string, SchemaNode> types)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals > 0)
            return WithDefault(text[..equals], JsonNode.Parse(text[(equals + 1)..])!, types);
        if (text[0] == '{')
            return new SchemaNode { Type = "object", AdditionalProperties = ReadType(text[1..text.LastIndexOf('}')], types), AtomicMap = text.EndsWith('!') };
        if (text[0] == '[')
            return ReadList(text.TrimEnd('?')[1..^1], types, text.EndsWith('?'));
        if (Scalar(text, null) is { } scalar)
            return scalar;
        if (!text.EndsWith('!'))
            return types[text];
        var whole = types[text[..^1]];
        return new SchemaNode { Type = "object", Properties = whole.Properties, AtomicMap = true, TypeName = whole.TypeName };
    }

    private static SchemaNode WithDefault(string text, JsonNode fallback, Dictionary<string, SchemaNode> types) =>
        Scalar(text, fallback) ?? new SchemaNode
        {
            Type = "object",
            Properties = types[text.TrimEnd('!')].Properties,
            AtomicMap = text.EndsWith('!'),
            TypeName = text.TrimEnd('!'),
            Default = fallback,
        };

    private static SchemaNode ReadList(string text, Dictionary<string, SchemaNode> types, bool isNullable)
    {
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        if (space > 0)
            return new SchemaNode
            {
                Type = "array",
                Items = ReadType(text[..space], types),
                ListKind = ListKind.Map,
                Nullable = isNullable,
                ListKeys = text[(space + 1)..].Split('+'),
            };
        return text.EndsWith('!')
            ? new SchemaNode { Type = "array", Items = ReadType(text[..^1], types), ListKind = ListKind.Set }
            : new SchemaNode { Type = "array", Items = ReadType(text, types), Nullable = isNullable };
    }

    private static SchemaNode? Scalar(string text, JsonNode? fallback) => text switch
    {
        "s" => new SchemaNode { Type = "string", Default = fallback },
        "t" => new SchemaNode { Type = "string", Format = "date-time" },
        "i" => new SchemaNode { Type = "integer", Default = fallback },
        "n" => new SchemaNode { Type = "number", Default = fallback },
        "b" => new SchemaNode { Type = "boolean", Default = fallback },
        "q" or "x" => new SchemaNode { IntOrString = true },
        "*" => SchemaNode.Free,
        _ => null,
    };
}
