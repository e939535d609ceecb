namespace Governor.Sandbox.Schema;

/// <summary>What is known of a value before there is one: its schema, and how large it gets at most.</summary>
/// <param name="Size">Bytes of a text, entries of a list or map; 1 for everything else.</param>
internal readonly record struct CelShape(SchemaNode? Schema, long Size)
{
    public static CelShape Scalar { get; } = new(null, 1);
}

/// <summary>
/// What a rule costs at worst, in CEL's units, by the estimate that the API server makes when a definition is created: every step
/// costs one, texts a tenth of their length, and a macro its body as often as the list may have entries. Where versions differ, the dearer.
/// </summary>
internal sealed class CelCost
{
    /// <summary>What one rule may cost, times how often it is run for one object.</summary>
    public const long RuleLimit = 10_000_000;

    /// <summary>What all rules of a schema may cost together.</summary>
    public const long SchemaLimit = 100_000_000;

    /// <summary>Bytes of the largest request; what is not bounded otherwise is bounded by it.</summary>
    private const long Request = 3 * 1024 * 1024;

    private readonly Dictionary<string, CelShape> _variables;

    private CelCost(Dictionary<string, CelShape> variables) => _variables = variables;

    /// <exception cref="CelException">The rule names a field that the schema does not have.</exception>
    public static long Of(CelExpression rule, SchemaNode self) => new CelCost(new Dictionary<string, CelShape>(StringComparer.Ordinal)
    {
        ["self"] = ShapeOf(self), ["oldSelf"] = ShapeOf(self),
    }).Measure(rule).Cost;

    /// <summary>How many values of this schema fit into the list, map or text.</summary>
    public static long SizeOf(SchemaNode node) => node.Type switch
    {
        "array" => node.MaxItems ?? Request / ((node.Items is { } items ? Smallest(items) : 1) + 1),
        "object" when node.AdditionalProperties is { } values => node.MaxProperties ?? Request / (Smallest(values) + 4),
        "object" => 0, // as the API server has it: the entries of an object with declared properties do not count
        "string" when node.Format is "date" or "date-time" or "duration" => 64,
        "string" => node.MaxLength is { } length ? length * 4 : Request, // a character has up to four bytes
        _ => 1,
    };

    private static long Smallest(SchemaNode node) => node.Type is "string" or "object" or "array" ? 2 : 1;

    private static CelShape ShapeOf(SchemaNode node) => new(node, SizeOf(node));

    private (CelShape Shape, long Cost) Measure(CelExpression expression) => expression switch
    {
        CelExpression.Literal literal => (new CelShape(null, literal.Value is string text ? text.Length : 1), 0),
        CelExpression.Name name => (_variables.TryGetValue(name.Text, out var shape) ? shape
            : throw new CelException($"undeclared reference to '{name.Text}' (in container '')"), 1),
        CelExpression.Member member => Member(member),
        CelExpression.Index index => Index(Measure(index.Of), Measure(index.At)),
        CelExpression.Unary unary => (CelShape.Scalar, Add(Measure(unary.Of).Cost, 1)),
        CelExpression.Binary binary => Binary(binary.Operator, Measure(binary.Left), Measure(binary.Right)),
        CelExpression.Conditional choice => Choice(Measure(choice.If), Measure(choice.Then), Measure(choice.Else)),
        CelExpression.ListOf list => (new CelShape(null, list.Items.Count), list.Items.Aggregate(10L, (sum, item) => Add(sum, Measure(item).Cost))),
        CelExpression.MapOf map => (new CelShape(null, map.Entries.Count),
            map.Entries.Aggregate(30L, (sum, entry) => Add(sum, Add(Measure(entry.Key).Cost, Measure(entry.Value).Cost)))),
        CelExpression.Call call => Call(call),
        _ => throw new CelException("unknown expression"),
    };

    private (CelShape, long) Member(CelExpression.Member member)
    {
        var (of, cost) = Measure(member.Of);
        if (of.Schema is not { } schema)
            return (new CelShape(null, Request), Add(cost, 1)); // of a literal, or of something that the schema leaves open
        var found = schema.Member(Unescaped(member.Field)) ?? throw new CelException($"undefined field '{member.Field}'");
        return (ShapeOf(found), Add(cost, 1));
    }

