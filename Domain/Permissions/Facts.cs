using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Permissions;

/// <summary>What a profile needs to know of a SeamMembership in its namespace.</summary>
[GenerateSerializer, Immutable]
public sealed record MembershipFact(ObjectKey Key, string PrincipalRef, string DomainIdentityRef, bool Validated, bool Admitted)
{
    /// <summary>Whether it is the membership of this profile: same namespace, principal and identity.</summary>
    public bool IsOf(RbacProfile profile) =>
        Key.Namespace == profile.Key.Namespace && PrincipalRef == profile.PrincipalRef && DomainIdentityRef == profile.DomainIdentityRef;
}

/// <summary>What a SeamMembership needs to know of a profile in its namespace.</summary>
[GenerateSerializer, Immutable]
public sealed record ProfileFact(ObjectKey Key, string PrincipalRef, string DomainIdentityRef, bool Provisioned)
{
    /// <summary>What it declares beyond its ceiling; "" when nothing.</summary>
    [Id(0)]
    public string BeyondCeiling { get; init; } = "";

    /// <summary>The clusters that it targets.</summary>
    [Id(1)]
    public System.Collections.Immutable.ImmutableArray<string> Clusters { get; init; } = [];

    public static ProfileFact Of(RbacProfile profile, bool provisioned) =>
        new(profile.Key, profile.PrincipalRef, profile.DomainIdentityRef, provisioned);
}
