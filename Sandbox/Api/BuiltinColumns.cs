using System.Text.Json;
using Governor.Sandbox.Discovery;

namespace Governor.Sandbox.Api;

/// <summary>The printer columns of the built-in kinds.</summary>
internal static class BuiltinColumns
{
    private static readonly PrinterColumn Age = new("Age", "date", "", "CreationTimestamp is when the object was created.", 0, ".metadata.creationTimestamp");

    private static readonly Dictionary<string, Func<JsonElement, string>> Computations = new(StringComparer.Ordinal)
    {
        ["=ready"] = o => $"{Number(o, "readyReplicas")}/{Number(o, "replicas", "spec")}",
        ["=completions"] = o => $"{Number(o, "succeeded")}/{Number(o, "completions", "spec")}",
        ["=data"] = o => $"{Count(o, "data") + Count(o, "binaryData")}",
        ["=secrets"] = o => $"{(o.Find("secrets") is { ValueKind: JsonValueKind.Array } list ? list.GetArrayLength() : 0)}",
        ["=ports"] = o => o.Find("spec", "ports") is { ValueKind: JsonValueKind.Array } ports
            ? string.Join(",", ports.EnumerateArray().Select(p => $"{p.Find("port")}/{p.FindText("protocol")}"))
            : "<none>",
        ["=externalIp"] = o => o.FindText("spec", "type") == "LoadBalancer" ? "<pending>" : "<none>",
        ["=role"] = o => $"{o.FindText("roleRef", "kind")}/{o.FindText("roleRef", "name")}",
    };

    private static readonly Dictionary<string, PrinterColumn[]> ByKind = new(StringComparer.Ordinal)
    {
        ["Namespace"] = [Text("Status", ".status.phase"), Age],
        ["Node"] = [Text("Version", ".status.nodeInfo.kubeletVersion"), Age],
        ["ConfigMap"] = [Text("Data", "=data"), Age],
        ["Secret"] = [Text("Type", ".type"), Text("Data", "=data"), Age],
        ["ServiceAccount"] = [Text("Secrets", "=secrets"), Age],
        ["Service"] = [Text("Type", ".spec.type"), Text("Cluster-IP", ".spec.clusterIP"), Text("External-IP", "=externalIp"), Text("Port(s)", "=ports"), Age],
        ["Pod"] = [Text("Status", ".status.phase"), Age],
        ["PersistentVolumeClaim"] = [Text("Status", ".status.phase"), Text("Volume", ".spec.volumeName"), Text("Capacity", ".status.capacity.storage"), Text("StorageClass", ".spec.storageClassName"), Age],
        ["Event"] = [Text("Last Seen", ".lastTimestamp", "date"), Text("Type", ".type"), Text("Reason", ".reason"), Text("Object", ".involvedObject.name"), Text("Message", ".message")],
        ["Deployment"] = [Text("Ready", "=ready"), Whole("Up-to-date", ".status.updatedReplicas"), Whole("Available", ".status.availableReplicas"), Age],
        ["StatefulSet"] = [Text("Ready", "=ready"), Age],
        ["ReplicaSet"] = [Whole("Desired", ".spec.replicas"), Whole("Current", ".status.replicas"), Whole("Ready", ".status.readyReplicas"), Age],
        ["DaemonSet"] = [Whole("Desired", ".status.desiredNumberScheduled"), Whole("Current", ".status.currentNumberScheduled"), Whole("Ready", ".status.numberReady"), Whole("Available", ".status.numberAvailable"), Age],
        ["Job"] = [Text("Completions", "=completions"), Age],
        ["CronJob"] = [Text("Schedule", ".spec.schedule"), Text("Suspend", ".spec.suspend"), Text("Last Schedule", ".status.lastScheduleTime", "date"), Age],
        ["PodDisruptionBudget"] = [Text("Min Available", ".spec.minAvailable"), Text("Max Unavailable", ".spec.maxUnavailable"), Whole("Allowed Disruptions", ".status.disruptionsAllowed"), Age],
        ["RoleBinding"] = [Text("Role", "=role"), Age],
        ["ClusterRoleBinding"] = [Text("Role", "=role"), Age],
        ["Role"] = [Text("Created At", ".metadata.creationTimestamp")],
        ["ClusterRole"] = [Text("Created At", ".metadata.creationTimestamp")],
        ["CustomResourceDefinition"] = [Text("Created At", ".metadata.creationTimestamp")],
        ["StorageClass"] = [Text("Provisioner", ".provisioner"), Text("ReclaimPolicy", ".reclaimPolicy"), Text("VolumeBindingMode", ".volumeBindingMode"), Age],
        ["PriorityClass"] = [Text("Value", ".value"), Text("Global-Default", ".globalDefault"), Age],
        ["Lease"] = [Text("Holder", ".spec.holderIdentity"), Age],
        ["Ingress"] = [Text("Class", ".spec.ingressClassName"), Text("Hosts", ".spec.rules[*].host"), Age],
    };

    public static IReadOnlyList<PrinterColumn> Of(string kind) => ByKind.GetValueOrDefault(kind, [Age]);

    public static Func<JsonElement, string>? Computed(string path) => Computations.GetValueOrDefault(path);

    private static PrinterColumn Text(string name, string path, string type = "string") => new(name, type, "", name, 0, path);

    private static PrinterColumn Whole(string name, string path) => new(name, "integer", "int32", name, 0, path);

    private static long Number(JsonElement o, string field, string part = "status") =>
        o.Find(part, field) is { ValueKind: JsonValueKind.Number } n ? n.GetInt64() : 0;

    private static int Count(JsonElement o, string map) => o.Find(map) is { ValueKind: JsonValueKind.Object } found ? found.EnumerateObject().Count() : 0;
}
