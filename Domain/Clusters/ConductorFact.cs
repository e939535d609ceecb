using Governor.Domain.Facts;
using Orleans;

namespace Governor.Domain.Clusters;

public enum ConductorReadiness
{
    /// <summary>Something has not arrived yet: the TalosCluster, its kubeconfig, a first answer, the capabilities.</summary>
    Awaited,

    /// <summary>All capabilities are published and the cluster answers.</summary>
    Ready,

    /// <summary>It cannot become ready until somebody repairs what the reason names, e.g. an unreadable kubeconfig.</summary>
    Impossible,
}

/// <summary>Whether a cluster's Conductor can execute, and if not, what is missing.</summary>
/// <param name="WaitsFor">The object or event that would change it.</param>
/// <param name="ApiUid">Which API server it is: the UID of its namespace kube-system; "" before it was reached.</param>
/// <param name="Reachability">Whether its API server answered when it was last asked.</param>
/// <param name="ReachMessage">What it answered, or why it did not.</param>
/// <param name="Published">How many of the <paramref name="Required"/> capabilities the RunnerConfig's status lists.</param>
[GenerateSerializer, Immutable]
public sealed record ConductorFact(
    ClusterName Cluster, ConductorReadiness Readiness, string Reason, string Message, string WaitsFor, int Published, int Required, string ApiUid = "",
    Reachability Reachability = Reachability.Unknown, string ReachMessage = "") : Fact;

/// <summary>Somebody could not reach a cluster that was believed to answer: it has to be asked again.</summary>
[GenerateSerializer, Immutable]
public sealed record TargetDoubted(ClusterName Cluster, string Why) : Fact;
