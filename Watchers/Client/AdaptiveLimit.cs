using Governor.Grains.Interfaces.Ports;

namespace Governor.Watchers.Client;

/// <summary>
/// How many requests may be in flight to one cluster: one more for each round without trouble, half as many when the server says
/// 429 or does not answer in time. What does not fit waits in order, up to a bound.
/// </summary>
internal sealed class AdaptiveLimit(string cluster, int most, int longestQueue)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<TaskCompletionSource> _queue = new();
    private double _limit = most;
    private int _inFlight;
    private long _round;

    public int Limit => (int)Volatile.Read(ref _limit);

    public int Queued
    {
        get
        {
            lock (_gate)
                return _queue.Count;
        }
    }

    /// <summary>Waits for a turn. The round that comes back is handed to <see cref="Leave"/>.</summary>
    /// <exception cref="KubernetesException">Too many wait already.</exception>
    public async ValueTask<long> EnterAsync(CancellationToken cancellation)
    {
        LinkedListNode<TaskCompletionSource> place;
        lock (_gate)
        {
            if (_queue.Count == 0 && _inFlight < (int)_limit)
            {
                _inFlight++;
                return _round;
            }
            if (_queue.Count >= longestQueue)
                throw new KubernetesException(
                    429, "TooManyRequests", $"cluster '{cluster}': expected at most {longestQueue} waiting requests, found more (limit in force: {Limit})");
            place = _queue.AddLast(new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        try
        {
            await place.Value.Task.WaitAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            GiveUp(place);
            throw;
        }
        lock (_gate)
            return _round;
    }

    /// <param name="overloaded">The server was too busy for this request.</param>
    public void Leave(long round, bool overloaded)
    {
        lock (_gate)
        {
            _inFlight--;
            if (!overloaded)
            {
                _limit = Math.Min(most, _limit + 1 / _limit);
            }
            else if (round == _round)
            {
                _limit = Math.Max(1, _limit / 2);
                _round++; // requests of the same burst tell the same news: only the first counts
            }
            Admit();
        }
    }

    private void GiveUp(LinkedListNode<TaskCompletionSource> place)
    {
        lock (_gate)
        {
            if (place.List is not null)
            {
                _queue.Remove(place);
                return;
            }
            _inFlight--; // the turn came at the same moment: pass it on
            Admit();
        }
    }

    private void Admit()
    {
        while (_queue.First is { } next && _inFlight < (int)_limit)
        {
            _queue.RemoveFirst();
            _inFlight++;
            next.Value.SetResult();
        }
    }
}
