using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Sandbox.Api;
using Governor.Sandbox.Discovery;
using Governor.Sandbox.Store;

namespace Governor.Sandbox.Workloads;

/// <summary>Accepts names, establishes definitions, serves them, and cleans up when they go.</summary>
internal sealed class DefinitionController : IController
{
    private const string Cleanup = "customresourcecleanup.apiextensions.k8s.io";

    private readonly ClusterCore _core;
    private readonly SystemWrites _writes;

    public DefinitionController(ClusterCore core)
    {
        _core = core;
        _writes = new SystemWrites(core, "kube-apiserver");
    }

    public async Task ReactAsync(Change change)
    {
        if (change.Resource == KindTable.Definitions)
            await ReactToDefinitionAsync(change);
        else if (change.Type == ChangeType.Deleted && _core.Kinds.FindAny(change.Resource) is { IsCustom: true, IsTerminating: true } resource)
            await FinishCleanupAsync(resource);
    }

    private async Task ReactToDefinitionAsync(Change change)
    {
        var definition = change.Object.ToNode();
        var spec = definition.Child("spec")!;
        var id = new ResourceId(spec.Text("group"), spec.Child("names")!.Text("plural"));
        if (change.Type == ChangeType.Deleted)
        {
            _core.Kinds = _core.Kinds.Without(id);
            _core.Store.Restart(id);
            return;
        }
        // A later change of the same definition is in the queue: react to the newest state only.
        if (!ReferenceEquals(_core.Store.Current.Find(KindTable.Definitions, change.Object.Key), change.Object))
            return;
        if (change.Object.IsTerminating)
            await CleanAsync(change.Object.Key, definition, id);
        else if (Condition(definition, "NamesAccepted") is null)
            await AcceptAsync(change.Object.Key, definition, id);
        else if (Condition(definition, "NamesAccepted") == "True")
            await EstablishAsync(change, definition, id);
    }

    private async Task AcceptAsync(ObjectKey key, JsonObject definition, ResourceId id)
    {
        var names = definition.Child("spec")!.Child("names")!;
        var taken = Taken(id, names);
        await _writes.StatusAsync(Definitions, key, status =>
        {
            SetCondition(status, "NamesAccepted", taken is null, taken is null ? "NoConflicts" : taken.Value.Reason, taken?.Message ?? "no conflicts found");
            SetCondition(status, "Established", false, taken is null ? "Installing" : "NotAccepted", taken is null ? "the initial names have been accepted" : "not all names are accepted");
            if (taken is null)
                status["acceptedNames"] = names.DeepClone();
        });
    }

    private async Task EstablishAsync(Change change, JsonObject definition, ResourceId id)
    {
        var before = change.Previous?.ToNode();
        if (Condition(definition, "Established") == "True" && before is not null && Condition(before, "Established") == "True")
        {
            if (JsonText.Same(before["spec"], definition["spec"]))
                return;
            _core.Kinds = _core.Kinds.With(definition);
            _core.Store.Restart(id);
            return;
        }
        _core.Kinds = _core.Kinds.With(definition);
        if (Condition(definition, "Established") != "True")
            await _writes.StatusAsync(Definitions, change.Object.Key, status =>
                SetCondition(status, "Established", true, "InitialNamesAccepted", "the initial names have been accepted"));
    }

    private async Task CleanAsync(ObjectKey key, JsonObject definition, ResourceId id)
    {
        if (Condition(definition, "Terminating") is null)
        {
            await _writes.StatusAsync(Definitions, key, status =>
                SetCondition(status, "Terminating", true, "InstanceDeletionInProgress", "CustomResource deletion is in progress"));
            return;
        }
        _core.Kinds = _core.Kinds.With(definition);
        if (_core.Kinds.FindAny(id) is not { } resource)
        {
            await RemoveFinalizerAsync(key);
            return;
        }
        foreach (var o in _core.Store.Current.Of(id).Values.Where(o => !o.IsTerminating))
            await _writes.DeleteAsync(resource, o.Key);
        await FinishCleanupAsync(resource);
    }

    private async Task FinishCleanupAsync(ServedResource resource)
    {
        if (_core.Store.Current.Of(resource.Id).IsEmpty)
            await RemoveFinalizerAsync(new ObjectKey("", resource.Id.ToString()));
    }

    private async Task RemoveFinalizerAsync(ObjectKey key)
    {
        if (_core.Store.Current.Find(KindTable.Definitions, key) is { IsTerminating: true })
            await _writes.ChangeAsync(Definitions, key, "", o =>
            {
                var kept = o.Metadata().List("finalizers").Texts().Where(f => f != Cleanup);
                o.Metadata()["finalizers"] = JsonText.ArrayOf(kept);
            });
    }

    private (string Reason, string Message)? Taken(ResourceId id, JsonObject names)
    {
        foreach (var other in _core.Kinds.All.Where(r => r.Gvk.Group == id.Group && r.Id != id))
        {
            if (other.Gvk.Kind == names.Text("kind"))
                return ("KindConflict", $"\"{names.Text("kind")}\" is already in use");
            foreach (var name in names.List("shortNames").Texts())
                if (other.ShortNames.Contains(name) || other.Plural == name || other.Singular == name)
                    return ("ShortNamesConflict", $"\"{name}\" is already in use");
        }
        return null;
    }

    private ServedResource Definitions => _core.Kinds.Find("apiextensions.k8s.io", "v1", "customresourcedefinitions")!;

    private static string? Condition(JsonObject definition, string type) =>
        definition.Child("status")?.List("conditions")?.OfType<JsonObject>().FirstOrDefault(c => c.Text("type") == type)?.Text("status");

    private void SetCondition(JsonObject status, string type, bool value, string reason, string message)
    {
        if (status.List("conditions") is not { } conditions)
            status["conditions"] = conditions = [];
        foreach (var old in conditions.OfType<JsonObject>().Where(c => c.Text("type") == type).ToArray())
            conditions.Remove(old);
        conditions.Add((JsonNode)new JsonObject
        {
            ["type"] = type,
            ["status"] = value ? "True" : "False",
            ["lastTransitionTime"] = JsonText.Stamp(_core.Clock.GetUtcNow()),
            ["reason"] = reason,
            ["message"] = message,
        });
    }
}
