using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Sandbox.Api;
using Governor.Sandbox.Store;

namespace Governor.Sandbox.Workloads;

/// <summary>Deletes dependents with their owners: background, foreground, orphan.</summary>
internal sealed class GarbageCollector : IController
{
    private const string Foreground = "foregroundDeletion";
    private const string Orphan = "orphan";

    private readonly ClusterCore _core;
    private readonly SystemWrites _writes;
    private readonly ObjectStore _store;
    private readonly Dictionary<string, (ResourceId Resource, ObjectKey Key)> _objects = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string>> _dependents = new(StringComparer.Ordinal);

    public GarbageCollector(ClusterCore core)
    {
        _core = core;
        _store = core.Store;
        _writes = new SystemWrites(core, "kube-controller-manager", "generic-garbage-collector");
    }

    public async Task ReactAsync(Change change)
    {
        Index(change);
        if (change.Type == ChangeType.Deleted)
        {
            foreach (var dependent in DependentsOf(change.Object.Uid))
                await ReviewAsync(dependent);
            foreach (var owner in Owners(change.Previous!).Select(o => o.Uid))
                await ReleaseIfFreeAsync(owner);
            return;
        }
        if (Owners(change.Object).Any())
            await ReviewAsync(change.Object.Uid);
        if (change.Object.IsTerminating)
            await ProgressAsync(change.Object.Uid);
    }

    private void Index(Change change)
    {
        var uid = change.Object.Uid;
        foreach (var owner in change.Previous is { } previous ? Owners(previous) : [])
            _dependents.GetValueOrDefault(owner.Uid)?.Remove(uid);
        if (change.Type == ChangeType.Deleted)
        {
            _objects.Remove(uid);
            return;
        }
        _objects[uid] = (change.Resource, change.Object.Key);
        foreach (var owner in Owners(change.Object))
        {
            if (!_dependents.TryGetValue(owner.Uid, out var dependents))
                _dependents[owner.Uid] = dependents = new HashSet<string>(StringComparer.Ordinal);
            dependents.Add(uid);
        }
    }

    /// <summary>Deletes a dependent whose owners are all gone; takes the dead ones off one that has a living owner.</summary>
    private async Task ReviewAsync(string uid)
    {
        if (Find(uid) is not { } dependent)
            return;
        var owners = Owners(dependent).ToArray();
        var dead = owners.Where(o => !IsAlive(o, dependent)).Select(o => o.Uid).ToHashSet(StringComparer.Ordinal);
        if (dead.Count == 0 || !_objects.TryGetValue(uid, out var at) || _writes.Find(at.Resource) is not { } resource)
            return;
        if (!resource.IsNamespaced && owners.Any(o => o.IsNamespaced))
            return; // such an owner can never be resolved
        if (dead.Count < owners.Length)
            await RemoveOwnersAsync(uid, dead);
        else if (!dependent.IsTerminating)
            await _writes.DeleteAsync(resource, at.Key, DeleteOptions.Background with { Uid = uid });
    }

    private async Task ProgressAsync(string uid)
    {
        if (Find(uid) is not { } owner)
            return;
        var finalizers = Finalizers(owner);
        if (finalizers.Contains(Orphan))
        {
            foreach (var dependent in DependentsOf(uid))
                await RemoveOwnersAsync(dependent, [uid]);
            await RemoveFinalizerAsync(uid, Orphan);
        }
        else if (finalizers.Contains(Foreground))
        {
            foreach (var dependent in DependentsOf(uid))
                if (Find(dependent) is { IsTerminating: false } found && Owners(found).All(o => o.Uid == uid || Find(o.Uid) is not { IsTerminating: false }))
                    await _writes.DeleteAsync(_writes.Find(_objects[dependent].Resource)!, found.Key,
                        DeleteOptions.Background with { Propagation = DependentsOf(dependent).Length > 0 ? "Foreground" : "Background" });
            await ReleaseIfFreeAsync(uid);
        }
    }

    private async Task ReleaseIfFreeAsync(string uid)
    {
        if (Find(uid) is not { IsTerminating: true } owner || !Finalizers(owner).Contains(Foreground))
            return;
        var isHeld = DependentsOf(uid).Any(d => Find(d) is { } found && Owners(found).Any(o => o.Uid == uid && o.Blocks));
        if (!isHeld)
            await RemoveFinalizerAsync(uid, Foreground);
    }

    private async Task RemoveOwnersAsync(string uid, IReadOnlyCollection<string> owners)
    {
        var (resource, key) = _objects[uid];
        await _writes.ChangeAsync(_writes.Find(resource)!, key, "", o =>
        {
            var kept = o.Metadata().List("ownerReferences")!.OfType<JsonObject>().Where(r => !owners.Contains(r.Text("uid"))).Select(r => (JsonNode?)r.DeepClone()).ToArray();
            if (kept.Length == 0)
                o.Metadata().Remove("ownerReferences");
            else
                o.Metadata()["ownerReferences"] = new JsonArray(kept);
        });
    }

    private async Task RemoveFinalizerAsync(string uid, string finalizer)
    {
        var (resource, key) = _objects[uid];
        await _writes.ChangeAsync(_writes.Find(resource)!, key, "", o =>
            o.Metadata()["finalizers"] = JsonText.ArrayOf(o.Metadata().List("finalizers").Texts().Where(f => f != finalizer)));
    }

    private bool IsAlive((string Uid, bool Blocks, bool IsNamespaced) owner, StoredObject dependent)
    {
        if (Find(owner.Uid) is not { } found)
            return false;
        if (found.Key.Namespace.Length > 0 && found.Key.Namespace != dependent.Key.Namespace)
            return false;
        return true;
    }

    private StoredObject? Find(string uid) => _objects.TryGetValue(uid, out var at) && _store.Current.Find(at.Resource, at.Key) is { } o && o.Uid == uid ? o : null;

    private string[] DependentsOf(string uid) => [.. _dependents.GetValueOrDefault(uid) ?? []];

    private static string[] Finalizers(StoredObject o) =>
        o.Metadata.Find("finalizers") is { ValueKind: JsonValueKind.Array } list ? [.. list.EnumerateArray().Select(f => f.GetString()!)] : [];

    private IEnumerable<(string Uid, bool Blocks, bool IsNamespaced)> Owners(StoredObject o) =>
        o.Metadata.Find("ownerReferences") is { ValueKind: JsonValueKind.Array } list
            ? list.EnumerateArray().Select(r => (r.FindText("uid"), r.Find("blockOwnerDeletion").ValueKind == JsonValueKind.True, IsNamespaced(r)))
            : [];

    private bool IsNamespaced(JsonElement reference)
    {
        var version = reference.FindText("apiVersion");
        var slash = version.IndexOf('/', StringComparison.Ordinal);
        var gvk = new GroupVersionKind(slash < 0 ? "" : version[..slash], version[(slash + 1)..], reference.FindText("kind"));
        return _core.Kinds.FindKind(gvk) is { IsNamespaced: true };
    }
}
