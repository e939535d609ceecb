using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Sandbox.Api;

namespace Governor.Sandbox.Workloads;

/// <summary>
/// Claims of a class with <c>volumeBindingMode: WaitForFirstConsumer</c> stay pending until something uses them. There are no Pods that
/// a scheduler would place, so a workload whose Pods would use the claim counts as its consumer, as does a Pod that somebody made.
/// </summary>
internal static class ClaimConsumers
{
    private static readonly (string Group, string Plural, string Kind)[] Consumers =
    [
        ("", "pods", "Pod"), ("apps", "deployments", "Deployment"), ("apps", "statefulsets", "StatefulSet"), ("apps", "daemonsets", "DaemonSet"),
        ("apps", "replicasets", "ReplicaSet"), ("batch", "jobs", "Job"),
    ];

    public static bool Has(string kind) => Consumers.Any(c => c.Kind == kind);

    public static bool MustWait(ClusterCore core, ObjectKey claim, JsonObject o)
    {
        var name = o.Child("spec")?.Text("storageClassName") ?? "";
        var classes = core.Kinds.Find("storage.k8s.io", "v1", "storageclasses")!;
        return name.Length > 0
            && core.Store.Current.Find(classes.Id, new ObjectKey("", name))?.ToNode().Text("volumeBindingMode") == "WaitForFirstConsumer"
            && !Consumers.Any(kind => core.Kinds.Find(kind.Group, "v1", kind.Plural) is { } resource
                && core.Store.Current.Of(resource.Id).Values.Any(user => user.Key.Namespace == claim.Namespace && Uses(user.ToNode(), kind.Kind, claim.Name)));
    }

    private static bool Uses(JsonObject user, string kind, string claim)
    {
        var pod = kind == "Pod" ? user.Child("spec") : user.At("spec", "template", "spec") as JsonObject;
        return pod?.List("volumes")?.OfType<JsonObject>().Any(volume => volume.Child("persistentVolumeClaim")?.Text("claimName") == claim) ?? false;
    }
}
