using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Governor.Sandbox.Api;

namespace Governor.Sandbox.Schema;

/// <summary>Evaluates parsed CEL over JSON. Values are null, bool, long, double, string, lists and JSON objects.</summary>
internal sealed class CelEvaluator
{
    private static readonly TimeSpan RegexLimit = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, object?> _variables;

    public CelEvaluator(Dictionary<string, object?> variables) => _variables = variables;

    public static object? FromJson(JsonNode? node) => node switch
    {
        null => null,
        JsonObject o => o,
        JsonArray a => a.Select(FromJson).ToArray(),
        JsonValue v => v.GetValueKind() switch
        {
            JsonValueKind.String => v.GetValue<string>(),
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => JsonText.TryWhole(v, out var whole) ? (object)whole : JsonText.Number(v),
        },
        _ => throw new CelException("unknown value"),
    };

    public object? Evaluate(CelExpression expression) => expression switch
    {
        CelExpression.Literal literal => literal.Value,
        CelExpression.Name name => _variables.TryGetValue(name.Text, out var value) ? value : throw new CelException($"undeclared reference to '{name.Text}' (in container '')"),
        CelExpression.Member member => Field(Evaluate(member.Of), member.Field),
        CelExpression.Index index => At(Evaluate(index.Of), Evaluate(index.At)),
        CelExpression.Call { Target: null } call => Global(call),
        CelExpression.Call call => Method(call),
        CelExpression.Unary unary => Unary(unary.Operator, Evaluate(unary.Of)),
        CelExpression.Binary binary => Binary(binary),
        CelExpression.Conditional conditional => Evaluate(True(conditional.If) ? conditional.Then : conditional.Else),
        CelExpression.ListOf list => list.Items.Select(Evaluate).ToArray(),
        CelExpression.MapOf map => new JsonObject(map.Entries.Select(e => KeyValuePair.Create((string)Evaluate(e.Key)!, ToJson(Evaluate(e.Value))))),
        _ => throw new CelException("unknown expression"),
    };

    public bool True(CelExpression expression) => Evaluate(expression) is bool value ? value : throw new CelException("no such overload");

    private static object? Field(object? of, string field) => of is JsonObject o && TryField(o, field, out var value)
        ? value
        : throw new CelException($"no such key: {field}");

    private static bool TryField(JsonObject o, string field, out object? value)
    {
        value = null;
        // Names that CEL cannot spell are escaped: dash, dot, slash, keywords, double underscore.
        var name = field.StartsWith("__", StringComparison.Ordinal) && field.EndsWith("__", StringComparison.Ordinal) && field.Length > 4 ? field[2..^2] : field;
        name = name.Replace("__dash__", "-", StringComparison.Ordinal).Replace("__dot__", ".", StringComparison.Ordinal)
            .Replace("__slash__", "/", StringComparison.Ordinal).Replace("__underscores__", "__", StringComparison.Ordinal);
        if (!o.TryGetPropertyValue(name, out var node))
            return false;
        value = FromJson(node);
        return true;
    }

    private static object? At(object? of, object? index) => (of, index) switch
    {
        (object?[] list, long i) when i >= 0 && i < list.Length => list[i],
        (JsonObject o, string key) when o.TryGetPropertyValue(key, out var value) => FromJson(value),
        (object?[], _) => throw new CelException($"index out of bounds: {index}"),
        _ => throw new CelException($"no such key: {index}"),
    };

    private static object Unary(string op, object? value) => (op, value) switch
    {
        ("!", bool b) => !b,
        ("-", long n) => -n,
        ("-", double d) => -d,
        _ => throw new CelException("no such overload"),
    };

    private object? Binary(CelExpression.Binary b)
    {
        // Logic is commutative in CEL: an error on one side yields to a decisive other side.
        if (b.Operator is "&&" or "||")
            return Logic(b, b.Operator == "||");
        var (left, right) = (Evaluate(b.Left), Evaluate(b.Right));
        return b.Operator switch
        {
            "==" => Same(left, right),
            "!=" => !Same(left, right),
            "in" => right is object?[] list ? list.Any(i => Same(i, left)) : right is JsonObject o && left is string key && o.ContainsKey(key),
            "+" => Add(left, right),
            "-" or "*" or "/" or "%" => Arithmetic(b.Operator, left, right),
            _ => Order(b.Operator, left, right),
        };
    }

    private bool Logic(CelExpression.Binary b, bool decisive)
    {
        try
        {
            if (True(b.Left) == decisive)
                return decisive;
        }
        catch (CelException)
        {
            if (True(b.Right) == decisive)
                return decisive;
            throw;
        }
        return True(b.Right);
    }

    private static object Add(object? left, object? right) => (left, right) switch
    {
        (string a, string b) => a + b,
        (object?[] a, object?[] b) => (object?[])[.. a, .. b],
        _ => Arithmetic("+", left, right),
    };

    private static object Arithmetic(string op, object? left, object? right) => (op, left, right) switch
    {
        ("/" or "%", long, 0L) => throw new CelException(op == "/" ? "division by zero" : "modulus by zero"),
        ("+", long a, long b) => (object)checked(a + b),
        ("-", long a, long b) => checked(a - b),
        ("*", long a, long b) => checked(a * b),
        ("/", long a, long b) => a / b,
        ("%", long a, long b) => a % b,
        ("+", double a, double b) => a + b,
        ("-", double a, double b) => a - b,
        ("*", double a, double b) => a * b,
        ("/", double a, double b) => a / b,
        _ => throw new CelException("no such overload"),
    };

