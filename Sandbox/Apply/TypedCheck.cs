using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Sandbox.Api;
using Governor.Sandbox.Schema;

namespace Governor.Sandbox.Apply;

/// <summary>Whether an applied configuration fits its type at all; if not, the answer is a 500 without reason, as the API server gives it.</summary>
internal static class TypedCheck
{
    /// <exception cref="ApiException">500 "failed to create typed patch object".</exception>
    public static void Throw(RequestContext context, JsonObject body)
    {
        var prefix = $"failed to create typed patch object ({body.Metadata().Text("namespace")}/{context.Name}; {body.Text("apiVersion")}, Kind={body.Text("kind")}): ";
        if (body.Text("kind") != context.Resource.Gvk.Kind)
            throw ApiException.Internal($"{prefix}no corresponding type for {body.Text("apiVersion")}, Kind={body.Text("kind")}");
        var faults = new List<string>();
        Check(body, context.Resource.Schema, "", faults);
        if (faults.Count == 1)
            throw ApiException.Internal(prefix + faults[0]);
        if (faults.Count > 1)
            throw ApiException.Internal($"{prefix}errors:\n{string.Join("\n", faults.Select(f => "  " + f))}");
    }

    private static void Check(JsonNode? node, SchemaNode schema, string path, List<string> faults)
    {
        if (node is null || Mismatch(node, schema) is { } expected && Report(faults, $"{path}: expected {expected}, got {Name(node)}"))
            return;
        if (node is JsonObject o)
            foreach (var (name, value) in o)
                if (schema.Member(name) is { } member)
                    Check(value, member, $"{path}.{name}", faults);
                else if (!(schema.EmbeddedResource && name is "apiVersion" or "kind" or "metadata"))
                    faults.Add($"{path}.{name}: field not declared in schema");
        if (node is JsonArray a)
            CheckList(a, schema, path, faults);
    }

    private static void CheckList(JsonArray a, SchemaNode schema, string path, List<string> faults)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < a.Count; i++)
        {
            if (schema.ListKind == ListKind.Map)
                foreach (var key in schema.ListKeys)
                    if ((a[i] as JsonObject)?[key] is null && schema.Items?.Member(key)?.Default is null)
                    {
                        faults.Add($"{path}: element {i}: associative list with keys has an element that omits key field \"{key}\" (and doesn't have default value)");
                        return;
                    }
            var element = schema.ListKind == ListKind.Atomic ? "" : TypedValue.ElementOf(a[i], schema);
            if (schema.ListKind != ListKind.Atomic && !seen.Add(element))
            {
                faults.Add($"{path}: duplicate entries for key {FieldSet.Show([element])}");
                return;
            }
            Check(a[i], schema.Items ?? SchemaNode.Free, schema.ListKind == ListKind.Atomic ? $"{path}[{i}]" : path + FieldSet.Show([element]), faults);
        }
    }

    private static string? Mismatch(JsonNode node, SchemaNode schema)
    {
        var kind = node.GetValueKind();
        return schema.Type switch
        {
            "object" => kind == JsonValueKind.Object ? null : "map",
            "array" => kind == JsonValueKind.Array ? null : "list",
            "string" => kind == JsonValueKind.String ? null : "string",
            "boolean" => kind is JsonValueKind.True or JsonValueKind.False ? null : "boolean",
            "integer" or "number" => kind == JsonValueKind.Number ? null : "numeric (int or float)",
            _ => null,
        };
    }

    private static string Name(JsonNode node) => node.GetValueKind() switch
    {
        JsonValueKind.Object => "map",
        JsonValueKind.Array => "list",
        JsonValueKind.String => "string",
        JsonValueKind.Number => "int",
        _ => "boolean",
    };

    private static bool Report(List<string> faults, string fault)
    {
        faults.Add(fault);
        return true;
    }
}
