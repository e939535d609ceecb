using Governor.Grains.Interfaces.Ports;
using Governor.Watchers.Client;
using Microsoft.Extensions.Logging;

namespace Governor.Watchers.Watching;

/// <summary>
/// The lists of a stream: the first one, the one after 410, and the one that is made from time to time because a server may have
/// kept an event to itself; and what is told when there is nothing to list.
/// </summary>
internal sealed partial class WatchStream
{
    /// <summary>There is a place to go on from, and this list is only to find out whether something was missed.</summary>
    private bool IsResync => _resourceVersion.Length > 0;

    /// <summary>One page; after the last, tombstones for what is not there any more.</summary>
    private async Task ListAsync(Session session, CancellationToken cancellation)
    {
        var begins = _list is null;
        if (_list is null)
        {
            Close();
            var resource = await session.FindAsync(_request.Kind, cancellation);
            _list = new ListPager(session, resource, _request.Namespace, _request.LabelSelector, FieldSelector, _options.PageSize);
            _known.BeginList();
        }
        var page = await _list.NextAsync(cancellation);
        if (page.ResourceVersion.Length == 0)
            throw new FormatException("expected a list with metadata.resourceVersion, found none");
        if (begins && !MayUse(page.ResourceVersion))
            return;
        _isAbsent = false;
        foreach (var item in page.Items)
            if (!IsTold(item))
                Present(item, page.ResourceVersion);
        if (!_list.IsDone)
            return;
        foreach (var (key, uid) in _known.EndList())
            _ready.Enqueue(new WatchEvent(WatchEventType.Gone, key, uid, null, page.ResourceVersion));
        EndList(page.ResourceVersion);
    }

    /// <summary>
    /// Whether the reader has been told how an object is. Of what this stream has told itself, it knows in which state. Of what an earlier
    /// one has told, it knows up to which version that was; an event that was lost then is missing from it, so the next list that looks for
    /// what was missed tells these objects once.
    /// </summary>
    private bool IsTold(ListItem item)
    {
        if (!IsResync && !_request.CatchUp)
            return false;
        var (metadata, version) = (item.Metadata, Freshness.Number(item.Metadata.ResourceVersion));
        var isKnown = _known.Has(metadata.Key, metadata.Uid, version);
        if (!isKnown && (item.Object is null || version == 0 || version > Freshness.Number(_toldUpTo) || !_known.IsOfUnknownVersion(metadata.Key, metadata.Uid)))
            return false;
        _known.Add(metadata.Key, metadata.Uid, isKnown ? version : 0);
        return true;
    }

    private void EndList(string version)
    {
        var mustTell = _mustTellSynced || !IsResync;
        _list = null;
        _resourceVersion = version;
        _toldUpTo = "";
        _mustVerify = _mustTellSynced = false;
        _resync.Done();
        if (mustTell)
            TellSynced();
        else
            _ready.Enqueue(new WatchEvent(WatchEventType.Bookmark, NoKey, "", null, version));
    }

    /// <summary>
    /// Whether something may be concluded from a list. From a server that lags nothing may: what it lacks may have been made since, what it
    /// shows may have gone since. A list that was only to find out what was missed is put off; where there is no other way to go on, the
    /// stream is interrupted until the server has caught up, or until patience ends and what it shows has to be the truth.
    /// </summary>
    private bool MayUse(string version)
    {
        var newest = _freshness.Newest;
        switch (_freshness.Judge(version))
        {
            case ListAge.Stale when IsResync:
                _metrics.StaleList(_cluster.Name.Value, _request.Kind.Kind);
                _list = null;
                _resync.Postpone(Backoff.Pause(_options, _faults++));
                return false;
            case ListAge.Stale:
                throw Stale(version);
            case ListAge.Restored:
                LogRestored(_logger, _cluster.Name.Value, _request.Kind.Kind, $"{newest}");
                _metrics.Reconnect(_cluster.Name.Value, _request.Kind.Kind, "restored");
                _known.ForgetVersions();
                _resourceVersion = _toldUpTo = "";
                return true;
            default:
                return true;
        }
    }

    /// <summary>
    /// A server that was restored from a backup accepts a resource version that it has not reached, and then keeps silent about
    /// everything up to it.
    /// </summary>
    private async Task<bool> IsRestoredAsync(Session session, ResourceDescription resource, CancellationToken cancellation)
    {
        var page = await new ListPager(session, resource, _request.Namespace, null, FieldSelector, 1).NextAsync(cancellation);
        if (Freshness.Number(page.ResourceVersion) > 0 && Freshness.Number(_resourceVersion) == 0)
            return true; // a place that this server has never given out
        return _freshness.Judge(page.ResourceVersion) switch
        {
            ListAge.Fresh => false,
            ListAge.Restored => true,
            _ => throw Stale(page.ResourceVersion),
        };
    }

    /// <summary>
    /// The kind is not served. When it has no definition either, nothing of it can exist: that is told. A definition that is there and
    /// not served, or a server that does not say, tells nothing.
    /// </summary>
    private async Task TellAbsenceAsync(CancellationToken cancellation)
    {
        _mustAskForDefinition = false;
        try
        {
            if (await _session.Discovery.FindAsync(_request.Kind, cancellation) is not null)
                return;
            await _session.FindAsync(CustomResourceDefinition, cancellation);
            _discoveryChanged = _session.Discovery.Changed; // that definitions are found is not what we wait for
            if (await _definitions.DefineAsync(_request.Kind, cancellation))
                return;
        }
        catch (Exception e) when (e is KubernetesException or FormatException && !_session.Connection.IsReplaced)
        {
            LogUncertain(_logger, e, _cluster.Name.Value, _request.Kind.Kind);
            return;
        }
        _isAbsent = true;
        (_resourceVersion, _toldUpTo) = ("", "");
        _known.BeginList();
        foreach (var (key, uid) in _known.EndList())
            _ready.Enqueue(new WatchEvent(WatchEventType.Gone, key, uid, null, ""));
        _ready.Enqueue(new WatchEvent(WatchEventType.Synced, NoKey, "", null, ""));
    }

    private KubernetesException Stale(string version)
    {
        _metrics.StaleList(_cluster.Name.Value, _request.Kind.Kind);
        return new KubernetesException(
            504, "Stale",
            $"{Where}: expected the state of resource version {_freshness.Newest} or a newer one, found that of {version}: the API server lags behind. " +
            $"If it stays so for {_options.StalePatience}, the cluster is taken to have been restored from a backup");
    }
}
