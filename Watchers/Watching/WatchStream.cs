using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;
using Governor.Watchers.Client;
using Microsoft.Extensions.Logging;

namespace Governor.Watchers.Watching;

/// <summary>
/// List, then watch, for ever. One call of <see cref="NextAsync"/> does as little as it takes to have an event: a page of a list, a
/// line of the watch, or a pause after a fault. Whoever reads slowly slows the server's stream down and nothing else.
/// </summary>
internal sealed partial class WatchStream : IAsyncDisposable
{
    private static readonly GroupVersionKind CustomResourceDefinition = new("apiextensions.k8s.io", "v1", "CustomResourceDefinition");

    /// <summary>Events that are kept ready at most, a list's page apart.</summary>
    private const int MostReady = 64;

    private readonly Cluster _cluster;
    private readonly WatchRequest _request;
    private readonly KubernetesOptions _options;
    private readonly KubernetesMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    private readonly Queue<WatchEvent> _ready = new();
    private readonly KnownObjects _known;
    private readonly Freshness _freshness;
    private readonly Resync _resync;
    private readonly Session _session;
    private WatchConnection? _connection;
    private ListPager? _list;
    private readonly Definitions _definitions;
    private string _resourceVersion;
    private string _toldUpTo = "";
    private bool _mustVerify;
    private bool _mustAskForDefinition;
    private bool _isAbsent;
    private bool _mustTellSynced;
    private Task _discoveryChanged = Task.CompletedTask;
    private (KubernetesException Fault, TimeSpan Length)? _pause;
    private int _faults;
    private string? _toldFault;

    public WatchStream(
        Cluster cluster, WatchRequest request, KubernetesOptions options, KubernetesMetrics metrics, TimeProvider time, ILogger logger)
    {
        (_cluster, _request, _options, _metrics, _time, _logger) = (cluster, request, options, metrics, time, logger);
        _session = cluster.Session;
        _known = new KnownObjects(request.Known);
        _freshness = new Freshness(options.StalePatience, time);
        _resync = new Resync(options.ResyncEvery, time);
        _definitions = new Definitions(_session, options);
        _resourceVersion = request.ResourceVersion is "0" ? "" : request.ResourceVersion ?? "";
        _freshness.Saw(_resourceVersion);
        if (request.CatchUp)
            (_toldUpTo, _resourceVersion) = (_resourceVersion, "");
        _mustVerify = _mustTellSynced = _resourceVersion.Length > 0;
        _resync.Done();
    }

    /// <summary>The next event, if it is here already.</summary>
    public bool TryNext([MaybeNullWhen(false)] out WatchEvent next) => _ready.TryDequeue(out next);