    private static bool Order(string op, object? left, object? right)
    {
        var order = (left, right) switch
        {
            (string a, string b) => string.CompareOrdinal(a, b),
            (long a, long b) => a.CompareTo(b),
            (bool a, bool b) => a.CompareTo(b),
            (long or double, long or double) => Convert.ToDouble(left, CultureInfo.InvariantCulture).CompareTo(Convert.ToDouble(right, CultureInfo.InvariantCulture)),
            _ => throw new CelException("no such overload"),
        };
        return op switch { "<" => order < 0, "<=" => order <= 0, ">" => order > 0, _ => order >= 0 };
    }

    private static bool Same(object? left, object? right) => (left, right) switch
    {
        (object?[] a, object?[] b) => a.Length == b.Length && a.Zip(b).All(p => Same(p.First, p.Second)),
        (JsonObject a, JsonObject b) => JsonText.Same(a, b),
        (long a, double b) => a == b,
        (double a, long b) => a == b,
        _ => Equals(left, right),
    };

    private object? Global(CelExpression.Call call)
    {
        if (call.Function == "has" && call.Arguments is [CelExpression.Member member])
            return Evaluate(member.Of) is JsonObject o && TryField(o, member.Field, out _);
        var arguments = call.Arguments.Select(Evaluate).ToArray();
        return (call.Function, arguments) switch
        {
            ("size", [var of]) => Size(of),
            ("string", [var of]) => of is bool b ? (b ? "true" : "false") : Convert.ToString(of, CultureInfo.InvariantCulture),
            ("int", [var of]) => Convert.ToInt64(of, CultureInfo.InvariantCulture),
            ("double", [var of]) => Convert.ToDouble(of, CultureInfo.InvariantCulture),
            ("bool", [string of]) => of == "true",
            ("type", [var of]) => TypeName(of),
            ("dyn", [var of]) => of,
            _ => throw new CelException($"undeclared reference to '{call.Function}' (in container '')"),
        };
    }

    private object? Method(CelExpression.Call call)
    {
        if (call.Arguments is [CelExpression.Name variable, var body, ..] && call.Function is "all" or "exists" or "exists_one" or "map" or "filter")
            return Macro(call.Function, Evaluate(call.Target!), ((CelExpression.Name)call.Arguments[0]).Text, call.Arguments[1]);
        var target = Evaluate(call.Target!);
        var arguments = call.Arguments.Select(Evaluate).ToArray();
        return (call.Function, target, arguments) switch
        {
            ("size", _, []) => Size(target),
            ("startsWith", string s, [string a]) => s.StartsWith(a, StringComparison.Ordinal),
            ("endsWith", string s, [string a]) => s.EndsWith(a, StringComparison.Ordinal),
            ("contains", string s, [string a]) => s.Contains(a, StringComparison.Ordinal),
            ("matches", string s, [string a]) => Regex.IsMatch(s, a, RegexOptions.CultureInvariant, RegexLimit),
            ("lowerAscii", string s, []) => s.ToLowerInvariant(),
            ("upperAscii", string s, []) => s.ToUpperInvariant(),
            ("trim", string s, []) => s.Trim(),
            ("split", string s, [string a]) => s.Split(a).Cast<object?>().ToArray(),
            ("replace", string s, [string a, string b]) => s.Replace(a, b, StringComparison.Ordinal),
            ("indexOf", string s, [string a]) => (long)s.IndexOf(a, StringComparison.Ordinal),
            ("substring", string s, [long a]) => s[(int)a..],
            ("substring", string s, [long a, long b]) => s[(int)a..(int)b],
            ("join", object?[] list, []) => string.Concat(list),
            ("join", object?[] list, [string a]) => string.Join(a, list),
            ("isSorted", object?[] list, []) => list.Zip(list.Skip(1)).All(p => Order("<=", p.First, p.Second)),
            ("sum", object?[] list, []) => list.Length == 0 ? 0L : list.Aggregate((a, b) => Add(a, b)),
            ("min", object?[] list, []) => list.Aggregate((a, b) => Order("<=", a, b) ? a : b),
            ("max", object?[] list, []) => list.Aggregate((a, b) => Order(">=", a, b) ? a : b),
            _ => throw new CelException($"found no matching overload for '{call.Function}'"),
        };
    }

    private object Macro(string macro, object? over, string variable, CelExpression body)
    {
        var items = over switch
        {
            object?[] list => list,
            JsonObject o => o.Select(p => (object?)p.Key).ToArray(),
            _ => throw new CelException("expression of type cannot be range of a comprehension"),
        };
        return macro switch
        {
            "all" => items.All(With),
            "exists" => items.Any(With),
            "exists_one" => items.Count(With) == 1,
            "filter" => items.Where(With).ToArray(),
            _ => items.Select(i => Bound(i).Evaluate(body)).ToArray(),
        };

        bool With(object? item) => Bound(item).True(body);

        CelEvaluator Bound(object? item) => new(new Dictionary<string, object?>(_variables) { [variable] = item });
    }

    private static long Size(object? of) => of switch
    {
        string s => s.EnumerateRunes().Count(),
        object?[] list => list.Length,
        JsonObject o => o.Count,
        _ => throw new CelException("no such overload"),
    };

    private static string TypeName(object? of) => of switch
    {
        null => "null_type",
        bool => "bool",
        long => "int",
        double => "double",
        string => "string",
        object?[] => "list",
        _ => "map",
    };

    private static JsonNode? ToJson(object? value) => value switch
    {
        JsonObject o => o.DeepClone(),
        object?[] list => new JsonArray(list.Select(ToJson).ToArray()),
        _ => JsonValue.Create(value),
    };
}
