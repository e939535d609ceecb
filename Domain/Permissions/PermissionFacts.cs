using System.Collections.Immutable;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Permissions;

/// <summary>The permission snapshot of one cluster.</summary>
/// <param name="SnapshotVersion">The digest of its content; "" where none has been resolved yet.</param>
[GenerateSerializer, Immutable]
public sealed record SnapshotFact(ClusterName Cluster, string SnapshotVersion, DateTimeOffset FreshUntil) : Fact;

/// <summary>A PermissionSet as it can be read; null where it is not there.</summary>
[GenerateSerializer, Immutable]
public sealed record PermissionSetStanding(ObjectKey Key, Reading<PermissionSet>? Set) : Fact
{
    [System.Text.Json.Serialization.JsonIgnore]
    public override string Topic => $"permission set {Key}";
}

/// <summary>An RBACPolicy as it can be read, with its ceiling; null where they are not there.</summary>
[GenerateSerializer, Immutable]
public sealed record PolicyStanding(ObjectKey Key, Reading<RbacPolicy>? Policy, Reading<PermissionSet>? Ceiling) : Fact;

/// <summary>What is known of an RBACProfile, to those who wait until it is provisioned and to the membership chain.</summary>
/// <param name="Reason">The reason of its Provisioned condition.</param>
[GenerateSerializer, Immutable]
public sealed record ProfileStanding(
    ObjectKey Profile, bool Exists, string PrincipalRef, string DomainIdentityRef, bool Provisioned, string Reason, string Message) : Fact;

/// <summary>What is known of a SeamMembership.</summary>
[GenerateSerializer, Immutable]
public sealed record MembershipStanding(ObjectKey Key, MembershipFact? Membership) : Fact;

/// <summary>The profiles and memberships of a namespace.</summary>
[GenerateSerializer, Immutable]
public sealed record RosterFact(ImmutableArray<ProfileFact> Profiles, ImmutableArray<MembershipFact> Memberships) : Fact;

/// <summary>What one profile brings to one cluster; null when it brings nothing (any more).</summary>
[GenerateSerializer, Immutable]
public sealed record GrantFact(ObjectKey Profile, Grant? Grant) : Fact;
