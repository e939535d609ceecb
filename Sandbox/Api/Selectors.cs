using System.Text.Json;
using System.Text.RegularExpressions;
using Governor.Sandbox.Discovery;
using Governor.Sandbox.Store;

namespace Governor.Sandbox.Api;

/// <summary>A parsed label selector.</summary>
internal sealed class LabelSelector
{
    public static readonly LabelSelector Everything = new([]);

    private readonly IReadOnlyList<Requirement> _requirements;

    private LabelSelector(IReadOnlyList<Requirement> requirements) => _requirements = requirements;

    public bool IsEverything => _requirements.Count == 0;

    public bool Matches(StoredObject o) => IsEverything || Matches(o.Metadata.Find("labels"));

    /// <exception cref="ApiException">400 with the parser's complaint.</exception>
    public static LabelSelector Parse(string text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return Everything;
        var tokens = new Queue<string>(SelectorTokens.Of(text));
        var requirements = new List<Requirement>();
        do
            requirements.Add(ParseOne(tokens));
        while (tokens.TryDequeue(out _));
        return new LabelSelector(requirements);
    }

    /// <summary>The selector of an object's field: <c>matchLabels</c> and <c>matchExpressions</c>.</summary>
    public static LabelSelector Of(JsonElement selector)
    {
        var requirements = new List<Requirement>();
        if (selector.Find("matchLabels") is { ValueKind: JsonValueKind.Object } labels)
            foreach (var label in labels.EnumerateObject())
                requirements.Add(new Requirement(label.Name, "in", [label.Value.GetString() ?? ""]));
        if (selector.Find("matchExpressions") is { ValueKind: JsonValueKind.Array } expressions)
            foreach (var expression in expressions.EnumerateArray())
                requirements.Add(new Requirement(expression.FindText("key"), expression.FindText("operator") switch { "In" => "in", "NotIn" => "notin", "Exists" => "exists", _ => "!" },
                    expression.Find("values") is { ValueKind: JsonValueKind.Array } values ? [.. values.EnumerateArray().Select(v => v.GetString() ?? "")] : []));
        return new LabelSelector(requirements);
    }

    public bool Matches(JsonElement labels)
    {
        foreach (var requirement in _requirements)
        {
            var value = labels.Find(requirement.Key);
            if (!requirement.Matches(value.ValueKind == JsonValueKind.String ? value.GetString() : null))
                return false;
        }
        return true;
    }

    private static Requirement ParseOne(Queue<string> tokens)
    {
        var negated = tokens.TryPeek(out var first) && first == "!";
        if (negated)
            tokens.Dequeue();
        if (!tokens.TryDequeue(out var key) || SelectorTokens.IsSymbol(key))
            throw ApiException.BadRequest($"found '{key}', expected: !, identifier, or 'end of string'");
        if (!tokens.TryPeek(out var op) || op == ",")
            return new Requirement(key, negated ? "!" : "exists", []);
        tokens.Dequeue();
        if (negated)
            throw ApiException.BadRequest($"unable to parse requirement: found '{op}', expected: ',' or 'end of string'");
        return op switch
        {
            "=" or "==" or "!=" => new Requirement(key, op == "!=" ? "notin" : "in", [Value(tokens, key)]),
            "in" or "notin" => new Requirement(key, op, Values(tokens)),
            ">" or "<" => new Requirement(key, op, [Value(tokens, key)]),
            _ => throw ApiException.BadRequest($"unable to parse requirement: found '{op}', expected: in, notin, =, ==, !=, gt, lt"),
        };
    }

    private static string Value(Queue<string> tokens, string key)
    {
        var value = tokens.TryPeek(out var next) && !SelectorTokens.IsSymbol(next) ? tokens.Dequeue() : "";
        if (ObjectRules.LabelValueFault(value) is { } fault)
            throw ApiException.BadRequest($"unable to parse requirement: values[0][{key}]: Invalid value: \"{value}\": {fault}");
        if (tokens.TryPeek(out var after) && after != ",")
            throw ApiException.BadRequest($"unable to parse requirement: found '{after}', expected: ',' or 'end of string'");
        return value;
    }

