using Governor.Domain.Kinds;
using Governor.Domain.Packs;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Grains.Packs;

/// <summary>What is done on the target cluster to take an object away: look at it, judge, and delete exactly the object that was judged.</summary>
public sealed class PackRemoval(ICluster target, PackOwner owner)
{
    // What Kubernetes itself puts into every namespace, and what only tells of others.
    private static readonly (string Group, string Kind, string Name)[] Furniture =
    [
        ("", "ServiceAccount", "default"), ("", "ConfigMap", "kube-root-ca.crt"), ("", "Event", ""), ("events.k8s.io", "Event", ""),
    ];

    /// <summary>Deals with one object. Doing it again does nothing more.</summary>
    /// <exception cref="KubernetesException">The target does not answer, or not now: nothing is decided, and it has to be tried again.</exception>
    public async Task<(RemovalOutcome Outcome, string Reason, string Message)> RemoveAsync(DeployedResource entry, RemovalCause cause, CancellationToken cancellation)
    {
        var kind = GroupVersionKind.Of(entry.ApiVersion, entry.Kind);
        try
        {
            return await target.DiscoverAsync(kind, cancellation) is null
                ? (RemovalOutcome.Absent, "", $"the target does not serve {kind} any more")
                : await RemoveAsync(kind, entry, cause, cancellation);
        }
        catch (KubernetesException e) when (e is { Code: 409, Reason: "Conflict" })
        {
            return (RemovalOutcome.Kept, "AnotherObject", $"it was replaced while it was looked at: {e.Message}");
        }
        catch (KubernetesException e) when (!e.IsTransient)
        {
            return (RemovalOutcome.Kept, "RemovalRefused", $"{e.Reason}: {e.Message}");
        }
    }

    private async Task<(RemovalOutcome, string, string)> RemoveAsync(GroupVersionKind kind, DeployedResource entry, RemovalCause cause, CancellationToken cancellation)
    {
        var key = new ObjectKey(entry.Namespace, entry.Name);
        var live = await target.GetAsync(kind, key, cancellation);
        var verdict = RemovalPlan.Judge(entry, live, owner, cause, "");
        if (verdict is RemovalVerdict.Delete && RemovalPlan.HoldsOthers(entry))
            verdict = RemovalPlan.Judge(entry, live, owner, cause, await OthersAsync(live!, cancellation));
        switch (verdict)
        {
            case RemovalVerdict.Delete(var uid):
                await target.DeleteAsync(kind, key, uid, cancellation);
                return (RemovalOutcome.Removed, "", $"deleted; it was {uid}");
            case RemovalVerdict.Keep(var reason, var message):
                return (RemovalOutcome.Kept, reason, message);
            default:
                return (RemovalOutcome.Absent, "", "it was not there");
        }
    }

    private Task<string> OthersAsync(KubeObject live, CancellationToken cancellation) =>
        live.Gvk == KnownKinds.Namespace ? OthersInNamespaceAsync(live.Name, cancellation) : OthersOfDefinitionAsync(live, cancellation);

    private async Task<string> OthersOfDefinitionAsync(KubeObject definition, CancellationToken cancellation)
    {
        var kind = definition.FindText("spec", "names", "kind");
        foreach (var version in VersionsOf(definition))
        {
            var left = await target.ListAsync(new GroupVersionKind(definition.FindText("spec", "group"), version, kind), null, null, cancellation);
            if (left.Count > 0)
                return $"{left.Count} {kind}, as {left[0].Key}";
            return "";
        }
        return "";
    }

    // Asks for every kind that a namespace can hold. Where that cannot be found out, something of somebody's may be there.
    private async Task<string> OthersInNamespaceAsync(string name, CancellationToken cancellation)
    {
        if (await target.ResourcesAsync(cancellation) is not { } resources)
            return "the target does not say which kinds it serves";
        foreach (var resource in resources.Where(resource => resource.Namespaced).DistinctBy(resource => (resource.Kind.Group, resource.Plural)))
        {
            IReadOnlyList<KubeObject> found;
            try
            {
                found = await target.ListAsync(resource.Kind, name, null, cancellation);
            }
            catch (KubernetesException e) when (e.Code is 404 or 405)
            {
                continue; // it cannot be listed: nothing of it is kept
            }
            catch (KubernetesException e) when (!e.IsTransient)
            {
                return $"{resource.Plural} in it cannot be listed: {e.Reason}";
            }
            // What has an owner goes with its owner, and that is looked at itself.
            if (found.FirstOrDefault(item => !IsFurniture(resource.Kind, item) && item.Find("metadata", "ownerReferences").ValueKind != System.Text.Json.JsonValueKind.Array && !item.IsBeingDeleted) is { } other)
                return $"{resource.Kind.Kind} {other.Name}";
        }
        return "";
    }

    private static bool IsFurniture(GroupVersionKind kind, KubeObject item) =>
        Furniture.Any(f => f.Group == kind.Group && f.Kind == kind.Kind && (f.Name.Length == 0 || f.Name == item.Name));

    private static IEnumerable<string> VersionsOf(KubeObject definition)
    {
        if (definition.Find("spec", "versions") is not { ValueKind: System.Text.Json.JsonValueKind.Array } versions)
            yield break;
        foreach (var version in versions.EnumerateArray())
            if (version.TryGetProperty("served", out var served) && served.ValueKind == System.Text.Json.JsonValueKind.True && version.TryGetProperty("name", out var name))
                yield return name.GetString() ?? "";
    }
}
