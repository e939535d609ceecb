using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Grains.Clusters;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;
using Governor.Grains.Interfaces.Ports;
using Governor.Grains.Watches;
using Governor.Journal;
using Governor.LocalServers;
using Governor.Watchers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Hosting;

namespace Governor.Bench;

/// <summary>
/// What a watch costs: events from the socket to a committed grain turn beside reading and parsing the same stream, a list of 100,000
/// objects, and 10,000 streams on which nothing happens. The server is a process of its own, over TLS and HTTP/2, PostgreSQL too.
/// </summary>
internal sealed class WatchBenchmark : IBenchmark
{
    private const int Objects = 20_000;
    private const int SyncedObjects = 100_000;
    private const int Clusters = 1_000;
    private const int Rounds = 3;
    private const double Share = 0.5;
    private const double MostOverhead = 1_024;
    private const double MostMebibytes = 300;
    private const double MiB = 1 << 20;

    public string Name => "watch";

    public async Task<BenchReport> RunAsync(CancellationToken cancellation)
    {
        var folder = Directory.CreateTempSubdirectory("governor-bench-");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder.FullName, (UnixFileMode)0b111_101_101);
        try
        {
            await using var postgres = await PostgresServer.StartAsync(Path.Combine(folder.FullName, "pg"), cancellation: cancellation);
            var measures = new List<Measure>();
            await IdleAsync(postgres, folder.FullName, measures, cancellation);
            await SyncAsync(folder.FullName, measures, cancellation);
            await EventsAsync(postgres, folder.FullName, measures, cancellation);
            return BenchReport.Of(Name, measures);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task IdleAsync(PostgresServer postgres, string folder, List<Measure> measures, CancellationToken cancellation)
    {
        await using var server = await WatchServer.StartAsync(1, cancellation);
        var told = new ToldCounter();
        using var host = await StartAsync(postgres, "idle", folder, server, told, cancellation);
        var grains = host.Services.GetRequiredService<IGrainFactory>();
        var follower = new Address(Subjects.Instance, "bench/one");
        await FollowAsync("warm");
        var before = Resident();
        await Parallel.ForEachAsync(Enumerable.Range(0, Clusters), new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = cancellation },
            async (cluster, _) => await FollowAsync($"t{cluster}"));
        measures.Add(Measure.AtMost($"memory of {Clusters} idle clusters x {WatchServer.IdleKinds} watches", (Resident() - before) / MiB, "MiB", MostMebibytes));
        await host.StopAsync(cancellation);

        async Task FollowAsync(string cluster)
        {
            for (var kind = 0; kind < WatchServer.IdleKinds; kind++)
            {
                var watch = grains.GetGrain<IWatchGrain>(WatchKey.Of(new ClusterName(cluster), new GroupVersionKind(WatchServer.Group, "v1", $"Idle{kind}")));
                await watch.FollowAsync(follower, [new ObjectKey("web", "one")]);
                while (!await watch.UntilSyncedAsync(true))
                    cancellation.ThrowIfCancellationRequested();
            }
        }
    }

    private static async Task SyncAsync(string folder, List<Measure> measures, CancellationToken cancellation)
    {
        await using var server = await WatchServer.StartAsync(SyncedObjects, cancellation);
        using var peer = server.Client();
        await using var services = await ServicesAsync(folder, server, cancellation);
        var management = services.GetRequiredService<IClusters>().Management;
        var (read, synced) = (new List<double>(), new List<double>());
        double overhead = 0;
        for (var round = 0; round < Rounds; round++)
        {
            read.Add(await ReadListAsync(peer, cancellation));
            var box = new NewsBox();
            var (before, watch) = (GC.GetTotalMemory(forceFullCollection: true), Stopwatch.StartNew());
            await foreach (var seen in management.WatchAsync(new WatchRequest(KnownKinds.PermissionSet, CatchUp: true), cancellation))
            {
                if (seen.Type == WatchEventType.Synced)
                {
                    synced.Add(watch.Elapsed.TotalSeconds);
                    // Measured while the stream lives: what it knows is held for as long as it runs.
                    overhead = (double)(GC.GetTotalMemory(forceFullCollection: true) - before - box.Bytes) / SyncedObjects;
                    break;
                }
                box.Put(seen);
            }
            GC.KeepAlive(box);
        }
        var (most, mine) = (SyncedObjects / Median(read), SyncedObjects / Median(synced));
        measures.Add(Measure.AtLeast($"sync of {SyncedObjects} objects", mine, "objects/s", "reading and parsing the pages only", most, Share));
        measures.Add(Measure.AtMost("overhead per cached object beyond its bytes", overhead, "bytes", MostOverhead));
    }

