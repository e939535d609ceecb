using System.Text.Json.Nodes;

namespace Governor.Domain.Kinds.Schemas;

/// <summary>A property of an object schema.</summary>
internal readonly record struct Field(string Name, Schema Schema, bool Required)
{
    public static Field Must(string name, Schema schema) => new(name, schema, true);

    public static Field May(string name, Schema schema) => new(name, schema, false);
}

/// <summary>
/// A structural OpenAPI schema under construction. Every method returns a new schema, so that a fragment can be shared between kinds.
/// </summary>
internal sealed class Schema
{
    private readonly JsonObject _json;

    private Schema(JsonObject json) => _json = json;

    public static Schema Text(string description) => Typed("string", description);

    public static Schema Name(string description) => Text(description).With("minLength", 1);

    public static Schema Time(string description) => Text(description).With("format", "date-time");

    public static Schema Flag(string description) => Typed("boolean", description);

    public static Schema Int32(string description) => Typed("integer", description).With("format", "int32");

    public static Schema Int64(string description) => Typed("integer", description).With("format", "int64");

    /// <summary>A number that need not be whole.</summary>
    public static Schema Number(string description) => Typed("number", description);

    /// <summary>An amount as Kubernetes writes it, e.g. 500m or 2Gi.</summary>
    public static Schema Quantity(string description) =>
        Text(description).With("maxLength", 64).Pattern(@"^([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][-+]?[0-9]+)?$");

    /// <summary>A document that another system defines; kept as it is.</summary>
    public static Schema Opaque(string description) => Typed("object", description).With("x-kubernetes-preserve-unknown-fields", true);

    public static Schema OneOf(string description, params ReadOnlySpan<string> values)
    {
        var allowed = new JsonArray();
        foreach (var value in values)
            allowed.Add(value);
        return Text(description).With("enum", allowed);
    }

    public static Schema List(string description, Schema items) => Typed("array", description).With("items", items.ToJson());

    public static Schema Texts(string description) => List(description, new Schema(new JsonObject { ["type"] = "string" }));

    /// <summary>A list whose entries are identified by these of their fields, so that several writers can each own theirs.</summary>
    public static Schema ListBy(string description, Schema items, params ReadOnlySpan<string> keys)
    {
        var names = new JsonArray();
        foreach (var key in keys)
            names.Add(key);
        return List(description, items).With("x-kubernetes-list-type", "map").With("x-kubernetes-list-map-keys", names);
    }

    public static Schema Map(string description, Schema values) => Typed("object", description).With("additionalProperties", values.ToJson());

    public static Schema Object(string description, params IReadOnlyList<Field> fields)
    {
        var made = Typed("object", description);
        var required = new JsonArray();
        var properties = new JsonObject();
        foreach (var field in fields)
        {
            properties[field.Name] = field.Schema.ToJson();
            if (field.Required)
                required.Add(field.Name);
        }
        if (required.Count > 0)
            made = made.With("required", required);
        return fields.Count == 0 ? made : made.With("properties", properties);
    }

    public Schema With(string keyword, JsonNode? value)
    {
        var json = ToJson();
        json[keyword] = value;
        return new Schema(json);
    }

    public Schema Default(JsonNode value) => With("default", value);

    public Schema Minimum(int value) => With("minimum", value);

    public Schema Maximum(int value) => With("maximum", value);

    /// <summary>Length of a text; rules on a text, and rules within lists, are refused by the API server without it.</summary>
    public Schema AtMost(int characters) => With("maxLength", characters);

    public Schema MaxItems(int value) => With("maxItems", value);

    public Schema MinItems(int value) => With("minItems", value);

    public Schema Pattern(string pattern) => With("pattern", pattern);

    /// <summary>A CEL rule; the API server refuses a write that breaks it, with this message.</summary>
    public Schema Rule(string rule, string message)
    {
        var json = ToJson();
        var rules = json["x-kubernetes-validations"] as JsonArray;
        if (rules is null)
            json["x-kubernetes-validations"] = rules = [];
        rules.Add(new JsonObject { ["rule"] = rule, ["message"] = message });
        return new Schema(json);
    }

    /// <summary>The value never changes once it is there. That it is never added or removed later is <see cref="Sealed"/>'s part.</summary>
    public Schema Immutable(string name) => Rule("self == oldSelf", $"{name} is immutable");

    /// <summary>These optional fields are neither added to nor removed from an object that exists.</summary>
    public Schema Sealed(params IEnumerable<string> names) =>
        names.Aggregate(this, (schema, name) => schema.Rule($"has(self.{name}) == has(oldSelf.{name})", $"{name} can be neither added nor removed"));

    public JsonObject ToJson() => _json.DeepClone().AsObject();

    private static Schema Typed(string type, string description) => new(new JsonObject { ["type"] = type, ["description"] = description });
}
