using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;

namespace Governor.Grains.Permissions;

/// <summary>One IdentityBinding: valid when its structure is and its provider vouches.</summary>
public sealed class IdentityBindingGrain(GovernedServices services)
    : DeclarationGrain<IdentityBindingState>(services, Subjects.IdentityBinding, KnownKinds.IdentityBinding, new(IdentityBindingState.Initial, IdentityBindingRules.Decide, IdentityBindingRules.Outbox, state => state.Binding is null ? null : IdentityBindingRules.Status(state))), IIdentityBindingGrain;
