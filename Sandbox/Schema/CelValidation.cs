using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Governor.Sandbox.Api;
using Governor.Sandbox.Apply;

namespace Governor.Sandbox.Schema;

/// <summary>Runs the <c>x-kubernetes-validations</c> of a schema over an object.</summary>
internal static class CelValidation
{
    private static readonly ConcurrentDictionary<string, CelExpression> Compiled = new(StringComparer.Ordinal);

    public static IEnumerable<Cause> Validate(JsonNode? node, JsonNode? old, SchemaNode schema)
    {
        var causes = new List<Cause>();
        Walk(node, old, schema, "", causes);
        return causes;
    }

    /// <summary>Why a rule does not compile; null when it does.</summary>
    public static string? CompileFault(string rule)
    {
        try
        {
            Compile(rule);
            return null;
        }
        catch (CelException e)
        {
            return e.Message;
        }
    }

    private static CelExpression Compile(string rule) => Compiled.GetOrAdd(rule, CelParser.Parse);

    private static void Walk(JsonNode? node, JsonNode? old, SchemaNode schema, string path, List<Cause> causes)
    {
        if (node is null)
            return;
        foreach (var rule in schema.Rules)
            if (Check(rule, node, old, path) is { } cause)
                causes.Add(cause);
        if (node is JsonObject o)
            foreach (var (name, value) in o)
                if (schema.Properties.TryGetValue(name, out var member) || (member = schema.AdditionalProperties) is not null)
                    Walk(value, (old as JsonObject)?[name], member, path.Length == 0 ? name : $"{path}.{name}", causes);
        if (node is JsonArray a && schema.Items is { } items)
            for (var i = 0; i < a.Count; i++)
                Walk(a[i], Counterpart(a[i], old as JsonArray, schema), items, $"{path}[{i}]", causes);
    }

    /// <summary>The old item that a new one continues: only lists told apart by keys have one.</summary>
    private static JsonNode? Counterpart(JsonNode? item, JsonArray? old, SchemaNode list)
    {
        if (old is null || list.ListKind != ListKind.Map)
            return null;
        var element = TypedValue.ElementOf(item, list);
        return old.FirstOrDefault(o => TypedValue.ElementOf(o, list) == element);
    }

    private static Cause? Check(CelRule rule, JsonNode node, JsonNode? old, string path)
    {
        // A rule that speaks of the old value runs only when there are both.
        var isTransition = rule.Rule.Contains("oldSelf", StringComparison.Ordinal);
        if (isTransition && old is null)
            return null;
        var variables = new Dictionary<string, object?>(StringComparer.Ordinal) { ["self"] = CelEvaluator.FromJson(node) };
        if (isTransition)
            variables["oldSelf"] = CelEvaluator.FromJson(old);
        var field = path + rule.FieldPath;
        try
        {
            var evaluator = new CelEvaluator(variables);
            if (evaluator.True(Compile(rule.Rule)))
                return null;
            return Failed(rule, field, node, Message(rule, evaluator));
        }
        catch (Exception e) when (e is CelException or OverflowException or FormatException or InvalidCastException or ArgumentException)
        {
            return Cause.Invalid(field, $"\"{TypeOf(node)}\"", $"rule evaluation error: {e.Message}: {rule.Rule}");
        }
    }

    private static string Message(CelRule rule, CelEvaluator evaluator)
    {
        if (rule.MessageExpression.Length > 0 && evaluator.Evaluate(Compile(rule.MessageExpression)) is string made)
            return made;
        return rule.Message.Length > 0 ? rule.Message : $"failed rule: {rule.Rule}";
    }

    private static Cause Failed(CelRule rule, string field, JsonNode node, string message) => rule.Reason switch
    {
        "FieldValueForbidden" => Cause.Forbidden(field, message),
        "FieldValueRequired" => Cause.Required(field, message),
        "FieldValueDuplicate" => Cause.Duplicate(field, $"\"{TypeOf(node)}\""),
        _ => Cause.Invalid(field, $"\"{TypeOf(node)}\"", message),
    };

    private static string TypeOf(JsonNode node) => node switch
    {
        JsonObject => "object",
        JsonArray => "array",
        _ => node.GetValueKind() switch
        {
            System.Text.Json.JsonValueKind.String => "string",
            System.Text.Json.JsonValueKind.Number => JsonText.TryWhole((JsonValue)node, out _) ? "integer" : "number",
            _ => "boolean",
        },
    };
}
