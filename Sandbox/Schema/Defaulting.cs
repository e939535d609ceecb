using System.Text.Json;
using System.Text.Json.Nodes;

namespace Governor.Sandbox.Schema;

/// <summary>Fills absent members from the schema's defaults. Null counts as absent unless the member is nullable.</summary>
internal static class Defaulting
{
    public static void Apply(JsonNode? node, SchemaNode schema)
    {
        switch (node)
        {
            case JsonObject o:
                ApplyToObject(o, schema);
                break;
            case JsonArray a when schema.Items is { } items:
                foreach (var item in a)
                    Apply(item, items);
                break;
        }
    }

    /// <summary>Drops nulls that are neither nullable nor free-form; they mean "not there".</summary>
    public static void DropNulls(JsonNode? node, SchemaNode schema)
    {
        if (node is JsonArray a && schema.Items is { } items)
            foreach (var item in a)
                DropNulls(item, items);
        if (node is not JsonObject o)
            return;
        foreach (var (name, value) in o.ToArray())
        {
            if (!schema.Properties.TryGetValue(name, out var member))
                member = schema.AdditionalProperties;
            if (member is null)
                continue;
            if (value is null && !member.Nullable && !member.IsFreeForm)
                o.Remove(name);
            else
                DropNulls(value, member);
        }
    }

    private static void ApplyToObject(JsonObject o, SchemaNode schema)
    {
        foreach (var (name, member) in schema.Properties)
        {
            if (member.Default is not null && (!o.TryGetPropertyValue(name, out var present) || (present is null && !member.Nullable)))
                o[name] = member.Default.DeepClone();
            if (o.TryGetPropertyValue(name, out var value) && value is not null)
                Apply(value, member);
        }
        if (schema.AdditionalProperties is not { } additional)
            return;
        foreach (var (name, value) in o)
            if (!schema.Properties.ContainsKey(name) && value?.GetValueKind() is JsonValueKind.Object or JsonValueKind.Array)
                Apply(value, additional);
    }
}
