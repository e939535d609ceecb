using System.Text.Json.Nodes;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces;

namespace Governor.Grains.Governing;

/// <summary>The pure side of a declaration's actor.</summary>
/// <param name="Status">Null while the object is not there: then nobody writes it a status.</param>
public sealed record DeclarationRules<TState>(
    Func<ObjectKey, TState> Initial,
    Func<TState, DeclarationInput, DateTimeOffset, Decision<TState>> Decide,
    Func<TState, IEnumerable<Letter>> Outbox,
    Func<TState, JsonObject?> Status);

/// <summary>
/// An actor that follows one object which a human declares: it judges the object, tells whoever is interested, and writes what it
/// found into the object's status.
/// </summary>
public abstract class DeclarationGrain<TState>(GovernedServices services, string subject, GroupVersionKind kind, DeclarationRules<TState> rules)
    : GovernedGrain<TState, DeclarationInput>(services, subject)
    where TState : class
{
    protected override TState Initial() => rules.Initial(ObjectKey.Parse(Key));

    protected override Decision<TState> Decide(TState state, DeclarationInput input, DateTimeOffset now) => rules.Decide(state, input, now);

    protected override DeclarationInput Receive(Fact fact) => new DeclarationInput.Told(fact);

    protected override DeclarationInput? Read(Observation seen) =>
        seen.Object is { } declared ? new DeclarationInput.Observed(declared) : new DeclarationInput.Gone();

    protected override IEnumerable<Letter> Outbox(TState state) => rules.Outbox(state);

    protected override Task ActAsync(CancellationToken cancellation) => rules.Status(State) is { } status
        ? Owned.ApplyStatusAsync(kind, ObjectKey.Parse(Key), status, FieldManagers.Guardian, cancellation)
        : Task.CompletedTask;
}
