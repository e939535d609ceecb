using System.Collections.Immutable;
using Governor.Domain.Admission;
using Governor.Domain.Approvals;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Signing;
using Orleans;
using Orleans.Concurrency;

namespace Governor.Grains.Interfaces;

/// <summary>
/// An actor whose every transition is journaled. All of them are told facts by others, are shown what Kubernetes has, and can be
/// resumed after a restart. A call returns when what it said is committed; what follows from it happens afterwards.
/// </summary>
public interface IGoverned : IGrainWithStringKey
{
    /// <summary>Another actor says something. Safe to repeat; late ones are ignored.</summary>
    [Alias("tell")]
    Task TellAsync(Fact fact);

    /// <summary>Kubernetes shows an object that this actor follows.</summary>
    [Alias("observe")]
    Task ObserveAsync(Observation observation);

    /// <summary>Does what the committed state still owes to the outside: after a restart, and as a safety net.</summary>
    [Alias("resume")]
    Task ResumeAsync();
}

/// <summary>What a watch saw of one object on one cluster.</summary>
/// <param name="Object">The object, or null when it is gone.</param>
/// <param name="Cluster">Where; the management cluster unless said. Names are unique within a cluster only: the same key on another cluster is another object.</param>
/// <param name="IsFollowed">It is told because the actor follows the object (<see cref="IWatchGrain.FollowAsync"/>), not because it is the actor's own.</param>
[GenerateSerializer, Immutable]
public sealed record Observation(GroupVersionKind Kind, ObjectKey Key, string Uid, KubeObject? Object, ClusterName Cluster = default, bool IsFollowed = false);

/// <summary>One ClusterPack. Key: <c>namespace/name</c>.</summary>
public interface IPackGrain : IGoverned;

/// <summary>One delivery: the gate ladder, then the staged apply. Key: <c>namespace/{pack}-{cluster}</c>.</summary>
public interface IPackExecutionGrain : IGoverned;

/// <summary>What one pack lineage has on one target: its release history. Key: <c>namespace/{base pack}-{cluster}</c>.</summary>
public interface IPackInstanceGrain : IGoverned;

/// <summary>One cluster and its Conductor. Key: the cluster's name.</summary>
public interface IClusterGrain : IGoverned;

/// <summary>One RBACPolicy. Key: <c>namespace/name</c>.</summary>
public interface IPolicyGrain : IGoverned;

/// <summary>One PermissionSet. Key: <c>namespace/name</c>.</summary>
public interface IPermissionSetGrain : IGoverned;

/// <summary>One RBACProfile. Key: <c>namespace/name</c>.</summary>
public interface IProfileGrain : IGoverned;

/// <summary>One IdentityProvider. Key: <c>namespace/name</c>.</summary>
public interface IIdentityProviderGrain : IGoverned;

/// <summary>One IdentityBinding. Key: <c>namespace/name</c>.</summary>
public interface IIdentityBindingGrain : IGoverned;

/// <summary>The effective permissions of one cluster and their snapshot. Key: the cluster's name.</summary>
public interface IPermissionGrain : IGoverned;

/// <summary>What one cluster has of its permission snapshot: delivered, verified there, acknowledged. Key: the cluster's name.</summary>
public interface IReceiptGrain : IGoverned;

/// <summary>The RBAC on one cluster that its permissions have become. Key: the cluster's name.</summary>
public interface IMaterialisationGrain : IGoverned;

/// <summary>One SeamMembership. Key: <c>namespace/name</c>.</summary>
public interface IMembershipGrain : IGoverned;

/// <summary>The profiles and memberships of one namespace, so that each side learns of the other. Key: the namespace.</summary>
public interface IRosterGrain : IGoverned;

/// <summary>The lineage index of one root declaration. Key: the root's UID.</summary>
public interface ILineageGrain : IGoverned;

/// <summary>The management Conductor's signing key. Key: <c>management</c>.</summary>
public interface ISigningKeyGrain : IGoverned
{
    /// <summary>
    /// Signs an object as what it is (<see cref="SignaturePurpose"/>) with the key that the Secret holds now, or answers null when there
    /// is no usable one.
    /// </summary>
    [Alias("sign")]
    Task<PackSigning?> SignAsync(KubeObject item);

