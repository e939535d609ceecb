using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;

namespace Governor.Grains.Permissions;

/// <summary>One RBACProfile: provisioned when everything it depends on holds, and what it then brings to its clusters.</summary>
public sealed class ProfileGrain(GovernedServices services)
    : DeclarationGrain<ProfileState>(services, Subjects.Profile, KnownKinds.RBACProfile, new(ProfileState.Initial, ProfileRules.Decide, ProfileRules.Outbox, state => state.Profile is null ? null : ProfileRules.Status(state))), IProfileGrain;