    private static List<string> Values(Queue<string> tokens)
    {
        if (!tokens.TryDequeue(out var open) || open != "(")
            throw ApiException.BadRequest($"unable to parse requirement: found '{open}' expected: '('");
        var values = new List<string>();
        while (tokens.TryDequeue(out var token) && token != ")")
            if (token != ",")
                values.Add(token);
        return values;
    }

    private sealed record Requirement(string Key, string Operator, IReadOnlyList<string> Values)
    {
        public bool Matches(string? value) => Operator switch
        {
            "exists" => value is not null,
            "!" => value is null,
            "in" => value is not null && Values.Contains(value),
            "notin" => value is null || !Values.Contains(value),
            ">" => long.TryParse(value, out var a) && long.TryParse(Values[0], out var b) && a > b,
            _ => long.TryParse(value, out var a) && long.TryParse(Values[0], out var b) && a < b,
        };
    }
}

internal static partial class SelectorTokens
{
    public static IEnumerable<string> Of(string text) => Token().Matches(text).Select(m => m.Value);

    public static bool IsSymbol(string? token) => token is null or "=" or "==" or "!=" or "!" or "," or "(" or ")" or ">" or "<";

    [GeneratedRegex(@"!=|==|[=!,()<>]|[^\s=!,()<>]+")]
    private static partial Regex Token();
}

/// <summary>A parsed field selector: equalities only.</summary>
internal sealed class FieldSelector
{
    private static readonly string[] Always = ["metadata.name", "metadata.namespace"];

    private readonly IReadOnlyList<(string[] Path, bool Equal, string Value)> _terms;

    private FieldSelector(IReadOnlyList<(string[], bool, string)> terms) => _terms = terms;

    public bool IsEverything => _terms.Count == 0;

    public bool Matches(StoredObject o)
    {
        foreach (var (path, equal, value) in _terms)
            if (Shown(o.Root.Find(path)) == value != equal)
                return false;
        return true;
    }

    /// <exception cref="ApiException">400 when it does not parse or names a field that the kind cannot select by.</exception>
    public static FieldSelector Parse(string text, ServedResource resource)
    {
        var terms = new List<(string[], bool, string)>();
        foreach (var term in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var at = term.IndexOf('=', StringComparison.Ordinal);
            if (at <= 0)
                throw ApiException.BadRequest($"invalid selector: '{text}'; can't understand '{term}'");
            var equal = term[at - 1] != '!';
            var field = term[..(equal ? at : at - 1)];
            CheckField(field, resource);
            terms.Add((field.Split('.'), equal, term[at..].TrimStart('=')));
        }
        return new FieldSelector(terms);
    }

    private static void CheckField(string field, ServedResource resource)
    {
        var known = Always.Concat(Extra(resource.Plural, resource.IsCustom)).ToArray();
        if (known.Contains(field))
            return;
        throw ApiException.BadRequest(resource.IsCustom
            ? $"field label not supported: {field}"
            : $"\"{field}\" is not a known field selector: only {string.Join(", ", known.Select(k => $"\"{k}\""))}");
    }

    private static string[] Extra(string plural, bool isCustom) => isCustom ? [] : plural switch
    {
        "pods" => ["spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "status.phase", "status.podIP", "status.nominatedNodeName"],
        "events" => ["involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid", "involvedObject.apiVersion",
            "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason", "reportingComponent", "source", "type"],
        "secrets" => ["type"],
        "namespaces" => ["status.phase"],
        "nodes" => ["spec.unschedulable"],
        "jobs" => ["status.successful"],
        "replicasets" => ["status.replicas"],
        _ => [],
    };

    private static string Shown(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Undefined or JsonValueKind.Null => "",
        _ => value.GetRawText(),
    };
}
