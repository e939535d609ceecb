using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Sandbox.Api;

namespace Governor.Sandbox.Schema;

/// <summary>Checks a value against a structural schema and words the violations as the API server does.</summary>
internal static class SchemaValidation
{
    public static readonly Cause RulesNotChecked = Cause.Invalid("<nil>", "\"null\"",
        "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation");

    /// <summary>Violations that stop further rules: wrong types, missing fields, overlong values.</summary>
    public static bool BlocksRules(Cause cause) =>
        cause.Reason is "FieldValueTypeInvalid" or "FieldValueRequired" or "FieldValueTooLong" or "FieldValueTooMany";

    public static List<Cause> Validate(JsonNode? node, SchemaNode schema, string path = "")
    {
        var causes = new List<Cause>();
        Check(node, schema, path, causes);
        return causes;
    }

    private static void Check(JsonNode? node, SchemaNode schema, string path, List<Cause> causes)
    {
        if (node is null)
        {
            if (!schema.Nullable && !schema.IsFreeForm)
                causes.Add(WrongType(path, "null", schema));
            return;
        }
        if (!HasType(node, schema))
        {
            causes.Add(WrongType(path, Name(node), schema));
            return;
        }
        CheckEnum(node, schema, path, causes);
        switch (node)
        {
            case JsonObject o:
                CheckObject(o, schema, path, causes);
                break;
            case JsonArray a:
                CheckArray(a, schema, path, causes);
                break;
            case JsonValue v when v.GetValueKind() == JsonValueKind.String:
                CheckString(v.GetValue<string>(), schema, path, causes);
                break;
            case JsonValue v when v.GetValueKind() == JsonValueKind.Number:
                CheckNumber(v, schema, path, causes);
                break;
        }
        CheckCombinations(node, schema, path, causes);
    }

    private static bool HasType(JsonNode node, SchemaNode schema)
    {
        var kind = node.GetValueKind();
        if (schema.IntOrString)
            return kind == JsonValueKind.String || (kind == JsonValueKind.Number && JsonText.TryWhole((JsonValue)node, out _));
        return schema.Type switch
        {
            "object" => kind == JsonValueKind.Object,
            "array" => kind == JsonValueKind.Array,
            "string" => kind == JsonValueKind.String,
            "boolean" => kind is JsonValueKind.True or JsonValueKind.False,
            "number" => kind == JsonValueKind.Number,
            "integer" => kind == JsonValueKind.Number && JsonText.TryWhole((JsonValue)node, out _),
            _ => true,
        };
    }

    private static Cause WrongType(string path, string found, SchemaNode schema)
    {
        var expected = schema.IntOrString ? "integer,string" : schema.Type;
        return new Cause("FieldValueTypeInvalid", $"Invalid value: \"{found}\": {path} in body must be of type {expected}: \"{found}\"", path);
    }

