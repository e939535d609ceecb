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
public sealed record PolicyStanding(ObjectKey Key, Reading<RbacPolicy>? Policy, Reading<PermissionSet>? Ceiling) : Fact
{
    /// <summary>There is such a policy, or there was one once.</summary>
    [Id(0)]
    public bool WasDeclared { get; init; }
}

/// <summary>What is known of an RBACProfile, to those who wait until it is provisioned and to the membership chain.</summary>
/// <param name="Reason">The reason of its Provisioned condition.</param>
[GenerateSerializer, Immutable]
public sealed record ProfileStanding(
    ObjectKey Profile, bool Exists, string PrincipalRef, string DomainIdentityRef, bool Provisioned, string Reason, string Message) : Fact
{
    /// <summary>What it declares beyond its ceiling; "" when nothing.</summary>
    [Id(0)]
    public string BeyondCeiling { get; init; } = "";

    /// <summary>The clusters that it targets.</summary>
    [Id(1)]
    public ImmutableArray<string> Clusters { get; init; } = [];
}

/// <summary>What is known of a SeamMembership.</summary>
[GenerateSerializer, Immutable]
public sealed record MembershipStanding(ObjectKey Key, MembershipFact? Membership) : Fact;

/// <summary>The profiles and memberships of a namespace.</summary>
[GenerateSerializer, Immutable]
public sealed record RosterFact(ImmutableArray<ProfileFact> Profiles, ImmutableArray<MembershipFact> Memberships) : Fact;

/// <summary>What one profile brings to one cluster; null when it brings nothing (any more).</summary>
[GenerateSerializer, Immutable]
public sealed record GrantFact(ObjectKey Profile, Grant? Grant) : Fact
{
    /// <summary>Why it brings nothing; "" when it does.</summary>
    [Id(0)]
    public string Withheld { get; init; } = "";
}

/// <summary>A cluster's snapshot stands on the management cluster, ready to be taken over.</summary>
/// <param name="KeyId">The key that signed it; "" when there was none.</param>
[GenerateSerializer, Immutable]
public sealed record SnapshotIssued(ClusterName Cluster, string SnapshotVersion, DateTimeOffset Timestamp, string KeyId) : Fact;

/// <summary>How far a cluster is with the snapshot that it should have.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(System.Text.Json.Serialization.JsonStringEnumConverter<SnapshotSync>))]
public enum SnapshotSync
{
    /// <summary>It has taken over none yet.</summary>
    Pending,

    /// <summary>It has taken over the newest content.</summary>
    InSync,

    /// <summary>It has taken over an older one; the newest is on its way.</summary>
    OutOfSync,

    /// <summary>What is there cannot be relied on; what was taken over before stays in force.</summary>
    DegradedSecurityState,
}

/// <summary>What a cluster says of its snapshot.</summary>
/// <param name="Reason">Why it is not in sync; <c>SnapshotAcknowledged</c> when it is.</param>
[GenerateSerializer, Immutable]
public sealed record ReceiptFact(ClusterName Cluster, SnapshotSync Sync, string Reason, string Message, Acknowledgement? Acknowledged) : Fact;
