using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;
using Microsoft.Extensions.Logging;

namespace Governor.Watchers.Client;

/// <summary>
/// A cluster whose kinds may go by the reference implementation's names: whoever reads, writes or deletes one object by our name for
/// its kind reaches it under the name under which it is there. An object that is not there yet is made under our name, where the
/// cluster serves that, and else under the alias that it serves. Lists and watches are of exactly the kind that was asked for.
/// </summary>
internal sealed partial class AliasedCluster(ICluster inner, KindTable kinds, ILogger<Clusters> logger) : ICluster
{
    /// <summary>Fields of a status that the alias's own definition does not have, by alias.</summary>
    private readonly ConcurrentDictionary<GroupVersionKind, ConcurrentDictionary<string, bool>> _unknown = new();

    public ClusterName Name => inner.Name;

    public Task<IReadOnlyCollection<ResourceDescription>?> ResourcesAsync(CancellationToken cancellation) => inner.ResourcesAsync(cancellation);

    public Task<ServerVersion> ProbeAsync(CancellationToken cancellation) => inner.ProbeAsync(cancellation);

    public Task<ResourceDescription?> DiscoverAsync(GroupVersionKind kind, CancellationToken cancellation) => inner.DiscoverAsync(kind, cancellation);

    public Task<IReadOnlyList<KubeObject>> ListAsync(GroupVersionKind kind, string? @namespace, string? labelSelector, CancellationToken cancellation) =>
        inner.ListAsync(kind, @namespace, labelSelector, cancellation);

    public Task<KubeTable> TableAsync(GroupVersionKind kind, string? @namespace, string? labelSelector, CancellationToken cancellation) =>
        inner.TableAsync(kind, @namespace, labelSelector, cancellation);

    public IAsyncEnumerable<WatchEvent> WatchAsync(WatchRequest request, CancellationToken cancellation) => inner.WatchAsync(request, cancellation);

    public async Task<KubeObject?> GetAsync(GroupVersionKind kind, ObjectKey key, CancellationToken cancellation)
    {
        var served = await ServedAsync(kind, cancellation);
        foreach (var name in served)
            if (await inner.GetAsync(name, key, cancellation) is { } found)
                return found;
        return null;
    }

    public async Task<KubeObject> CreateAsync(KubeObject item, WriteOptions options, CancellationToken cancellation) =>
        await inner.CreateAsync(await RenamedAsync(item, cancellation), options, cancellation);

    public async Task<KubeObject> ApplyAsync(KubeObject intent, string fieldManager, ApplyOptions options, CancellationToken cancellation) =>
        await inner.ApplyAsync(await RenamedAsync(intent, cancellation), fieldManager, options, cancellation);

    public async Task<KubeObject> ApplyStatusAsync(
        GroupVersionKind kind, ObjectKey key, JsonObject status, string fieldManager, CancellationToken cancellation)
    {
        var home = await HomeAsync(kind, key, cancellation);
        if (home == kind)
            return await inner.ApplyStatusAsync(kind, key, status, fieldManager, cancellation);
        var unknown = _unknown.GetOrAdd(home, _ => new(StringComparer.Ordinal));
        while (true)
        {
            try
            {
                return await inner.ApplyStatusAsync(home, key, Without(status, unknown.Keys), fieldManager, cancellation);
            }
            catch (KubernetesException e) when (Undeclared(e.Message).Where(path => unknown.TryAdd(path, true)).ToArray() is { Length: > 0 } more)
            {
                // What that definition cannot hold is left out: the rest is worth having. Each round leaves out what none before did.
                LogLeftOut(logger, Name.Value, home, string.Join(", ", more));
            }
        }
    }

    public async Task<KubeObject> MergePatchAsync(
        GroupVersionKind kind, ObjectKey key, JsonObject patch, WriteOptions options, CancellationToken cancellation) =>
        await inner.MergePatchAsync(await HomeAsync(kind, key, cancellation), key, patch, options, cancellation);

    public async Task DeleteAsync(GroupVersionKind kind, ObjectKey key, DeleteOptions options, CancellationToken cancellation) =>
        await inner.DeleteAsync(await HomeAsync(kind, key, cancellation), key, options, cancellation);

