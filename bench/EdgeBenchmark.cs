using System.Globalization;
using Governor.Grains.Interfaces.Ports;
using Governor.Sandbox.Faults;

namespace Governor.Bench;

/// <summary>
/// What the trouble of a few clusters costs the others. A thousand sandbox clusters in this process are read, written and watched through
/// our client at an even pace. In every second round one of them is a hundred times hotter than the rest, one is unreachable, one takes
/// requests and never answers, and one goes away and comes back time and again. Rounds take turns, so that whatever else the machine
/// does meanwhile hits both kinds alike; they are many and short, and the median of each kind counts.
/// </summary>
internal sealed class EdgeBenchmark : IBenchmark
{
    private const int Count = 1000;
    private const int RoundCount = 30;

    /// <summary>Of each cluster; the hot one has a hundred times as many.</summary>
    private const double OperationsPerSecond = 0.5;
    private const int Hotter = 100;
    private const double Target = 1.2;

    private static readonly TimeSpan RunUp = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(2.5);
    private static readonly TimeSpan Flap = TimeSpan.FromMilliseconds(250);

    public string Name => "edge";

    public async Task<BenchReport> RunAsync(CancellationToken cancellation)
    {
        await using var clusters = await EdgeClusters.StartAsync(Count, cancellation);
        var (calm, troubled) = (new Rounds(), new Rounds());
        var quiet = clusters.All.Skip(4).ToArray();
        await PlayAsync(quiet, new Rounds(), cancellation); // warms up
        for (var round = 0; round < RoundCount; round++)
        {
            var trouble = new Trouble(clusters.All);
            foreach (var isTroubled in round % 2 == 0 ? (bool[])[false, true] : [true, false])
            {
                if (isTroubled)
                    await trouble.BeginAsync(cancellation);
                try
                {
                    await PlayAsync(quiet, isTroubled ? troubled : calm, cancellation);
                }
                finally
                {
                    if (isTroubled)
                        await trouble.EndAsync();
                }
            }
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  round {round + 1}: read p99 {calm.Reads[^1].P99:F2} ms, troubled {troubled.Reads[^1].P99:F2} ms; seen p99 {calm.Writes[^1].P99:F2} ms, troubled {troubled.Writes[^1].P99:F2} ms; hot {trouble.HotDone} operations"));
        }
        return BenchReport.Of(
            Name,
            Measure.AtMostTimes("read of a quiet cluster beside hot, dead and flapping ones, p99", troubled.ReadP99, "ms", "the same in peace", calm.ReadP99, Target),
            Measure.AtMostTimes("write of a quiet cluster until its watch brings it, p99", troubled.WriteP99, "ms", "the same in peace", calm.WriteP99, Target));
    }

    /// <summary>An even pace over all of them, whatever becomes of the single operation: a slow one does not hold the next one up.</summary>
    private static async Task PlayAsync(EdgeCluster[] quiet, Rounds into, CancellationToken cancellation)
    {
        var (reads, writes) = (new List<Task<double>>(), new List<Task<double>>());
        await PaceAsync(quiet.Length * OperationsPerSecond, RunUp + Round, (number, elapsed) =>
        {
            // Every second one is a write, and a stride keeps neighbours apart.
            var cluster = quiet[(int)(number * 7 % quiet.Length)];
            var isWrite = number % 2 == 0;
            var operation = Task.Run(() => isWrite ? cluster.TouchAsync(cancellation) : cluster.GetAsync(cancellation), cancellation);
            if (elapsed >= RunUp)
                (isWrite ? writes : reads).Add(operation);
        }, cancellation);
        into.Add(await Task.WhenAll(reads), await Task.WhenAll(writes));
    }

    private static async Task PaceAsync(double perSecond, TimeSpan duration, Action<long, TimeSpan> act, CancellationToken cancellation)
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        for (long number = 0; watch.Elapsed < duration && await tick.WaitForNextTickAsync(cancellation);)
            for (; number < watch.Elapsed.TotalSeconds * perSecond; number++)
                act(number, watch.Elapsed);
    }

    /// <summary>What the rounds of one kind have found.</summary>
    private sealed class Rounds
    {
        public List<Latencies> Reads { get; } = [];
        public List<Latencies> Writes { get; } = [];

        /// <summary>The median of the rounds, so that a round in which the machine was elsewhere does not count for all.</summary>
        public double ReadP99 => Median(Reads);
        public double WriteP99 => Median(Writes);

        public void Add(double[] reads, double[] writes)
        {
            Reads.Add(new Latencies(reads));
            Writes.Add(new Latencies(writes));
        }

        private static double Median(List<Latencies> rounds) => new Latencies(rounds.Select(r => r.P99)).P50;
    }

    /// <summary>The trouble of four clusters, while it lasts.</summary>
    private sealed class Trouble(IReadOnlyList<EdgeCluster> all)
    {
        private readonly EdgeCluster _hot = all[0], _dead = all[1], _mute = all[2], _flapping = all[3];
        private CancellationTokenSource? _over;
        private Task _running = Task.CompletedTask;
        private long _hotDone;

        public long HotDone => Interlocked.Read(ref _hotDone);

        public async Task BeginAsync(CancellationToken cancellation)
        {
            _over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            await _dead.Sandbox.GoAwayAsync();
            _mute.Sandbox.Faults.Arm(_ => true, new FaultEffect.Silence(), count: int.MaxValue);
            _mute.Sandbox.Faults.SilenceWatches();
            _running = Task.WhenAll(
                HotAsync(_over.Token), FlapAsync(_over.Token), AskAsync(_dead, _over.Token), AskAsync(_mute, _over.Token), AskAsync(_flapping, _over.Token));
        }

        public async Task EndAsync()
        {
            await _over!.CancelAsync();
            await _running;
            _over.Dispose();
            _mute.Sandbox.Faults.Clear();
            _mute.Sandbox.Faults.DropWatches();
            await _dead.Sandbox.ComeBackAsync();
            await _flapping.Sandbox.ComeBackAsync();
        }

        private Task HotAsync(CancellationToken over) => Quietly(() => PaceAsync(OperationsPerSecond * Hotter, TimeSpan.MaxValue, (number, _) => Forget(Quietly(async () =>
        {
            await (number % 2 == 0 ? _hot.TouchAsync(over) : _hot.GetAsync(over));
            Interlocked.Increment(ref _hotDone);
        })), over));

        private Task FlapAsync(CancellationToken over) => Quietly(async () =>
        {
            while (true)
            {
                await _flapping.Sandbox.GoAwayAsync();
                await Task.Delay(Flap, over);
                await _flapping.Sandbox.ComeBackAsync(over);
                await Task.Delay(Flap, over);
            }
        });

        /// <summary>They are asked as often as a quiet one is; that it fails is the point.</summary>
        private static Task AskAsync(EdgeCluster cluster, CancellationToken over) => Quietly(() => PaceAsync(
            OperationsPerSecond, TimeSpan.MaxValue, (_, _) => Forget(Quietly(() => cluster.GetAsync(over))), over));

        private static void Forget(Task task) => _ = task;

        private static async Task Quietly(Func<Task> act)
        {
            try
            {
                await act();
            }
            catch (Exception e) when (e is KubernetesException or OperationCanceledException or TimeoutException)
            {
                // What becomes of the troubled is not measured.
            }
        }
    }
}