    /// <summary>Waits for the next event, however long that takes and whatever happens to the server meanwhile.</summary>
    /// <exception cref="KubernetesException"><c>Replaced</c>: another kubeconfig is in this one's place; nothing will ever come through here.</exception>
    public async ValueTask<WatchEvent> NextAsync(CancellationToken cancellation)
    {
        while (true)
        {
            if (_ready.TryDequeue(out var next))
                return next;
            cancellation.ThrowIfCancellationRequested();
            if (_session.Connection.IsReplaced)
                throw new KubernetesException(0, ApiTransport.Replaced, $"{Where}: the cluster's kubeconfig was replaced meanwhile");
            try
            {
                if (_mustAskForDefinition)
                {
                    await TellAbsenceAsync(cancellation);
                    continue;
                }
                await PauseAsync(cancellation);
                await StepAsync(cancellation);
            }
            catch (KubernetesException e) when (e.Reason != ApiTransport.Replaced)
            {
                Recover(e);
            }
            catch (Exception e) when (e is FormatException or WatchLineTooLongException)
            {
                // What came can not be understood, so nobody knows what was missed: only a list tells.
                BeginAnew("malformed");
                Recover(new KubernetesException(502, "Malformed", $"{Where}: {e.Message}", e));
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        Close();
        _resync.Dispose();
        return ValueTask.CompletedTask;
    }

    private string Where => $"cluster '{_cluster.Name}': watch {_request.Kind.Kind}";

    private string? FieldSelector => _request.Name is { Length: > 0 } name ? $"metadata.name={name}" : null;

    private async Task StepAsync(CancellationToken cancellation)
    {
        _discoveryChanged = _session.Discovery.Changed; // before we look, so that nothing appears unnoticed between looking and waiting
        if (_connection is not null && !_resync.IsDue)
            await ReadAsync(cancellation);
        else if (_resourceVersion.Length == 0 || _resync.IsDue)
            await ListAsync(_session, cancellation);
        else
            await OpenAsync(_session, cancellation);
    }

    private async Task OpenAsync(Session session, CancellationToken cancellation)
    {
        var resource = await session.FindAsync(_request.Kind, cancellation);
        if (_mustVerify && await IsRestoredAsync(session, resource, cancellation))
        {
            LogRestored(_logger, _cluster.Name.Value, _request.Kind.Kind, _resourceVersion);
            _known.ForgetVersions();
            BeginAnew("restored");
            return;
        }
        _mustVerify = false;
        var path = ResourcePath.WithQuery(
            ResourcePath.Collection(resource, _request.Namespace),
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", _resourceVersion),
            ("timeoutSeconds", Math.Max(1, (int)_options.WatchTimeout.TotalSeconds).ToString(CultureInfo.InvariantCulture)),
            ("labelSelector", _request.LabelSelector),
            ("fieldSelector", FieldSelector));
        try
        {
            var request = new ApiRequest("watch", HttpMethod.Get, path, resource.Plural);
            _connection = await WatchConnection.OpenAsync(session, request, _options, _time, _resync.Due, cancellation);
        }
        catch (KubernetesException e) when (e.Code == 404)
        {
            BeginAnew("not served");
            throw new KubernetesException(404, Session.NotServed, $"{Where}: {_request.Kind} is not served any more: {e.Message}", e);
        }
        catch (KubernetesException e) when (e.Code is 400 or 410 or 422 or 500)
        {
            BeginAnew(e.Code == 410 ? "expired" : "refused"); // perhaps the place to resume from is what the server minds
            if (e.Code != 410)
                throw;
            return;
        }
        if (_mustTellSynced)
            TellSynced();
        _mustTellSynced = false;
    }

    private async Task ReadAsync(CancellationToken cancellation)
    {
        var connection = _connection!;
        try
        {
            if (await connection.NextAsync(cancellation) is not { } line)
            {
                await ReconnectAsync("ended", connection, cancellation);
                return;
            }
            Read(line.Span);
            while (_ready.Count < MostReady && _connection == connection && connection.TryNext(out line))
                Read(line.Span); // what came together is read together
        }
        catch (OperationCanceledException) when (_resync.IsDue && !cancellation.IsCancellationRequested)
        {
            Close(); // the next step is a list
        }
        catch (SilentWatchException)
        {
            _mustVerify = true;
            await ReconnectAsync("silent", connection, cancellation);
        }
        catch (Exception e) when (e is IOException or HttpRequestException or ObjectDisposedException or OperationCanceledException
            && !cancellation.IsCancellationRequested)
        {
            _mustVerify = true;
            await ReconnectAsync("broken", connection, cancellation);
        }
    }

    private void Read(ReadOnlySpan<byte> line)
    {
        if (KubeJson.TryReadChange(line, _request.Kind, out var change, out var changed))
        {
            _metrics.WatchEvent(_cluster.Name.Value, _request.Kind.Kind, change);
            Take(change, changed);
            return;
        }
        var (type, range) = KubeJson.ReadEvent(line);
        _metrics.WatchEvent(_cluster.Name.Value, _request.Kind.Kind, type);
        if (type == "ERROR")
        {
            Refused(StatusAnswer.Read(500, line[range]));
            return;
        }
        Take(type, KubeJson.ReadItem(line[range], _request.Kind));
    }

    private void Take(string type, ListItem item)
    {
        var version = item.Metadata.ResourceVersion;
        if (version.Length == 0)
            throw new FormatException($"expected an {type} event with metadata.resourceVersion, found none");
        switch (type)
        {
            case "ADDED" or "MODIFIED":
                Present(item, version);
                break;
            case "DELETED" when _known.IsOutdated(item.Metadata.Key, Freshness.Number(version)):
                break; // another of its name was seen since
            case "DELETED" when item.Metadata.Name.Length > 0:
                _known.Remove(item.Metadata.Key);
                _ready.Enqueue(new WatchEvent(WatchEventType.Gone, item.Metadata.Key, item.Metadata.Uid, item.Object, version));
                break;
            case "BOOKMARK":
                _ready.Enqueue(new WatchEvent(WatchEventType.Bookmark, NoKey, "", null, version));
                break;
            default:
                throw new FormatException($"expected ADDED, MODIFIED, DELETED, BOOKMARK or ERROR with an object, found '{type}'");
        }
        _resourceVersion = version;
        _freshness.Saw(version);
        Healthy();
    }

    /// <summary>The server ends the watch with a Status: after 410 everything has to be listed, after anything else too, but later.</summary>
    private void Refused(StatusAnswer status)
    {
        BeginAnew(status.Code == 410 ? "expired" : "error");
        if (status.Code != 410)
            throw status.ToException(Where);
    }

    private void Present(ListItem item, string version)
    {
        var (metadata, key) = (item.Metadata, item.Metadata.Key);
        if (metadata.Name.Length == 0)
            throw new FormatException($"expected an object, found one that cannot be identified: {item.Fault}");
        var own = Freshness.Number(metadata.ResourceVersion);
        if (_known.IsOutdated(key, own))
            return; // a newer state of it was told: it does not go back
        if (_known.Add(key, metadata.Uid, own) is { } replaced)
            _ready.Enqueue(new WatchEvent(WatchEventType.Gone, key, replaced, null, version)); // the one before went while nobody looked
        if (item.Object is null)
        {
            LogUnreadable(_logger, _cluster.Name.Value, _request.Kind.Kind, key, item.Fault!);
            _ready.Enqueue(new WatchEvent(
                WatchEventType.Interrupted, key, metadata.Uid, null, version, $"{Where}: {key} cannot be read: {item.Fault}"));
            return;
        }
        _ready.Enqueue(new WatchEvent(WatchEventType.Present, key, metadata.Uid, item.Object, version));
        if (_request.Kind == CustomResourceDefinition)
            _session.Discovery.Stir();
    }

    /// <summary>Resumes from the last event. A connection that brought nothing and ended at once is not repeated at once.</summary>
    private async Task ReconnectAsync(string reason, WatchConnection connection, CancellationToken cancellation)
    {
        _metrics.Reconnect(_cluster.Name.Value, _request.Kind.Kind, reason);
        LogReconnect(_logger, _cluster.Name.Value, _request.Kind.Kind, reason, _resourceVersion);
        var inVain = !connection.HasBroughtSomething && connection.Age < TimeSpan.FromSeconds(1) && !_session.Connection.IsReplaced;
        Close();
        if (inVain)
            await Task.Delay(Backoff.Pause(_options, _faults++), _time, cancellation);
        else
            _faults = 0;
    }

    /// <summary>Tells that the stream is interrupted, once per cause; the pause follows when that has been read.</summary>
    private void Recover(KubernetesException fault)
    {
        Close();
        _list = null;
        if (fault.Reason == Session.NotServed)
            _session.Discovery.Forget(_request.Kind);
        var round = _faults++;
        if (fault.Code == 410 && round == 0)
            return; // the list expired while it was read: begin again
        _pause = (fault, Backoff.Pause(_options, round));
        if (_resync.IsDue && IsResync)
            _resync.Postpone(_pause.Value.Length); // whatever ails the list, the watch goes on
        _mustAskForDefinition = fault.Reason == Session.NotServed && !_isAbsent;
        if (_request.CatchUp && _resourceVersion.Length > 0)
            (_toldUpTo, _resourceVersion) = (_resourceVersion, "");
        _mustVerify |= _resourceVersion.Length > 0;
        _mustTellSynced = true;
        if (fault.Message == _toldFault)
            return;
        _toldFault = fault.Message;
        _ready.Enqueue(new WatchEvent(WatchEventType.Interrupted, NoKey, "", null, _resourceVersion, fault.Message));
        LogInterrupted(_logger, fault.Message);
    }

    /// <summary>Waits after a fault, but not longer than its cause lasts as far as anybody knows.</summary>
    private async Task PauseAsync(CancellationToken cancellation)
    {
        if (_pause is not var (fault, length))
            return;
        _pause = null;
        var session = _session;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation, session.Connection.Replaced);
        var pause = Task.Delay(length, _time, over.Token);
        var relief = fault.Reason == Session.NotServed ? _discoveryChanged
            : session.Transport.IsReachable ? Task.Delay(Timeout.Infinite, over.Token)
            : session.Transport.Recovered;
        var first = await Task.WhenAny(pause, relief);
        if (first == relief)
            _faults = 0;
        await over.CancelAsync();
        cancellation.ThrowIfCancellationRequested();
    }

    /// <summary>Forgets where we were: the next step is a list.</summary>
    private void BeginAnew(string reason)
    {
        Close();
        _metrics.Reconnect(_cluster.Name.Value, _request.Kind.Kind, reason);
        LogBeginAnew(_logger, _cluster.Name.Value, _request.Kind.Kind, reason, _resourceVersion);
        _list = null;
        if (_request.CatchUp && reason is "expired" or "malformed" && _resourceVersion.Length > 0)
            _toldUpTo = _resourceVersion;
        _resourceVersion = "";
        _mustVerify = false;
    }

    private void TellSynced()
    {
        _toldFault = null;
        _ready.Enqueue(new WatchEvent(WatchEventType.Synced, NoKey, "", null, _resourceVersion));
    }

    private void Healthy() => (_faults, _toldFault) = (0, null);

    private void Close()
    {
        _connection?.Dispose();
        _connection = null;
    }

    private static ObjectKey NoKey => new("", "");

    [LoggerMessage(Level = LogLevel.Warning, Message = "Watch interrupted: {Fault}")]
    private static partial void LogInterrupted(ILogger logger, string fault);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Cluster '{Cluster}': watch of {Kind} opened anew ({Reason}) from {ResourceVersion}.")]
    private static partial void LogReconnect(ILogger logger, string cluster, string kind, string reason, string resourceVersion);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Cluster '{Cluster}': {Kind} is listed again ({Reason}); the watch was at {ResourceVersion}.")]
    private static partial void LogBeginAnew(ILogger logger, string cluster, string kind, string reason, string resourceVersion);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Cluster '{Cluster}': {Kind} was seen at {ResourceVersion}, which the server has not reached: it was restored from an older state. Listing again.")]
    private static partial void LogRestored(ILogger logger, string cluster, string kind, string resourceVersion);

    [LoggerMessage(Level = LogLevel.Information, Message = "Cluster '{Cluster}': {Kind} is not served, and whether it still has a definition cannot be found out; nothing is said to be gone.")]
    private static partial void LogUncertain(ILogger logger, Exception exception, string cluster, string kind);

    [LoggerMessage(Level = LogLevel.Error, Message = "Cluster '{Cluster}': {Kind} {Key} exists but cannot be read and is treated as unknown: {Fault}. Repair or delete the object.")]
    private static partial void LogUnreadable(ILogger logger, string cluster, string kind, ObjectKey key, string fault);
}
