using System.Text.Json.Nodes;

namespace Governor.Sandbox.Schema;

/// <summary>Removes what the schema does not declare, and says what it was.</summary>
internal static class Pruning
{
    /// <returns>The paths of the removed fields, as <c>spec.tags[0].bogus</c>.</returns>
    public static List<string> Prune(JsonObject root, SchemaNode schema)
    {
        var removed = new List<string>();
        Prune(root, schema, "", removed);
        removed.Sort(StringComparer.Ordinal);
        return removed;
    }

    private static void Prune(JsonNode? node, SchemaNode schema, string path, List<string> removed)
    {
        switch (node)
        {
            case JsonObject o:
                PruneObject(o, schema, path, removed);
                break;
            case JsonArray a when schema.Items is { } items:
                for (var i = 0; i < a.Count; i++)
                    Prune(a[i], items, $"{path}[{i}]", removed);
                break;
        }
    }

    private static void PruneObject(JsonObject o, SchemaNode schema, string path, List<string> removed)
    {
        if (schema.Type.Length == 0 && schema.IsFreeForm && schema.Properties.Count == 0)
            return;
        foreach (var (name, value) in o.ToArray())
        {
            var at = path.Length == 0 ? name : $"{path}.{name}";
            if (schema.Properties.TryGetValue(name, out var member) || (member = schema.AdditionalProperties) is not null)
                Prune(value, member, at, removed);
            else if (schema.EmbeddedResource && name is "apiVersion" or "kind" or "metadata")
                continue;
            else if (!schema.PreserveUnknown)
            {
                o.Remove(name);
                removed.Add(at);
            }
        }
    }
}