    /// <summary>Whether the signature that an object carries is by a key of ours that is not revoked, over exactly this object, as what it is.</summary>
    [Alias("verify")]
    Task<SignatureVerdict> VerifyAsync(KubeObject item);
}

/// <param name="Signature">The annotation value.</param>
[GenerateSerializer, Immutable]
public sealed record PackSigning(string Signature, string KeyId);

/// <summary>One request for one human decision. Key: its id.</summary>
public interface IApprovalGrain : IGoverned
{
    /// <summary>Asks for the decision; answers why not, or null when it is committed. Safe to repeat.</summary>
    [Alias("request")]
    Task<ApprovalRefusal?> RequestAsync(ApprovalDraft draft);

    /// <summary>Decides; answers why not, or null when it is committed. Safe to repeat.</summary>
    [Alias("rule")]
    Task<ApprovalRefusal?> RuleAsync(ApprovalRuling ruling);
}

/// <summary>The erasure of one record's payload. Key: the record's leaf index.</summary>
public interface IErasureGrain : IGoverned;

/// <summary>The bootstrap window of admission. Key: <c>management</c>.</summary>
public interface IBootstrapGrain : IGoverned
{
    /// <summary>A silo has started: the first one ever opens the window, for so long. Safe to repeat.</summary>
    /// <param name="settling">How long the family has to be complete before the window closes by itself.</param>
    [Alias("start")]
    Task StartAsync(TimeSpan length, TimeSpan settling);

    /// <summary>Closes the window for good. Safe to repeat; who was first stands.</summary>
    [Alias("close")]
    Task CloseAsync(Caller by, string why);
}

/// <summary>Brings what admission refuses into the audit trail. Key: <c>management</c>.</summary>
public interface IRefusalsGrain : IGoverned
{
    /// <summary>Returns when they are committed. Safe to repeat.</summary>
    [Alias("record")]
    Task RecordAsync(ImmutableArray<Refusal> refusals);
}

/// <summary>
/// One list/watch stream: one kind on one cluster, exactly one in the whole silo cluster. Key: see <c>WatchKey</c>. On the management
/// cluster it tells the actors of the governed kinds; on any cluster it tells whoever follows single objects.
/// </summary>
public interface IWatchGrain : IGrainWithStringKey
{
    /// <summary>Keeps a stream of the management cluster running that tells each object's own actor. Safe to repeat.</summary>
    [Alias("ensure")]
    Task EnsureAsync();

    /// <summary>
    /// Makes a governed actor follow exactly these objects of the stream's kind, in place of those that it followed before; none ends
    /// it. Safe to repeat: what is followed already is not told again.
    /// </summary>
    /// <remarks>
    /// <para>The follower is told by <see cref="IGoverned.ObserveAsync"/>: the present state of every object that is new to it, at once,
    /// and then whatever changes, in order and the newest only; an observation that could not be delivered is delivered again. That an
    /// object is gone is told when it is certain: when the cluster itself has said so, never because the cluster is away, the kubeconfig
    /// leads elsewhere, a list is not complete, or an object has lost the label by which the stream selects.</para>
    /// <para>Who follows is remembered as long as the silo lives that runs the stream. A follower says it again whenever it is
    /// activated, and now and then.</para>
    /// </remarks>
    /// <param name="follower">A governed actor.</param>
    /// <param name="objects">Keys of objects of the stream's kind; of a cluster-scoped kind without a namespace.</param>
    [Alias("follow")]
    Task FollowAsync(Address follower, ImmutableArray<ObjectKey> objects);

    /// <summary>
    /// Whether everything that exists has been told and nothing has interrupted the stream since. Until then nobody may judge by what
    /// he has not heard of.
    /// </summary>
    [Alias("is-synced"), AlwaysInterleave]
    Task<bool> IsSyncedAsync();

    /// <summary>Waits until that is as expected, at most ten seconds; answers how it is then.</summary>
    [Alias("until-synced"), AlwaysInterleave]
    Task<bool> UntilSyncedAsync(bool expected);
}
