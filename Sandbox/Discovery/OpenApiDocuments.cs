using System.Text.Json.Nodes;
using Governor.Sandbox.Api;
using Governor.Sandbox.Schema;
using Microsoft.AspNetCore.Http;

namespace Governor.Sandbox.Discovery;

/// <summary>Writes schemas back as OpenAPI, for kubectl's explain, apply and diff.</summary>
internal static class OpenApiDocuments
{
    private const string Meta = "io.k8s.apimachinery.pkg.apis.meta.v1.";
    private const string Builtin = "io.k8s.api.";

    public static JsonObject Version3(IEnumerable<ServedResource> resources)
    {
        var schemas = new JsonObject();
        var paths = new JsonObject();
        foreach (var resource in resources)
        {
            var name = NameOf(resource);
            schemas[name] = Root(resource, schemas);
            schemas[name + "List"] = ListOf(resource, name);
            AddPaths(resource, name, paths);
        }
        Component("ObjectMeta", BuiltinSchemas.ObjectMeta, schemas);
        return new JsonObject
        {
            ["openapi"] = "3.0.0",
            ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = "v1.26.4" },
            ["paths"] = paths,
            ["components"] = new JsonObject { ["schemas"] = schemas },
        };
    }

    /// <summary>Valid and empty: kubectl falls back to its own knowledge of the built-in kinds.</summary>
    public static byte[] Version2(HttpRequest request) =>
        request.Headers.Accept.ToString().StartsWith("application/com.github.proto-openapi.spec.v2", StringComparison.Ordinal)
            ? [0x0A, 0x03, .. "2.0"u8, 0x12, 0x15, 0x0A, 0x0A, .. "Kubernetes"u8, 0x12, 0x07, .. "v1.26.4"u8, 0x42, 0x00]
            : JsonText.Bytes(new JsonObject
            {
                ["swagger"] = "2.0",
                ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = "v1.26.4" },
                ["paths"] = new JsonObject(),
                ["definitions"] = new JsonObject(),
            });

    private static string NameOf(ServedResource r) => r.IsCustom
        ? $"{string.Join('.', r.Gvk.Group.Split('.').Reverse())}.{r.Gvk.Version}.{r.Gvk.Kind}"
        : $"{Builtin}{(r.Gvk.Group.Length == 0 ? "core" : r.Gvk.Group.Split('.')[0])}.{r.Gvk.Version}.{r.Gvk.Kind}";

    private static JsonObject Root(ServedResource resource, JsonObject schemas)
    {
        var made = Write(resource.Schema, schemas, true);
        var properties = made.ChildOrNew("properties");
        properties["metadata"] = Reference("ObjectMeta", "Standard object's metadata.");
        made["x-kubernetes-group-version-kind"] = new JsonArray(GroupVersionKind(resource, ""));
        return made;
    }

    private static JsonObject ListOf(ServedResource resource, string name) => new()
    {
        ["type"] = "object",
        ["required"] = new JsonArray("items"),
        ["properties"] = new JsonObject
        {
            ["apiVersion"] = new JsonObject { ["type"] = "string" },
            ["items"] = new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["$ref"] = $"#/components/schemas/{name}" } },
            ["kind"] = new JsonObject { ["type"] = "string" },
        },
        ["x-kubernetes-group-version-kind"] = new JsonArray(GroupVersionKind(resource, "List")),
    };

    private static void AddPaths(ServedResource r, string name, JsonObject paths)
    {
        var prefix = r.Gvk.Group.Length == 0 ? "/api/v1" : $"/apis/{r.Gvk.Group}/{r.Gvk.Version}";
        var collection = r.IsNamespaced ? $"{prefix}/namespaces/{{namespace}}/{r.Plural}" : $"{prefix}/{r.Plural}";
        // kubectl looks here for "may I send fieldValidation and dryRun with a patch".
        paths[collection] = new JsonObject { ["post"] = Operation(r, name, "post") };
        if (!r.IsVirtual)
            paths[collection + "/{name}"] = new JsonObject { ["get"] = Operation(r, name, "get"), ["patch"] = Operation(r, name, "patch"), ["put"] = Operation(r, name, "put") };
    }

    private static JsonObject Operation(ServedResource r, string name, string action)
    {
        var operation = new JsonObject
        {
            ["responses"] = new JsonObject
            {
                ["200"] = new JsonObject
                {
                    ["description"] = "OK",
                    ["content"] = new JsonObject { ["application/json"] = new JsonObject { ["schema"] = new JsonObject { ["$ref"] = $"#/components/schemas/{name}" } } },
                },
            },
            ["x-kubernetes-action"] = action,
            ["x-kubernetes-group-version-kind"] = GroupVersionKind(r, ""),
        };
        if (action != "get")
            operation["parameters"] = new JsonArray(Parameter("dryRun"), Parameter("fieldManager"), Parameter("fieldValidation"));
        return operation;
    }

    private static JsonObject Parameter(string name) => new()
    {
        ["name"] = name,
        ["in"] = "query",
        ["schema"] = new JsonObject { ["type"] = "string", ["uniqueItems"] = true },
    };

    private static JsonObject GroupVersionKind(ServedResource r, string suffix) => new()
    {
        ["group"] = r.Gvk.Group,
        ["kind"] = r.Gvk.Kind + suffix,
        ["version"] = r.Gvk.Version,
    };

    private static JsonObject Reference(string type, string description)
    {
        var made = new JsonObject { ["allOf"] = new JsonArray(new JsonObject { ["$ref"] = $"#/components/schemas/{Meta}{type}" }) };
        if (description.Length > 0)
            made["description"] = description;
        return made;
    }

    private static void Component(string type, SchemaNode schema, JsonObject schemas)
    {
        if (schemas.ContainsKey(Meta + type))
            return;
        schemas[Meta + type] = new JsonObject();
        schemas[Meta + type] = Write(schema, schemas, true);
    }

    private static JsonObject Write(SchemaNode s, JsonObject schemas, bool inline = false)
    {
        if (!inline && s.TypeName.Length > 0)
        {
            Component(s.TypeName, s, schemas);
            return Reference(s.TypeName, s.Description);
        }
        var made = new JsonObject();
        if (s.Description.Length > 0)
            made["description"] = s.Description;
        if (s.Type.Length > 0)
            made["type"] = s.Type;
        WriteLimits(s, made);
        if (s.Properties.Count > 0)
            made["properties"] = new JsonObject(s.Properties.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)Write(p.Value, schemas))));
        if (s.AdditionalProperties is { } additional)
            made["additionalProperties"] = Write(additional, schemas);
        if (s.Items is { } items)
            made["items"] = Write(items, schemas);
        WriteExtensions(s, made);
        return made;
    }

    private static void WriteLimits(SchemaNode s, JsonObject made)
    {
        if (s.Format.Length > 0)
            made["format"] = s.Format;
        if (s.Required.Count > 0)
            made["required"] = JsonText.ArrayOf(s.Required);
        if (s.Default is not null)
            made["default"] = s.Default.DeepClone();
        if (s.Enum is not null)
            made["enum"] = s.Enum.DeepClone();
        if (s.Minimum is { } minimum)
            made["minimum"] = minimum;
        if (s.Maximum is { } maximum)
            made["maximum"] = maximum;
        if (s.MaxLength is { } maxLength)
            made["maxLength"] = maxLength;
        if (s.Pattern is not null)
            made["pattern"] = s.Pattern;
        if (s.Nullable)
            made["nullable"] = true;
    }

    private static void WriteExtensions(SchemaNode s, JsonObject made)
    {
        if (s.IntOrString)
            made["x-kubernetes-int-or-string"] = true;
        if (s.PreserveUnknown)
            made["x-kubernetes-preserve-unknown-fields"] = true;
        if (s.AtomicMap)
            made["x-kubernetes-map-type"] = "atomic";
        if (s.ListKind == ListKind.Set)
            made["x-kubernetes-list-type"] = "set";
        if (s.ListKind == ListKind.Map)
        {
            made["x-kubernetes-list-type"] = "map";
            made["x-kubernetes-list-map-keys"] = JsonText.ArrayOf(s.ListKeys);
            if (s.Items is { TypeName.Length: > 0 })
            {
                made["x-kubernetes-patch-merge-key"] = s.ListKeys[0];
                made["x-kubernetes-patch-strategy"] = "merge";
            }
        }
    }
}
