using System.Collections.Concurrent;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;
using GroupVersion = (string Group, string Version);
using Kinds = System.Collections.Frozen.FrozenDictionary<string, Governor.Grains.Interfaces.Ports.ResourceDescription>;

namespace Governor.Watchers.Client;

/// <summary>
/// Which kinds a cluster serves, under which plural and scope. The aggregated document tells of all of them at once, where the server has
/// it; that a kind is <em>not</em> served is believed only from the document of its own group version, asked for there and then: the
/// aggregated one may lag, or leave out what it could not reach. Nothing is guessed.
/// </summary>
internal sealed class Discovery(
    Func<ApiRequest, CancellationToken, Task<ApiAnswer>> send, Func<ApiRequest, string> context, TimeProvider time)
{
    /// <summary>With both forms of the aggregated document, and the old one for servers that have neither.</summary>
    private const string Aggregated =
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

    /// <summary>How long what is known is used without asking whether it is still true; when it proves wrong it is asked at once.</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<GroupVersion, (Kinds Kinds, long At)> _known = new();
    private readonly ConcurrentDictionary<GroupVersion, bool> _stale = new();
    private readonly ConcurrentDictionary<string, Whole> _whole = new();
    private readonly ConcurrentDictionary<string, Task> _underWay = new();
    private TaskCompletionSource _changed = Fresh();

    /// <summary>What was said of all groups together.</summary>
    /// <param name="Tag">Sent back, so that an unchanged document is not sent again.</param>
    private sealed record Whole(string Tag, GroupVersion[] Versions, long At);

    /// <summary>Completes when a kind was found that was not known before, or when somebody says that one may have appeared.</summary>
    public Task Changed => Volatile.Read(ref _changed).Task;

    /// <summary>Null when the cluster does not serve the kind now.</summary>
    public async Task<ResourceDescription?> FindAsync(GroupVersionKind kind, CancellationToken cancellation)
    {
        var key = (kind.Group, kind.Version);
        var known = _stale.ContainsKey(key) ? null : Known(key)?.Kinds.GetValueOrDefault(kind.Kind);
        if (known is not null && time.GetElapsedTime(Known(key)!.Value.At) < Freshness)
            return known;
        try
        {
            var root = kind.Group.Length == 0 ? "api" : "apis";
            if (!_stale.ContainsKey(key) && (!_whole.TryGetValue(root, out var whole) || time.GetElapsedTime(whole.At) >= Freshness))
            {
                await OnceAsync(root, () => FetchAllAsync(root)).WaitAsync(cancellation);
                if (!_stale.ContainsKey(key) && Known(key) is { } told && time.GetElapsedTime(told.At) < Freshness
                    && told.Kinds.GetValueOrDefault(kind.Kind) is { } found)
                    return found;
            }
            await OnceAsync($"{kind.Group}/{kind.Version}", () => FetchAsync(key)).WaitAsync(cancellation);
            return Known(key)?.Kinds.GetValueOrDefault(kind.Kind);
        }
        catch (KubernetesException e) when (e.IsTransient && known is not null)
        {
            return known; // old, but what the request itself will find out
        }
    }

    /// <summary>All that is served, asked for there and then; null when the server does not tell of all at once.</summary>
    public async Task<IReadOnlyCollection<ResourceDescription>?> AllAsync(CancellationToken cancellation)
    {
        var all = new List<ResourceDescription>();
        foreach (var root in (string[])["api", "apis"])
        {
            await OnceAsync(root, () => FetchAllAsync(root)).WaitAsync(cancellation);
            GroupVersion[] versions = _whole.TryGetValue(root, out var whole) ? whole.Versions : [];
            if (versions.Length == 0)
            {
                if (root == "apis")
                    return null;
                versions = [("", "v1")]; // the core group has no other
                await OnceAsync("/v1", () => FetchAsync(versions[0])).WaitAsync(cancellation);
            }
            foreach (var version in versions)
                all.AddRange(Known(version)?.Kinds.Values ?? []);
        }
        return all;
    }

    /// <summary>What was known of this kind turned out to be wrong: its path is not served, or lacks what it should have.</summary>
    public void Forget(GroupVersionKind kind) => _stale[(kind.Group, kind.Version)] = true;

    /// <summary>Something happened that may have brought new kinds: whoever waits for one should look again.</summary>
    public void Stir() => Interlocked.Exchange(ref _changed, Fresh()).TrySetResult();

    private (Kinds Kinds, long At)? Known(GroupVersion key) => _known.TryGetValue(key, out var known) ? known : null;

    /// <summary>Joins a fetch that is under way: it must not end because one of those who wait for it gives up.</summary>
    private Task OnceAsync(string what, Func<Task> fetch)
    {
        if (_underWay.TryGetValue(what, out var running))
            return running;
        var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        running = _underWay.GetOrAdd(what, mine.Task);
        if (running == mine.Task)
            _ = RunAsync();
        return running;

        async Task RunAsync()
        {
            try
            {
                await fetch();
                _underWay.TryRemove(what, out _);
                mine.SetResult();
            }
            catch (Exception e)
            {
                _underWay.TryRemove(what, out _);
                mine.SetException(e);
                _ = mine.Task.Exception; // whoever asked may have gone
            }
        }
    }

    private async Task FetchAsync(GroupVersion key)
    {
        _stale.TryRemove(key, out _); // what is said to be wrong from here on is wrong in what we are about to fetch
        try
        {
            var (group, version) = key;
            var request = ApiRequest.Get(ResourcePath.Discovery(group, version), $"the kinds of {(group.Length == 0 ? version : $"{group}/{version}")}");
            using var answer = await send(request, CancellationToken.None); // bounded by its own timeout
            if (answer.Code == 404 && answer.Status().IsFromApiServer)
                Take(key, Kinds.Empty);
            else if (!answer.IsSuccess)
                throw answer.Status().ToException(context(request));
            else
                Take(key, Read(request, () => DiscoveryDocument.ReadResources(answer.Body, group, version)));
        }
        catch
        {
            _stale[key] = true;
            throw;
        }
    }

    /// <summary>Asks for everything. A server that cannot, or will not, is asked piece by piece for a while.</summary>
    private async Task FetchAllAsync(string root)
    {
        var before = _whole.GetValueOrDefault(root);
        var request = ApiRequest.Get(root, "all kinds") with { Accept = Aggregated, KnownTag = before?.Tag ?? "" };
        using var answer = await send(request, CancellationToken.None);
        var at = time.GetTimestamp();
        if (answer.Code == 304 && before is not null)
        {
            foreach (var version in before.Versions)
                if (_known.TryGetValue(version, out var known))
                    _known[version] = (known.Kinds, at);
            _whole[root] = before with { At = at };
            return;
        }
        if (!answer.IsSuccess && answer.Status().ToException(context(request)) is { IsTransient: true } trouble)
            throw trouble;
        var told = answer.IsSuccess ? Read(request, () => DiscoveryDocument.ReadAggregated(answer.Body)) : null;
        foreach (var gone in (before?.Versions ?? []).Where(version => told is null || !told.ContainsKey(version)))
            _known.TryRemove(gone, out _);
        foreach (var (version, kinds) in told ?? [])
            Take(version, kinds);
        _whole[root] = new Whole(told is null ? "" : answer.Tag, told is null ? [] : [.. told.Keys], at);
    }

    private void Take(GroupVersion key, Kinds kinds)
    {
        var before = Known(key)?.Kinds;
        _known[key] = (kinds, time.GetTimestamp());
        if (kinds.Keys.Any(kind => before is null || !before.ContainsKey(kind)))
            Stir();
    }

    private T Read<T>(ApiRequest request, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (FormatException e)
        {
            throw new KubernetesException(502, "Malformed", $"{context(request)}: {e.Message}", e);
        }
    }

    private static TaskCompletionSource Fresh() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
