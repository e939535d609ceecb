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
public sealed partial class WatchGrain(
    [PersistentState("watch", WatchGrain.Storage)] IPersistentState<WatchState> known, IClusters clusters, KindTable kinds, TimeProvider clock, ILogger<WatchGrain> logger)
    : Grain, IWatchGrain, IDisposable
{
    /// <summary>Name of the grain storage that holds what is not governed.</summary>
    public const string Storage = "governor";

    private const int Parallelism = 32;

    private static readonly TimeSpan RememberAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan TellAgainAfter = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stopping = new();
    private readonly Dictionary<ObjectKey, WatchEvent> _box = [];
    private readonly HashSet<ObjectKey> _telling = [];
    private WatchKey? _key;
    private Task _stream = Task.CompletedTask;
    private IGrainTimer? _remember;
    private bool _listed;

    public Task EnsureAsync()
    {
        if (_stream.IsCompleted && !_stopping.IsCancellationRequested)
        {
            DelayDeactivation(TimeSpan.MaxValue);
            _stream = FollowAsync();
        }
        return Task.CompletedTask;
    }

    public Task<bool> IsSyncedAsync() => Task.FromResult(_listed && _box.Count == 0 && _telling.Count == 0);

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _stream.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        if (_remember is not null)
            await WriteAsync();
    }

    public void Dispose() => _stopping.Dispose();

    private async Task FollowAsync()
    {
        await Task.Yield();
        _key = WatchKey.Parse(this.GetPrimaryKeyString());
        var one = _key.Object;
        var request = new WatchRequest(_key.Kind, one is { Namespace.Length: > 0 } ? one.Value.Namespace : null, one?.Name, Known: known.State.KnownObjects());
        try
        {
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

    private void Receive(WatchEvent seen)
    {
        switch (seen.Type)
        {
            case WatchEventType.Present or WatchEventType.Gone:
                _box[seen.Key] = seen;
                TellNext();
                break;
            case WatchEventType.Synced:
                _listed = true;
                LogSynced(logger, this.GetPrimaryKeyString(), seen.ResourceVersion);
                break;
            case WatchEventType.Interrupted:
                LogInterrupted(logger, this.GetPrimaryKeyString(), seen.Fault);
                break;
        }
    }

    private void TellNext()
    {
        while (_telling.Count < Parallelism)
        {
            var next = _box.Keys.FirstOrDefault(k => !_telling.Contains(k));
            if (next == default || !_box.Remove(next, out var seen))
                return;
            _telling.Add(next);
            _ = TellAsync(seen);
        }
    }

    private async Task TellAsync(WatchEvent seen)
    {
        try
        {
            var kind = kinds.Canonical(_key!.Kind);
            if (Routes.Of(kind, seen.Key) is { } address)
                await GrainFactory.GetGoverned(address).ObserveAsync(
                    new Observation(kind, seen.Key, seen.Uid, seen.Type == WatchEventType.Gone ? null : seen.Object));
            Remember(seen);
        }
        catch (Exception e) when (e is not OutOfMemoryException && !_stopping.IsCancellationRequested)
        {
            LogNotTold(logger, e, seen.Key, this.GetPrimaryKeyString());
            // The news goes back into its place, unless there is newer news of the same object meanwhile.
            _box.TryAdd(seen.Key, seen);
            await Task.Delay(TellAgainAfter, clock, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
        finally
        {
            _telling.Remove(seen.Key);
            TellNext();
        }
    }

    private void Remember(WatchEvent seen)
    {
        var key = seen.Key.ToString();
        var changed = seen.Type == WatchEventType.Gone ? known.State.Known.Remove(key) : known.State.Known.GetValueOrDefault(key) != seen.Uid;
        if (!changed)
            return;
        if (seen.Type == WatchEventType.Present)
            known.State.Known[key] = seen.Uid;
        _remember ??= RememberLater();
    }

    private IGrainTimer RememberLater() => this.RegisterGrainTimer(
        WriteAsync, new GrainTimerCreationOptions(RememberAfter, Timeout.InfiniteTimeSpan) { Interleave = true, KeepAlive = true });

    private async Task WriteAsync()
    {
        _remember?.Dispose();
        _remember = null;
        try
        {
            await known.WriteStateAsync();
        }
        catch (Exception e) when (e is not OutOfMemoryException && !_stopping.IsCancellationRequested)
        {
            LogNotRemembered(logger, e, this.GetPrimaryKeyString());
            _remember ??= RememberLater();
        }
    }

    [LoggerMessage(LogLevel.Information, "watch {Key} has told everything that existed at {ResourceVersion}")]
    private static partial void LogSynced(ILogger logger, string key, string resourceVersion);

    [LoggerMessage(LogLevel.Information, "watch {Key} is interrupted and goes on trying: {Fault}")]
    private static partial void LogInterrupted(ILogger logger, string key, string? fault);

    [LoggerMessage(LogLevel.Error, "watch {Key} ended; it is started again with the next check")]
    private static partial void LogBroken(ILogger logger, Exception exception, string key);

    [LoggerMessage(LogLevel.Warning, "watch {Key} could not store what it has told; trying again")]
    private static partial void LogNotRemembered(ILogger logger, Exception exception, string key);

    [LoggerMessage(LogLevel.Warning, "{Object} of watch {Key} could not be told to its actor; trying again")]
    private static partial void LogNotTold(ILogger logger, Exception exception, ObjectKey @object, string key);
}
