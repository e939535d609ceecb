using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Signing;

namespace Governor.Domain.Packs;

/// <summary>A ClusterPack as the pack actor remembers it.</summary>
/// <param name="SpecDigest">SHA-256 of the canonical spec that was last observed.</param>
/// <param name="SignedSpecDigest">SHA-256 of the canonical spec that <paramref name="Signature"/> is over.</param>
/// <param name="Carried">The signature that the object carries, as last observed.</param>
/// <param name="CreatorVersion">The version of ours that first saw this object: sealed into what it makes.</param>
/// <param name="GoneExecution">UID of the execution that was last heard to be gone.</param>
/// <param name="Refused">Executions that the API server refuses, with its reason.</param>
/// <param name="Declarer">Who declared the pack, as admission stamped it.</param>
/// <param name="SigningKey">The management Conductor's key, once it is known.</param>
/// <param name="Interested">Who is told when something here changes.</param>
public sealed record PackState(
    ObjectKey Key,
    bool Exists,
    string Uid,
    long Generation,
    PackSpec? Spec,
    string SpecDigest,
    string SignedSpecDigest,
    PackTrust Trust,
    string Reason,
    string Message,
    string KeyId,
    string Signature,
    string Carried,
    string CreatorVersion,
    string Declarer,
    SigningKeyFact? SigningKey,
    string GoneExecution,
    ImmutableSortedDictionary<string, string> Refused,
    ImmutableSortedSet<Address> Interested,
    ImmutableArray<Condition> Conditions)
{
    /// <summary>When the object was made.</summary>
    public DateTimeOffset DeclaredAt { get; init; }

    /// <summary>Of what may not change, as last observed; <see cref="PackSpec.ContentDigestOf"/>.</summary>
    public string ContentDigest { get; init; } = "";

    /// <summary>Of what may not change, as it was signed; "" in states from before it was kept.</summary>
    public string SignedContentDigest { get; init; } = "";

    /// <summary>What the delivery of its content writes; null until the content was read.</summary>
    public ImmutableArray<PackNeed>? Needs { get; init; }

    /// <summary>Contents under this name that were taken back. Outlives the objects: declaring the same again brings nothing back.</summary>
    public ImmutableSortedDictionary<string, Revocation> Revocations { get; init; } = ImmutableSortedDictionary<string, Revocation>.Empty;

    /// <summary>The object itself says that it is revoked.</summary>
    public bool IsRevocationCarried { get; init; }

    /// <summary>The pack lineages that were told about this pack, on their targets.</summary>
    public ImmutableSortedSet<Address> Instances { get; init; } = [];

    public static PackState Initial(ObjectKey key) =>
        new(key, false, "", 0, null, "", "", PackTrust.Unsigned, "SignaturePending", "not observed yet", "", "", "", "", "", null, "",
            ImmutableSortedDictionary<string, string>.Empty, [], []);

    /// <summary>The object carries our signature: whoever reads it can verify it.</summary>
    [JsonIgnore]
    public bool IsAnnounced => Trust == PackTrust.Signed && Carried == Signature;

    /// <summary>What others are told. It is signed for them only when the object itself shows the signature.</summary>
    public PackFact Fact() => Trust == PackTrust.Signed && !IsAnnounced
        ? new PackFact(Key, Exists, Uid, Spec, PackTrust.Unsigned, "SignaturePending", "the signature is being written onto the pack", "", DeclaredAt, ContentDigest, Needs, Revocations)
        : new PackFact(Key, Exists, Uid, Spec, Trust, Reason, Message, KeyId, DeclaredAt, ContentDigest, Needs, Revocations);
}

/// <summary>What can happen to a pack.</summary>
public abstract record PackInput
{
    private PackInput()
    {
    }

    /// <summary>Kubernetes shows the pack.</summary>
    public sealed record Observed(KubeObject Pack) : PackInput;

    /// <summary>Kubernetes does not have it any more.</summary>
    public sealed record Gone : PackInput;

    /// <summary>Another actor says something.</summary>
    public sealed record Told(Fact Fact) : PackInput;

    /// <summary>Every layer was fetched and matches its digest, and the management Conductor signs the spec.</summary>
    public sealed record Signed(string SpecDigest, string Signature, string KeyId) : PackInput;

    /// <summary>The content was read: what its delivery writes.</summary>
    public sealed record ContentRead(string SpecDigest, ImmutableArray<PackNeed> Needs) : PackInput;

    /// <summary>The signature that the object carries was checked.</summary>
    public sealed record SignatureChecked(string SpecDigest, string Signature, SignatureVerdict Verdict) : PackInput;

    /// <summary>The API server refuses an execution, or no longer does (<paramref name="Reason"/> null).</summary>
    public sealed record ExecutionRefused(string Execution, string? Reason) : PackInput;

    /// <summary>The content is not what the spec says it is.</summary>
    public sealed record ContentRejected(string SpecDigest, string Reason, string Message) : PackInput;
}
