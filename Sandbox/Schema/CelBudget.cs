using System.Globalization;
using System.Text.Json.Nodes;
using Governor.Sandbox.Api;

namespace Governor.Sandbox.Schema;

/// <summary>Whether the rules of a schema can be compiled against it, and stay within the budget that the API server gives them.</summary>
internal sealed class CelBudget
{
    private const string Advice = "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)";

    private readonly List<Cause> _causes = [];
    private readonly List<(string Path, long Cost)> _costs = [];

    public static IEnumerable<Cause> Validate(JsonObject schema, string path)
    {
        var budget = new CelBudget();
        budget.Walk(OpenApiSchema.Read(schema), path, 1, "");
        return budget.Close(path);
    }

    /// <summary>What the dearest rule costs, and all of them together, each times how often it may run.</summary>
    public static (long Dearest, long Total) Measure(JsonObject schema)
    {
        var budget = new CelBudget();
        budget.Walk(OpenApiSchema.Read(schema), "", 1, "");
        return (budget._costs.Select(cost => cost.Cost).DefaultIfEmpty().Max(), budget._costs.Sum(cost => cost.Cost));
    }

    /// <param name="times">How often the rules here may run for one object.</param>
    /// <param name="unmatched">The list whose items cannot be told apart, so that a new one has no old counterpart; empty outside of one.</param>
    private void Walk(SchemaNode node, string path, long times, string unmatched)
    {
        for (var i = 0; i < node.Rules.Count; i++)
            Check(node.Rules[i], node, $"{path}.x-kubernetes-validations[{i}].rule", times, unmatched);
        foreach (var (name, member) in node.Properties)
            Walk(member, $"{path}.properties[{name}]", times, unmatched);
        if (node.Items is { } items)
            Walk(items, $"{path}.items", CelCost.Times(times, CelCost.SizeOf(node)), unmatched.Length > 0 || node.ListKind == ListKind.Map ? unmatched : path);
        if (node.AdditionalProperties is { } values && !ReferenceEquals(values, SchemaNode.Free))
            Walk(values, $"{path}.additionalProperties", CelCost.Times(times, CelCost.SizeOf(node)), unmatched);
    }

    private void Check(CelRule rule, SchemaNode node, string path, long times, string unmatched)
    {
        if (unmatched.Length > 0 && rule.Rule.Contains("oldSelf", StringComparison.Ordinal))
            _causes.Add(Cause.Invalid(path, Quoted(rule.Rule), $"oldSelf cannot be used on the uncorrelatable portion of the schema within {unmatched}"));
        try
        {
            var cost = CelCost.Times(CelCost.Of(CelParser.Parse(rule.Rule), node), times);
            _costs.Add((path, cost));
            if (cost > CelCost.RuleLimit)
                _causes.Add(Cause.Forbidden(path, $"estimated rule cost exceeds budget by factor of {Factor(cost, CelCost.RuleLimit)} {Advice}"));
        }
        catch (CelException e) when (e.Message.StartsWith("und", StringComparison.Ordinal))
        {
            _causes.Add(Cause.Invalid(path, Quoted(rule.Rule), $"compilation failed: {Pointed(rule.Rule, e.Message)}"));
        }
        catch (CelException)
        {
            // Not even an expression: said where rules are parsed.
        }
    }

    private List<Cause> Close(string path)
    {
        var total = _costs.Aggregate(0L, (sum, cost) => cost.Cost > long.MaxValue - sum ? long.MaxValue : sum + cost.Cost);
        if (total <= CelCost.SchemaLimit)
            return _causes;
        // The dearest ones are named, as long as each takes more than a hundredth of the budget.
        foreach (var (at, _) in _costs.Where(cost => cost.Cost > CelCost.SchemaLimit / 100).OrderByDescending(cost => cost.Cost).Take(10))
            _causes.Add(Cause.Forbidden(at, "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"));
        _causes.Add(Cause.Forbidden(
            path, $"x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of {Factor(total, CelCost.SchemaLimit)} {Advice}"));
        return _causes;
    }

    private static string Factor(long cost, long limit) => ((double)cost / limit) switch
    {
        > 100 => "more than 100x",
        var factor => factor.ToString("0.0", CultureInfo.InvariantCulture) + "x",
    };

    /// <summary>The compiler's message with the place underlined, as it has it.</summary>
    private static string Pointed(string rule, string message)
    {
        var name = message.Split('\'')[1];
        var at = message.StartsWith("undefined field", StringComparison.Ordinal)
            ? rule.IndexOf("." + name, StringComparison.Ordinal)
            : rule.IndexOf(name, StringComparison.Ordinal);
        return $"ERROR: <input>:1:{at + 1}: {message}\n | {rule}\n | {new string('.', Math.Max(at, 0))}^";
    }

    private static string Quoted(string rule) => JsonText.Compacted(JsonValue.Create(rule));
}
