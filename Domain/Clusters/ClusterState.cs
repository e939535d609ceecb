using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;
using Governor.Domain.Permissions;

namespace Governor.Domain.Clusters;

[JsonConverter(typeof(JsonStringEnumConverter<Reachability>))]
public enum Reachability
{
    /// <summary>Nobody has asked it with the present kubeconfig yet.</summary>
    Unknown,

    /// <summary>Its API server answered that it is ready.</summary>
    Reachable,

    /// <summary>It did not answer, or not as a ready API server.</summary>
    Unreachable,

    /// <summary>The kubeconfig cannot be used; it is never replaced by another cluster's.</summary>
    KubeconfigUnusable,
}

/// <summary>A governed cluster as its actor remembers it.</summary>
/// <param name="KubeconfigRevision">Identity of the kubeconfig Secret's content; "" where there is none. Never the content.</param>
/// <param name="Published">Names of the capabilities that the RunnerConfig's status lists.</param>
public sealed record ClusterState(
    ClusterName Name,
    bool Exists,
    ObjectKey Key,
    string Uid,
    long Generation,
    string Declarer,
    string KubeconfigRevision,
    Reachability Reachability,
    string ReachMessage,
    bool RunnerConfigExists,
    string RunnerConfigUid,
    ImmutableSortedSet<string> Published,
    ImmutableSortedSet<Address> Interested,
    ImmutableArray<Condition> Conditions)
{
    /// <summary>
    /// UID of the cluster's Namespace kube-system when it was first reached: which API server it is, whatever a later kubeconfig leads
    /// to. "" before. Lives as long as the TalosCluster's UID.
    /// </summary>
    public string ApiUid { get; init; } = "";

    /// <summary>The chain that the RunnerConfig is sealed with: made once for a TalosCluster's UID, and kept across its edits.</summary>
    public SealedCausalChain? Chain { get; init; }

    /// <summary>The chain that the RunnerConfig which is there carries, where it can be read.</summary>
    public SealedCausalChain? RunnerLineage { get; init; }

    /// <summary><c>spec.lineage</c> of the RunnerConfig as it stands there; "" when it has none, null when nobody has seen one.</summary>
    public string? RunnerSeal { get; init; }

    /// <summary>TalosClusters of the same name in other namespaces. They have no say.</summary>
    public ImmutableArray<Intruder> Intruders { get; init; } = [];

    /// <summary>What the cluster says of its permission snapshot; null while it has said nothing.</summary>
    public ReceiptFact? Snapshot { get; init; }

    public static ClusterState Initial(ClusterName name) =>
        new(name, false, default, "", 0, "", "", Reachability.Unknown, "", false, "", [], [], []);
}

/// <summary>A TalosCluster whose name another one had first.</summary>
public sealed record Intruder(ObjectKey Key, long Generation, DateTimeOffset Since);

public abstract record ClusterInput
{
    private ClusterInput()
    {
    }

    public sealed record Observed(KubeObject TalosCluster) : ClusterInput;

    /// <param name="Uid">"" where it is not known any more.</param>
    public sealed record Gone(ObjectKey Key, string Uid) : ClusterInput;

    /// <summary>The RunnerConfig as Kubernetes shows it; null when it is gone.</summary>
    public sealed record RunnerConfigSeen(KubeObject? RunnerConfig) : ClusterInput;

    /// <summary>The kubeconfig Secret changed; "" when it is gone.</summary>
    public sealed record KubeconfigSeen(string Revision) : ClusterInput;

    /// <summary>The cluster was asked whether it is ready, with the kubeconfig of <paramref name="Revision"/>.</summary>
    /// <param name="ApiUid">UID of its Namespace kube-system; "" where it was not reached.</param>
    public sealed record Probed(string Revision, Reachability Result, string Message, string ApiUid = "") : ClusterInput;

    public sealed record Told(Fact Fact) : ClusterInput;
}
