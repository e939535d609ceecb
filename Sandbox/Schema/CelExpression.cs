namespace Governor.Sandbox.Schema;

/// <summary>A parsed CEL expression.</summary>
internal abstract record CelExpression
{
    private CelExpression()
    {
    }

    internal sealed record Literal(object? Value) : CelExpression;

    internal sealed record Name(string Text) : CelExpression;

    internal sealed record Member(CelExpression Of, string Field) : CelExpression;

    internal sealed record Index(CelExpression Of, CelExpression At) : CelExpression;

    /// <param name="Target">Null for global functions.</param>
    internal sealed record Call(CelExpression? Target, string Function, IReadOnlyList<CelExpression> Arguments) : CelExpression;

    internal sealed record Unary(string Operator, CelExpression Of) : CelExpression;

    internal sealed record Binary(string Operator, CelExpression Left, CelExpression Right) : CelExpression;

    internal sealed record Conditional(CelExpression If, CelExpression Then, CelExpression Else) : CelExpression;

    internal sealed record ListOf(IReadOnlyList<CelExpression> Items) : CelExpression;

    internal sealed record MapOf(IReadOnlyList<(CelExpression Key, CelExpression Value)> Entries) : CelExpression;
}

/// <summary>A rule that cannot be compiled or evaluated; the message says why.</summary>
internal sealed class CelException(string message) : Exception(message);
