using System.Diagnostics;

namespace Governor.Sandbox.Tests.Scale;

public sealed class ManyClustersTests
{
    private const int Count = 200;
    private const string ConfigMaps = "/api/v1/namespaces/default/configmaps";

    [Fact]
    public async Task Two_hundred_clusters_live_side_by_side_without_a_thread_each()
    {
        await using var first = await SandboxCluster.StartAsync(new SandboxOptions("first"));
        var threads = Threads();
        var clusters = new List<SandboxCluster>();
        try
        {
            for (var i = 0; i < Count; i++)
                clusters.Add(await SandboxCluster.StartAsync(new SandboxOptions($"c{i}", Tls: i % 2 == 0)));

            await Task.WhenAll(clusters.Select(CreateAsync));
            await clusters[7].GoAwayAsync();

            Assert.Equal(Count, clusters.Select(c => c.Url).Distinct().Count());
            Assert.True(Threads() - threads < Count / 2, $"{Count} clusters have brought {Threads() - threads} threads");
            for (var i = 0; i < Count; i++)
                if (i != 7)
                    Assert.Equal([$"of-c{i}", "kube-root-ca.crt"], await NamesAsync(clusters[i]));
            await Assert.ThrowsAnyAsync<HttpRequestException>(() => NamesAsync(clusters[7]));
        }
        finally
        {
            foreach (var cluster in clusters)
                await cluster.DisposeAsync();
        }
        Assert.Equal(["kube-root-ca.crt"], await NamesAsync(first));
    }

    [Fact]
    public async Task Every_cluster_has_an_identity_of_its_own()
    {
        await using var one = await SandboxCluster.StartAsync(new SandboxOptions("one"));
        await using var two = await SandboxCluster.StartAsync(new SandboxOptions("two"));
        using var client = new SandboxClient(one);
        using var other = new SandboxClient(two);
        Assert.NotEqual((await client.GetAsync("/api/v1/namespaces/kube-system")).Uid, (await other.GetAsync("/api/v1/namespaces/kube-system")).Uid);
        using var stranger = new SandboxClient(two, one.AdminToken);
        Assert.Equal(401, (await stranger.GetAsync(ConfigMaps)).Code);
    }

    private static int Threads()
    {
        using var process = Process.GetCurrentProcess();
        return process.Threads.Count;
    }

    private static async Task CreateAsync(SandboxCluster cluster)
    {
        using var client = new SandboxClient(cluster);
        var made = await client.PostAsync(ConfigMaps, $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"of-{{{cluster.Name}}}"}}""");
        Assert.Equal(201, made.Code);
    }

    private static async Task<string[]> NamesAsync(SandboxCluster cluster)
    {
        using var client = new SandboxClient(cluster);
        var list = await client.GetAsync(ConfigMaps);
        return [.. list.Json["items"]!.AsArray().Select(i => i!["metadata"]!["name"]!.GetValue<string>()).OrderDescending(StringComparer.Ordinal)];
    }
}
