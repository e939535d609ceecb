using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Watchers.Client;

/// <summary>
/// Which kinds a cluster serves, under which plural and scope: one document per group version, fetched when first asked for, and
/// again whenever a kind is not in it. Nothing is guessed.
/// </summary>
internal sealed class Discovery(Func<ApiRequest, CancellationToken, Task<ApiAnswer>> send, Func<ApiRequest, string> context)
{
    private readonly ConcurrentDictionary<(string Group, string Version), ImmutableDictionary<string, ResourceDescription>> _known = new();
    private readonly ConcurrentDictionary<(string Group, string Version), bool> _stale = new();
    private readonly ConcurrentDictionary<(string Group, string Version), Task<ImmutableDictionary<string, ResourceDescription>>> _underWay = new();
    private TaskCompletionSource _changed = Fresh();

    /// <summary>Completes when a kind was found that was not known before, or when somebody says that one may have appeared.</summary>
    public Task Changed => Volatile.Read(ref _changed).Task;

    /// <summary>Null when the cluster does not serve the kind now.</summary>
    public async Task<ResourceDescription?> FindAsync(GroupVersionKind kind, CancellationToken cancellation)
    {
        var key = (kind.Group, kind.Version);
        if (!_stale.ContainsKey(key) && _known.TryGetValue(key, out var known) && known.TryGetValue(kind.Kind, out var found))
            return found;
        var fetched = await FetchOnceAsync(key).WaitAsync(cancellation);
        return fetched.GetValueOrDefault(kind.Kind);
    }

    /// <summary>What was known of this kind turned out to be wrong: its path is not served.</summary>
    public void Forget(GroupVersionKind kind) => _stale[(kind.Group, kind.Version)] = true;

    /// <summary>Something happened that may have brought new kinds: whoever waits for one should look again.</summary>
    public void Stir() => Interlocked.Exchange(ref _changed, Fresh()).TrySetResult();

    /// <summary>Joins a fetch that is under way: it must not end because one of those who wait for it gives up.</summary>
    private Task<ImmutableDictionary<string, ResourceDescription>> FetchOnceAsync((string Group, string Version) key)
    {
        if (_underWay.TryGetValue(key, out var running))
            return running;
        var mine = new TaskCompletionSource<ImmutableDictionary<string, ResourceDescription>>(TaskCreationOptions.RunContinuationsAsynchronously);
        running = _underWay.GetOrAdd(key, mine.Task);
        if (running == mine.Task)
            _ = RunAsync();
        return running;

        async Task RunAsync()
        {
            try
            {
                _stale.TryRemove(key, out _); // what is said to be wrong from here on is wrong in what we are about to fetch
                var fetched = await FetchAsync(key.Group, key.Version);
                var before = _known.GetValueOrDefault(key);
                _known[key] = fetched;
                _underWay.TryRemove(key, out _);
                mine.SetResult(fetched);
                if (fetched.Keys.Any(k => before is null || !before.ContainsKey(k)))
                    Stir();
            }
            catch (Exception e)
            {
                _stale[key] = true;
                _underWay.TryRemove(key, out _);
                mine.SetException(e);
                _ = mine.Task.Exception; // whoever asked may have gone
            }
        }
    }

    private async Task<ImmutableDictionary<string, ResourceDescription>> FetchAsync(string group, string version)
    {
        var request = ApiRequest.Get(ResourcePath.Discovery(group, version), $"the kinds of {(group.Length == 0 ? version : $"{group}/{version}")}");
        using var answer = await send(request, CancellationToken.None); // bounded by its own timeout
        if (answer.Code == 404)
            return ImmutableDictionary<string, ResourceDescription>.Empty;
        if (!answer.IsSuccess)
            throw answer.Status().ToException(context(request));
        try
        {
            return Parse(JsonElement.Parse(answer.Body), group, version);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new KubernetesException(502, "Malformed", $"{context(request)}: expected an APIResourceList, found: {e.Message}", e);
        }
    }

    private static ImmutableDictionary<string, ResourceDescription> Parse(JsonElement root, string group, string version)
    {
        if (root.GetProperty("kind").GetString() != "APIResourceList")
            throw new InvalidOperationException($"a '{root.GetProperty("kind").GetString()}'");
        if (root.GetProperty("resources") is not { ValueKind: JsonValueKind.Array } resources)
            return ImmutableDictionary<string, ResourceDescription>.Empty; // Go's empty list is null
        var withStatus = resources.EnumerateArray()
            .Select(r => r.GetProperty("name").GetString()!)
            .Where(n => n.EndsWith("/status", StringComparison.Ordinal))
            .Select(n => n[..^"/status".Length])
            .ToHashSet(StringComparer.Ordinal);
        var made = ImmutableDictionary.CreateBuilder<string, ResourceDescription>(StringComparer.Ordinal);
        // A kind may be served twice, once to be read and once only to be created (as with some reviews): the readable one counts.
        foreach (var resource in resources.EnumerateArray().OrderByDescending(r => HasVerb(r, "list")))
        {
            var plural = resource.GetProperty("name").GetString()!;
            var kind = resource.GetProperty("kind").GetString()!;
            if (plural.Length == 0 || plural.Contains('/', StringComparison.Ordinal))
                continue; // a subresource
            made.TryAdd(kind, new ResourceDescription(
                new GroupVersionKind(group, version, kind), plural, resource.GetProperty("namespaced").GetBoolean(), withStatus.Contains(plural)));
        }
        return made.ToImmutable();
    }

    private static bool HasVerb(JsonElement resource, string verb) =>
        resource.TryGetProperty("verbs", out var verbs) && verbs.ValueKind == JsonValueKind.Array && verbs.EnumerateArray().Any(v => v.ValueEquals(verb));

    private static TaskCompletionSource Fresh() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