    private static string Name(JsonNode node) => node.GetValueKind() switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.Number => JsonText.TryWhole((JsonValue)node, out _) ? "integer" : "number",
        _ => "boolean",
    };

    private static void CheckEnum(JsonNode node, SchemaNode schema, string path, List<Cause> causes)
    {
        if (schema.Enum is null || schema.Enum.Any(e => JsonText.Same(e, node)))
            return;
        causes.Add(Cause.NotSupported(path, Shown(node), schema.Enum.Select(e => e is JsonValue v && v.TryGetValue<string>(out var s) ? s : JsonText.Compacted(e))));
    }

    private static void CheckObject(JsonObject o, SchemaNode schema, string path, List<Cause> causes)
    {
        foreach (var required in schema.Required)
            if (!o.ContainsKey(required))
                causes.Add(Cause.Required(Join(path, required)));
        if (schema.MinProperties is { } least && o.Count < least)
            causes.Add(Cause.Invalid(path, o.Count.ToString(CultureInfo.InvariantCulture), $"{path} in body should have at least {least} properties"));
        if (schema.MaxProperties is { } most && o.Count > most)
            causes.Add(new Cause("FieldValueTooMany", $"Too many: {o.Count}: must have at most {most} items", path));
        foreach (var (name, value) in o.OrderBy(p => p.Key, StringComparer.Ordinal))
            if (schema.Properties.TryGetValue(name, out var member) || (member = schema.AdditionalProperties) is not null)
                Check(value, member, Join(path, name), causes);
    }

    private static void CheckArray(JsonArray a, SchemaNode schema, string path, List<Cause> causes)
    {
        if (schema.MinItems is { } least && a.Count < least)
            causes.Add(Cause.Invalid(path, a.Count.ToString(CultureInfo.InvariantCulture), $"{path} in body should have at least {least} items"));
        if (schema.MaxItems is { } most && a.Count > most)
            causes.Add(new Cause("FieldValueTooMany", $"Too many: {a.Count}: must have at most {most} items", path));
        if (schema.Items is { } items)
            for (var i = 0; i < a.Count; i++)
                Check(a[i], items, $"{path}[{i}]", causes);
        CheckDuplicates(a, schema, path, causes);
    }

    private static void CheckDuplicates(JsonArray a, SchemaNode schema, string path, List<Cause> causes)
    {
        if (schema.ListKind == ListKind.Atomic && !schema.UniqueItems)
            return;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < a.Count; i++)
        {
            var key = schema.ListKind == ListKind.Map && a[i] is JsonObject o
                ? new JsonObject(schema.ListKeys.Where(o.ContainsKey).Select(k => KeyValuePair.Create(k, o[k]?.DeepClone())))
                : a[i];
            if (!seen.Add(JsonText.Compacted(JsonText.Sorted(key))))
                causes.Add(Cause.Duplicate($"{path}[{i}]", key is JsonObject ? $"map[string]interface {{}}{JsonText.Compacted(key)}" : Shown(key!)));
        }
    }

    private static void CheckString(string text, SchemaNode schema, string path, List<Cause> causes)
    {
        var length = new StringInfo(text).LengthInTextElements;
        if (schema.MinLength is { } least && length < least)
            causes.Add(Cause.Invalid(path, Quote(text), $"{path} in body should be at least {least} chars long"));
        if (schema.MaxLength is { } most && length > most)
            causes.Add(new Cause("FieldValueTooLong", $"Too long: may not be longer than {most}", path));
        if (schema.PatternExpression is { } pattern && !pattern.IsMatch(text))
            causes.Add(Cause.Invalid(path, Quote(text), $"{path} in body should match '{schema.Pattern}'"));
        if (schema.Format == "date-time" && !DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out _))
            causes.Add(Cause.Invalid(path, Quote(text), $"{path} in body must be of type date-time: {Quote(text)}"));
    }

    private static void CheckNumber(JsonValue value, SchemaNode schema, string path, List<Cause> causes)
    {
        var number = JsonText.Number(value);
        if (schema.Minimum is { } least && (schema.ExclusiveMinimum ? number <= least : number < least))
            causes.Add(Cause.Invalid(path, Shown(value), $"{path} in body should be greater than{(schema.ExclusiveMinimum ? "" : " or equal to")} {Plain(least)}"));
        if (schema.Maximum is { } most && (schema.ExclusiveMaximum ? number >= most : number > most))
            causes.Add(Cause.Invalid(path, Shown(value), $"{path} in body should be less than{(schema.ExclusiveMaximum ? "" : " or equal to")} {Plain(most)}"));
        if (schema.MultipleOf is { } factor && Math.Abs(Math.IEEERemainder(number, factor)) > 1e-9)
            causes.Add(Cause.Invalid(path, Shown(value), $"{path} in body should be a multiple of {Plain(factor)}"));
    }

    private static void CheckCombinations(JsonNode node, SchemaNode schema, string path, List<Cause> causes)
    {
        foreach (var part in schema.AllOf)
            Check(node, part, path, causes);
        if (schema.AnyOf.Count > 0 && !schema.AnyOf.Any(part => Validate(node, part, path).Count == 0))
            causes.Add(Cause.Invalid(path, Shown(node), $"{path} in body must validate at least one schema (anyOf)"));
        if (schema.OneOf.Count > 0 && schema.OneOf.Count(part => Validate(node, part, path).Count == 0) != 1)
            causes.Add(Cause.Invalid(path, Shown(node), $"{path} in body must validate one and only one schema (oneOf)"));
        if (schema.Not is { } not && Validate(node, not, path).Count == 0)
            causes.Add(Cause.Invalid(path, Shown(node), $"{path} in body must not validate the schema (not)"));
    }

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static string Shown(JsonNode node) => node is JsonObject ? "\"object\"" : node is JsonArray ? "\"array\"" : JsonText.Compacted(node);

    private static string Quote(string text) => JsonText.Compacted(JsonValue.Create(text));

    private static string Plain(double number) => number.ToString(CultureInfo.InvariantCulture);
}
