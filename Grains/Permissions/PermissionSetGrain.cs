using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;

namespace Governor.Grains.Permissions;

/// <summary>One PermissionSet: validated, and told to whoever refers to it.</summary>
public sealed class PermissionSetGrain(GovernedServices services)
    : GovernedGrain<PermissionSetState, DeclarationInput>(services, Subjects.PermissionSet), IPermissionSetGrain
{
    protected override PermissionSetState Initial() => PermissionSetState.Initial(ObjectKey.Parse(Key));

    protected override Decision<PermissionSetState> Decide(PermissionSetState state, DeclarationInput input, DateTimeOffset now) => PermissionSetRules.Decide(state, input, now);

    protected override DeclarationInput Receive(Fact fact) => Declarations.Receive(fact);

    protected override DeclarationInput? Read(Observation seen) => Declarations.Read(seen);

    protected override IEnumerable<Letter> Outbox(PermissionSetState state) => PermissionSetRules.Outbox(state);

    protected override Task ActAsync(CancellationToken cancellation) => State.Set is null
        ? Task.CompletedTask
        : Owned.ApplyStatusAsync(KnownKinds.PermissionSet, State.Key, PermissionSetRules.Status(State), FieldManagers.Guardian, cancellation);
}
