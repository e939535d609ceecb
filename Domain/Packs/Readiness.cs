using System.Text.Json;
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

public sealed record Readiness(ReadinessLevel Level, string Message)
{
    private static readonly Readiness IsReady = new(ReadinessLevel.Ready, "ready");

    /// <summary>Whether an object is ready, by the rules of kstatus: what its own controller says about its current generation.</summary>
    public static Readiness Of(KubeObject item)
    {
        if (item.IsBeingDeleted)
            return InProgress("is being deleted");
        if (Number(item, "status", "observedGeneration") is { } observed && observed < item.Generation)
            return InProgress($"its controller has seen generation {observed} of {item.Generation}");
        return (item.Gvk.Group, item.Kind) switch
        {
            ("apps", "Deployment") => Deployment(item),
            ("apps", "StatefulSet" or "ReplicaSet") => Replicas(item, "readyReplicas"),
            ("apps", "DaemonSet") => DaemonSet(item),
            ("batch", "Job") => Job(item),
            ("", "PersistentVolumeClaim") => Claim(item),
            ("apiextensions.k8s.io", "CustomResourceDefinition") => Established(item),
            _ => Generic(item),
        };
    }

    private static Readiness Deployment(KubeObject item)
    {
        if (ConditionOf(item, "Progressing") is ("False", "ProgressDeadlineExceeded", var message))
            return new Readiness(ReadinessLevel.Failed, $"ProgressDeadlineExceeded: {message}");
        if (Number(item, "status", "observedGeneration") is null)
            return InProgress("its controller has not looked at it yet");
        var wanted = Number(item, "spec", "replicas") ?? 1;
        var updated = Number(item, "status", "updatedReplicas") ?? 0;
        var available = Number(item, "status", "availableReplicas") ?? 0;
        var total = Number(item, "status", "replicas") ?? 0;
        if (updated < wanted)
            return InProgress($"{updated} of {wanted} replicas are updated");
        if (total > updated)
            return InProgress($"{total - updated} old replicas are left");
        return available < wanted ? InProgress($"{available} of {wanted} replicas are available") : IsReady;
    }

    private static Readiness Replicas(KubeObject item, string field)
    {
        var wanted = Number(item, "spec", "replicas") ?? 1;
        var ready = Number(item, "status", field) ?? 0;
        if (wanted > 0 && Number(item, "status", "observedGeneration") is null)
            return InProgress("its controller has not looked at it yet");
        return ready < wanted ? InProgress($"{ready} of {wanted} replicas are ready") : IsReady;
    }

    private static Readiness DaemonSet(KubeObject item)
    {
        if (Number(item, "status", "observedGeneration") is null)
            return InProgress("its controller has not looked at it yet");
        var wanted = Number(item, "status", "desiredNumberScheduled") ?? 0;
        var ready = Number(item, "status", "numberReady") ?? 0;
        return ready < wanted ? InProgress($"{ready} of {wanted} nodes are ready") : IsReady;
    }

    private static Readiness Job(KubeObject item)
    {
        if (ConditionOf(item, "Failed") is ("True", var reason, var message))
            return new Readiness(ReadinessLevel.Failed, $"{reason}: {message}");
        return ConditionOf(item, "Complete") is ("True", _, _) ? IsReady : InProgress("the job is running");
    }

    // A claim that waits for its first consumer is bound by the workload that comes after it.
    private static Readiness Claim(KubeObject item) => item.FindText("status", "phase") == "Lost"
        ? new Readiness(ReadinessLevel.Failed, "its volume is lost")
        : IsReady;

    private static Readiness Established(KubeObject item)
    {
        if (ConditionOf(item, "NamesAccepted") is ("False", var reason, var message))
            return new Readiness(ReadinessLevel.Failed, $"{reason}: {message}");
        return ConditionOf(item, "Established") is ("True", _, _) ? IsReady : InProgress("not established yet");
    }

    private static Readiness Generic(KubeObject item)
    {
        if (ConditionOf(item, Conditions.Stalled) is ("True", var reason, var message))
            return new Readiness(ReadinessLevel.Failed, $"{reason}: {message}");
        return ConditionOf(item, Conditions.Ready) is ("False", var why, var what) ? InProgress($"{why}: {what}") : IsReady;
    }

    private static Readiness InProgress(string message) => new(ReadinessLevel.InProgress, message);

    private static long? Number(KubeObject item, params ReadOnlySpan<string> path) =>
        item.Find(path) is { ValueKind: JsonValueKind.Number } found && found.TryGetInt64(out var value) ? value : null;

    private static (string Status, string Reason, string Message)? ConditionOf(KubeObject item, string type)
    {
        if (item.Find("status", "conditions") is not { ValueKind: JsonValueKind.Array } conditions)
            return null;
        foreach (var condition in conditions.EnumerateArray())
            if (Text(condition, "type") == type)
                return (Text(condition, "status"), Text(condition, "reason"), Text(condition, "message"));
        return null;
    }

    private static string Text(JsonElement element, string property) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(property, out var v) && v.ValueKind == JsonValueKind.String ? v.GetString()! : "";
}
