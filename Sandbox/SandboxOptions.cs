namespace Governor.Sandbox;

/// <summary>How one sandbox cluster is started.</summary>
/// <param name="Name">The cluster's name, as kubeconfigs and error messages call it.</param>
/// <param name="Clock">The clock for timestamps and token expiry; the system clock by default.</param>
/// <param name="Port">The port on 127.0.0.1; 0 picks a free one.</param>
/// <param name="Tls">HTTPS with a certificate of the process's own authority; plain HTTP otherwise.</param>
/// <param name="WatchHistory">Changes kept per kind for watches and exact lists; older resourceVersions are 410 Expired.</param>
/// <param name="Behaviour">What workloads do that carry no annotation of their own.</param>
/// <param name="WatchHistoryBytes">What the objects of one kind's history may take together, in bytes; beyond it the oldest are forgotten.</param>
/// <param name="AggregatedDiscovery">Answers discovery in one document to those who ask for it, as 1.27 and later do; 1.26 does not.</param>
/// <param name="Seed">Where the random parts of faults come from.</param>
public sealed record SandboxOptions(
    string Name,
    TimeProvider? Clock = null,
    int Port = 0,
    bool Tls = true,
    int WatchHistory = 2000,
    WorkloadBehaviour Behaviour = WorkloadBehaviour.Ready,
    int Seed = 1,
    bool AggregatedDiscovery = false,
    long WatchHistoryBytes = 64 * 1024 * 1024);

/// <summary>
/// What a workload stand-in does with its object. One object may say otherwise by the annotation
/// <c>sandbox.governor.dev/behaviour: ready|fail|never</c>.
/// </summary>
public enum WorkloadBehaviour
{
    /// <summary>Becomes ready at once.</summary>
    Ready,

    /// <summary>Reports its failure condition.</summary>
    Fail,

    /// <summary>Is observed, and never gets ready.</summary>
    Never,
}
