using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;
using Governor.Sandbox;
using Governor.Watchers;
using Microsoft.Extensions.DependencyInjection;

namespace Governor.Bench;

/// <summary>
/// Many sandbox clusters, each reached through our client over TLS as a tenant is: with its own kubeconfig, one object that is read and
/// written, and one watch on which the writes come back.
/// </summary>
internal sealed class EdgeClusters : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly CancellationTokenSource _stop = new();
    private readonly EdgeCluster[] _all;

    private EdgeClusters(ServiceProvider services, EdgeCluster[] all) => (_services, _all) = (services, all);

    public IReadOnlyList<EdgeCluster> All => _all;

    public static async Task<EdgeClusters> StartAsync(int count, CancellationToken cancellation)
    {
        var services = new ServiceCollection()
            .AddKubernetes(options =>
            {
                options.InCluster = true; // nobody asks for the management cluster here
                options.RequestTimeout = TimeSpan.FromSeconds(2);
                (options.MinBackoff, options.MaxBackoff) = (TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1));
            })
            .BuildServiceProvider();
        var clusters = services.GetRequiredService<IClusters>();
        var all = new EdgeCluster[count];
        var made = new EdgeClusters(services, all);
        for (var i = 0; i < count; i++)
        {
            var sandbox = await SandboxCluster.StartAsync(new SandboxOptions($"c{i}"), cancellation);
            all[i] = new EdgeCluster(sandbox, clusters.Connect(new ClusterName(sandbox.Name), Encoding.UTF8.GetBytes(sandbox.Kubeconfig)));
        }
        await Parallel.ForEachAsync(all, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancellation }, async (cluster, _) =>
            await cluster.OpenAsync(made._stop.Token));
        return made;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var cluster in _all.Where(c => c is not null))
            await cluster.DisposeAsync();
        await _services.DisposeAsync();
        _stop.Dispose();
    }
}

/// <summary>One of them.</summary>
internal sealed class EdgeCluster(SandboxCluster sandbox, ICluster client) : IAsyncDisposable
{
    private static readonly GroupVersionKind ConfigMap = new("", "v1", "ConfigMap");
    private static readonly ObjectKey Key = new("default", "touched");

    private readonly ConcurrentDictionary<string, TaskCompletionSource<long>> _awaited = new();
    private Task _reading = Task.CompletedTask;
    private int _touches;

    public SandboxCluster Sandbox => sandbox;

    /// <summary>Makes the object, and watches it from then on.</summary>
    public async Task OpenAsync(CancellationToken stop)
    {
        await client.CreateAsync(KubeObject.From(JsonNode.Parse("""
            {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"touched","namespace":"default"},"data":{"n":"0"}}
            """)!), stop);
        var synced = new TaskCompletionSource();
        _reading = ReadAsync(synced, stop);
        await synced.Task.WaitAsync(stop);
    }

    /// <summary>Reads the object; how long that took, in milliseconds.</summary>
    public async Task<double> GetAsync(CancellationToken cancellation)
    {
        var since = Stopwatch.GetTimestamp();
        _ = await client.GetAsync(ConfigMap, Key, cancellation) ?? throw new InvalidOperationException($"{sandbox.Name} has lost its object");
        return Stopwatch.GetElapsedTime(since).TotalMilliseconds;
    }

    /// <summary>Writes the object; how long it took until the watch has brought the write, in milliseconds.</summary>
    public async Task<double> TouchAsync(CancellationToken cancellation)
    {
        var value = $"{Interlocked.Increment(ref _touches)}";
        var seen = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        _awaited[value] = seen;
        try
        {
            var since = Stopwatch.GetTimestamp();
            await client.MergePatchAsync(ConfigMap, Key, new JsonObject { ["data"] = new JsonObject { ["n"] = value } }, "bench", cancellation);
            return Stopwatch.GetElapsedTime(since, await seen.Task.WaitAsync(TimeSpan.FromSeconds(20), cancellation)).TotalMilliseconds;
        }
        finally
        {
            _awaited.TryRemove(value, out _);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _reading;
        await sandbox.DisposeAsync();
    }

    private async Task ReadAsync(TaskCompletionSource synced, CancellationToken stop)
    {
        try
        {
            await foreach (var next in client.WatchAsync(new WatchRequest(ConfigMap, Key.Namespace, Key.Name), stop))
            {
                if (next.Type == WatchEventType.Synced)
                    synced.TrySetResult();
                else if (next.Type == WatchEventType.Present && _awaited.TryGetValue(next.Object!.FindText("data", "n"), out var seen))
                    seen.TrySetResult(Stopwatch.GetTimestamp());
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            synced.TrySetCanceled(stop);
        }
    }
}
