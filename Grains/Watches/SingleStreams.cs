using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Grains.Watches;

/// <summary>
/// Streams of one object each: for kinds that must not be watched as a whole, and for objects that a selecting stream does not show,
/// because they lost the label or are gone. What such a stream says of its object is certain.
/// Not thread-safe: it lives on its grain's scheduler.
/// </summary>
internal sealed class SingleStreams(GroupVersionKind kind, Action<WatchEvent> tell, Action<Exception> broken)
{
    private readonly Dictionary<ObjectKey, Single> _streams = [];

    public int Count => _streams.Count;

    /// <summary>Each of them has said how its object is.</summary>
    public bool AreSure => _streams.Values.All(stream => stream.IsSure);

    public void Begin(ICluster cluster, ObjectKey key, CancellationToken round)
    {
        if (_streams.ContainsKey(key))
            return;
        var stream = _streams[key] = new Single(CancellationTokenSource.CreateLinkedTokenSource(round));
        _ = RunAsync(cluster, key, stream);
    }

    public void End(ObjectKey key)
    {
        if (_streams.Remove(key, out var stream))
            stream.Ends.Cancel();
    }

    public void EndAll()
    {
        foreach (var key in _streams.Keys.ToList())
            End(key);
    }

    private async Task RunAsync(ICluster cluster, ObjectKey key, Single stream)
    {
        await Task.Yield();
        try
        {
            var request = new WatchRequest(kind, key.Namespace.Length > 0 ? key.Namespace : null, key.Name, CatchUp: true);
            await foreach (var seen in cluster.WatchAsync(request, stream.Ends.Token))
            {
                if (stream.Ends.IsCancellationRequested)
                    return;
                switch (seen.Type)
                {
                    case WatchEventType.Present or WatchEventType.Gone:
                        stream.IsThere = seen.Type == WatchEventType.Present;
                        tell(seen);
                        break;
                    case WatchEventType.Synced:
                        if (!stream.IsSure && !stream.IsThere)
                            tell(new WatchEvent(WatchEventType.Gone, key, "", null, seen.ResourceVersion));
                        stream.IsSure = true;
                        break;
                }
            }
        }
        catch (OperationCanceledException) when (stream.Ends.IsCancellationRequested)
        {
            // Nobody needs it any more.
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            if (!stream.Ends.IsCancellationRequested)
                broken(e);
        }
        finally
        {
            if (_streams.GetValueOrDefault(key) == stream)
                _streams.Remove(key);
            stream.Ends.Dispose();
        }
    }

    private sealed class Single(CancellationTokenSource ends)
    {
        public CancellationTokenSource Ends { get; } = ends;

        public bool IsThere { get; set; }

        public bool IsSure { get; set; }
    }
}
