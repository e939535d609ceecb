using System.Text.Json.Nodes;
using Governor.Sandbox.Api;

namespace Governor.Sandbox.Schema;

/// <summary>What a schema may not say, besides what <see cref="Definitions"/> checks: the rules for structural schemas of KEP-1979 and the API reference.</summary>
internal static class StructuralRules
{
    private static readonly string[] Unsupported = ["$ref", "id", "definitions", "dependencies", "patternProperties", "additionalItems", "$schema"];

    /// <summary>What only the structure itself may say, and no branch of allOf, anyOf, oneOf or not.</summary>
    private static readonly string[] StructureOnly =
        ["type", "default", "title", "description", "nullable", "additionalProperties", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-list-type", "x-kubernetes-validations"];

    /// <summary>One node of a schema; its members are somebody else's turn.</summary>
    public static IEnumerable<Cause> Validate(JsonObject schema, string path)
    {
        foreach (var keyword in Unsupported)
            if (schema[keyword] is not null)
                yield return Cause.Forbidden($"{path}.{keyword}", $"{keyword} is not supported");
        if (schema.Flag("uniqueItems"))
            yield return Cause.Forbidden($"{path}.uniqueItems", "uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
        if (schema["additionalProperties"] is { } additional)
        {
            if (additional is JsonValue any && any.TryGetValue<bool>(out var allowed) && !allowed)
                yield return Cause.Forbidden($"{path}.additionalProperties", "additionalProperties cannot be set to false");
            if (schema.Child("properties") is { Count: > 0 })
                yield return Cause.Forbidden($"{path}.additionalProperties", "additionalProperties and properties are mutual exclusive");
        }
        foreach (var cause in ValidateList(schema, path).Concat(ValidateLogic(schema, path)))
            yield return cause;
    }

    /// <summary>Printer columns, and where a scale subresource counts.</summary>
    public static IEnumerable<Cause> ValidateVersion(JsonObject version, string path)
    {
        var columns = version.List("additionalPrinterColumns")?.OfType<JsonObject>().ToArray() ?? [];
        for (var i = 0; i < columns.Length; i++)
        {
            var at = $"{path}.additionalPrinterColumns[{i}]";
            if (columns[i].Text("name").Length == 0)
                yield return Cause.Required($"{at}.name");
            if (columns[i].Text("type") is not ("integer" or "number" or "string" or "boolean" or "date"))
                yield return Cause.Invalid($"{at}.type", $"\"{columns[i].Text("type")}\"", "must be one of boolean,date,integer,number,string");
            if (!columns[i].Text("jsonPath").StartsWith('.'))
                yield return Cause.Invalid($"{at}.jsonPath", $"\"{columns[i].Text("jsonPath")}\"", "must be a simple json path starting with .");
        }
        if (version.Child("subresources")?.Child("scale") is not { } scale)
            yield break;
        foreach (var (name, under) in ((string, string)[])[("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.")])
            if (!scale.Text(name).StartsWith(under, StringComparison.Ordinal))
                yield return Cause.Invalid($"{path}.subresources.scale.{name}", $"\"{scale.Text(name)}\"", $"should be a json path under {under[..^1]}");
    }

    private static IEnumerable<Cause> ValidateList(JsonObject schema, string path)
    {
        var kind = schema.Text("x-kubernetes-list-type");
        if (kind.Length > 0 && schema.Text("type") != "array")
            yield return Cause.Invalid($"{path}.type", $"\"{schema.Text("type")}\"", "must be array if x-kubernetes-list-type is specified");
        if (kind != "map" || schema.Child("items") is not { } items)
            yield break;
        if (items.Text("type") != "object")
            yield return Cause.Invalid($"{path}.items.type", $"\"{items.Text("type")}\"", "must be object if parent array's x-kubernetes-list-type is map");
        var required = items.List("required").Texts().ToHashSet(StringComparer.Ordinal);
        foreach (var key in schema.List("x-kubernetes-list-map-keys").Texts())
        {
            if (items.Child("properties")?.Child(key) is not { } property)
                continue;
            var at = $"{path}.items.properties[{key}]";
            if (property.Text("type") is "array" or "object")
                yield return Cause.Invalid($"{at}.type", $"\"{property.Text("type")}\"", "must be a scalar type if parent array's x-kubernetes-list-type is map");
            if (property["default"] is null && !required.Contains(key))
                yield return Cause.Required($"{at}.default", "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property");
        }
    }

    private static IEnumerable<Cause> ValidateLogic(JsonObject schema, string path)
    {
        foreach (var junctor in (string[])["allOf", "anyOf", "oneOf"])
        {
            var branches = schema.List(junctor)?.OfType<JsonObject>().ToArray() ?? [];
            for (var i = 0; i < branches.Length; i++)
                foreach (var cause in ValidateBranch(branches[i], schema, $"{path}.{junctor}[{i}]"))
                    yield return cause;
        }
        if (schema.Child("not") is { } not)
            foreach (var cause in ValidateBranch(not, schema, $"{path}.not"))
                yield return cause;
    }

    private static IEnumerable<Cause> ValidateBranch(JsonObject branch, JsonObject structure, string path)
    {
        foreach (var keyword in StructureOnly)
            if (branch[keyword] is not null && !(keyword == "type" && structure.Flag("x-kubernetes-int-or-string")))
                yield return Cause.Forbidden($"{path}.{keyword}", "must be empty to be structural");
        foreach (var (name, member) in branch.Child("properties") ?? [])
            if (structure.Child("properties")?.Child(name) is not { } declared)
                yield return Cause.Required($"{path.Split(".anyOf[")[0].Split(".oneOf[")[0].Split(".allOf[")[0]}.properties[{name}]", $"because it is defined in {path}.properties[{name}]");
            else if (member is JsonObject inner)
                foreach (var cause in ValidateBranch(inner, declared, $"{path}.properties[{name}]"))
                    yield return cause;
    }
}
