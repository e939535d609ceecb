using System.Text.Json.Nodes;
using Governor.Sandbox.Api;

namespace Governor.Sandbox.Schema;

/// <summary>Reads the <c>openAPIV3Schema</c> of a CustomResourceDefinition.</summary>
internal static class OpenApiSchema
{
    /// <summary>The schema of a whole custom resource: the declared one under the fixed top (apiVersion, kind, metadata).</summary>
    public static SchemaNode Resource(JsonObject? declared)
    {
        var body = declared is null ? new SchemaNode { Type = "object", PreserveUnknown = true } : Read(declared);
        return WithTop(body);
    }

    public static SchemaNode Read(JsonObject s)
    {
        var additional = s["additionalProperties"];
        return new SchemaNode
        {
            Type = s.Text("type"),
            Format = s.Text("format"),
            Description = s.Text("description"),
            IntOrString = s.Flag("x-kubernetes-int-or-string"),
            Nullable = s.Flag("nullable"),
            PreserveUnknown = s.Flag("x-kubernetes-preserve-unknown-fields"),
            EmbeddedResource = s.Flag("x-kubernetes-embedded-resource"),
            Properties = ReadProperties(s.Child("properties")),
            AdditionalProperties = additional switch
            {
                JsonObject o => Read(o),
                JsonValue v when v.TryGetValue<bool>(out var any) && any => SchemaNode.Free,
                _ => null,
            },
            Items = s.Child("items") is { } items ? Read(items) : null,
            ListKind = s.Text("x-kubernetes-list-type") switch { "set" => ListKind.Set, "map" => ListKind.Map, _ => ListKind.Atomic },
            ListKeys = [.. s.List("x-kubernetes-list-map-keys").Texts()],
            AtomicMap = s.Text("x-kubernetes-map-type") == "atomic",
            Required = [.. s.List("required").Texts()],
            Default = s["default"]?.DeepClone(),
            Enum = s.List("enum")?.DeepClone().AsArray(),
            Minimum = Number(s, "minimum"),
            Maximum = Number(s, "maximum"),
            ExclusiveMinimum = s.Flag("exclusiveMinimum"),
            ExclusiveMaximum = s.Flag("exclusiveMaximum"),
            MultipleOf = Number(s, "multipleOf"),
            MinLength = s.Whole("minLength"),
            MaxLength = s.Whole("maxLength"),
            Pattern = s.Text("pattern") is { Length: > 0 } pattern ? pattern : null,
            MinItems = s.Whole("minItems"),
            MaxItems = s.Whole("maxItems"),
            UniqueItems = s.Flag("uniqueItems"),
            MinProperties = s.Whole("minProperties"),
            MaxProperties = s.Whole("maxProperties"),
            AllOf = ReadList(s.List("allOf")),
            AnyOf = ReadList(s.List("anyOf")),
            OneOf = ReadList(s.List("oneOf")),
            Not = s.Child("not") is { } not ? Read(not) : null,
            Rules = ReadRules(s.List("x-kubernetes-validations")),
        };
    }

    private static SchemaNode WithTop(SchemaNode body)
    {
        var properties = new Dictionary<string, SchemaNode>(body.Properties)
        {
            ["apiVersion"] = new() { Type = "string" },
            ["kind"] = new() { Type = "string" },
            ["metadata"] = BuiltinSchemas.ObjectMeta,
        };
        return new SchemaNode
        {
            Type = "object",
            Description = body.Description,
            PreserveUnknown = body.PreserveUnknown,
            Properties = properties,
            Required = body.Required,
            AllOf = body.AllOf,
            AnyOf = body.AnyOf,
            OneOf = body.OneOf,
            Not = body.Not,
            Rules = body.Rules,
        };
    }

    private static Dictionary<string, SchemaNode> ReadProperties(JsonObject? properties)
    {
        var read = new Dictionary<string, SchemaNode>(StringComparer.Ordinal);
        foreach (var (name, schema) in properties ?? [])
            if (schema is JsonObject o)
                read[name] = Read(o);
        return read;
    }

    private static SchemaNode[] ReadList(JsonArray? schemas) => [.. (schemas ?? []).OfType<JsonObject>().Select(Read)];

    private static CelRule[] ReadRules(JsonArray? rules) =>
        [.. (rules ?? []).OfType<JsonObject>().Select(r =>
            new CelRule(r.Text("rule"), r.Text("message"), r.Text("messageExpression"), r.Text("reason"), r.Text("fieldPath")))];

    private static double? Number(JsonObject s, string property) => s[property] is JsonValue value ? JsonText.Number(value) : null;
}
