using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Sandbox.Api;
using Governor.Sandbox.Discovery;
using Governor.Sandbox.Store;

namespace Governor.Sandbox.Workloads;

/// <summary>Stands in for the workload controllers and the kubelet: makes statuses ready, failed, or never ready. There are no Pods.</summary>
internal sealed class WorkloadController : IController
{
    public const string Annotation = "sandbox.governor.dev/behaviour";

    private static readonly string[] Kinds = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "PersistentVolumeClaim", "PodDisruptionBudget"];

    private readonly ClusterCore _core;
    private readonly SystemWrites _writes;

    public WorkloadController(ClusterCore core)
    {
        _core = core;
        _writes = new SystemWrites(core, "kube-controller-manager");
        Behaviour = core.Options.Behaviour;
    }

    public WorkloadBehaviour Behaviour { get; set; }

    /// <summary>Looks at every workload again, because what they do has changed.</summary>
    public async Task ReviewAsync()
    {
        foreach (var resource in _core.Kinds.All.Where(r => !r.IsCustom && Kinds.Contains(r.Gvk.Kind)))
            foreach (var o in _core.Store.Current.Of(resource.Id).Values.Where(o => !o.IsTerminating))
                try
                {
                    await WriteAsync(resource, o);
                }
                catch (ApiException e) when (e.Code is 404 or 409)
                {
                    continue; // the change that was faster is in the queue
                }
    }

    public async Task ReactAsync(Change change)
    {
        if (change.Type == ChangeType.Deleted || change.Object.IsTerminating || _core.Kinds.FindAny(change.Resource) is not { IsCustom: false } resource)
            return;
        if (_core.Store.Current.Find(change.Resource, change.Object.Key) is not { } current || !ReferenceEquals(current, change.Object))
            return;
        if (Kinds.Contains(resource.Gvk.Kind))
            await WriteAsync(resource, current);
        if (ClaimConsumers.Has(resource.Gvk.Kind))
            await ReviewClaimsAsync(current.Key.Namespace);
    }

    /// <summary>A claim may have waited for whoever came now.</summary>
    private async Task ReviewClaimsAsync(string @namespace)
    {
        var claims = _core.Kinds.Find("", "v1", "persistentvolumeclaims")!;
        foreach (var claim in _core.Store.Current.Of(claims.Id).Values.Where(c => c.Key.Namespace == @namespace && !c.IsTerminating))
            await WriteAsync(claims, claim);
    }

    private async Task WriteAsync(ServedResource resource, StoredObject current)
    {
        var o = current.ToNode();
        var status = new WorkloadStatus(o, BehaviourOf(o), JsonText.Stamp(_core.Clock.GetUtcNow()));
        Action<JsonObject>? write = resource.Gvk.Kind switch
        {
            "Deployment" => status.Deployment,
            "StatefulSet" => status.StatefulSet,
            "DaemonSet" => status.DaemonSet,
            "ReplicaSet" => status.ReplicaSet,
            "Job" => status.Job,
            "CronJob" => status.CronJob,
            "PersistentVolumeClaim" => status.Claim,
            "PodDisruptionBudget" => status.Budget,
            _ => null,
        };
        if (write is null)
            return;
        if (resource.Gvk.Kind == "PersistentVolumeClaim" && status.IsReady && o.Child("spec")?.Text("volumeName").Length is 0)
        {
            if (!ClaimConsumers.MustWait(_core, current.Key, o))
            {
                await BindAsync(resource, current, o);
                return;
            }
            write = static waiting => waiting["phase"] = "Pending";
        }
        var next = o.Child("status")?.DeepClone().AsObject() ?? [];
        write(next);
        if (!JsonText.Same(next, o.Child("status") ?? []))
            await _writes.ChangeAsync(resource, current.Key, "status", changed => write(changed.ChildOrNew("status")));
    }

    /// <summary>Makes a volume for a claim and names it there; the status follows with the change that this is.</summary>
    private async Task BindAsync(ServedResource resource, StoredObject claim, JsonObject o)
    {
        var name = $"pvc-{claim.Uid}";
        var volumes = _core.Kinds.Find("", "v1", "persistentvolumes")!;
        var spec = new JsonObject
        {
            ["capacity"] = o.At("spec", "resources", "requests")?.DeepClone(),
            ["accessModes"] = o.At("spec", "accessModes")?.DeepClone(),
            ["claimRef"] = new JsonObject
            {
                ["apiVersion"] = "v1",
                ["kind"] = "PersistentVolumeClaim",
                ["namespace"] = claim.Key.Namespace,
                ["name"] = claim.Key.Name,
                ["uid"] = claim.Uid,
            },
            ["persistentVolumeReclaimPolicy"] = "Delete",
            ["storageClassName"] = o.At("spec", "storageClassName")?.DeepClone() ?? "standard",
        };
        await _writes.CreateAsync(volumes, "", new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "PersistentVolume",
            ["metadata"] = new JsonObject { ["name"] = name },
            ["spec"] = spec,
        });
        await _writes.StatusAsync(volumes, new ObjectKey("", name), status => status["phase"] = "Bound");
        await _writes.ChangeAsync(resource, claim.Key, "", changed =>
        {
            changed.ChildOrNew("spec")["volumeName"] = name;
            changed.Metadata().ChildOrNew("annotations")["pv.kubernetes.io/bind-completed"] = "yes";
        });
    }

    private WorkloadBehaviour BehaviourOf(JsonObject o) =>
        Enum.TryParse<WorkloadBehaviour>(o.Metadata().Child("annotations")?.Text(Annotation), true, out var said) ? said : Behaviour;
}

