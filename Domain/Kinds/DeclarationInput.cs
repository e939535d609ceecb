using Governor.Domain.Facts;

namespace Governor.Domain.Kinds;

/// <summary>What can happen to something that a human declares: it is seen, it is gone, or something that it depends on changes.</summary>
public abstract record DeclarationInput
{
    private DeclarationInput()
    {
    }

    public sealed record Observed(KubeObject Object) : DeclarationInput;

    public sealed record Gone : DeclarationInput;

    public sealed record Told(Fact Fact) : DeclarationInput;

    /// <summary>The issuer of an identity provider was asked who it is.</summary>
    /// <param name="Fault">Why it could not be reached; null when it could.</param>
    public sealed record IssuerAnswered(string Issuer, string? Fault) : DeclarationInput;

    /// <summary>Time passed.</summary>
    public sealed record Ticked : DeclarationInput;
}
