using System.Collections.Immutable;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Permissions;

/// <summary>Why a profile brings nothing to a cluster.</summary>
[GenerateSerializer, Immutable]
public sealed record GrantFailure(ObjectKey Profile, string Reason, string Message);

/// <summary>What one profile brings to one cluster: a grant, or the reason why not; neither when it does not target the cluster.</summary>
[GenerateSerializer, Immutable]
public sealed record GrantOutcome(Grant? Grant, GrantFailure? Failure);

/// <summary>Turns a profile, its policy and its sets into a grant. What is missing concerns this profile only.</summary>
public static class GrantAssembly
{
    /// <summary>
    /// Whether the profile's rights may enter a snapshot: it is provisioned, and a Seam member's profile also needs its membership
    /// admitted.
    /// </summary>
    public static bool IsInForce(RbacProfile profile, bool provisioned, IEnumerable<MembershipFact> memberships) =>
        provisioned && (!profile.BelongsToMember || memberships.Any(fact => fact.IsOf(profile) && fact.Admitted));

    /// <param name="policies">Policies by namespace and name.</param>
    /// <param name="sets">Sets by namespace and name: the declared ones and the policy's maximum.</param>
    /// <param name="platformCeiling">The platform's own ceiling, where there is one.</param>
    public static GrantOutcome Assemble(
        ClusterName cluster,
        RbacProfile profile,
        IReadOnlyDictionary<ObjectKey, Reading<RbacPolicy>> policies,
        IReadOnlyDictionary<ObjectKey, Reading<PermissionSet>> sets,
        PermissionCeiling? platformCeiling = null)
    {
        var here = profile.On(cluster).ToImmutableArray();
        if (here.IsEmpty)
            return new GrantOutcome(null, null);
        if (policies.GetValueOrDefault(profile.Policy)?.Value is not { } policy)
            return Missing(profile, ProfileEvaluation.PolicyNotFound, $"expected a valid RBACPolicy {profile.Policy}, found none");
        if (sets.GetValueOrDefault(policy.MaximumPermissionSet)?.Value is not { } maximum)
            return Missing(profile, ProfileEvaluation.PolicyNotFound,
                $"expected a valid PermissionSet {policy.MaximumPermissionSet} as the maximum of {policy.Key}, found none");
        var absent = here.Select(declaration => profile.Key with { Name = declaration.PermissionSetRef })
            .Where(key => sets.GetValueOrDefault(key)?.Value is null).Distinct().ToArray();
        if (absent.Length > 0)
            return Missing(profile, ProfileEvaluation.PermissionSetMissing, $"expected valid PermissionSets {string.Join(", ", absent)}, found none");
        return new GrantOutcome(
            new Grant(profile.PrincipalRef, profile.Key, [.. here.Select(declaration => Granted(profile, declaration, sets))],
                new PermissionCeiling(policy.Key, maximum.Key, maximum.Rules), platformCeiling),
            null);
    }

    /// <summary>The grants of many profiles on one cluster, and what failed; one profile's failure never touches another's grant.</summary>
    public static (ImmutableArray<Grant> Grants, ImmutableArray<GrantFailure> Failures) Assemble(
        ClusterName cluster,
        IEnumerable<RbacProfile> profiles,
        IReadOnlyDictionary<ObjectKey, Reading<RbacPolicy>> policies,
        IReadOnlyDictionary<ObjectKey, Reading<PermissionSet>> sets,
        PermissionCeiling? platformCeiling = null)
    {
        var outcomes = profiles.Select(profile => Assemble(cluster, profile, policies, sets, platformCeiling)).ToArray();
        return ([.. outcomes.Select(outcome => outcome.Grant).OfType<Grant>()], [.. outcomes.Select(outcome => outcome.Failure).OfType<GrantFailure>()]);
    }

    private static GrantedDeclaration Granted(
        RbacProfile profile, PermissionDeclaration declaration, IReadOnlyDictionary<ObjectKey, Reading<PermissionSet>> sets)
    {
        var set = sets[profile.Key with { Name = declaration.PermissionSetRef }].Value!;
        return new GrantedDeclaration(set.Key, declaration.Scope, declaration.Namespaces, set.Rules);
    }

    private static GrantOutcome Missing(RbacProfile profile, string reason, string message) =>
        new(null, new GrantFailure(profile.Key, reason, message));
}
