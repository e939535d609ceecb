using Governor.Watchers.Client;

namespace Governor.Watchers.Watching;

/// <summary>One open watch: its lines, and the deadline by which each must show a sign of life.</summary>
internal sealed class WatchConnection : IDisposable
{
    private readonly HttpResponseMessage _response;
    private readonly WatchLines _lines;
    private readonly CancellationTokenSource _silence;
    private readonly CancellationToken _replaced;
    private readonly CancellationToken _leave;
    private readonly TimeSpan _patience;
    private readonly TimeProvider _time;
    private readonly long _opened;

    private WatchConnection(HttpResponseMessage response, Stream stream, Session session, KubernetesOptions options, TimeProvider time, CancellationToken leave)
    {
        _response = response;
        _time = time;
        _patience = options.WatchSilence;
        _replaced = session.Connection.Replaced;
        _leave = leave;
        _silence = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _lines = new WatchLines(stream, options.MaxWatchLineBytes, Alive);
        _opened = time.GetTimestamp();
    }

    public bool HasBroughtSomething { get; private set; }

    public TimeSpan Age => _time.GetElapsedTime(_opened);

    /// <param name="leave">When the reader has something better to do than to wait for the next line.</param>
    public static async Task<WatchConnection> OpenAsync(
        Session session, ApiRequest request, KubernetesOptions options, TimeProvider time, CancellationToken leave, CancellationToken cancellation)
    {
        var response = await session.Transport.OpenAsync(session.Connection, request, cancellation);
        return new WatchConnection(response, await response.Content.ReadAsStreamAsync(cancellation), session, options, time, leave);
    }

    /// <summary>The next line, if it is here already.</summary>
    public bool TryNext(out ReadOnlyMemory<byte> line) => _lines.TryNext(out line);

    /// <summary>The next line; null when the server ended the watch in good order.</summary>
    /// <exception cref="SilentWatchException">Nothing came for longer than a live server would let it be.</exception>
    public async ValueTask<ReadOnlyMemory<byte>?> NextAsync(CancellationToken cancellation)
    {
        if (_lines.TryNext(out var line))
            return Brought(line);
        // Armed only while we wait: time that the reader of the events takes is not the server's silence.
        Alive();
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _silence.Token, _replaced, _leave);
        try
        {
            while (await _lines.FillAsync(linked.Token))
                if (_lines.TryNext(out line))
                    return Brought(line);
            return null;
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            cancellation.ThrowIfCancellationRequested();
            if (_silence.IsCancellationRequested)
                throw new SilentWatchException(_patience);
            throw;
        }
        finally
        {
            _silence.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        _response.Dispose();
        _silence.Dispose();
    }

    private ReadOnlyMemory<byte> Brought(ReadOnlyMemory<byte> line)
    {
        HasBroughtSomething = true;
        return line;
    }

    private void Alive() => _silence.CancelAfter(_patience);
}

internal sealed class SilentWatchException(TimeSpan patience) : Exception($"expected a sign of life within {patience}, found none");
