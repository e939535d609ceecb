using Governor.Domain.Kinds;

namespace Governor.Domain.Packs;

public enum ReadinessLevel
{
    /// <summary>It is as it was asked to be.</summary>
    Ready,

    /// <summary>It is getting there.</summary>
    InProgress,

    /// <summary>It says of itself that it will not get there.</summary>
    Failed,
}

/// <summary>When the storage class of a claim binds it; decides whether a claim that is pending keeps anybody waiting.</summary>
public enum VolumeBinding
{
    /// <summary>Nobody could say. The claim is then not waited for: what uses it is.</summary>
    Unknown,

    Immediate,

    /// <summary><c>WaitForFirstConsumer</c>: pending is what such a claim is until a pod uses it.</summary>
    FirstConsumer,
}

/// <summary>Whether an object is ready, by the rules of kstatus: what its own controller says about its current generation.</summary>
/// <remarks>
/// Where kstatus and what operators wait for differ, the stricter holds: a job is ready when it is complete, not when it runs; a pod
/// that crashes is in progress as long as the deadline is not over, because what it crashes for may be on its way.
/// </remarks>
public sealed record Readiness(ReadinessLevel Level, string Message)
{
    internal static readonly Readiness IsReady = new(ReadinessLevel.Ready, "ready");

    internal static readonly Readiness NotSeen = InProgress("its controller has not looked at it yet");

    /// <param name="binding">Of a PersistentVolumeClaim: when its storage class binds it.</param>
    public static Readiness Of(KubeObject item, VolumeBinding binding = VolumeBinding.Unknown)
    {
        if (item.IsBeingDeleted)
            return InProgress("is being deleted");
        if (item.Number("status", "observedGeneration") is { } observed && observed < item.Generation)
            return InProgress($"its controller has seen generation {observed} of {item.Generation}");
        return (item.Gvk.Group, item.Kind) switch
        {
            ("apps", "Deployment") => WorkloadReadiness.Deployment(item),
            ("apps", "StatefulSet") => WorkloadReadiness.StatefulSet(item),
            ("apps", "ReplicaSet") or ("", "ReplicationController") => WorkloadReadiness.ReplicaSet(item),
            ("apps", "DaemonSet") => WorkloadReadiness.DaemonSet(item),
            ("batch", "Job") => WorkloadReadiness.Job(item),
            ("", "Pod") => WorkloadReadiness.Pod(item),
            ("", "Service") => Service(item),
            ("", "Namespace") => Namespace(item),
            ("", "PersistentVolumeClaim") => Claim(item, binding),
            ("", "PersistentVolume") => Volume(item),
            ("apiextensions.k8s.io", "CustomResourceDefinition") => Definition(item),
            ("apiregistration.k8s.io", "APIService") => Served(item),
            // These have conditions of their own that say nothing about whether they are as they should be.
            ("batch", "CronJob") or ("policy", "PodDisruptionBudget") or ("autoscaling", "HorizontalPodAutoscaler") => IsReady,
            _ => Generic(item),
        };
    }

    internal static Readiness InProgress(string message) => new(ReadinessLevel.InProgress, message);

    internal static Readiness Failed(string message) => new(ReadinessLevel.Failed, message);

    // A load balancer is the cloud's to give, and many clusters have none: the service works inside as soon as it has its address.
    private static Readiness Service(KubeObject item) =>
        item.FindText("spec", "type") is "LoadBalancer" or "NodePort" && item.FindText("spec", "clusterIP").Length == 0
            ? InProgress("it has no cluster IP yet")
            : IsReady;

    private static Readiness Namespace(KubeObject item) =>
        item.FindText("status", "phase") is "" or "Active" ? IsReady : InProgress($"its phase is {item.FindText("status", "phase")}");

    private static Readiness Claim(KubeObject item, VolumeBinding binding) => item.FindText("status", "phase") switch
    {
        "Bound" => IsReady,
        "Lost" => Failed("its volume is lost"),
        _ when binding == VolumeBinding.Unknown => IsReady,
        // Once a node is chosen for its first consumer it is being provisioned like any other.
        _ when binding == VolumeBinding.FirstConsumer && !item.Annotations.ContainsKey("volume.kubernetes.io/selected-node") => IsReady,
        _ => InProgress("it is not bound yet"),
    };

    private static Readiness Volume(KubeObject item) =>
        item.FindText("status", "phase") == "Failed" ? Failed($"{item.FindText("status", "reason")}: {item.FindText("status", "message")}") : IsReady;

    private static Readiness Definition(KubeObject item)
    {
        if (item.ConditionOf("NamesAccepted") is { Status: "False" } refused)
            return Failed(refused.ToString());
        return item.ConditionOf("Established") is { Status: "True" } ? IsReady : InProgress("not established yet");
    }

    private static Readiness Served(KubeObject item) => item.ConditionOf("Available") switch
    {
        { Status: "True" } => IsReady,
        { } why => InProgress(why.ToString()),
        null => NotSeen,
    };

    private static Readiness Generic(KubeObject item)
    {
        if (item.ConditionOf(Conditions.Stalled) is { Status: "True" } stalled)
            return Failed(stalled.ToString());
        if (item.ConditionOf(Conditions.Reconciling) is { Status: "True" } reconciling)
            return InProgress(reconciling.ToString());
        if (item.ConditionOf(Conditions.Ready) is not { } ready)
            return IsReady;
        if (ready.ObservedGeneration is { } seen && seen < item.Generation)
            return InProgress($"its condition {Conditions.Ready} is about generation {seen} of {item.Generation}");
        return ready.Status == "True" ? IsReady : InProgress(ready.ToString());
    }
}
