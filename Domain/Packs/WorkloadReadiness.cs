using System.Text.Json;
using Governor.Domain.Kinds;

namespace Governor.Domain.Packs;

/// <summary>The rules of kstatus for what runs pods.</summary>
internal static class WorkloadReadiness
{
    internal static Readiness Deployment(KubeObject item)
    {
        if (item.ConditionOf("Progressing") is { Status: "False", Reason: "ProgressDeadlineExceeded" } exceeded)
            return Readiness.Failed(exceeded.ToString());
        if (item.Number("status", "observedGeneration") is null)
            return Readiness.NotSeen;
        // Whoever pauses a deployment asks it to stay as it is.
        if (item.IsTrue("spec", "paused"))
            return Readiness.IsReady;
        var wanted = item.Number("spec", "replicas") ?? 1;
        var updated = item.Number("status", "updatedReplicas") ?? 0;
        var available = item.Number("status", "availableReplicas") ?? 0;
        var total = item.Number("status", "replicas") ?? 0;
        if (updated < wanted)
            return Readiness.InProgress($"{updated} of {wanted} replicas are updated");
        if (total > updated)
            return Readiness.InProgress($"{total - updated} old replicas are left");
        return available < wanted ? Readiness.InProgress($"{available} of {wanted} replicas are available") : Readiness.IsReady;
    }

    internal static Readiness StatefulSet(KubeObject item)
    {
        var wanted = item.Number("spec", "replicas") ?? 1;
        if (item.Number("status", "observedGeneration") is null)
            return wanted == 0 ? Readiness.IsReady : Readiness.NotSeen;
        // Its pods are replaced when somebody deletes them, and not before: there is nothing to wait for.
        if (item.FindText("spec", "updateStrategy", "type") == "OnDelete")
            return Readiness.IsReady;
        var ready = item.Number("status", "readyReplicas") ?? 0;
        if (ready < wanted)
            return Readiness.InProgress($"{ready} of {wanted} replicas are ready");
        if ((item.Number("status", "replicas") ?? 0) is var total && total > wanted)
            return Readiness.InProgress($"{total - wanted} replicas too many are left");
        var updated = item.Number("status", "updatedReplicas") ?? 0;
        if (item.Number("spec", "updateStrategy", "rollingUpdate", "partition") is > 0 and var partition)
            return updated < wanted - partition
                ? Readiness.InProgress($"{updated} of {wanted - partition} replicas past the partition are updated")
                : Readiness.IsReady;
        return item.FindText("status", "currentRevision") != item.FindText("status", "updateRevision")
            ? Readiness.InProgress($"{updated} of {wanted} replicas are updated")
            : Readiness.IsReady;
    }

    internal static Readiness ReplicaSet(KubeObject item)
    {
        var wanted = item.Number("spec", "replicas") ?? 1;
        if (item.ConditionOf("ReplicaFailure") is { Status: "True" } failure)
            return Readiness.InProgress(failure.ToString());
        if (item.Number("status", "observedGeneration") is null)
            return wanted == 0 ? Readiness.IsReady : Readiness.NotSeen;
        var available = item.Number("status", "availableReplicas") ?? item.Number("status", "readyReplicas") ?? 0;
        return available < wanted ? Readiness.InProgress($"{available} of {wanted} replicas are available") : Readiness.IsReady;
    }

    internal static Readiness DaemonSet(KubeObject item)
    {
        if (item.Number("status", "observedGeneration") is null)
            return Readiness.NotSeen;
        // With no eligible node there is nothing to run, and nothing to wait for.
        var wanted = item.Number("status", "desiredNumberScheduled") ?? 0;
        var updated = item.Number("status", "updatedNumberScheduled") ?? 0;
        if (updated < wanted && item.FindText("spec", "updateStrategy", "type") != "OnDelete")
            return Readiness.InProgress($"{updated} of {wanted} nodes are updated");
        var available = Math.Min(item.Number("status", "numberReady") ?? 0, item.Number("status", "numberAvailable") ?? 0);
        return available < wanted ? Readiness.InProgress($"{available} of {wanted} nodes are ready") : Readiness.IsReady;
    }

    internal static Readiness Job(KubeObject item)
    {
        if (item.ConditionOf("Failed") is { Status: "True" } failed)
            return Readiness.Failed(failed.ToString());
        if (item.ConditionOf("FailureTarget") is { Status: "True" } failing)
            return Readiness.Failed(failing.ToString());
        if (item.ConditionOf("Complete") is { Status: "True" } || item.IsTrue("spec", "suspend"))
            return Readiness.IsReady;
        return Readiness.InProgress($"the job is running: {item.Number("status", "succeeded") ?? 0} of {item.Number("spec", "completions") ?? 1} pods are done");
    }

    internal static Readiness Pod(KubeObject item)
    {
        switch (item.FindText("status", "phase"))
        {
            case "Succeeded":
                return Readiness.IsReady;
            case "Failed":
                return Readiness.Failed($"{item.FindText("status", "reason")}: {item.FindText("status", "message")}");
            case "Running" when item.ConditionOf("Ready") is { Status: "True" }:
                return Readiness.IsReady;
            case var phase:
                return Readiness.InProgress(
                    Waiting(item) ?? (item.ConditionOf("PodScheduled") is { Status: "False" } unscheduled ? unscheduled.ToString() : $"its phase is {(phase.Length > 0 ? phase : "not known yet")}"));
        }
    }

    // What a container is waiting for says more than that the pod is not ready.
    private static string? Waiting(KubeObject item)
    {
        foreach (var list in (ReadOnlySpan<string>)["initContainerStatuses", "containerStatuses"])
            if (item.Find("status", list) is { ValueKind: JsonValueKind.Array } statuses)
                foreach (var status in statuses.EnumerateArray())
                    if (status.ValueKind == JsonValueKind.Object && status.TryGetProperty("state", out var state) && state.ValueKind == JsonValueKind.Object
                        && state.TryGetProperty("waiting", out var waiting) && StatusReading.Text(waiting, "reason") is { Length: > 0 } reason)
                        return $"container {StatusReading.Text(status, "name")}: {reason} {StatusReading.Text(waiting, "message")}".TrimEnd();
        return null;
    }
}
