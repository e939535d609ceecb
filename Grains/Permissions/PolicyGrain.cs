using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;

namespace Governor.Grains.Permissions;

/// <summary>One RBACPolicy: validated together with its ceiling, and told to the profiles under it.</summary>
public sealed class PolicyGrain(GovernedServices services)
    : DeclarationGrain<PolicyState>(services, Subjects.Policy, KnownKinds.RBACPolicy, new(PolicyState.Initial, PolicyRules.Decide, PolicyRules.Outbox, state => state.Policy is null ? null : PolicyRules.Status(state))), IPolicyGrain;
