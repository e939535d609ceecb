using System.Globalization;
using System.Text.RegularExpressions;

namespace Governor.Sandbox.Schema;

/// <summary>
/// Parses the CEL of validation rules: operators, member access, calls, macros, list and map literals. Not supported: bytes,
/// unsigned integers, timestamps and durations, messages, triple-quoted strings.
/// </summary>
internal sealed partial class CelParser
{
    private static readonly string[][] Levels = [["||"], ["&&"], ["==", "!=", "<", "<=", ">", ">=", "in"], ["+", "-"], ["*", "/", "%"]];

    private readonly List<string> _tokens;
    private int _at;

    private CelParser(List<string> tokens) => _tokens = tokens;

    /// <exception cref="CelException">The text is not an expression of this subset.</exception>
    public static CelExpression Parse(string text)
    {
        var tokens = new List<string>();
        var end = 0;
        foreach (Match match in Token().Matches(text))
        {
            if (match.Index != end)
                throw new CelException($"syntax error: token recognition error at: '{text[end..match.Index].Trim()}'");
            end = match.Index + match.Length;
            if (match.Value.Trim().Length > 0)
                tokens.Add(match.Value.Trim());
        }
        if (end != text.Length)
            throw new CelException($"syntax error: token recognition error at: '{text[end..]}'");
        var parser = new CelParser(tokens);
        var parsed = parser.Expression();
        return parser.Peek is { Length: > 0 } rest ? throw new CelException($"syntax error: extraneous input '{rest}' expecting <EOF>") : parsed;
    }

    private string Peek => _at < _tokens.Count ? _tokens[_at] : "";

    private CelExpression Expression()
    {
        var condition = Binary(0);
        if (!Accept("?"))
            return condition;
        var then = Expression();
        Expect(":");
        return new CelExpression.Conditional(condition, then, Expression());
    }

    private CelExpression Binary(int level)
    {
        if (level == Levels.Length)
            return Unary();
        var left = Binary(level + 1);
        while (Levels[level].Contains(Peek))
            left = new CelExpression.Binary(Next(), left, Binary(level + 1));
        return left;
    }

    private CelExpression Unary() => Peek is "!" or "-" ? new CelExpression.Unary(Next(), Unary()) : Postfix(Primary());

    private CelExpression Postfix(CelExpression from)
    {
        while (true)
            if (Accept("."))
            {
                var name = Next();
                from = Accept("(") ? new CelExpression.Call(from, name, List(")")) : new CelExpression.Member(from, name);
            }
            else if (Accept("["))
            {
                from = new CelExpression.Index(from, Expression());
                Expect("]");
            }
            else
                return from;
    }

    private CelExpression Primary()
    {
        var token = Next();
        switch (token)
        {
            case "":
                throw new CelException("syntax error: mismatched input '<EOF>'");
            case "(":
                var inner = Expression();
                Expect(")");
                return inner;
            case "[":
                return new CelExpression.ListOf(List("]"));
            case "{":
                return Map();
            case "true" or "false":
                return new CelExpression.Literal(token == "true");
            case "null":
                return new CelExpression.Literal(null);
        }
        if (token[0] is '"' or '\'' || (token.Length > 1 && token[0] is 'r' && token[1] is '"' or '\''))
            return new CelExpression.Literal(Unquote(token));
        if (char.IsAsciiDigit(token[0]))
            return new CelExpression.Literal(Number(token));
        if (!char.IsAsciiLetter(token[0]) && token[0] != '_')
            throw new CelException($"syntax error: mismatched input '{token}'");
        return Accept("(") ? new CelExpression.Call(null, token, List(")")) : new CelExpression.Name(token);
    }

    private List<CelExpression> List(string end)
    {
        var items = new List<CelExpression>();
        while (!Accept(end))
        {
            items.Add(Expression());
            if (Peek != end)
                Expect(",");
        }
        return items;
    }

    private CelExpression.MapOf Map()
    {
        var entries = new List<(CelExpression, CelExpression)>();
        while (!Accept("}"))
        {
            var key = Expression();
            Expect(":");
            entries.Add((key, Expression()));
            if (Peek != "}")
                Expect(",");
        }
        return new CelExpression.MapOf(entries);
    }

    private string Next() => _at < _tokens.Count ? _tokens[_at++] : "";

    private bool Accept(string token)
    {
        if (Peek != token)
            return false;
        _at++;
        return true;
    }

    private void Expect(string token)
    {
        if (!Accept(token))
            throw new CelException($"syntax error: mismatched input '{(Peek.Length == 0 ? "<EOF>" : Peek)}' expecting '{token}'");
    }

    private static object Number(string token)
    {
        if (token.StartsWith("0x", StringComparison.Ordinal))
            return long.Parse(token.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return long.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out var whole) ? (object)whole : double.Parse(token, CultureInfo.InvariantCulture);
    }

    private static string Unquote(string token) => token[0] == 'r'
        ? token[2..^1]
        : Escape().Replace(token[1..^1], m => m.Value[1] switch
        {
            'n' => "\n",
            't' => "\t",
            'r' => "\r",
            'u' => ((char)int.Parse(m.Value.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString(),
            var other => other.ToString(),
        });

    [GeneratedRegex("""\s+|r?"(?:[^"\\]|\\.)*"|r?'(?:[^'\\]|\\.)*'|0x[0-9A-Fa-f]+|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|[A-Za-z_][A-Za-z0-9_]*|\|\||&&|==|!=|<=|>=|[-+*/%<>!?:.,()\[\]{}]""")]
    private static partial Regex Token();

    [GeneratedRegex(@"\\(?:u[0-9A-Fa-f]{4}|.)")]
    private static partial Regex Escape();
}
