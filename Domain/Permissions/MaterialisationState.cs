using System.Collections.Immutable;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Permissions;

/// <summary>What may be done on a cluster according to its newest snapshot.</summary>
/// <param name="FreshUntil">After that nobody may act on it any more.</param>
[GenerateSerializer, Immutable]
public sealed record RightsFact(ClusterName Cluster, string SnapshotVersion, ClusterPermissions Permissions, DateTimeOffset FreshUntil) : Fact;

/// <summary>Whether a cluster's RBAC is as its snapshot says.</summary>
[GenerateSerializer, Immutable]
public sealed record MaterialisationFact(ClusterName Cluster, bool IsDone, string Reason, string Message) : Fact;

/// <summary>Why an object is not as it should be.</summary>
public sealed record RbacTrouble(string Reason, string Message);

/// <summary>One object that may be on the cluster because of us. It is recorded before it is written, and until it is known to be gone.</summary>
/// <param name="Uid">Of the object that was last seen to be as it should be; "" before.</param>
/// <param name="Written">The digest of what was last seen to be there; "" for nothing.</param>
/// <param name="Trouble">What stands in the way; null when nothing does.</param>
public sealed record RbacRecord(GroupVersionKind Kind, ObjectKey Key, string Principal, string Uid = "", string Written = "", RbacTrouble? Trouble = null);

/// <summary>The RBAC that one cluster's permissions have become.</summary>
/// <param name="Inventory">By <see cref="RbacObject.Id"/>.</param>
/// <param name="ApiUid">Which API server the inventory is about.</param>
public sealed record MaterialisationState(
    ClusterName Cluster, RightsFact? Rights, ConductorFact? Conductor, string ApiUid, ImmutableSortedDictionary<string, RbacRecord> Inventory)
{
    public static MaterialisationState Initial(ClusterName cluster) =>
        new(cluster, null, null, "", ImmutableSortedDictionary<string, RbacRecord>.Empty);
}

public abstract record MaterialisationInput
{
    private MaterialisationInput()
    {
    }

    public sealed record Told(Fact Fact) : MaterialisationInput;

    /// <summary>Objects that say they were made here, and that nobody remembers: the journal was set back.</summary>
    public sealed record Found(ImmutableArray<RbacRecord> Strays) : MaterialisationInput;

    /// <summary>What became of some objects.</summary>
    public sealed record Looked(ImmutableArray<RbacOutcome> Outcomes) : MaterialisationInput;

    /// <summary>Time passed.</summary>
    public sealed record Ticked : MaterialisationInput;
}

/// <summary>What became of one object.</summary>
public abstract record RbacOutcome(string Id)
{
    /// <summary>It is there as it should be.</summary>
    /// <param name="Changed">It had to be written.</param>
    public sealed record Stands(string Id, string Uid, string Digest, string Summary, bool Changed) : RbacOutcome(Id);

    /// <summary>Nothing of ours is there any more.</summary>
    /// <param name="How">What was done about it.</param>
    public sealed record Gone(string Id, string How) : RbacOutcome(Id);

    /// <summary>It is not as it should be, and is not going to be by trying again at once.</summary>
    /// <param name="Nothing">Nothing of ours is there.</param>
    public sealed record Hindered(string Id, RbacTrouble Trouble, bool Nothing) : RbacOutcome(Id);
}
