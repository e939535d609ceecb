using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;

namespace Governor.Grains.Permissions;

/// <summary>One RBACPolicy: validated together with its ceiling, and told to the profiles under it.</summary>
public sealed class PolicyGrain(GovernedServices services)
    : GovernedGrain<PolicyState, DeclarationInput>(services, Subjects.Policy), IPolicyGrain
{
    protected override PolicyState Initial() => PolicyState.Initial(ObjectKey.Parse(Key));

    protected override Decision<PolicyState> Decide(PolicyState state, DeclarationInput input, DateTimeOffset now) => PolicyRules.Decide(state, input, now);

    protected override DeclarationInput Receive(Fact fact) => Declarations.Receive(fact);

    protected override DeclarationInput? Read(Observation seen) => Declarations.Read(seen);

    protected override IEnumerable<Letter> Outbox(PolicyState state) => PolicyRules.Outbox(state);

    protected override Task ActAsync(CancellationToken cancellation) => State.Policy is null
        ? Task.CompletedTask
        : Owned.ApplyStatusAsync(KnownKinds.RBACPolicy, State.Key, PolicyRules.Status(State), FieldManagers.Guardian, cancellation);
}
