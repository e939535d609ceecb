using System.Collections.Immutable;
using System.Threading.Channels;
using Governor.Domain.Admission;
using Governor.Grains.Interfaces;
using Microsoft.Extensions.Options;
using Orleans;

namespace Governor.Silo.Admission;

/// <summary>
/// Brings refusals into the audit trail. A refusal that is worth an event is answered after the event is committed, or after a moment:
/// whoever is refused can wait, the API server cannot for long. What waits is bounded, and what finds no room is counted and said.
/// </summary>
internal sealed partial class RefusalRecorder(IGrainFactory grains, IOptions<AdmissionOptions> options, AdmissionMetrics metrics, TimeProvider clock, ILogger<RefusalRecorder> logger)
    : BackgroundService
{
    private const int Room = 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly RefusalWindow _window = new(options.Value.RefusalWindow);
    private readonly Channel<Entry> _queue = Channel.CreateBounded<Entry>(Room);
    private long _lost;

    /// <summary>Returns when it is committed, when it needs no event of its own, or when that takes too long: then it is committed later.</summary>
    public async Task RecordAsync(Refusal refusal)
    {
        Task? committed = null;
        lock (_lock)
            foreach (var due in _window.Add(refusal))
                committed = Enqueue(due) ?? committed;
        if (committed is not null)
            await Task.WhenAny(committed, Task.Delay(Patience, clock));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await WaitAsync(stoppingToken);
                Flush(clock.GetUtcNow());
                while (_queue.Reader.TryPeek(out _))
                    await CommitAsync(Take(), stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // the rest is told below
        }
        Flush(DateTimeOffset.MaxValue);
        using var farewell = new CancellationTokenSource(Farewell, clock);
        try
        {
            while (_queue.Reader.TryPeek(out _))
                await CommitAsync(Take(), farewell.Token);
        }
        catch (OperationCanceledException)
        {
            LogUntold(logger, _queue.Reader.Count);
        }
    }

    private async Task WaitAsync(CancellationToken stop)
    {
        DateTimeOffset? until;
        lock (_lock)
            until = _window.Until;
        using var pause = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var arrived = _queue.Reader.WaitToReadAsync(pause.Token).AsTask();
        if (until is { } at)
            await Task.WhenAny(arrived, Task.Delay(at > clock.GetUtcNow() ? at - clock.GetUtcNow() : TimeSpan.Zero, clock, pause.Token));
        else
            await arrived;
        await pause.CancelAsync();
        await ((Task)arrived).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.ThrowIfCancellationRequested();
    }

    private void Flush(DateTimeOffset now)
    {
        lock (_lock)
            foreach (var due in _window.Flush(now))
                Enqueue(due);
    }

    private Task? Enqueue(Refusal refusal)
    {
        var entry = new Entry(refusal, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        if (_queue.Writer.TryWrite(entry))
        {
            metrics.Waits();
            return entry.Committed.Task;
        }
        metrics.Lost();
        LogLost(logger, ++_lost, refusal.By.Name, refusal.Rule, refusal.Count);
        return null;
    }

    private List<Entry> Take()
    {
        var batch = new List<Entry>();
        while (batch.Count < RefusalRules.MostAtOnce && _queue.Reader.TryRead(out var entry))
            batch.Add(entry);
        return batch;
    }

    private async Task CommitAsync(List<Entry> batch, CancellationToken stop)
    {
        ImmutableArray<Refusal> refusals = [.. batch.Select(entry => entry.Refusal)];
        for (var pause = FirstRetry; ; pause = pause * 2 < LastRetry ? pause * 2 : LastRetry)
            try
            {
                await grains.GetGrain<IRefusalsGrain>(RefusalRules.Key).RecordAsync(refusals).WaitAsync(stop);
                metrics.Committed(batch.Count);
                foreach (var entry in batch)
                    entry.Committed.TrySetResult();
                return;
            }
            catch (Exception e) when (e is not (OutOfMemoryException or OperationCanceledException))
            {
                LogRetry(logger, e, batch.Count, pause);
                await Task.Delay(pause, clock, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                // Told again by the farewell; recorded once all the same.
                foreach (var entry in batch)
                    _queue.Writer.TryWrite(entry);
                throw;
            }
    }

    private sealed record Entry(Refusal Refusal, TaskCompletionSource Committed);

    [LoggerMessage(LogLevel.Warning, "{Count} refusals could not be committed; trying again in {Pause}")]
    private static partial void LogRetry(ILogger logger, Exception exception, int count, TimeSpan pause);

    [LoggerMessage(LogLevel.Error, "The journal is away and too many refusals wait already: {Lost} are not in the audit trail, the last one of {User} for {Rule}, {Count} times")]
    private static partial void LogLost(ILogger logger, long lost, string user, string rule, int count);

    [LoggerMessage(LogLevel.Error, "The silo stops and {Count} refusals could not be committed")]
    private static partial void LogUntold(ILogger logger, int count);
}
