using System.Text.Json.Nodes;
using Governor.Sandbox.Api;

namespace Governor.Sandbox.Schema;

/// <summary>Defaults and rules of CustomResourceDefinitions.</summary>
internal static class Definitions
{
    private const string Approval = "api-approved.kubernetes.io";

    private static readonly string[] Types = ["object", "array", "string", "integer", "number", "boolean"];

    public static void Prepare(JsonObject? old, JsonObject o)
    {
        var spec = o.ChildOrNew("spec");
        var names = spec.ChildOrNew("names");
        if (names.Text("singular").Length == 0)
            names["singular"] = names.Text("kind").ToLowerInvariant();
        if (names.Text("listKind").Length == 0)
            names["listKind"] = names.Text("kind") + "List";
        if (spec.ChildOrNew("conversion").Text("strategy").Length == 0)
            spec.ChildOrNew("conversion")["strategy"] = "None";
        var stored = Versions(spec).Where(v => v.Flag("storage")).Select(v => v.Text("name")).ToArray();
        if (old is null)
            o["status"] = new JsonObject
            {
                ["conditions"] = null,
                ["acceptedNames"] = new JsonObject { ["plural"] = "", ["kind"] = "" },
                ["storedVersions"] = JsonText.ArrayOf(stored),
            };
        else if (o.Child("status") is { } status && status.List("storedVersions") is { } known)
            foreach (var version in stored.Except(known.Texts()).ToArray())
                known.Add(version);
    }

    public static IEnumerable<Cause> Validate(JsonObject? old, JsonObject o)
    {
        var spec = o.Child("spec")!;
        var names = spec.Child("names")!;
        if (spec.Text("group").Length == 0)
            yield return Cause.Required("spec.group");
        foreach (var name in (string[])["plural", "kind"])
            if (names.Text(name).Length == 0)
                yield return Cause.Required($"spec.names.{name}");
        if (spec.Text("scope") is not ("Namespaced" or "Cluster"))
            yield return spec.Text("scope").Length == 0
                ? Cause.Required("spec.scope")
                : Cause.NotSupported("spec.scope", $"\"{spec.Text("scope")}\"", ["Cluster", "Namespaced"]);
        var expected = $"{names.Text("plural")}.{spec.Text("group")}";
        if (o.Metadata().Text("name") != expected)
            yield return Cause.Invalid("metadata.name", $"\"{o.Metadata().Text("name")}\"", $"must be spec.names.plural+\".\"+spec.group");
        if (IsProtected(spec.Text("group")) && o.Metadata().Child("annotations")?.Text(Approval) is not { Length: > 0 })
            yield return Cause.Required($"metadata.annotations[{Approval}]", $"protected groups must have approval annotation \"{Approval}\", see https://github.com/kubernetes/enhancements/pull/1111");
        foreach (var cause in ValidateVersions(spec))
            yield return cause;
        foreach (var cause in ValidateChange(old?.Child("spec"), spec))
            yield return cause;
    }

    /// <summary>The groups that Kubernetes keeps to itself.</summary>
    private static bool IsProtected(string group) => group is "k8s.io" or "kubernetes.io"
        || group.EndsWith(".k8s.io", StringComparison.Ordinal) || group.EndsWith(".kubernetes.io", StringComparison.Ordinal);

    private static IEnumerable<Cause> ValidateVersions(JsonObject spec)
    {
        var versions = Versions(spec).ToArray();
        if (versions.Count(v => v.Flag("storage")) != 1)
            yield return Cause.Invalid("spec.versions", JsonText.Compacted(JsonText.ArrayOf(versions.Select(v => v.Text("name")))), "must have exactly one version marked as storage version");
        for (var i = 0; i < versions.Length; i++)
        {
            var at = $"spec.versions[{i}]";
            if (versions[i].Child("schema")?.Child("openAPIV3Schema") is not { } schema)
            {
                yield return Cause.Required($"{at}.schema.openAPIV3Schema", "schemas are required");
                continue;
            }
            // A definition with one schema for all of its versions is checked as if it had the one of the old API.
            var path = versions.Length == 1 ? "spec.validation.openAPIV3Schema" : $"{at}.schema.openAPIV3Schema";
            if (schema.Text("type") != "object")
                yield return schema.Text("type").Length == 0
                    ? Cause.Required($"{path}.type", "must not be empty at the root")
                    : Cause.Invalid($"{path}.type", $"\"{schema.Text("type")}\"", "must be object at the root");
            foreach (var cause in ValidateSchema(schema, path, true).Concat(CelBudget.Validate(schema, path)).Concat(StructuralRules.ValidateVersion(versions[i], at)))
                yield return cause;
        }
    }

