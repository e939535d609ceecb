using System.Collections.Immutable;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;

namespace Governor.Domain.Packs;

/// <summary>What a pack wants to be allowed to on its target: the objects of its RBAC step, handed to Guardian's intake before the first write.</summary>
/// <param name="Profile">The RBACProfile that the pack comes under: the policy of that profile names the ceiling.</param>
public sealed record RbacClaim(ClusterName Cluster, PackOwner Owner, ObjectKey Profile, ImmutableArray<KubeObject> Objects)
{
    /// <summary>Judges the claim as a whole by the ceilings of the cluster and of the platform.</summary>
    /// <param name="known">What Guardian has committed for the cluster; null when it has nothing.</param>
    /// <param name="unknown">What has to be known first, when there is no answer.</param>
    /// <returns>Why it is refused, object by object, and empty when it is taken in; null when that cannot be said yet.</returns>
    public ImmutableArray<DeliveryFailure>? Judge(PermissionState? known, out string unknown)
    {
        var fact = known?.Grants.GetValueOrDefault(Profile.ToString());
        unknown = known is null ? $"the permissions of cluster {Cluster} have not been computed yet"
            : known.Platform is null ? $"RBACPolicy {PlatformCeiling.Policy} has not been heard of"
            : fact?.Grant is null ? $"RBACProfile {Profile} is not in force on cluster {Cluster}: {(fact is { Withheld.Length: > 0 } ? fact.Withheld : "not heard of")}"
            : "";
        if (unknown.Length > 0)
            return null;
        var terms = new IntakeTerms(fact!.Grant!.ClusterCeiling.Rules, PlatformCeiling.Of(known!.Platform!)?.Rules, []);
        return [.. RbacIntake.Judge(Objects, terms).Select(refusal => new DeliveryFailure(DeliverySteps.Verify, refusal.Object, refusal.Rule, refusal.Exceeds))];
    }
}
