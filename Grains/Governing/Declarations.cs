using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces;

namespace Governor.Grains.Governing;

/// <summary>The inputs of an actor that follows something which a human declares.</summary>
internal static class Declarations
{
    public static DeclarationInput Receive(Fact fact) => new DeclarationInput.Told(fact);

    public static DeclarationInput Read(Observation seen) =>
        seen.Object is { } declared ? new DeclarationInput.Observed(declared) : new DeclarationInput.Gone();
}
