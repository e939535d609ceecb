using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Governor.Domain.Kinds;

namespace Governor.Sandbox.Store;

internal enum ChangeType
{
    Added,
    Modified,
    Deleted,
}

/// <summary>One committed change of one object.</summary>
/// <param name="Object">The object after the change; for a delete its last state under the resourceVersion of the delete.</param>
/// <param name="Previous">The object before the change.</param>
/// <param name="After">All objects of the kind after the change.</param>
internal sealed record Change(
    long Version,
    ChangeType Type,
    ResourceId Resource,
    StoredObject Object,
    StoredObject? Previous,
    ImmutableSortedDictionary<ObjectKey, StoredObject> After);

/// <summary>The recent changes of one kind: a ring with a horizon behind which nothing is known any more.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The token source has no timer and no wait handle: there is nothing to dispose of.")]
internal sealed class History
{
    private readonly Lock _gate = new();
    private readonly int _capacity;
    private readonly long _maxBytes;
    private readonly LinkedList<Change> _changes = new();
    private long _trimmed;
    private long _bytes;
    private TaskCompletionSource _pulse = New();
    private CancellationTokenSource _epoch = new();

    /// <param name="bytes">What the objects of the history may take together; the newest change is kept in any case.</param>
    public History(int capacity, long bytes, long horizon)
    {
        _capacity = capacity;
        _maxBytes = bytes;
        Horizon = horizon;
        _trimmed = horizon;
    }

    /// <summary>Up to here nobody may start or resume.</summary>
    public long Horizon { get; private set; }

    /// <summary>Cancelled when all open watches of the kind have to end.</summary>
    public CancellationToken Epoch
    {
        get
        {
            lock (_gate)
                return _epoch.Token;
        }
    }

    /// <summary>Completes with the next change. Take it before reading, or a change in between is slept through.</summary>
    public Task NextChange
    {
        get
        {
            lock (_gate)
                return _pulse.Task;
        }
    }

    public void Append(Change change)
    {
        TaskCompletionSource pulse;
        lock (_gate)
        {
            _changes.AddLast(change);
            _bytes += change.Object.Json.Length;
            while (_changes.Count > _capacity || (_bytes > _maxBytes && _changes.Count > 1))
                Forget();
            pulse = _pulse;
            _pulse = New();
        }
        pulse.TrySetResult();
    }

    /// <summary>The changes after a resourceVersion, or null when some of them are forgotten.</summary>
    /// <param name="isFollowing">An open watch goes on while the ring still has what it has not seen, whatever the horizon.</param>
    public IReadOnlyList<Change>? After(long version, bool isFollowing)
    {
        lock (_gate)
        {
            return version < (isFollowing ? _trimmed : Horizon) ? null : Since(version);
        }
    }

    /// <summary>What an open watch has not seen yet when it is ended, whatever the horizon.</summary>
    public IReadOnlyList<Change> Remaining(long version)
    {
        lock (_gate)
            return Since(version);
    }

    /// <summary>All objects of the kind as of a resourceVersion, or null when that is forgotten.</summary>
    public ImmutableSortedDictionary<ObjectKey, StoredObject>? AsOf(long version, ImmutableSortedDictionary<ObjectKey, StoredObject> current)
    {
        lock (_gate)
        {
            if (version < Horizon)
                return null;
            for (var at = _changes.Last; at is not null; at = at.Previous)
                if (at.Value.Version <= version)
                    return at.Value.After;
            return _changes.First is null ? current : Before(_changes.First.Value);
        }
    }

    /// <summary>All objects of the kind as they were, whatever the horizon; the oldest state that is remembered when that is not.</summary>
    public (ImmutableSortedDictionary<ObjectKey, StoredObject> Items, long Version) Recall(
        long version, ImmutableSortedDictionary<ObjectKey, StoredObject> current, long now)
    {
        lock (_gate)
        {
            if (version >= now || _changes.Last is null)
                return (current, now);
            for (var at = _changes.Last; at is not null; at = at.Previous)
                if (at.Value.Version <= version)
                    return (at.Value.After, version);
            return (Before(_changes.First!.Value), Math.Max(version, _trimmed));
        }
    }

    /// <summary>All objects of the kind as they were so many changes ago.</summary>
    public (ImmutableSortedDictionary<ObjectKey, StoredObject> Items, long Version) Recall(
        int changes, ImmutableSortedDictionary<ObjectKey, StoredObject> current, long now)
    {
        lock (_gate)
        {
            var at = _changes.Last;
            for (var i = 0; i < changes && at is not null; i++)
                at = at.Previous;
            return changes == 0 ? (current, now)
                : at is not null ? (at.Value.After, at.Value.Version)
                : _changes.First is { } first ? (Before(first.Value), first.Value.Version - 1)
                : (current, now);
        }
    }

    public void Expire(long version)
    {
        lock (_gate)
            Horizon = version;
    }

    public void Restart(long version)
    {
        Expire(version);
        CancellationTokenSource ended;
        lock (_gate)
        {
            ended = _epoch;
            _epoch = new CancellationTokenSource();
        }
        ended.Cancel();
    }

    private void Forget()
    {
        var oldest = _changes.First!.Value;
        _trimmed = oldest.Version;
        _bytes -= oldest.Object.Json.Length;
        Horizon = Math.Max(Horizon, _trimmed);
        _changes.RemoveFirst();
    }

    private List<Change> Since(long version)
    {
        var found = new List<Change>();
        for (var at = _changes.Last; at is not null && at.Value.Version > version; at = at.Previous)
            found.Add(at.Value);
        found.Reverse();
        return found;
    }

    private static ImmutableSortedDictionary<ObjectKey, StoredObject> Before(Change change) =>
        change.Previous is null ? change.After.Remove(change.Object.Key) : change.After.SetItem(change.Previous.Key, change.Previous);

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
