using Governor.Sandbox.Api;
using Governor.Sandbox.Faults;
using Governor.Sandbox.Store;
using Microsoft.AspNetCore.Http;

namespace Governor.Sandbox.Watch;

/// <summary>A fault ends a watch in good order.</summary>
internal sealed class EndOfWatchException : Exception;

/// <summary>What stands between a watch and its wire: the faults that are armed against its events.</summary>
internal sealed class EventGate
{
    private readonly EventWriter _writer;
    private readonly HttpContext _http;
    private readonly RequestContext _context;
    private readonly SandboxFaults _faults;
    private readonly CancellationToken _dropped;
    private readonly int _silences;
    private readonly string _agent;
    private (string Type, StoredObject Object)? _held;

    public EventGate(EventWriter writer, HttpContext http, RequestContext context, SandboxFaults faults, CancellationToken dropped)
    {
        _writer = writer;
        _http = http;
        _context = context;
        _faults = faults;
        _dropped = dropped;
        _silences = faults.Silences;
        _agent = http.Request.Headers.UserAgent.ToString();
    }

    public async Task WriteAsync(string type, StoredObject o)
    {
        switch (await FateAsync(type, o.Key.Namespace, o.Key.Name, o.Version))
        {
            case EventFate.Drop:
                return;
            case EventFate.Reorder when _held is null:
                _held = (type, o);
                return;
            case EventFate.Duplicate:
                await _writer.WriteAsync(type, o);
                break;
            case EventFate.Garble:
                await _writer.WriteAsync(type, o, isGarbled: true);
                await ReleaseAsync();
                return;
        }
        await _writer.WriteAsync(type, o);
        await ReleaseAsync();
    }

    public async Task BookmarkAsync(long version)
    {
        await ReleaseAsync();
        var fate = await FateAsync("BOOKMARK", _context.Namespace, "", version);
        if (fate is EventFate.Drop)
            return;
        if (fate is EventFate.Duplicate)
            await _writer.BookmarkAsync(version);
        await _writer.BookmarkAsync(version);
    }

    public async Task ExpiredAsync(long asked, long horizon)
    {
        await FinishAsync();
        await _writer.ExpiredAsync(asked, horizon);
    }

    /// <summary>Before the end of the stream: what is held is sent, unless the watch has gone silent.</summary>
    public async Task FinishAsync()
    {
        if (_silences != _faults.Silences)
            await StaySilentAsync();
        await ReleaseAsync();
    }

    private async Task ReleaseAsync()
    {
        if (_held is not var (type, o))
            return;
        _held = null;
        await _writer.WriteAsync(type, o);
    }

    private async Task<EventFate?> FateAsync(string type, string @namespace, string name, long version)
    {
        if (_silences != _faults.Silences)
            await StaySilentAsync();
        if (!_faults.AnyEventArmed)
            return null;
        var gvk = _context.Resource.Gvk;
        var fate = _faults.Take(new FaultEvent(type, gvk.Group, _context.Resource.Plural, @namespace, name, version, _context.User.Name, _agent));
        switch (fate)
        {
            case EventFate.Silence:
                await StaySilentAsync();
                break;
            case EventFate.Break:
                _http.Abort();
                await Task.Delay(Timeout.InfiniteTimeSpan, _http.RequestAborted);
                break;
            case EventFate.End:
                throw new EndOfWatchException();
        }
        return fate;
    }

    /// <summary>Ends only with the connection.</summary>
    private async Task StaySilentAsync()
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(_http.RequestAborted, _dropped);
        await Task.Delay(Timeout.InfiniteTimeSpan, ended.Token);
    }
}
