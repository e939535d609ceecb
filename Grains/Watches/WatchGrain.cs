using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces;
using Governor.Grains.Interfaces.Ports;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace Governor.Grains.Watches;

/// <summary>
/// One list/watch stream. The stream is never made to wait for the actors: what it shows is put into a box with one place per
/// object, and handed to the actors from there, newest state only, one object's news in order.
/// </summary>
[Reentrant]
public sealed partial class WatchGrain(IClusters clusters, IJournal journal, KindTable kinds, TimeProvider clock, ILogger<WatchGrain> logger)
    : Grain, IWatchGrain, IDisposable
{
    private const int Parallelism = 32;

    private readonly CancellationTokenSource _stopping = new();
    private readonly NewsBox _box = new();
    private WatchKey? _key;
    private Task _stream = Task.CompletedTask;
    private int _telling;

    public Task EnsureAsync()
    {
        if (_stream.IsCompleted && !_stopping.IsCancellationRequested)
        {
            DelayDeactivation(TimeSpan.MaxValue);
            _stream = FollowAsync();
        }
        return Task.CompletedTask;
    }

    public Task<bool> IsSyncedAsync() => Task.FromResult(_box.IsSynced);

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _stream.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    public void Dispose() => _stopping.Dispose();

    private async Task FollowAsync()
    {
        await Task.Yield();
        _key = WatchKey.Parse(this.GetPrimaryKeyString());
        var one = _key.Object;
        try
        {
            var request = new WatchRequest(
                _key.Kind, one is { Namespace.Length: > 0 } ? one.Value.Namespace : null, one?.Name, Known: await KnownAsync(_key, _stopping.Token));
            // Only the management cluster is watched; what is on a tenant is watched by the delivery that put it there.
            await foreach (var seen in clusters.Management.WatchAsync(request, _stopping.Token))
                Receive(seen);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The next activation begins with a list.
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            LogBroken(logger, e, this.GetPrimaryKeyString());
        }
    }

    // Of what has gone while nobody watched there is no news: it is missing from the first list. What the actors have committed is
    // what they have to be told is gone.
    private async Task<IReadOnlyDictionary<ObjectKey, string>> KnownAsync(WatchKey key, CancellationToken cancellation)
    {
        var kind = kinds.Canonical(key.Kind);
        var known = await CommittedObjects.ListAsync(journal, kind, key.Object, cancellation);
        foreach (var seen in _box.Untold)
            known[seen.Key] = seen.Uid;
        // The actors do not keep under which of its names a kind has shown them an object.
        var others = kinds.Find(kind) is { } governed ? kinds.Names(governed).Where(name => name != key.Kind) : [];
        foreach (var other in others)
            if (await clusters.Management.DiscoverAsync(other, cancellation) is not null)
                foreach (var elsewhere in await clusters.Management.ListAsync(other, null, null, cancellation))
                    known.Remove(elsewhere.Key);
        return known;
    }

    private void Receive(WatchEvent seen)
    {
        switch (seen.Type)
        {
            case WatchEventType.Present or WatchEventType.Gone:
                _box.Put(seen);
                TellNext();
                break;
            case WatchEventType.Synced:
                _box.EndList();
                LogSynced(logger, this.GetPrimaryKeyString(), seen.ResourceVersion);
                break;
            case WatchEventType.Interrupted:
                LogInterrupted(logger, this.GetPrimaryKeyString(), seen.Fault);
                break;
        }
    }

    private void TellNext()
    {
        while (_telling < Parallelism && _box.Take() is { } seen)
        {
            _telling++;
            _ = TellAsync(seen);
        }
    }

    private async Task TellAsync(WatchEvent seen)
    {
        await Task.Yield();
        var rest = default(TimeSpan?);
        try
        {
            var kind = kinds.Canonical(_key!.Kind);
            if (Routes.Of(kind, seen.Key) is { } address)
                await GrainFactory.GetGoverned(address).ObserveAsync(
                    new Observation(kind, seen.Key, seen.Uid, seen.Type == WatchEventType.Gone ? null : seen.Object));
            _box.Told(seen.Key);
        }
        catch (Exception e) when (e is not OutOfMemoryException && !_stopping.IsCancellationRequested)
        {
            rest = _box.NotTold(seen.Key);
            LogNotTold(logger, e, seen.Key, this.GetPrimaryKeyString(), rest.Value);
        }
        finally
        {
            _telling--;
            TellNext();
        }
        if (rest is not null)
            await RestAsync(seen.Key, rest.Value);
    }

    private async Task RestAsync(ObjectKey key, TimeSpan rest)
    {
        await Task.Delay(rest, clock, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        if (_stopping.IsCancellationRequested)
            return;
        _box.Rested(key);
        TellNext();
    }

    [LoggerMessage(LogLevel.Information, "watch {Key} has told everything that existed at {ResourceVersion}")]
    private static partial void LogSynced(ILogger logger, string key, string resourceVersion);

    [LoggerMessage(LogLevel.Information, "watch {Key} is interrupted and goes on trying: {Fault}")]
    private static partial void LogInterrupted(ILogger logger, string key, string? fault);

    [LoggerMessage(LogLevel.Error, "watch {Key} ended; it is started again with the next check")]
    private static partial void LogBroken(ILogger logger, Exception exception, string key);

    [LoggerMessage(LogLevel.Warning, "{Object} of watch {Key} could not be told to its actor; trying again in {Pause}")]
    private static partial void LogNotTold(ILogger logger, Exception exception, ObjectKey @object, string key, TimeSpan pause);
}
