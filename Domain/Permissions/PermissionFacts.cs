using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Permissions;

/// <summary>The permission snapshot of one cluster.</summary>
/// <param name="SnapshotVersion">The digest of its content; "" where none has been resolved yet.</param>
[GenerateSerializer, Immutable]
public sealed record SnapshotFact(ClusterName Cluster, string SnapshotVersion, DateTimeOffset FreshUntil) : Fact;

/// <summary>What is known of an RBACProfile, to those who wait until it is provisioned and to the membership chain.</summary>
/// <param name="Reason">The reason of its Provisioned condition.</param>
[GenerateSerializer, Immutable]
public sealed record ProfileFact(
    ObjectKey Profile, bool Exists, string PrincipalRef, string DomainIdentityRef, bool Provisioned, string Reason, string Message) : Fact;
