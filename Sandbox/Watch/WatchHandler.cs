using Governor.Sandbox.Api;
using Governor.Sandbox.Discovery;
using Governor.Sandbox.Store;
using Microsoft.AspNetCore.Http;

namespace Governor.Sandbox.Watch;

/// <summary>Watches: replay, live events, bookmarks, the end.</summary>
internal sealed class WatchHandler
{
    private readonly ClusterCore _core;

    public WatchHandler(ClusterCore core) => _core = core;

    public async Task HandleAsync(HttpContext http, RequestContext context)
    {
        var media = MediaRange.Require(http.Request);
        if (media.IsYaml)
            throw new ApiException(406, "NotAcceptable", "only the following media types are accepted: application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch");
        CheckQuery(http.Request.Query);
        var from = ResourceReads.ReadVersion(http.Request.Query["resourceVersion"].ToString()) ?? 0;
        var filter = new WatchFilter(context.Namespace, LabelSelector.Parse(http.Request.Query["labelSelector"].ToString()),
            FieldSelector.Parse(http.Request.Query["fieldSelector"].ToString(), context.Resource));
        var events = new EventWriter(http, context.Resource, media, _core.Clock);
        Answers.Warn(http, context.Warnings);
        var dropped = _core.Faults.WatchesDropped; // from the first byte on, whoever has the headers has an open watch
        var gate = new EventGate(events, http, context, _core.Faults, dropped);
        await events.StartAsync();
        if (media.As == "PartialObjectMetadataList")
            return;
        await RunAsync(http, context.Resource, from, filter, gate, dropped);
    }

    private async Task RunAsync(HttpContext http, ServedResource resource, long from, WatchFilter filter, EventGate events, CancellationToken dropped)
    {
        var history = _core.Store.HistoryOf(resource.Id);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, history.Epoch, dropped);
        using var deadline = new CancellationTokenSource(Timeout(http.Request), _core.Clock);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ended.Token, deadline.Token);
        var bookmarks = IsTrue(http.Request.Query["allowWatchBookmarks"].ToString())
            ? new Bookmarks(_core.Clock, Timeout(http.Request))
            : null;
        var cursor = new Cursor();
        try
        {
            cursor.IsFollowing = from == 0;
            cursor.Version = from == 0 ? await ListFirstAsync(resource, filter, events) : from;
            await FollowAsync(history, cursor, filter, events, bookmarks, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            if (dropped.IsCancellationRequested || http.RequestAborted.IsCancellationRequested)
                http.Abort();
            else
                await FinishAsync(history, cursor, filter, events);
        }
        catch (EndOfWatchException)
        {
            return; // a fault ends the stream in good order
        }
    }

    private static async Task FinishAsync(History history, Cursor cursor, WatchFilter filter, EventGate events)
    {
        try
        {
            await SendAsync(history.Remaining(cursor.Version), cursor, filter, events, CancellationToken.None);
            await events.FinishAsync();
        }
        catch (EndOfWatchException)
        {
            return; // it ends anyway
        }
    }

    private async Task<long> ListFirstAsync(ServedResource resource, WatchFilter filter, EventGate events)
    {
        var state = _core.Store.Current;
        foreach (var o in state.Of(resource.Id).Values.Where(filter.Matches))
            await events.WriteAsync("ADDED", o);
        return state.Version;
    }

    private static async Task FollowAsync(History history, Cursor cursor, WatchFilter filter, EventGate events, Bookmarks? bookmarks, CancellationToken stop)
    {
        var from = cursor.Version;
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            var next = history.NextChange;
            var changes = history.After(cursor.Version, cursor.IsFollowing);
            if (changes is null)
            {
                await events.ExpiredAsync(cursor.Version, history.Horizon);
                return;
            }
            cursor.IsFollowing = true;
            await SendAsync(changes, cursor, filter, events, stop);
            if (bookmarks is null)
                await next.WaitAsync(stop);
            else if (!await bookmarks.WaitAsync(next, stop) && cursor.Version > from)
                await events.BookmarkAsync(cursor.Version);
        }
    }

    private static async Task SendAsync(IReadOnlyList<Change> changes, Cursor cursor, WatchFilter filter, EventGate events, CancellationToken stop)
    {
        foreach (var change in changes)
        {
            if (filter.Translate(change) is var (type, o) && o is not null)
                await events.WriteAsync(type, o);
            cursor.Version = change.Version;
            stop.ThrowIfCancellationRequested();
        }
    }

    /// <summary>How far a watch has come.</summary>
    private sealed class Cursor
    {
        public long Version { get; set; }

        /// <summary>It has caught up once.</summary>
        public bool IsFollowing { get; set; }
    }

    private static void CheckQuery(IQueryCollection query)
    {
        if (query["resourceVersionMatch"].ToString().Length == 0)
            return;
        const string field = "resourceVersionMatch";
        var causes = new List<Cause> { Cause.Forbidden(field, "resourceVersionMatch is forbidden for watch") };
        if (query["resourceVersion"].ToString().Length == 0)
            causes.Add(Cause.Forbidden(field, "resourceVersionMatch is forbidden unless resourceVersion is provided"));
        throw ApiException.Invalid("meta.k8s.io", "ListOptions", "", causes);
    }

    private static TimeSpan Timeout(HttpRequest request) =>
        int.TryParse(request.Query["timeoutSeconds"].ToString(), out var seconds) && seconds > 0
            ? TimeSpan.FromSeconds(seconds)
            : TimeSpan.FromSeconds(Random.Shared.Next(1800, 3600));

    private static bool IsTrue(string text) => text is "true" or "1" or "True" or "TRUE" or "t" or "T";
}

/// <summary>What a watch lets through, and as what: entering a selection is ADDED, leaving it DELETED.</summary>
internal sealed record WatchFilter(string Namespace, LabelSelector Labels, FieldSelector Fields)
{
    public bool Matches(StoredObject o) =>
        (Namespace.Length == 0 || o.Key.Namespace == Namespace) && Labels.Matches(o) && Fields.Matches(o);

    public (string Type, StoredObject? Object) Translate(Change change)
    {
        var before = change.Previous is { } previous && Matches(previous);
        if (change.Type == ChangeType.Deleted)
            return ("DELETED", before ? change.Object : null);
        var after = Matches(change.Object);
        return (before, after) switch
        {
            (true, true) => ("MODIFIED", change.Object),
            (false, true) => ("ADDED", change.Object),
            (true, false) => ("DELETED", change.Previous!.At(change.Version)),
            _ => ("", null),
        };
    }
}

/// <summary>When bookmarks come: about every minute, and in the last two seconds before the deadline.</summary>
internal sealed class Bookmarks
{
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    private readonly TimeProvider _clock;
    private readonly long _start;
    private readonly TimeSpan _last;
    private TimeSpan _due;

    public Bookmarks(TimeProvider clock, TimeSpan timeout)
    {
        _clock = clock;
        _start = clock.GetTimestamp();
        _last = timeout - TimeSpan.FromSeconds(1.5);
        _due = _last < Period ? _last : Period;
    }

    /// <summary>True when there is a change; false when a bookmark is due first.</summary>
    public async Task<bool> WaitAsync(Task change, CancellationToken stop)
    {
        var wait = _due - _clock.GetElapsedTime(_start);
        try
        {
            if (wait > TimeSpan.Zero)
            {
                await change.WaitAsync(wait, _clock, stop);
                return true;
            }
        }
        catch (TimeoutException)
        {
            // the bookmark is due
        }
        _due = _due == _last ? TimeSpan.FromDays(1) : _due + Period < _last ? _due + Period : _last;
        return false;
    }
}
