using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;
using Governor.Grains.Interfaces.Ports;
using Governor.Grains.Watches;
using Microsoft.Extensions.Options;
using Orleans;

namespace Governor.Silo.Hosting;

/// <summary>
/// Sets the silo to work: every stream runs, and every actor that owed something when its silo died does it now. Then makes sure of
/// both again and again, slowly. Beside that it keeps the gate: no actor of this silo acts before all streams have told what there is.
/// </summary>
internal sealed partial class Starter(
    IGrainFactory grains, IJournal journal, KindTable kinds, IOptions<WatchOptions> watches, IOptions<SiloOptions> silo, ObservationGate gate, TimeProvider clock,
    IHostApplicationLifetime lifetime, ILogger<Starter> logger)
    : BackgroundService
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(500);

    private int _started;
    private bool _isAwake;

    /// <summary>The streams were asked to run at least once.</summary>
    public bool IsStarted => Volatile.Read(ref _started) == 1;

    /// <summary>Keys of the watch grains that this silo wants to run.</summary>
    public IReadOnlyList<string> Streams { get; } =
    [
        .. Kinds(kinds, watches.Value).Select(kind => WatchKey.Of(new ClusterName(silo.Value.ManagementCluster), kind)),
        WatchKey.Of(new ClusterName(silo.Value.ManagementCluster), KnownKinds.Secret, Domain.Signing.SigningKeyRules.Secret),
    ];

    // Tells nobody: it is what wakes a stream whose kind is not served yet as soon as it is.
    private string Definitions { get; } = WatchKey.Of(new ClusterName(silo.Value.ManagementCluster), KnownKinds.CustomResourceDefinition);

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        gate.Arm(Streams); // before anything can wake an actor: a reminder, a request
        return base.StartAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll([KeepAsync(stoppingToken), .. Streams.Select(stream => AttendAsync(stream, stoppingToken))]);

    /// <summary>Says at the gate whenever a stream is synced, or is not any more.</summary>
    private async Task AttendAsync(string stream, CancellationToken cancellation)
    {
        var synced = false;
        while (!lifetime.ApplicationStopping.IsCancellationRequested) // from then on watches let nobody wait
        {
            var expected = !synced;
            if (!await TryAsync($"watch {stream}", async () => synced = await grains.GetGrain<IWatchGrain>(stream).UntilSyncedAsync(expected), cancellation))
            {
                synced = false;
                await Task.Delay(FirstRetry, clock, cancellation);
            }
            gate.Say(stream, synced);
        }
    }

    private async Task KeepAsync(CancellationToken stoppingToken)
    {
        var retry = FirstRetry;
        while (true)
        {
            var pause = watches.Value.EnsureEvery;
            // Neither waits for the other, and nothing waits for what fails beside it.
            var outcomes = await Task.WhenAll(EnsureAsync(stoppingToken), ResumeAsync(stoppingToken));
            Volatile.Write(ref _started, 1);
            if (outcomes[1])
                gate.Resumed();
            if (outcomes.All(succeeded => succeeded))
            {
                retry = FirstRetry;
            }
            else
            {
                pause = retry < pause ? retry : pause;
                retry = pause * 2;
            }
            await Task.Delay(pause, clock, stoppingToken);
        }
    }

    private async Task<bool> EnsureAsync(CancellationToken cancellation)
    {
        var outcomes = await Task.WhenAll(Streams.Append(Definitions).Select(
            stream => TryAsync($"watch {stream}", () => grains.GetGrain<IWatchGrain>(stream).EnsureAsync(), cancellation)));
        return outcomes.All(succeeded => succeeded);
    }

    private async Task<bool> ResumeAsync(CancellationToken cancellation)
    {
        IReadOnlyList<GrainKey> pending = [];
        // Whoever looks at the clock does so by himself once he is awake.
        if (!await TryAsync("the list of actors that owe something",
                async () => pending = _isAwake ? await journal.PendingAsync(cancellation) : await Resumption.FirstAsync(journal, cancellation), cancellation))
            return false;
        if (pending.Count == 0)
            return _isAwake = true;
        LogResuming(logger, pending.Count);
        var failed = 0;
        await Parallel.ForEachAsync(
            pending, new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = cancellation },
            async (key, _) =>
            {
                if (!await TryAsync($"{key}", () => grains.GetGoverned(new Address(key.Subject, key.Key)).ResumeAsync(), cancellation))
                    Interlocked.Increment(ref failed);
            });
        _isAwake |= failed == 0;
        return failed == 0;
    }

    private async Task<bool> TryAsync(string what, Func<Task> step, CancellationToken cancellation)
    {
        try
        {
            await step().WaitAsync(cancellation);
            return true;
        }
        catch (Exception e) when (e is not OutOfMemoryException && !cancellation.IsCancellationRequested)
        {
            LogNotStarted(logger, e, what);
            return false;
        }
    }

    private static IEnumerable<GroupVersionKind> Kinds(KindTable kinds, WatchOptions options) =>
        kinds.Kinds
            .Where(kind => (kind.Watched || options.Also.Contains(kind.Kind)) && !options.Except.Contains(kind.Kind) && Routes.Follows(kind.Gvk))
            .SelectMany(kinds.Names);

    [LoggerMessage(LogLevel.Information, "resuming {Count} actors that owe something")]
    private static partial void LogResuming(ILogger logger, int count);

    [LoggerMessage(LogLevel.Warning, "{What} could not be set to work; trying again soon")]
    private static partial void LogNotStarted(ILogger logger, Exception exception, string what);
}