    /// <summary>The name under which an object is there; where it is not, the one under which it would be made.</summary>
    private async Task<GroupVersionKind> HomeAsync(GroupVersionKind kind, ObjectKey key, CancellationToken cancellation)
    {
        var served = await ServedAsync(kind, cancellation);
        if (served.Count > 1)
            foreach (var name in served)
                if (await inner.GetAsync(name, key, cancellation) is not null)
                    return name;
        return served[0];
    }

    /// <summary>The names of a kind that the cluster serves, ours first; just the name that was given when that is an alias, not governed, or none is served.</summary>
    private async Task<IReadOnlyList<GroupVersionKind>> ServedAsync(GroupVersionKind kind, CancellationToken cancellation)
    {
        if (kinds.Find(kind) is not { } governed || governed.Gvk != kind)
            return [kind];
        var names = kinds.Names(governed).ToArray();
        if (names.Length == 1)
            return names;
        var served = new List<GroupVersionKind>();
        foreach (var name in names)
            if (await inner.DiscoverAsync(name, cancellation) is not null)
                served.Add(name);
        return served.Count > 0 ? served : [kind];
    }

    private async Task<KubeObject> RenamedAsync(KubeObject item, CancellationToken cancellation)
    {
        var home = await HomeAsync(item.Gvk, item.Key, cancellation);
        var json = item.ToJsonObject();
        var changed = Rename(json, item.Gvk, home);
        // An owner under another name than its own is none: the garbage collector would take the object away.
        if (json["metadata"]?["ownerReferences"] is JsonArray owners)
            foreach (var owner in owners.OfType<JsonObject>())
            {
                var kind = GroupVersionKind.Of(owner["apiVersion"]?.GetValue<string>() ?? "", owner["kind"]?.GetValue<string>() ?? "");
                var key = new ObjectKey(item.Namespace, owner["name"]?.GetValue<string>() ?? "");
                changed |= Rename(owner, kind, await HomeAsync(kind, key, cancellation));
            }
        return changed ? KubeObject.From(json) : item;
    }

    private static bool Rename(JsonObject named, GroupVersionKind from, GroupVersionKind to)
    {
        if (from == to)
            return false;
        named["apiVersion"] = to.ApiVersion;
        named["kind"] = to.Kind;
        return true;
    }

    private static IEnumerable<string> Undeclared(string message) =>
        NotDeclared().Matches(message).Select(match => match.Groups["path"].Value);

    /// <summary>The status without these fields, each named from the object's top: <c>.status.gates</c>; within lists in every item.</summary>
    private static JsonObject Without(JsonObject status, IEnumerable<string> paths)
    {
        var rest = status;
        foreach (var path in paths)
        {
            if (ReferenceEquals(rest, status))
                rest = status.DeepClone().AsObject();
            Remove(rest, [.. Selector().Replace(path, "").Split('.', StringSplitOptions.RemoveEmptyEntries).Skip(1)]);
        }
        return rest;
    }

    private static void Remove(JsonNode? from, ReadOnlySpan<string> path)
    {
        if (from is JsonArray items)
        {
            foreach (var item in items)
                Remove(item, path);
            return;
        }
        if (from is not JsonObject o || path.IsEmpty)
            return;
        if (path.Length == 1)
            o.Remove(path[0]);
        else
            Remove(o[path[0]], path[1..]);
    }

    [GeneratedRegex(@"(?<path>\.status\.[^\s:]+): field not declared in schema")]
    private static partial Regex NotDeclared();

    [GeneratedRegex(@"\[[^\]]*\]")]
    private static partial Regex Selector();

    [LoggerMessage(Level = LogLevel.Warning, Message = "Cluster '{Cluster}' serves {Kind} without {Fields}: left out of the statuses written there until this silo starts anew. Install the definitions of deploy/crds to see them.")]
    private static partial void LogLeftOut(ILogger logger, string cluster, GroupVersionKind kind, string fields);
}

/// <summary>The clusters, with the management cluster's kinds under the reference implementation's names too.</summary>
internal sealed class AliasedClusters(Clusters inner, KindTable kinds, ILogger<Clusters> logger) : IClusters
{
    private AliasedCluster? _management;

    public ICluster Management => LazyInitializer.EnsureInitialized(ref _management, () => new AliasedCluster(inner.Management, kinds, logger));

    public ICluster Connect(ClusterName name, ReadOnlyMemory<byte> kubeconfig) => inner.Connect(name, kubeconfig);
}
