using System.Diagnostics;
using System.Diagnostics.Metrics;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;
using Governor.Journal;
using Governor.Journal.Log;
using Governor.LocalServers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Governor.Bench;

/// <summary>
/// What a durable, audited transition costs beside a raw single-row commit of the same driver on the same PostgreSQL with fsync on,
/// and how fast the log follows and verifies.
/// </summary>
internal sealed class JournalBenchmark : IBenchmark
{
    private const double MiB = 1 << 20;
    private const int BacklogCommits = 4_000;
    private const int EventsPerCommit = 25;

    private const int Rounds = 3;
    private const int MemoryCallers = 256;
    private const int MemoryWarmUp = 300_000;
    private const int MemoryEvents = 1_000_000;
    private const int MemoryEventsPerCommit = 2;

    private static readonly TimeSpan Round = TimeSpan.FromSeconds(2);

    public string Name => "journal";

    public async Task<BenchReport> RunAsync(CancellationToken cancellation)
    {
        var folder = Directory.CreateTempSubdirectory("governor-bench-");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder.FullName, (UnixFileMode)0b111_101_101);
        try
        {
            await using var server = await PostgresServer.StartAsync(
                Path.Combine(folder.FullName, "pg"), new Dictionary<string, string> { ["max_connections"] = "400" }, cancellation);
            var measures = new List<Measure>();
            await CommitsAsync(server, folder.FullName, measures, cancellation);
            await LogAsync(server, folder.FullName, measures, cancellation);
            await MemoryAsync(server, folder.FullName, measures, cancellation);
            return BenchReport.Of(Name, measures);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task CommitsAsync(PostgresServer server, string folder, List<Measure> measures, CancellationToken cancellation)
    {
        using var lag = new LagRecorder();
        using var host = await StartAsync(server, "commits", folder, sequence: true, cancellation);
        var journal = host.Services.GetRequiredService<IJournal>();
        await using var raw = await RawCommits.StartAsync(server.ConnectionString("commits"), cancellation);
        // A single caller pays for two rows, a record and a fence what the other pays for one row.
        foreach (var (grains, target) in ((int, double)[])[(1, 0.5), (16, 0.8), (64, 1.0), (256, 1.5)])
        {
            var name = $"r{grains}";
            var single = new Contender(grains, (caller, n) => raw.CommitAsync(caller, n));
            var audited = new Contender(grains, (caller, n) => TransitionAsync(journal, $"{name}-{caller}", n, 1));
            await Contender.TakeTurnsAsync(Rounds, Round, single, audited);
            measures.Add(Measure.AtLeast($"audited transitions, {grains} grains", audited.PerSecond, "1/s", "raw single-row commits", single.PerSecond, target));
            if (grains == 16)
                measures.Add(Measure.AtMost("p99 of a transition, 16 grains, against 4 x raw", audited.P99, "ms", 4 * single.P99));
        }
        measures.Add(Measure.AtMost("commit to checkpoint at full load, p99", lag.P99Milliseconds, "ms", 1_000));
        await host.StopAsync(cancellation);
    }

    private static async Task LogAsync(PostgresServer server, string folder, List<Measure> measures, CancellationToken cancellation)
    {
        const long Leaves = BacklogCommits * EventsPerCommit;
        using (var writing = await StartAsync(server, "log", folder, sequence: false, cancellation))
        {
            var journal = writing.Services.GetRequiredService<IJournal>();
            await Task.WhenAll(Enumerable.Range(0, BacklogCommits).Select(i => TransitionAsync(journal, $"g{i}", 0, EventsPerCommit)));
            await writing.StopAsync(cancellation);
        }
        using var host = await StartAsync(server, "log", folder, sequence: true, cancellation);
        var reader = host.Services.GetRequiredService<IAuditReader>();
        var watch = Stopwatch.StartNew();
        await reader.WaitForCheckpointAsync(cancellation);
        measures.Add(Measure.AtLeast($"integration of {Leaves} leaves", Leaves / watch.Elapsed.TotalSeconds, "leaves/s", "target", 100_000, 1));

        var path = Path.Combine(folder, "export");
        await using (var export = File.Create(path))
            await reader.ExportAsync(export, 0, cancellation);
        measures.Add(Measure.AtLeast("offline verification, one core", VerificationRate(path, reader.Key), "events/s", "target", 200_000, 1));
        await host.StopAsync(cancellation);
    }

    /// <summary>The best of three: a neighbour on the machine makes it slower, nothing makes it faster.</summary>
    private static double VerificationRate(string path, VerifierKey key)
    {
        var best = 0.0;
        for (var round = 0; round < 3; round++)
        {
            using var export = File.OpenRead(path);
            var watch = Stopwatch.StartNew();
            var verdict = AuditVerifier.Verify(export, AuditTrust.In(key));
            if (verdict.Outcome != AuditOutcome.Ok)
                throw new InvalidOperationException($"the export does not verify: {verdict.Fault}");
            best = Math.Max(best, verdict.Leaves / watch.Elapsed.TotalSeconds);
        }
        return best;
    }

    /// <summary>
    /// What this process holds after one million events, against what it held after the first 300,000: by then every bounded
    /// store is full, for each commit is of an actor and a subject that were not seen before.
    /// </summary>
    private static async Task MemoryAsync(PostgresServer server, string folder, List<Measure> measures, CancellationToken cancellation)
    {
        using var host = await StartAsync(server, "memory", folder, sequence: true, cancellation);
        var journal = host.Services.GetRequiredService<IJournal>();
        var next = 0L;
        async Task<(double Heap, double WorkingSet)> UntilAsync(long events)
        {
            await Task.WhenAll(Enumerable.Range(0, MemoryCallers).Select(caller => Task.Run(
                async () =>
                {
                    for (long n; (n = Interlocked.Increment(ref next)) * MemoryEventsPerCommit <= events;)
                        await TransitionAsync(journal, $"m{n}", 0, MemoryEventsPerCommit);
                },
                cancellation)));
            next = events / MemoryEventsPerCommit;
            await host.Services.GetRequiredService<IAuditReader>().WaitForCheckpointAsync(cancellation);
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            return (GC.GetTotalMemory(forceFullCollection: true) / MiB, Environment.WorkingSet / MiB);
        }
        var before = await UntilAsync(MemoryWarmUp);
        var after = await UntilAsync(MemoryEvents);
        measures.Add(Measure.AtMostTimes("managed heap after 1,000,000 events", after.Heap, "MiB", "after 300,000", before.Heap, 1.1));
        measures.Add(Measure.AtMostTimes("working set after 1,000,000 events", after.WorkingSet, "MiB", "after 300,000", before.WorkingSet, 1.1));
        await host.StopAsync(cancellation);
    }

    private static async Task TransitionAsync(IJournal journal, string key, long version, int events)
    {
        var commit = new Commit(
            new GrainKey("bench", key), version, new byte[512], false,
            [.. Enumerable.Range(0, events).Select(i => Event(key, i))], Guid.CreateVersion7());
        var answer = await journal.CommitAsync(commit, CancellationToken.None);
        if (answer.Outcome != CommitOutcome.Committed)
            throw new InvalidOperationException($"{key} at version {version}: {answer}");
    }

    private static GovernanceEvent Event(string name, int i) => new(
        DateTimeOffset.UtcNow, "system:governor:packexecution", "wrapper",
        new EventSubject("infra.ontai.dev", "PackExecution", "seam-system", name, "5b0c1c1a-5d5c-4f1e-9d7e-0123456789ab", 3), ChangeType.Operational,
        "packexecution.gate-cleared", "two", "$.status.gates[2]", "blocked", $"clear {i}", "the snapshot is fresh", false, null,
        "5b0c1c1a-5d5c-4f1e-9d7e-ba9876543210", "ccs-dev", "delivery-1");

    private static async Task<IHost> StartAsync(PostgresServer server, string database, string folder, bool sequence, CancellationToken cancellation)
    {
        await using (var connection = new NpgsqlConnection(server.ConnectionString()))
        {
            await connection.OpenAsync(cancellation);
            await using var exists = new NpgsqlCommand($"SELECT EXISTS (SELECT FROM pg_database WHERE datname = '{database}')", connection);
            if (!(bool)(await exists.ExecuteScalarAsync(cancellation))!)
            {
                await using var create = new NpgsqlCommand($"CREATE DATABASE {database}", connection);
                await create.ExecuteNonQueryAsync(cancellation);
            }
        }
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Warning));
        builder.Services.AddJournal(options =>
        {
            options.ConnectionString = server.ConnectionString(database);
            options.Origin = "governor.bench/log";
            options.LogKeyFile = Path.Combine(folder, "log.key");
            options.CommitTimeout = TimeSpan.FromMinutes(2);
        });
        if (!sequence)
            builder.Services.Remove(builder.Services.Single(service => service.ImplementationType == typeof(LogSequencer)));
        var host = builder.Build();
        await host.StartAsync(cancellation);
        return host;
    }

    /// <summary>Listens to the journal's own metric.</summary>
    private sealed class LagRecorder : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly List<double> _lags = [];

        public LagRecorder()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == JournalMetrics.MeterName && instrument.Name == "governor.journal.checkpoint.lag")
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<double>((_, value, _, _) =>
            {
                lock (_lags)
                    _lags.Add(value);
            });
            _listener.Start();
        }

        public double P99Milliseconds
        {
            get
            {
                lock (_lags)
                    return _lags.Order().ElementAt((int)(_lags.Count * 0.99)) * 1000;
            }
        }

        public void Dispose() => _listener.Dispose();
    }
}
