using System.Collections.Immutable;
using System.Globalization;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;
using Governor.Grains.Clusters;
using Governor.Grains.Interfaces;
using Governor.Grains.Interfaces.Ports;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace Governor.Grains.Watches;

/// <summary>
/// One list/watch stream. The stream is never made to wait for the actors: what it shows is put into a box with one place per
/// object, and handed to the actors from there, newest state only, one object's news in order.
/// </summary>
/// <remarks>
/// <para>A stream of the management cluster that is kept running (<see cref="EnsureAsync"/>) shows every object of its kind. One that
/// runs only for followers selects what carries our label. Gone from that view is not gone: the object is then watched alone, which
/// says for certain how it is, until it is in the view again.</para>
/// <para>A round is one connection to the cluster. Another kubeconfig ends it, and so does what makes the stream show more or less.</para>
/// </remarks>
[Reentrant]
public sealed partial class WatchGrain : Grain, IWatchGrain, IDisposable
{
    /// <summary>So many objects out of view are watched alone; with more, the whole kind is.</summary>
    private const int MostAlone = 32;

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationToken _siloStopping;
    private readonly Following _following = new();
    private readonly HashSet<ObjectKey> _view = [];
    private readonly Dictionary<ObjectKey, ulong> _lookedAt = [];
    private readonly IClusters _clusters;
    private readonly TenantClusters _tenants;
    private readonly IJournal _journal;
    private readonly KindTable _kinds;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly Places _places;
    private readonly NewsPump _pump;
    private WatchKey _key = null!;
    private GroupVersionKind _kind;
    private SingleStreams _alone = null!;
    private ICluster? _cluster;
    private CancellationTokenSource? _round;
    private Task _running = Task.CompletedTask;
    private TaskCompletionSource _moved = Fresh();
    private TimeSpan _pause = FirstPause;
    private string _version = "";
    private bool _isEnsured;
    private bool _isWide;
    private bool _isListed;
    private bool _isAbsent;
    private bool _wasSynced;

    public WatchGrain(
        IClusters clusters, TenantClusters tenants, IJournal journal, IAuditReader trail, KindTable kinds, TimeProvider clock, ILogger<WatchGrain> logger,
        IHostApplicationLifetime silo, [PersistentState("place", WatchPlace.Storage)] IPersistentState<WatchPlace> place)
    {
        (_clusters, _tenants, _journal, _kinds, _clock, _logger) = (clusters, tenants, journal, kinds, clock, logger);
        _siloStopping = silo.ApplicationStopping;
        _places = new Places(place, trail, clock, logger);
        _pump = new NewsPump(TellAsync, NotTold, Moved, clock, _stopping.Token);
    }

    // Whoever may read all Secrets of a cluster may do everything there: they are never watched as a whole.
    private bool OnlyAlone => _key is { Object: null } && _key.Kind == KnownKinds.Secret;

    private bool Selects => !_isEnsured && !_isWide && _key.Object is null;

    private bool IsManagement => _key.Cluster == _clusters.Management.Name;