    private static (CelShape, long) Index((CelShape Shape, long Cost) of, (CelShape Shape, long Cost) at)
    {
        var inner = of.Shape.Schema is { } schema ? schema.Items ?? schema.AdditionalProperties : null;
        return (inner is null ? CelShape.Scalar : ShapeOf(inner), Add(Add(of.Cost, at.Cost), 1));
    }

    private static (CelShape, long) Binary(string op, (CelShape Shape, long Cost) left, (CelShape Shape, long Cost) right)
    {
        var cost = Add(left.Cost, right.Cost);
        return op switch
        {
            "&&" or "||" => (CelShape.Scalar, cost),
            "==" or "!=" or "<" or "<=" or ">" or ">=" => (CelShape.Scalar, Add(cost, Tenth(Math.Min(left.Shape.Size, right.Shape.Size)))),
            "in" => (CelShape.Scalar, Add(cost, right.Shape.Schema is { Type: "object" } ? 1 : right.Shape.Size)),
            "+" => (new CelShape(null, Add(left.Shape.Size, right.Shape.Size)), Add(cost, Tenth(Add(left.Shape.Size, right.Shape.Size)))),
            _ => (CelShape.Scalar, Add(cost, 1)),
        };
    }

    private static (CelShape, long) Choice((CelShape Shape, long Cost) test, (CelShape Shape, long Cost) then, (CelShape Shape, long Cost) other) =>
        (then.Shape.Size >= other.Shape.Size ? then.Shape : other.Shape, Add(test.Cost, Math.Max(then.Cost, other.Cost)));

    private (CelShape, long) Call(CelExpression.Call call)
    {
        if (call is { Target: { } range, Function: "all" or "exists" or "exists_one" or "map" or "filter", Arguments: [CelExpression.Name variable, var body] })
            return Macro(call.Function, Measure(range), variable.Text, body);
        var target = call.Target is null ? (Shape: CelShape.Scalar, Cost: 0L) : Measure(call.Target);
        var arguments = call.Arguments.Select(Measure).ToArray();
        var cost = arguments.Aggregate(target.Cost, (sum, argument) => Add(sum, argument.Cost));
        var first = arguments.Length > 0 ? arguments[0].Shape.Size : 1;
        return call.Function switch
        {
            "startsWith" or "endsWith" => (CelShape.Scalar, Add(cost, Tenth(first))),
            "contains" => (CelShape.Scalar, Add(cost, Times(Tenth(target.Shape.Size), Tenth(first)))),
            "matches" => (CelShape.Scalar, Add(cost, Times(Tenth(Add(target.Shape.Size, 1)), (first / 4) + 1))),
            "size" or "has" or "int" or "bool" or "double" or "type" or "dyn" => (CelShape.Scalar, Add(cost, 1)),
            _ => (target.Shape, Add(cost, Add(target.Shape.Size, first))),
        };
    }

    private (CelShape, long) Macro(string macro, (CelShape Shape, long Cost) range, string variable, CelExpression body)
    {
        var item = range.Shape.Schema switch
        {
            { Type: "array", Items: { } items } => ShapeOf(items),
            { AdditionalProperties: not null } => new CelShape(null, Request),
            _ => new CelShape(null, 64),
        };
        var inner = new CelCost(new Dictionary<string, CelShape>(_variables, StringComparer.Ordinal) { [variable] = item }).Measure(body);
        var cost = Add(range.Cost, Times(range.Shape.Size, Add(inner.Cost, 4)));
        return (macro is "map" or "filter" ? range.Shape with { Schema = macro == "filter" ? range.Shape.Schema : null } : CelShape.Scalar, cost);
    }

    /// <summary>The name that a rule has to spell otherwise, as the schema has it.</summary>
    private static string Unescaped(string field) =>
        (field.StartsWith("__", StringComparison.Ordinal) && field.EndsWith("__", StringComparison.Ordinal) && field.Length > 4 ? field[2..^2] : field)
            .Replace("__dash__", "-", StringComparison.Ordinal).Replace("__dot__", ".", StringComparison.Ordinal)
            .Replace("__slash__", "/", StringComparison.Ordinal).Replace("__underscores__", "__", StringComparison.Ordinal);

    private static long Tenth(long size) => (size / 10) + 1;

    private static long Add(long a, long b) => a > long.MaxValue - b ? long.MaxValue : a + b;

    public static long Times(long a, long b) => a != 0 && b > long.MaxValue / a ? long.MaxValue : a * b;
}
