using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;

namespace Governor.Grains.Permissions;

/// <summary>One PermissionSet: validated, and told to whoever refers to it.</summary>
public sealed class PermissionSetGrain(GovernedServices services)
    : DeclarationGrain<PermissionSetState>(services, Subjects.PermissionSet, KnownKinds.PermissionSet, new(PermissionSetState.Initial, PermissionSetRules.Decide, PermissionSetRules.Outbox, state => state.Set is null ? null : PermissionSetRules.Status(state))), IPermissionSetGrain;
