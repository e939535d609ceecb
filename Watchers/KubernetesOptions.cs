namespace Governor.Watchers;

/// <summary>How the silo reaches its clusters. Section <see cref="Section"/>.</summary>
public sealed class KubernetesOptions
{
    public const string Section = "Governor:Kubernetes";

    /// <summary>The name under which the management cluster appears in messages and metrics.</summary>
    public string ManagementName { get; set; } = "management";

    /// <summary>
    /// Path of the management cluster's kubeconfig, or several paths separated as in <c>KUBECONFIG</c>: what an earlier one says counts.
    /// Exactly one of this and <see cref="InCluster"/> is set.
    /// </summary>
    public string? ManagementKubeconfig { get; set; }

    /// <summary>The context to take from <see cref="ManagementKubeconfig"/>; null takes its <c>current-context</c>.</summary>
    public string? ManagementContext { get; set; }

    /// <summary>The management cluster is the one that this process runs in as a pod.</summary>
    public bool InCluster { get; set; }

    /// <summary>Where the kubelet mounts the pod's token and certificate authority.</summary>
    public string ServiceAccountDirectory { get; set; } = "/var/run/secrets/kubernetes.io/serviceaccount";

    /// <summary>Accept plain HTTP, <c>insecure-skip-tls-verify</c> and kubeconfigs without credentials. For experiments only.</summary>
    public bool AllowInsecure { get; set; }

    /// <summary>Honour the proxy of the process's environment. A kubeconfig's own <c>proxy-url</c> is always honoured.</summary>
    public bool UseSystemProxy { get; set; }

    /// <summary>From sending a request to the last byte of its answer. A fresh CRD holds creates for two seconds: stay well above.</summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(30);

    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest that one request waits in all between repetitions after 429 and 503.</summary>
    public TimeSpan RetryBudget { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The most requests in flight to one cluster; the limit in force adapts below it. Watches do not count.</summary>
    public int MaxConcurrency { get; set; } = 64;

    /// <summary>The most requests that wait for their turn on one cluster; more are refused.</summary>
    public int MaxQueuedRequests { get; set; } = 4096;

    /// <summary>Connection failures in a row after which requests to a cluster fail at once.</summary>
    public int FailureThreshold { get; set; } = 3;

    /// <summary>The first pause before an unreachable cluster is tried again, and before a watch that failed is.</summary>
    public TimeSpan MinBackoff { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest such pause.</summary>
    public TimeSpan MaxBackoff { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Objects per page of a list.</summary>
    public int PageSize { get; set; } = 500;

    /// <summary>The largest answer that is read, after decompression. A list page that is larger is asked for again in smaller pages.</summary>
    public int MaxResponseBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>The largest list that is held as a whole; larger ones are refused, and have to be watched or selected from.</summary>
    public long MaxListBytes { get; set; } = 512L * 1024 * 1024;

    /// <summary>The largest line of a watch that is read.</summary>
    public int MaxWatchLineBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>How long the server is asked to keep a watch open.</summary>
    public TimeSpan WatchTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>A watch that brings no byte for this long is opened anew. API servers send a bookmark about once a minute.</summary>
    public TimeSpan WatchSilence { get; set; } = TimeSpan.FromSeconds(90);

    /// <summary>
    /// How often a watch lists again although nothing seems wrong, to find what its server kept to itself; up to a quarter less is drawn
    /// each time. Only what differs from what was told is told.
    /// </summary>
    public TimeSpan ResyncEvery { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// How long a server may show an older state than was seen before the cluster is taken to have been restored from a backup. Until
    /// then it is taken to lag behind, and nothing is concluded from what it shows.
    /// </summary>
    public TimeSpan StalePatience { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a credential plugin may run.</summary>
    public TimeSpan ExecTimeout { get; set; } = TimeSpan.FromSeconds(30);

    public string UserAgent { get; set; } = "governor";
}
