using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Hosting;

namespace Governor.Bench;

/// <summary>What a grain call costs beside a bare mailbox, and what a grain weighs when nobody uses it.</summary>
internal sealed class HostBenchmark : IBenchmark
{
    private const int Actors = 1_000;
    private const int Callers = 64;
    private const int Rounds = 5;
    private const int IdleGrains = 100_000;
    private const double MostBytes = 1_536;

    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(1);

    public string Name => "host";

    public async Task<BenchReport> RunAsync(CancellationToken cancellation)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Warning));
        builder.UseOrleans(silo => silo.UseLocalhostClustering());
        using var host = builder.Build();
        await host.StartAsync(cancellation);
        try
        {
            var grains = host.Services.GetRequiredService<IGrainFactory>();
            var (grainRate, mailboxRate) = await CompareAsync(grains, cancellation);
            var bytes = await WeighAsync(grains, cancellation);
            return BenchReport.Of(
                Name,
                Measure.AtLeast($"grain calls, {Actors} grains, {Callers} callers", grainRate, "calls/s", "bare Channel mailbox", mailboxRate, 0.25),
                Measure.AtMost($"memory of an idle activation, of {IdleGrains}", bytes, "bytes", MostBytes));
        }
        finally
        {
            await host.StopAsync(CancellationToken.None);
        }
    }

    /// <summary>Grains and mailboxes take turns, so that whatever else the machine does hits both; the median round counts.</summary>
    private static async Task<(double Grains, double Mailboxes)> CompareAsync(IGrainFactory grains, CancellationToken cancellation)
    {
        var references = Enumerable.Range(0, Actors).Select(i => grains.GetGrain<IPingGrain>($"ping-{i}")).ToArray();
        var mailboxes = Enumerable.Range(0, Actors).Select(_ => new Mailbox()).ToArray();
        var grainRates = new List<double>();
        var mailboxRates = new List<double>();
        for (var round = 0; round <= Rounds; round++)
        {
            var grainRate = await RateAsync(i => references[i].Ping(i), cancellation);
            var mailboxRate = await RateAsync(i => mailboxes[i].Ping(i), cancellation);
            if (round == 0)
                continue; // the first warms up
            grainRates.Add(grainRate);
            mailboxRates.Add(mailboxRate);
        }

        foreach (var mailbox in mailboxes)
            mailbox.Close();
        return (Median(grainRates), Median(mailboxRates));
    }

    /// <summary>Calls per second that so many callers, each waiting for its answer, get out of the actors.</summary>
    private static async Task<double> RateAsync(Func<int, Task<int>> call, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        var calls = await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(
            async () =>
            {
                var made = 0L;
                for (var actor = caller; watch.Elapsed < RoundTime; actor = (actor + Callers + 1) % Actors, made++)
                    await call(actor);
                return made;
            },
            cancellation)));
        return calls.Sum() / watch.Elapsed.TotalSeconds;
    }

    private static async Task<double> WeighAsync(IGrainFactory grains, CancellationToken cancellation)
    {
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(i => grains.GetGrain<IIdleGrain>($"warm-{i}").Touch()));
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await Parallel.ForEachAsync(
            Enumerable.Range(0, IdleGrains), cancellation, async (i, _) => await grains.GetGrain<IIdleGrain>($"idle-{i}").Touch());
        var after = GC.GetTotalMemory(forceFullCollection: true);
        return (double)(after - before) / IdleGrains;
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