    private static async Task EventsAsync(PostgresServer postgres, string folder, List<Measure> measures, CancellationToken cancellation)
    {
        await using var server = await WatchServer.StartAsync(Objects, cancellation);
        using var peer = server.Client();
        var told = new ToldCounter();
        using var host = await StartAsync(postgres, "events", folder, server, told, cancellation);
        // What follows from a turn, letters and statuses, is another subject.
        host.Services.GetRequiredService<ObservationGate>().Arm(["never"]);
        var all = told.UntilAsync(Objects, cancellation);
        await host.Services.GetRequiredService<IGrainFactory>().GetGrain<IWatchGrain>(WatchKey.Of(new ClusterName("mgmt"), KnownKinds.PermissionSet)).EnsureAsync();
        await all;
        using var stream = new StreamReaderOf(await peer.GetStreamAsync(new Uri("c/peer/apis/security.ontai.dev/v1alpha1/permissionsets?watch=true", UriKind.Relative), cancellation));
        foreach (var (push, what, target) in ((string, string, double)[])[("S", "unchanged", Share), ("G", "changed", 0)])
        {
            var (read, turned) = (new List<double>(), new List<double>());
            for (var round = 0; round <= Rounds; round++)
            {
                var parsed = await TimeAsync(peer, $"peer?events={push}", stream.ReadAsync(Objects, cancellation), cancellation);
                var turns = await TimeAsync(peer, $"mgmt?events={push}", told.UntilAsync(Objects, cancellation), cancellation);
                if (round == 0)
                    continue; // the first warms up
                read.Add(parsed);
                turned.Add(turns);
            }
            measures.Add(Measure.AtLeast(
                $"events to committed turns, state {what}", Objects / Median(turned), "events/s", "reading and parsing the stream only", Objects / Median(read), target));
        }
        await host.StopAsync(cancellation);
    }

    private static async Task<double> TimeAsync(HttpClient peer, string push, Task done, CancellationToken cancellation)
    {
        GC.Collect();
        var watch = Stopwatch.StartNew();
        (await peer.PostAsync(new Uri($"push/{push}", UriKind.Relative), null, cancellation)).EnsureSuccessStatusCode();
        await done;
        return watch.Elapsed.TotalSeconds;
    }

    private static async Task<double> ReadListAsync(HttpClient peer, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        for (var next = ""; ;)
        {
            var page = await peer.GetByteArrayAsync(
                new Uri($"c/peer/apis/security.ontai.dev/v1alpha1/permissionsets?limit=500&continue={next}", UriKind.Relative), cancellation);
            using var parsed = JsonDocument.Parse(page);
            next = parsed.RootElement.GetProperty("metadata").GetProperty("continue").GetString()!;
            if (next.Length == 0)
                return watch.Elapsed.TotalSeconds;
        }
    }

    private static async Task<ServiceProvider> ServicesAsync(string folder, WatchServerProcess server, CancellationToken cancellation)
    {
        var kubeconfig = await KubeconfigAsync(folder, server, cancellation);
        return new ServiceCollection().AddKubernetes(options => Configure(options, kubeconfig)).BuildServiceProvider();
    }

