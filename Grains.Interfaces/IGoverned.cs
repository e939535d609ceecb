using Governor.Domain.Approvals;
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
[GenerateSerializer, Immutable]
public sealed record Observation(GroupVersionKind Kind, ObjectKey Key, string Uid, KubeObject? Object);

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

/// <summary>One list/watch stream: exactly one in the whole silo cluster. Key: see <c>WatchKey</c>.</summary>
public interface IWatchGrain : IGrainWithStringKey
{
    /// <summary>Keeps the stream running. Safe to repeat.</summary>
    [Alias("ensure")]
    Task EnsureAsync();

    /// <summary>Whether everything that existed when the stream began has been told to the actors.</summary>
    [Alias("is-synced"), AlwaysInterleave]
    Task<bool> IsSyncedAsync();
}
