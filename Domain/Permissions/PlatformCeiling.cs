using Governor.Domain.Facts;
using Governor.Domain.Kinds;

namespace Governor.Domain.Permissions;

/// <summary>
/// The platform's own ceiling, over those of all clusters: the maximum of the RBACPolicy <c>seam-system/management-policy</c>.
/// </summary>
/// <remarks>
/// A platform that never declared it has none. Once declared it cannot be lost: while policy or set is gone or not valid, nobody is
/// granted anything. A ceiling that a deletion lifts is none.
/// </remarks>
public static class PlatformCeiling
{
    public static ObjectKey Policy { get; } = new("seam-system", "management-policy");

    public static Address PolicyAddress { get; } = new(Subjects.Policy, Policy.ToString());

    /// <summary>The ceiling as it stands; null when the platform has none.</summary>
    public static PermissionCeiling? Of(PolicyStanding standing)
    {
        if (!standing.WasDeclared)
            return null;
        return standing is { Policy.Value: { } policy, Ceiling.Value: { } ceiling }
            ? new PermissionCeiling(policy.Key, ceiling.Key, ceiling.Rules)
            : new PermissionCeiling(Policy, standing.Policy?.Value?.MaximumPermissionSet ?? Policy with { Name = "" }, []);
    }

    /// <summary>The condition that says which it is.</summary>
    public static ConditionClaim ToClaim(PolicyStanding? standing)
    {
        const string Type = "PlatformCeilingResolved";
        return standing switch
        {
            null => ConditionClaim.Of(Type, false, "PlatformCeilingUnknown", $"waits to hear of RBACPolicy {Policy}"),
            { WasDeclared: false } => ConditionClaim.Of(Type, true, "PlatformCeilingNotDeclared", $"there is no RBACPolicy {Policy}: the ceilings of the clusters hold alone"),
            { Policy.Value: { } policy, Ceiling.Value: not null } => ConditionClaim.Of(Type, true, "PlatformCeilingApplied", $"nothing exceeds PermissionSet {policy.MaximumPermissionSet}"),
            { Policy: null } => ConditionClaim.Of(Type, false, "PlatformCeilingMissing", $"expected RBACPolicy {Policy}, which was declared once, found none: nobody is granted anything"),
            { Policy.Value: { } policy } => ConditionClaim.Of(Type, false, "PlatformCeilingMissing", $"expected a valid PermissionSet {policy.MaximumPermissionSet}, found none: nobody is granted anything"),
            _ => ConditionClaim.Of(Type, false, "PlatformCeilingMissing", $"RBACPolicy {Policy} is not valid: nobody is granted anything"),
        };
    }
}