    private static async Task<string> KubeconfigAsync(string folder, WatchServerProcess server, CancellationToken cancellation)
    {
        var file = Path.Combine(folder, $"kubeconfig-{server.Url.Port}");
        await File.WriteAllTextAsync(file, WatchServer.Kubeconfig(server.Url, "mgmt", server.Authority), cancellation);
        return file;
    }

    private static void Configure(KubernetesOptions options, string kubeconfig)
    {
        options.ManagementName = "mgmt";
        options.ManagementKubeconfig = kubeconfig;
        options.WatchTimeout = options.WatchSilence = TimeSpan.FromMinutes(30);
    }

    private static async Task<IHost> StartAsync(
        PostgresServer postgres, string database, string folder, WatchServerProcess server, ToldCounter told, CancellationToken cancellation)
    {
        await using (var connection = new Npgsql.NpgsqlConnection(postgres.ConnectionString()))
        {
            await connection.OpenAsync(cancellation);
            await using var create = new Npgsql.NpgsqlCommand($"CREATE DATABASE {database}", connection);
            await create.ExecuteNonQueryAsync(cancellation);
        }
        var kubeconfig = await KubeconfigAsync(folder, server, cancellation);
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Warning));
        builder.Services.AddSingleton(TimeProvider.System).AddSingleton(KindTable.Default);
        builder.Services.AddJournal(options =>
        {
            options.ConnectionString = postgres.ConnectionString(database);
            options.Origin = "governor.bench/watch";
            options.LogKeyFile = Path.Combine(folder, $"{database}.key");
        });
        builder.Services.AddKubernetes(options => Configure(options, kubeconfig));
        builder.Services.AddSingleton<ObservationGate>().AddSingleton<GovernedServices>().AddSingleton<TenantClusters>();
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering();
            silo.AddMemoryGrainStorage(WatchPlace.Storage);
            silo.AddIncomingGrainCallFilter(told);
        });
        var host = builder.Build();
        await host.StartAsync(cancellation);
        return host;
    }

    /// <summary>What the process really takes, the heap's and the libraries' memory alike, after what nobody needs was given back.</summary>
    private static long Resident()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }

    /// <summary>Counts the turns in which an object was shown to an actor and what came of it was committed.</summary>
    private sealed class ToldCounter : IIncomingGrainCallFilter
    {
        private int _left;
        private TaskCompletionSource _done = new();

        public Task UntilAsync(int count, CancellationToken cancellation)
        {
            _done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Volatile.Write(ref _left, count);
            return _done.Task.WaitAsync(cancellation);
        }

        public async Task Invoke(IIncomingGrainCallContext context)
        {
            await context.Invoke();
            if (context.MethodName == nameof(IGoverned.ObserveAsync) && Interlocked.Decrement(ref _left) == 0)
                _done.TrySetResult();
        }
    }

    /// <summary>What anybody does who reads a watch: cut it into lines, parse each.</summary>
    private sealed class StreamReaderOf(Stream stream) : IDisposable
    {
        private byte[] _buffer = new byte[64 * 1024];
        private int _end;

        public void Dispose() => stream.Dispose();

        public async Task ReadAsync(int events, CancellationToken cancellation)
        {
            while (events > 0)
            {
                if (_end == _buffer.Length)
                    Array.Resize(ref _buffer, _buffer.Length * 2);
                var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellation);
                if (read == 0)
                    throw new EndOfStreamException(string.Create(CultureInfo.InvariantCulture, $"expected {events} more events, found the end"));
                _end += read;
                var start = 0;
                while (_buffer.AsSpan(start, _end - start).IndexOf((byte)'\n') is var at and >= 0)
                {
                    using var parsed = JsonDocument.Parse(_buffer.AsMemory(start, at));
                    start += at + 1;
                    events--;
                }
                _buffer.AsSpan(start, _end - start).CopyTo(_buffer);
                _end -= start;
            }
        }
    }
}
