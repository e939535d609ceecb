using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Memberships;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;

namespace Governor.Grains.Memberships;

/// <summary>One SeamMembership: the chain of admission, asked again whenever a profile of its namespace changes.</summary>
public sealed class MembershipGrain(GovernedServices services)
    : GovernedGrain<MembershipState, DeclarationInput>(services, Subjects.Membership), IMembershipGrain
{
    protected override MembershipState Initial() => MembershipState.Initial(ObjectKey.Parse(Key));

    protected override Decision<MembershipState> Decide(MembershipState state, DeclarationInput input, DateTimeOffset now) => MembershipRules.Decide(state, input, now);

    protected override DeclarationInput Receive(Fact fact) => Declarations.Receive(fact);

    protected override DeclarationInput? Read(Observation seen) => Declarations.Read(seen);

    protected override IEnumerable<Letter> Outbox(MembershipState state) => MembershipRules.Outbox(state);

    protected override Task ActAsync(CancellationToken cancellation) => State.Membership is null
        ? Task.CompletedTask
        : Owned.ApplyStatusAsync(KnownKinds.SeamMembership, State.Key, MembershipRules.Status(State), FieldManagers.Guardian, cancellation);
}
