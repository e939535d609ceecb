using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces;
using Governor.Grains.Interfaces.Ports;
using Governor.Grains.Watches;
using Microsoft.Extensions.Options;
using Orleans;

namespace Governor.Silo.Hosting;

/// <summary>
/// Sets the silo to work: every stream runs, and every actor that owed something when its silo died does it now. Then makes sure of
/// both again and again, slowly.
/// </summary>
internal sealed partial class Starter(
    IGrainFactory grains, IJournal journal, KindTable kinds, IOptions<WatchOptions> watches, IOptions<SiloOptions> silo, TimeProvider clock, ILogger<Starter> logger)
    : BackgroundService
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(500);

    private int _started;

    /// <summary>The streams were asked to run at least once.</summary>
    public bool IsStarted => Volatile.Read(ref _started) == 1;

    /// <summary>Keys of the watch grains that this silo wants to run.</summary>
    public IReadOnlyList<string> Streams { get; } =
    [
        .. Kinds(kinds, watches.Value).Select(kind => WatchKey.Of(new ClusterName(silo.Value.ManagementCluster), kind)),
        WatchKey.Of(new ClusterName(silo.Value.ManagementCluster), KnownKinds.Secret, Domain.Signing.SigningKeyRules.Secret),
    ];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var retry = FirstRetry;
        while (true)
        {
            var pause = watches.Value.EnsureEvery;
            try
            {
                await Task.WhenAll(Streams.Select(stream => grains.GetGrain<IWatchGrain>(stream).EnsureAsync())).WaitAsync(stoppingToken);
                Volatile.Write(ref _started, 1);
                await ResumeAsync(stoppingToken);
                retry = FirstRetry;
            }
            catch (Exception e) when (e is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                pause = retry < pause ? retry : pause;
                retry *= 2;
                LogNotStarted(logger, e, pause);
            }
            await Task.Delay(pause, clock, stoppingToken);
        }
    }

    private async Task ResumeAsync(CancellationToken cancellation)
    {
        var pending = await journal.PendingAsync(cancellation);
        if (pending.Count == 0)
            return;
        LogResuming(logger, pending.Count);
        await Parallel.ForEachAsync(
            pending, new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = cancellation },
            async (key, _) => await grains.GetGoverned(new Address(key.Subject, key.Key)).ResumeAsync());
    }

    private static IEnumerable<GroupVersionKind> Kinds(KindTable kinds, WatchOptions options) =>
        kinds.Kinds.Where(kind => options.Kinds.Contains(kind.Gvk.Kind)).SelectMany(kinds.Names);

    [LoggerMessage(LogLevel.Information, "resuming {Count} actors that owe something")]
    private static partial void LogResuming(ILogger logger, int count);

    [LoggerMessage(LogLevel.Warning, "not everything could be set to work; trying again in {Pause}")]
    private static partial void LogNotStarted(ILogger logger, Exception exception, TimeSpan pause);
}