    private bool IsSynced => _isListed && _pump.Box.IsSynced && _alone.AreSure;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _key = WatchKey.Parse(this.GetPrimaryKeyString());
        _kind = _kinds.Canonical(_key.Kind);
        _alone = new SingleStreams(_key.Kind, Tell, _ => _round?.Cancel());
        return Task.CompletedTask;
    }

    public Task EnsureAsync()
    {
        if (!IsManagement || OnlyAlone)
            throw new InvalidOperationException($"watch {_key}: expected a kind of the management cluster other than Secret, or one Secret of it");
        if (!_isEnsured)
        {
            _isEnsured = true;
            BeginAnew();
        }
        Start();
        return Task.CompletedTask;
    }

    public Task FollowAsync(Address follower, ImmutableArray<ObjectKey> objects)
    {
        if (_key.Object is not null)
            throw new InvalidOperationException($"watch {_key}: expected a stream of a whole kind to follow objects of, found one of a single object");
        var (added, left) = _following.Replace(follower, [.. objects]);
        foreach (var key in left)
        {
            _alone.End(key);
            _view.Remove(key);
            _lookedAt.Remove(key);
        }
        if (!IsWanted)
            BeginAnew();
        else if (_cluster is { } cluster)
            foreach (var key in added)
            {
                if (OnlyAlone)
                    _alone.Begin(cluster, key, _round!.Token);
                else
                    _pump.Put(Look(key)); // a list that is under way may have passed it already
            }
        Start();
        return Task.CompletedTask;
    }

    public Task<bool> IsSyncedAsync() => Task.FromResult(IsSynced);

    public async Task<bool> UntilSyncedAsync(bool expected)
    {
        // An actor ends only when nobody waits in it any more: a silo that ends would wait for its watches as long as their callers do.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token, _siloStopping);
        var patience = Task.Delay(LongestWait, _clock, ending.Token);
        while (IsSynced != expected && !patience.IsCompleted)
            await Task.WhenAny(_moved.Task, patience);
        return IsSynced;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        var reached = IsSynced && _pump.Box.IsEmpty && _isEnsured ? _version : null;
        await _stopping.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        await _places.LeaveAsync(reached);
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _round?.Dispose();
    }

    private bool IsWanted => _isEnsured || !_following.IsEmpty;

    private void Start()
    {
        if (!_running.IsCompleted || _stopping.IsCancellationRequested || !IsWanted)
            return;
        DelayDeactivation(TimeSpan.MaxValue);
        _running = RunAsync();
    }

    private void BeginAnew() => _round?.Cancel();

    private async Task RunAsync()
    {
        await Task.Yield();
        while (IsWanted && !_stopping.IsCancellationRequested)
        {
            using var round = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
            _round = round;
            var mustPause = false;
            try
            {
                await FollowAsync(round.Token);
            }
            catch (OperationCanceledException) when (round.IsCancellationRequested)
            {
                // Something else is wanted now, or nothing; or the kubeconfig was replaced under an object that is watched alone.
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                mustPause = e is not KubernetesException { Reason: "Replaced" };
                LogBroken(_logger, e, this.GetPrimaryKeyString());
            }
            _round = null;
            _cluster = null;
            _alone.EndAll();
            _view.Clear();
            Interrupt();
            if (mustPause)
                await PauseAsync();
        }
        if (!_stopping.IsCancellationRequested)
        {
            _isWide = false;
            DelayDeactivation(TimeSpan.Zero);
        }
    }

    private async Task PauseAsync()
    {
        await Task.Delay(_pause, _clock, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        _pause = _pause * 2 < LongestPause ? _pause * 2 : LongestPause;
    }

    private async Task FollowAsync(CancellationToken round)
    {
        var cluster = await ConnectAsync(round);
        if (OnlyAlone)
        {
            _cluster = cluster;
            foreach (var key in _following.Objects)
                _alone.Begin(cluster, key, round);
            _pump.Box.EndList();
            _isListed = true;
            await Task.Delay(Timeout.Infinite, round);
        }
        var one = _key.Object;
        var request = new WatchRequest(
            _key.Kind, one is { Namespace.Length: > 0 } ? one.Value.Namespace : null, one?.Name, CatchUp: true,
            LabelSelector: Selects ? Descent.DeliveredSelector : null);
        if (_isEnsured)
            request = request with { Known = await KnownAsync(round), ResourceVersion = await _places.RestoreAsync(round) };
        _cluster = cluster;
        await foreach (var seen in cluster.WatchAsync(request, round))
        {
            _pause = FirstPause;
            Receive(seen);
            await _pump.RoomAsync();
        }
    }

    private async Task<ICluster> ConnectAsync(CancellationToken cancellation)
    {
        if (IsManagement)
            return _clusters.Management;
        // A kubeconfig that leads to another cluster than before would show that everything is gone.
        var expected = await CommittedObjects.IdentityAsync(_journal, _key.Cluster, cancellation);
        return (await _tenants.ConnectAsync(_key.Cluster, expected, cancellation)).Cluster;
    }

    // Of what has gone while nobody watched there is no news: it is missing from the first list. What the actors have committed is
    // what they have to be told is gone.
    private async Task<IReadOnlyDictionary<ObjectKey, string>> KnownAsync(CancellationToken cancellation)
    {
        var known = await CommittedObjects.ListAsync(_journal, _kind, _key.Object, cancellation);
        foreach (var seen in _pump.Box.Untold)
            known[seen.Key] = seen.Uid;
        // The actors do not keep under which of its names a kind has shown them an object.
        var others = _kinds.Find(_kind) is { } governed ? _kinds.Names(governed).Where(name => name != _key.Kind) : [];
        foreach (var other in others)
            if (await _clusters.Management.DiscoverAsync(other, cancellation) is not null)
                foreach (var elsewhere in await _clusters.Management.ListAsync(other, null, null, cancellation))
                    known.Remove(elsewhere.Key);
        return known;
    }

    private void Receive(WatchEvent seen)
    {
        if (_isListed && seen.ResourceVersion.Length > 0 && seen.Type is not WatchEventType.Interrupted)
            _version = seen.ResourceVersion;
        switch (seen.Type)
        {
            case WatchEventType.Present:
                if (_following.Has(seen.Key) && _view.Add(seen.Key))
                    _alone.End(seen.Key);
                Tell(seen);
                break;
            case WatchEventType.Gone:
                _view.Remove(seen.Key);
                if (Selects && seen.ResourceVersion.Length > 0)
                    WatchAlone(seen.Key); // perhaps it has only lost the label
                else
                    Tell(seen);
                break;
            case WatchEventType.Synced:
                EndList(seen.ResourceVersion);
                break;
            case WatchEventType.Interrupted:
                LogInterrupted(_logger, this.GetPrimaryKeyString(), seen.Fault);
                if (seen.Key.Name.Length == 0) // otherwise it is about one object that cannot be read: it is there, and nobody is told that it is not
                    Interrupt();
                break;
        }
        if (_isEnsured && _pump.Box.IsEmpty && _isListed)
            _places.Reach(_version);
    }

    private void Interrupt()
    {
        _isListed = _isAbsent = false;
        _pump.Box.BeginList();
        Moved();
    }

    private void EndList(string resourceVersion)
    {
        _isListed = true;
        _isAbsent = resourceVersion.Length == 0;
        _version = resourceVersion;
        foreach (var key in _following.Objects.Where(key => !_view.Contains(key)).ToList())
            if (Selects && !_isAbsent)
                WatchAlone(key);
            else
                Tell(new WatchEvent(WatchEventType.Gone, key, "", null, resourceVersion));
        _pump.Box.EndList();
        if (_isAbsent && !IsManagement && _cluster is { } cluster && _round is { } round)
            _ = AwaitDefinitionAsync(cluster, round.Token);
        LogSynced(_logger, this.GetPrimaryKeyString(), resourceVersion);
        Moved();
    }

    // As long as the kind is not there: a stream of definitions wakes whoever waits for one. The management cluster has one anyway.
    private async Task AwaitDefinitionAsync(ICluster cluster, CancellationToken round)
    {
        try
        {
            await foreach (var _ in cluster.WatchAsync(new WatchRequest(KnownKinds.CustomResourceDefinition), round))
                if (!_isAbsent)
                    return;
        }
        catch (Exception e) when (e is OperationCanceledException or KubernetesException)
        {
            // The round is over; without it the stream looks again by itself, only later.
        }
    }

    private void WatchAlone(ObjectKey key)
    {
        if (!_following.Has(key) || _round is not { } round || _cluster is not { } cluster)
            return;
        if (_alone.Count < MostAlone)
        {
            _alone.Begin(cluster, key, round.Token);
            return;
        }
        LogWide(_logger, this.GetPrimaryKeyString(), MostAlone);
        _isWide = true;
        BeginAnew();
    }

    private void Tell(WatchEvent seen)
    {
        // What was looked at in between may be newer than what the stream has come to.
        if (_lookedAt.TryGetValue(seen.Key, out var looked))
        {
            if (Number(seen.ResourceVersion, out var version) && version < looked)
                return;
            _lookedAt.Remove(seen.Key);
        }
        if (_following.Has(seen.Key) || (_isEnsured && Routes.Of(_kind, seen.Key) is not null))
            _pump.Put(seen);
    }

    private async Task TellAsync(WatchEvent seen)
    {
        if (IsLook(seen))
        {
            if (await LookAsync(seen.Key) is not { } found)
                return;
            seen = found;
        }
        var item = seen.Type == WatchEventType.Gone ? null : seen.Object;
        if (_isEnsured && Routes.Of(_kind, seen.Key) is { } own)
            await GrainFactory.GetGoverned(own).ObserveAsync(new Observation(_kind, seen.Key, seen.Uid, item, _key.Cluster));
        foreach (var follower in _following.Of(seen.Key))
            await GrainFactory.GetGoverned(follower).ObserveAsync(new Observation(_key.Kind, seen.Key, seen.Uid, item, _key.Cluster, IsFollowed: true));
    }

    /// <summary>Asks the cluster how an object is; null when somebody else says it.</summary>
    private async Task<WatchEvent?> LookAsync(ObjectKey key)
    {
        if (_cluster is not { } cluster)
            return null; // the next list shows it
        KubeObject? found;
        try
        {
            found = await cluster.GetAsync(_key.Kind, key, _stopping.Token);
        }
        catch (KubernetesException e) when (_isAbsent && e.Code == 404)
        {
            return new WatchEvent(WatchEventType.Gone, key, "", null, "");
        }
        if (Selects && (found is null || !Descent.IsDelivered(found)))
        {
            WatchAlone(key);
            return null;
        }
        if (found is null)
            return new WatchEvent(WatchEventType.Gone, key, "", null, "");
        _view.Add(key);
        if (Number(found.ResourceVersion, out var version))
            _lookedAt[key] = version;
        return new WatchEvent(WatchEventType.Present, key, found.Uid, found, found.ResourceVersion);
    }

    private static WatchEvent Look(ObjectKey key) => new(WatchEventType.Present, key, "", null, "");

    private static bool IsLook(WatchEvent seen) => seen is { Type: WatchEventType.Present, Object: null };

    private void NotTold(WatchEvent seen, Exception fault, TimeSpan rest) => LogNotTold(_logger, fault, seen.Key, this.GetPrimaryKeyString(), rest);

    private void Moved()
    {
        if (_isEnsured && _isListed && _pump.Box.IsEmpty)
            _places.Reach(_version);
        if (IsSynced == _wasSynced)
            return;
        _wasSynced = IsSynced;
        var moved = _moved;
        _moved = Fresh();
        moved.SetResult();
    }

    private static bool Number(string version, out ulong number) => ulong.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static TaskCompletionSource Fresh() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(LogLevel.Information, "watch {Key} has seen everything that existed at {ResourceVersion}")]
    private static partial void LogSynced(ILogger logger, string key, string resourceVersion);

    [LoggerMessage(LogLevel.Information, "watch {Key} is interrupted and goes on trying: {Fault}")]
    private static partial void LogInterrupted(ILogger logger, string key, string? fault);

    [LoggerMessage(LogLevel.Warning, "watch {Key} ended and begins anew")]
    private static partial void LogBroken(ILogger logger, Exception exception, string key);

    [LoggerMessage(LogLevel.Information, "watch {Key} lacks more than {Count} of the objects that are followed: from now on the whole kind is watched")]
    private static partial void LogWide(ILogger logger, string key, int count);

    [LoggerMessage(LogLevel.Warning, "{Object} of watch {Key} could not be told to its actor; trying again in {Pause}")]
    private static partial void LogNotTold(ILogger logger, Exception exception, ObjectKey @object, string key, TimeSpan pause);
}
