using System.Text.RegularExpressions;

namespace Governor.Architecture.Tests.Support;

/// <summary>The conditions that our project files use: comparisons of quoted texts, joined by and, or and parentheses.</summary>
internal sealed partial class MsBuildCondition
{
    private readonly Func<string, string> _expand;
    private readonly string _text;
    private readonly Queue<string> _tokens;

    private MsBuildCondition(string text, Func<string, string> expand)
    {
        _text = text;
        _expand = expand;
        var rest = Token().Replace(text, "");
        if (!string.IsNullOrWhiteSpace(rest))
            throw Unknown(rest.Trim());
        _tokens = new Queue<string>(Token().Matches(text).Select(match => match.Value));
    }

    /// <param name="expand">Replaces the properties in a text by their values.</param>
    /// <exception cref="NotSupportedException">A condition of another form: teach it to this class.</exception>
    public static bool Holds(string? text, Func<string, string> expand)
    {
        if (string.IsNullOrWhiteSpace(text))
            return true;
        var condition = new MsBuildCondition(text, expand);
        var holds = condition.Or();
        return condition._tokens.Count == 0 ? holds : throw condition.Unknown(condition._tokens.Peek());
    }

    private bool Or()
    {
        var holds = And();
        while (Take("or"))
            holds |= And();
        return holds;
    }

    private bool And()
    {
        var holds = Comparison();
        while (Take("and"))
            holds &= Comparison();
        return holds;
    }

    private bool Comparison()
    {
        if (Take("("))
        {
            var holds = Or();
            return Take(")") ? holds : throw Unknown("a missing ')'");
        }
        var left = Operand();
        if (Take("=="))
            return string.Equals(left, Operand(), StringComparison.OrdinalIgnoreCase);
        return Take("!=") ? !string.Equals(left, Operand(), StringComparison.OrdinalIgnoreCase) : throw Unknown("a missing comparison");
    }

    private string Operand() => _tokens.TryDequeue(out var token) && token[0] == '\'' ? _expand(token[1..^1]) : throw Unknown(token ?? "the end");

    private bool Take(string expected)
    {
        if (!_tokens.TryPeek(out var next) || next != expected)
            return false;
        _tokens.Dequeue();
        return true;
    }

    private NotSupportedException Unknown(string found) => new($"Condition=\"{_text}\": expected comparisons joined by and, or and parentheses; found {found}");

    [GeneratedRegex(@"'[^']*'|\(|\)|==|!=|\band\b|\bor\b")]
    private static partial Regex Token();
}