    private static IEnumerable<Cause> ValidateSchema(JsonObject schema, string path, bool isRoot)
    {
        var type = schema.Text("type");
        var isOpen = schema.Flag("x-kubernetes-int-or-string") || schema.Flag("x-kubernetes-preserve-unknown-fields");
        if (type.Length == 0 && !isOpen && !isRoot)
            yield return Cause.Required($"{path}.type", "must not be empty for specified object fields");
        if (type.Length > 0 && !Types.Contains(type))
            yield return Cause.NotSupported($"{path}.type", $"\"{type}\"", Types);
        if (type == "array" && schema["items"] is null)
            yield return Cause.Required($"{path}.items", "must be specified");
        if (schema.Text("x-kubernetes-list-type") == "map" && schema.List("x-kubernetes-list-map-keys") is not { Count: > 0 })
            yield return Cause.Required($"{path}.x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map");
        if (schema.List("x-kubernetes-list-map-keys").Texts().ToArray() is { Length: > 0 } keys && !keys.All((schema.Child("items")?.Child("properties") ?? []).ContainsKey))
            yield return Cause.Invalid($"{path}.x-kubernetes-list-map-keys", $"[]string{{{string.Join(", ", keys.Select(k => $"\"{k}\""))}}}", "entries must all be names of item properties");
        if (schema["default"] is { } fallback && SchemaValidation.Validate(fallback, OpenApiSchema.Read(schema), "") is { Count: > 0 } faults)
            foreach (var fault in faults)
                yield return fault with { Field = $"{path}.default{(fault.Field.Length == 0 || fault.Field[0] == '[' ? "" : ".")}{fault.Field}" };
        foreach (var cause in ValidateRules(schema, path).Concat(StructuralRules.Validate(schema, path)))
            yield return cause;
        foreach (var (name, member) in schema.Child("properties") ?? [])
            if (member is JsonObject m)
                foreach (var cause in ValidateSchema(m, $"{path}.properties[{name}]", false))
                    yield return cause;
        if (schema.Child("items") is { } items)
            foreach (var cause in ValidateSchema(items, $"{path}.items", false))
                yield return cause;
        if (schema.Child("additionalProperties") is { } additional)
            foreach (var cause in ValidateSchema(additional, $"{path}.additionalProperties", false))
                yield return cause;
    }

    private static IEnumerable<Cause> ValidateRules(JsonObject schema, string path)
    {
        var rules = schema.List("x-kubernetes-validations")?.OfType<JsonObject>().ToArray() ?? [];
        for (var i = 0; i < rules.Length; i++)
            if (CelValidation.CompileFault(rules[i].Text("rule")) is { } fault)
                yield return Cause.Invalid($"{path}.x-kubernetes-validations[{i}].rule", JsonText.Compacted(rules[i]["rule"]), $"compilation failed: {fault}");
    }

    private static IEnumerable<Cause> ValidateChange(JsonObject? old, JsonObject spec)
    {
        if (old is null)
            yield break;
        var fields = new (string Field, string Before, string After)[]
        {
            ("spec.group", old.Text("group"), spec.Text("group")),
            ("spec.scope", old.Text("scope"), spec.Text("scope")),
            ("spec.names.kind", old.Child("names")!.Text("kind"), spec.Child("names")!.Text("kind")),
            ("spec.names.plural", old.Child("names")!.Text("plural"), spec.Child("names")!.Text("plural")),
        };
        foreach (var (field, before, after) in fields)
            if (before != after)
                yield return Cause.Invalid(field, $"\"{after}\"", "field is immutable");
    }

    private static IEnumerable<JsonObject> Versions(JsonObject spec) => spec.List("versions")?.OfType<JsonObject>() ?? [];
}
