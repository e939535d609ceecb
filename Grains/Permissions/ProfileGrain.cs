using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;

namespace Governor.Grains.Permissions;

/// <summary>One RBACProfile: provisioned when everything it depends on holds, and what it then brings to its clusters.</summary>
public sealed class ProfileGrain(GovernedServices services)
    : GovernedGrain<ProfileState, DeclarationInput>(services, Subjects.Profile), IProfileGrain
{
    protected override ProfileState Initial() => ProfileState.Initial(ObjectKey.Parse(Key));

    protected override Decision<ProfileState> Decide(ProfileState state, DeclarationInput input, DateTimeOffset now) => ProfileRules.Decide(state, input, now);

    protected override DeclarationInput Receive(Fact fact) => Declarations.Receive(fact);

    protected override DeclarationInput? Read(Observation seen) => Declarations.Read(seen);

    protected override IEnumerable<Letter> Outbox(ProfileState state) => ProfileRules.Outbox(state);

    protected override Task ActAsync(CancellationToken cancellation) => State.Profile is null
        ? Task.CompletedTask
        : Owned.ApplyStatusAsync(KnownKinds.RBACProfile, State.Key, ProfileRules.Status(State), FieldManagers.Guardian, cancellation);
}
