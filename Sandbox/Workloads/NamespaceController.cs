using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Sandbox.Api;
using Governor.Sandbox.Discovery;
using Governor.Sandbox.Store;

namespace Governor.Sandbox.Workloads;

/// <summary>Furnishes new namespaces and empties those that go.</summary>
internal sealed class NamespaceController : IController
{
    private static readonly ResourceId Namespaces = new("", "namespaces");

    private readonly ClusterCore _core;
    private readonly SystemWrites _writes;

    /// <summary>Why webhooks keep what is in a namespace.</summary>
    private readonly Dictionary<string, IReadOnlyCollection<string>> _refusals = new(StringComparer.Ordinal);

    public NamespaceController(ClusterCore core)
    {
        _core = core;
        _writes = new SystemWrites(core, "kube-controller-manager", "namespace-controller");
    }

    public async Task ReactAsync(Change change)
    {
        if (change.Resource.Group == "admissionregistration.k8s.io")
            foreach (var going in _core.Store.Current.Of(Namespaces).Values.Where(n => n.IsTerminating))
                await EmptyAsync(going.Key.Name);
        if (change.Resource != Namespaces)
        {
            if (change.Type == ChangeType.Deleted && change.Object.Key.Namespace is { Length: > 0 } name
                && _core.Store.Current.Find(Namespaces, new ObjectKey("", name)) is { IsTerminating: true })
                await FinishAsync(name);
            return;
        }
        if (change.Type == ChangeType.Deleted)
        {
            _refusals.Remove(change.Object.Key.Name);
            return;
        }
        if (!change.Object.IsTerminating)
            await FurnishAsync(change.Object.Key.Name);
        else if (change.Previous is not { IsTerminating: true })
            await EmptyAsync(change.Object.Key.Name);
    }

    private async Task FurnishAsync(string name)
    {
        await _writes.CreateAsync(Core("configmaps"), name, new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "ConfigMap",
            ["metadata"] = new JsonObject
            {
                ["name"] = "kube-root-ca.crt",
                ["annotations"] = new JsonObject
                {
                    ["kubernetes.io/description"] = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.",
                },
            },
            ["data"] = new JsonObject { ["ca.crt"] = _core.Options.Tls ? ClusterCertificates.Authority : "" },
        });
        await _writes.CreateAsync(Core("serviceaccounts"), name, new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "ServiceAccount",
            ["metadata"] = new JsonObject { ["name"] = "default" },
        });
    }

    private async Task EmptyAsync(string name)
    {
        var refusals = new Dictionary<ServedResource, string>();
        foreach (var (resource, o) in Content(name).Where(c => !c.Object.IsTerminating).ToArray())
            try
            {
                await _writes.DeleteAsync(resource, o.Key, isCollection: true);
            }
            catch (ApiException e) when (e.Code == 404)
            {
                continue; // gone already, by garbage collection or by hand
            }
            catch (ApiException e) when (e.Code != 409)
            {
                refusals[resource] = e.Message; // a webhook wants to keep it
            }
        _refusals[name] = refusals.Values;
        await FinishAsync(name);
    }

    private async Task FinishAsync(string name)
    {
        var refusals = _refusals.GetValueOrDefault(name) ?? [];
        var left = Content(name).ToArray();
        var key = new ObjectKey("", name);
        if (left.Length == 0)
        {
            await _writes.ChangeAsync(Core("namespaces"), key, "finalize", o =>
                o.ChildOrNew("spec")["finalizers"] = JsonText.ArrayOf(o.ChildOrNew("spec").List("finalizers").Texts().Where(f => f != "kubernetes")));
            return;
        }
        await _writes.StatusAsync(Core("namespaces"), key, status => status["conditions"] = Conditions(refusals.Count > 0 ? [] : left, refusals));
    }

    private JsonArray Conditions((ServedResource Resource, StoredObject Object)[] left, IReadOnlyCollection<string> refusals)
    {
        var resources = string.Join(", ", left.GroupBy(l => l.Resource.QualifiedPlural).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => $"{g.Key} has {g.Count()} resource instances"));
        var finalizers = string.Join(", ", left.SelectMany(l => l.Object.ToNode().Metadata().List("finalizers").Texts()).GroupBy(f => f)
            .OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => $"{g.Key} in {g.Count()} resource instances"));
        return
        [
            Condition("NamespaceDeletionDiscoveryFailure", false, "ResourcesDiscovered", "All resources successfully discovered"),
            Condition("NamespaceDeletionGroupVersionParsingFailure", false, "ParsedGroupVersions", "All legacy kube types successfully parsed"),
            Condition("NamespaceDeletionContentFailure", refusals.Count > 0, refusals.Count > 0 ? "ContentDeletionFailed" : "ContentDeleted", refusals.Count > 0
                ? $"Failed to delete all resource types, {refusals.Count} remaining: {string.Join(", ", refusals)}"
                : "All content successfully deleted, may be waiting on finalization"),
            Condition("NamespaceContentRemaining", left.Length > 0, left.Length > 0 ? "SomeResourcesRemain" : "ContentRemoved",
                left.Length > 0 ? $"Some resources are remaining: {resources}" : "All content successfully removed"),
            Condition("NamespaceFinalizersRemaining", finalizers.Length > 0, finalizers.Length > 0 ? "SomeFinalizersRemain" : "ContentHasNoFinalizers",
                finalizers.Length > 0 ? $"Some content in the namespace has finalizers remaining: {finalizers}" : "All content-preserving finalizers finished"),
        ];
    }

    private JsonObject Condition(string type, bool status, string reason, string message) => new JsonObject
    {
        ["type"] = type,
        ["status"] = status ? "True" : "False",
        ["lastTransitionTime"] = JsonText.Stamp(_core.Clock.GetUtcNow()),
        ["reason"] = reason,
        ["message"] = message,
    };

    private IEnumerable<(ServedResource Resource, StoredObject Object)> Content(string name)
    {
        var state = _core.Store.Current;
        foreach (var resource in _core.Kinds.All.Where(r => r.IsNamespaced && !r.IsVirtual).DistinctBy(r => r.Id))
            foreach (var o in state.Of(resource.Id).Values.Where(o => o.Key.Namespace == name))
                yield return (resource, o);
    }

    private ServedResource Core(string plural) => _core.Kinds.Find("", "v1", plural)!;
}