/// <summary>The statuses that workloads report. Each method is a fixed point: applied twice it changes nothing more.</summary>
internal sealed class WorkloadStatus
{
    private readonly JsonObject _object;
    private readonly WorkloadBehaviour _behaviour;
    private readonly string _now;

    public WorkloadStatus(JsonObject o, WorkloadBehaviour behaviour, string now)
    {
        _object = o;
        _behaviour = behaviour;
        _now = now;
    }

    private JsonObject Spec => _object.ChildOrNew("spec");
    private long Generation => _object.Metadata().Whole("generation") ?? 1;
    private long Replicas => Spec.Whole("replicas") ?? 1;
    private long Ready => _behaviour == WorkloadBehaviour.Ready ? Replicas : 0;
    private string Name => _object.Metadata().Text("name");

    public bool IsReady => _behaviour == WorkloadBehaviour.Ready;

    public void Deployment(JsonObject s)
    {
        s["observedGeneration"] = Generation;
        Counts(s, ("replicas", Replicas), ("updatedReplicas", Replicas), ("readyReplicas", Ready), ("availableReplicas", Ready), ("unavailableReplicas", Replicas - Ready));
        var isAvailable = Ready == Replicas;
        Condition(s, "Available", isAvailable, isAvailable ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
            $"Deployment {(isAvailable ? "has" : "does not have")} minimum availability.");
        var (progressing, reason, message) = _behaviour switch
        {
            WorkloadBehaviour.Ready => (true, "NewReplicaSetAvailable", $"ReplicaSet \"{Name}\" has successfully progressed."),
            WorkloadBehaviour.Fail => (false, "ProgressDeadlineExceeded", $"ReplicaSet \"{Name}\" has timed out progressing."),
            _ => (true, "ReplicaSetUpdated", $"ReplicaSet \"{Name}\" is progressing."),
        };
        Condition(s, "Progressing", progressing, reason, message);
    }

    public void StatefulSet(JsonObject s)
    {
        s["observedGeneration"] = Generation;
        s["currentRevision"] = $"{Name}-{Generation}";
        s["updateRevision"] = $"{Name}-{Generation}";
        s["collisionCount"] = 0;
        Counts(s, ("replicas", Replicas), ("currentReplicas", Replicas), ("updatedReplicas", Replicas), ("readyReplicas", Ready));
        s["availableReplicas"] = Ready;
    }

    public void DaemonSet(JsonObject s)
    {
        var ready = _behaviour == WorkloadBehaviour.Ready ? 1 : 0;
        s["observedGeneration"] = Generation;
        s["currentNumberScheduled"] = 1;
        s["desiredNumberScheduled"] = 1;
        s["numberMisscheduled"] = 0;
        s["numberReady"] = ready;
        Counts(s, ("updatedNumberScheduled", 1), ("numberAvailable", ready), ("numberUnavailable", 1 - ready));
    }

