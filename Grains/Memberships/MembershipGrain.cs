using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Memberships;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;

namespace Governor.Grains.Memberships;

/// <summary>One SeamMembership: the chain of admission, asked again whenever a link of it changes.</summary>
public sealed class MembershipGrain(GovernedServices services)
    : DeclarationGrain<MembershipState>(services, Subjects.Membership, KnownKinds.SeamMembership, new(MembershipState.Initial, MembershipRules.Decide, MembershipRules.Outbox, state => state.Membership is null ? null : MembershipRules.Status(state))), IMembershipGrain;
