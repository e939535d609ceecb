namespace Governor.Grains.Watches;

/// <summary>
/// Observe, diff, gate, act: whether this silo knows enough of the management cluster to say and to do something about it. One for all
/// actors of a silo. A gate that nobody has armed is open.
/// </summary>
/// <remarks>
/// <para>Since the start of the silo until every stream has told everything that exists, actors take in what they see and say nothing:
/// whatever has not been heard of may be there. After that they always speak.</para>
/// <para>They act only while every stream is synced and what follows from that has been told: from the first actor that something was
/// seen of to the last that it matters to. When a stream is interrupted, acting waits until it has caught up. So whatever was owed when
/// the cluster went away is judged by what it is like when it is back, before it is done.</para>
/// </remarks>
public sealed class ObservationGate
{
    private readonly Lock _lock = new();
    private readonly HashSet<string> _unsynced = [];
    private TaskCompletionSource _listed = Done();
    private TaskCompletionSource _open = Done();
    private int _telling;
    private bool _isResumed = true;

    /// <summary>Actors may act.</summary>
    public bool IsOpen => Volatile.Read(ref _open).Task.IsCompleted;

    /// <summary>Streams that are not synced now.</summary>
    public IReadOnlyList<string> Unsynced
    {
        get
        {
            lock (_lock)
                return [.. _unsynced.Order(StringComparer.Ordinal)];
        }
    }

    /// <summary>Closes the gate until all of these streams are synced, and everything that was owed before has been resumed.</summary>
    public void Arm(IEnumerable<string> streams)
    {
        lock (_lock)
        {
            _unsynced.UnionWith(streams);
            _isResumed = false;
            (_listed, _open) = (Fresh(), Fresh());
        }
    }

    /// <summary>A stream is synced, or is not.</summary>
    public void Say(string stream, bool synced)
    {
        lock (_lock)
        {
            if (synced)
                _unsynced.Remove(stream);
            else if (_unsynced.Add(stream) && _open.Task.IsCompleted)
                _open = Fresh();
            Reconsider();
        }
    }

    /// <summary>Every actor that owed something when the last silo ended is awake, and counted if it has something to tell.</summary>
    public void Resumed()
    {
        lock (_lock)
        {
            _isResumed = true;
            Reconsider();
        }
    }

    /// <summary>Completes when everything that exists has been told for the first time: who was not heard of until now is not there.</summary>
    public Task ListedAsync(CancellationToken cancellation) => Volatile.Read(ref _listed).Task.WaitAsync(cancellation);

    /// <summary>Completes when actors may act.</summary>
    public Task OpenAsync(CancellationToken cancellation) => Volatile.Read(ref _open).Task.WaitAsync(cancellation);

    /// <summary>An actor has something to tell others. To be ended by <see cref="EndTelling"/>.</summary>
    public void BeginTelling() => Interlocked.Increment(ref _telling);

    /// <summary>It is told: whoever was told something that moves him has begun to tell in his turn.</summary>
    public void EndTelling()
    {
        if (Interlocked.Decrement(ref _telling) > 0 || IsOpen)
            return;
        lock (_lock)
            Reconsider();
    }

    private void Reconsider()
    {
        if (_unsynced.Count > 0)
            return;
        _listed.TrySetResult();
        if (_isResumed && Volatile.Read(ref _telling) == 0)
            _open.TrySetResult();
    }

    private static TaskCompletionSource Fresh() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static TaskCompletionSource Done()
    {
        var done = Fresh();
        done.SetResult();
        return done;
    }
}