    public void ReplicaSet(JsonObject s)
    {
        s["observedGeneration"] = Generation;
        s["replicas"] = Replicas;
        Counts(s, ("fullyLabeledReplicas", Replicas), ("readyReplicas", Ready), ("availableReplicas", Ready));
    }

    public void Job(JsonObject s)
    {
        if (Spec.Flag("suspend") || s.List("conditions") is { Count: > 0 })
            return;
        s["startTime"] ??= _now;
        s["uncountedTerminatedPods"] ??= new JsonObject();
        switch (_behaviour)
        {
            case WorkloadBehaviour.Ready:
                s["succeeded"] = Spec.Whole("completions") ?? 1;
                s["completionTime"] = _now;
                s.Remove("active");
                Probed(s, "Complete", "", "");
                break;
            case WorkloadBehaviour.Fail:
                s["failed"] = 1;
                s.Remove("active");
                Probed(s, "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit");
                break;
            default:
                s["active"] = Spec.Whole("parallelism") ?? 1;
                s["ready"] = 0;
                break;
        }
    }

    /// <summary>Its schedule is not followed: it has run once, and well when it is ready.</summary>
    public void CronJob(JsonObject s)
    {
        if (Spec.Flag("suspend") || _behaviour == WorkloadBehaviour.Never)
            return;
        s["lastScheduleTime"] ??= _now;
        if (IsReady)
            s["lastSuccessfulTime"] ??= _now;
    }

    public void Claim(JsonObject s)
    {
        if (s.Text("phase") == "Bound" && _behaviour == WorkloadBehaviour.Never)
            return; // what is bound stays bound
        s["phase"] = _behaviour switch { WorkloadBehaviour.Ready => "Bound", WorkloadBehaviour.Fail => "Lost", _ => "Pending" };
        if (_behaviour != WorkloadBehaviour.Ready)
            return;
        if (Spec["accessModes"] is { } modes)
            s["accessModes"] = modes.DeepClone();
        if (_object.At("spec", "resources", "requests") is { } requests)
            s["capacity"] = requests.DeepClone();
    }

    public void Budget(JsonObject s)
    {
        s["observedGeneration"] = Generation;
        s["disruptionsAllowed"] = 0;
        s["currentHealthy"] = 0;
        s["desiredHealthy"] = Spec.Whole("minAvailable") ?? 0;
        s["expectedPods"] = 0;
        Condition(s, "DisruptionAllowed", false, "InsufficientPods", "");
    }

    private void Condition(JsonObject s, string type, bool value, string reason, string message)
    {
        var status = value ? "True" : "False";
        var conditions = s.List("conditions");
        if (conditions is null)
            s["conditions"] = conditions = [];
        var old = conditions.OfType<JsonObject>().FirstOrDefault(c => c.Text("type") == type);
        if (old is not null && old.Text("status") == status && old.Text("reason") == reason)
            return;
        var made = new JsonObject
        {
            ["type"] = type,
            ["status"] = status,
            ["lastTransitionTime"] = old?.Text("status") == status ? old.Text("lastTransitionTime") : _now,
            ["reason"] = reason,
            ["message"] = message,
        };
        if (type is "Available" or "Progressing")
            made["lastUpdateTime"] = _now;
        if (type == "DisruptionAllowed")
            made["observedGeneration"] = Generation;
        if (old is not null)
            conditions.Remove(old);
        conditions.Add((JsonNode)made);
    }

    private void Probed(JsonObject s, string type, string reason, string message)
    {
        var made = new JsonObject { ["type"] = type, ["status"] = "True", ["lastProbeTime"] = _now, ["lastTransitionTime"] = _now };
        if (reason.Length > 0)
        {
            made["reason"] = reason;
            made["message"] = message;
        }
        s["conditions"] = new JsonArray(made);
    }

    private static void Counts(JsonObject s, params (string Name, long Value)[] counts)
    {
        // Zero counts are left out, as Go's omitempty does.
        foreach (var (name, value) in counts)
            if (value == 0)
                s.Remove(name);
            else
                s[name] = value;
    }
}
