using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;
using Governor.Sandbox;
using Governor.Sandbox.Faults;
using Governor.Watchers.Client;
using Governor.Watchers.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Governor.Watchers.Tests.Sandbox;

/// <summary>
/// A thousand clusters in one process, through our client: what becomes of one is nobody else's business. What that means for their
/// latencies is measured by <c>./bench.sh edge</c>; here it is shown that there is nothing through which one could reach another.
/// </summary>
public sealed class ManyClustersTests
{
    private const int Count = 1000;
    private const int MostInFlight = 4;
    private const int MostQueued = 3;

    private static readonly GroupVersionKind ConfigMap = new("", "v1", "ConfigMap");
    private static readonly ObjectKey Key = new("default", "who");

    [Fact]
    public async Task Of_a_thousand_clusters_the_troubled_ones_share_nothing_with_the_others()
    {
        await using var services = TestCluster.Services(TimeProvider.System, options =>
        {
            (options.MaxConcurrency, options.MaxQueuedRequests, options.FailureThreshold) = (MostInFlight, MostQueued, 2);
            (options.MinBackoff, options.MaxBackoff) = (TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(50));
        });
        var clusters = services.GetRequiredService<IClusters>();
        var (sandboxes, clients) = (new List<SandboxCluster>(), new List<Cluster>());
        try
        {
            for (var i = 0; i < Count; i++)
            {
                sandboxes.Add(await SandboxCluster.StartAsync(new SandboxOptions($"c{i}", Tls: false)));
                clients.Add((Cluster)clusters.Connect(new ClusterName($"c{i}"), Encoding.UTF8.GetBytes(sandboxes[i].Kubeconfig)));
            }
            await Task.WhenAll(clients.Select((client, i) => client.CreateAsync(Who($"c{i}"), new WriteOptions(), default))).Within();

            var stuck = await FillAsync(sandboxes[0], clients[0]);
            await DieAsync(sandboxes[1], clients[1]);
            await ShedAsync(sandboxes[2], clients[2]);
            var back = await FlapAsync(sandboxes[3], clients[3]);

            var others = Enumerable.Range(4, Count - 4).ToArray();
            var seen = new ConcurrentDictionary<int, string>();
            await Task.WhenAll(others.Select(async i => seen[i] = (await clients[i].GetAsync(ConfigMap, Key, default))!.FindText("data", "name"))).Within();
            Assert.All(others, i => Assert.Equal($"c{i}", seen[i]));
            Assert.All(others, i => Assert.Equal(
                (true, MostInFlight, 0),
                (clients[i].Session.Transport.IsReachable, clients[i].Session.Transport.ConcurrencyLimit, clients[i].Session.Transport.QueuedRequests)));
            Assert.All(others, i => Assert.Equal(1, sandboxes[i].Requests["get configmaps"]));
            await back.Within();
            Assert.All(stuck, waiting => Assert.False(waiting.IsCompleted));
        }
        finally
        {
            foreach (var sandbox in sandboxes)
                await sandbox.DisposeAsync();
        }
    }

    /// <summary>A hundred times hotter than it can bear: its turns and its queue are full, and more is refused.</summary>
    private static async Task<Task[]> FillAsync(SandboxCluster sandbox, Cluster client)
    {
        sandbox.Faults.Arm(r => r.Verb == "get", new FaultEffect.Silence(), count: int.MaxValue);
        Task[] asked = [.. Enumerable.Range(0, 100).Select(_ => client.GetAsync(ConfigMap, Key, default))];
        var refused = new List<Task>();
        while (refused.Count < asked.Length - MostInFlight - MostQueued)
        {
            var over = await Task.WhenAny(asked.Except(refused)).Within();
            Assert.Equal("TooManyRequests", (await Assert.ThrowsAsync<KubernetesException>(() => over)).Reason);
            refused.Add(over);
        }
        Assert.Equal(MostQueued, client.Session.Transport.QueuedRequests);
        return [.. asked.Except(refused)];
    }

    private static async Task DieAsync(SandboxCluster sandbox, Cluster client)
    {
        await sandbox.GoAwayAsync();
        for (var i = 0; i < 2; i++)
            await Assert.ThrowsAsync<KubernetesException>(() => client.GetAsync(ConfigMap, Key, default));
        Assert.False(client.Session.Transport.IsReachable);
    }

    private static async Task ShedAsync(SandboxCluster sandbox, Cluster client)
    {
        sandbox.Faults.Arm(_ => true, new FaultEffect.Fail(429, AsText: true));
        await Assert.ThrowsAsync<KubernetesException>(() => client.ProbeAsync(default)); // is sent once
        Assert.Equal(MostInFlight / 2, client.Session.Transport.ConcurrencyLimit);
    }

    /// <summary>Goes away and comes back; completes when its watch has found it.</summary>
    private static async Task<Task> FlapAsync(SandboxCluster sandbox, Cluster client)
    {
        var interrupted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var watching = Task.Run(async () =>
        {
            await foreach (var next in client.WatchAsync(new WatchRequest(ConfigMap, Key.Namespace), default))
            {
                if (next.Type == WatchEventType.Interrupted)
                    interrupted.TrySetResult();
                if (next.Type == WatchEventType.Synced && interrupted.Task.IsCompleted)
                    return;
                if (next.Type == WatchEventType.Synced)
                    await sandbox.GoAwayAsync();
            }
        });
        await Task.WhenAny(interrupted.Task, watching).Within();
        await sandbox.ComeBackAsync();
        return watching;
    }

    private static KubeObject Who(string name) => KubeObject.From(JsonNode.Parse($$$"""
        {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"who","namespace":"default"},"data":{"name":"{{{name}}}"} }
        """)!);
}
