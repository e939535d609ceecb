using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Governor.Domain.Kinds.Schemas;

/// <summary>
/// The 27 published ONT schemas, as JSON Schema (draft 2020-12) with an index: the value objects of the shared layer, and the contracts
/// of domain-core, seam-core and app-core, from the same descriptions as their definitions.
/// </summary>
public static class PublishedSchemas
{
    private const string Draft = "https://json-schema.org/draft/2020-12/schema";
    private const string Site = "https://schema.ontai.dev/";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private sealed record Published(string Layer, string Kind, string Description, JsonObject Schema, ImmutableArray<GroupVersionKind> DependsOn);

    /// <summary>The files of the folder <c>schemas</c>, sorted by name.</summary>
    public static ImmutableArray<GeneratedFile> All()
    {
        var schemas = Schemas();
        return
        [
            .. schemas.Select(schema => new GeneratedFile($"{KnownKinds.Version}/{schema.Layer}/{schema.Kind}.json", Text(schema.Schema)))
                .Append(new GeneratedFile("index.json", Text(Index(schemas))))
                .OrderBy(file => file.FileName, StringComparer.Ordinal),
        ];
    }

    private static ImmutableArray<Published> Schemas() =>
    [
        .. SharedSchemas.All.Select(shared => Shared(shared.Kind, shared.Schema)),
        .. DomainCoreSchemas.All.Select(crd => Contract("domain-core", crd)),
        .. SeamCoreSchemas.All.Select(crd => Contract("seam-core", crd)),
        .. AppCoreSchemas.All.Select(crd => Contract("app-core", crd)),
    ];

    private static Published Shared(string kind, Schema described)
    {
        var body = Closed(described.ToJson(), isOpen: kind == SharedSchemas.Metadata);
        return new("shared", kind, body["description"]!.GetValue<string>(), Headed("shared", kind, [], body), []);
    }

    private static Published Contract(string layer, Crd crd)
    {
        var spec = Closed(crd.Spec.ToJson());
        var dependsOn = References(spec).Distinct().OrderBy(type => type.ToString(), StringComparer.Ordinal).ToImmutableArray();
        var body = new JsonObject
        {
            ["description"] = crd.Description,
            ["type"] = "object",
            ["additionalProperties"] = false,
            ["required"] = new JsonArray("apiVersion", "kind", "metadata", "spec"),
            ["properties"] = new JsonObject
            {
                ["apiVersion"] = new JsonObject { ["const"] = crd.Gvk.ApiVersion },
                ["kind"] = new JsonObject { ["const"] = crd.Gvk.Kind },
                ["metadata"] = new JsonObject { ["$ref"] = Id("shared", SharedSchemas.Metadata) },
                ["spec"] = spec,
                ["status"] = Closed(crd.Status.ToJson()),
            },
        };
        return new(layer, crd.Gvk.Kind, crd.Description, Headed(layer, crd.Gvk.Kind, dependsOn, body), dependsOn);
    }

    private static JsonObject Headed(string layer, string kind, ImmutableArray<GroupVersionKind> dependsOn, JsonObject body)
    {
        var schema = new JsonObject
        {
            ["$schema"] = Draft,
            ["$id"] = Id(layer, kind),
            ["title"] = kind,
            ["x-ont-layer"] = layer,
            ["x-ont-stability"] = "alpha",
            ["x-ont-depends-on"] = Types(dependsOn),
        };
        foreach (var (name, value) in body)
            schema[name] = value?.DeepClone();
        return schema;
    }

    private static JsonObject Index(ImmutableArray<Published> schemas)
    {
        var layers = new JsonObject();
        foreach (var layer in schemas.GroupBy(schema => schema.Layer))
            layers[layer.Key] = new JsonArray([.. layer.Select(schema => new JsonObject
            {
                ["kind"] = schema.Kind,
                ["file"] = $"{schema.Layer}/{schema.Kind}.json",
                ["stability"] = "alpha",
                ["description"] = schema.Description,
                ["dependsOn"] = Types(schema.DependsOn),
            })]);
        return new JsonObject { ["version"] = KnownKinds.Version, ["publishedAt"] = "2026-04-24", ["stability"] = "alpha", ["layers"] = layers };
    }

    /// <summary>The same schema for readers other than an API server: without its extensions, and closed where fields are declared.</summary>
    private static JsonObject Closed(JsonObject schema, bool isOpen = false)
    {
        foreach (var extension in schema.Select(keyword => keyword.Key).Where(keyword => keyword.StartsWith("x-kubernetes-", StringComparison.Ordinal)).ToArray())
            schema.Remove(extension);
        if (schema["enum"] is JsonArray { Count: 1 } only)
        {
            schema["const"] = only[0]!.DeepClone();
            schema.Remove("enum");
        }
        if (schema["properties"] is JsonObject properties)
        {
            foreach (var member in properties.Select(property => property.Value).OfType<JsonObject>())
                Closed(member);
            if (!isOpen)
                schema["additionalProperties"] = false;
        }
        else if (schema["additionalProperties"] is JsonObject values)
            Closed(values);
        if (schema["items"] is JsonObject items)
            Closed(items);
        return schema;
    }

    /// <summary>The types that the references of a schema are fixed to.</summary>
    private static IEnumerable<GroupVersionKind> References(JsonNode? schema)
    {
        if (schema is not JsonObject o)
            yield break;
        if (o["properties"] is JsonObject properties)
        {
            if (Constant(properties, "group") is { } group && Constant(properties, "version") is { } version && Constant(properties, "kind") is { } kind)
                yield return new GroupVersionKind(group, version, kind);
            foreach (var type in properties.SelectMany(property => References(property.Value)))
                yield return type;
        }
        foreach (var type in References(o["items"]).Concat(References(o["additionalProperties"])))
            yield return type;
    }

    private static string? Constant(JsonObject properties, string name) => properties[name]?["const"]?.GetValue<string>();

    private static JsonArray Types(ImmutableArray<GroupVersionKind> types) =>
        new([.. types.Select(type => new JsonObject { ["group"] = type.Group, ["kind"] = type.Kind, ["version"] = type.Version })]);

    private static string Id(string layer, string kind) => $"{Site}{KnownKinds.Version}/{layer}/{kind}.json";

    private static string Text(JsonObject json) => json.ToJsonString(Indented) + "\n";
}
