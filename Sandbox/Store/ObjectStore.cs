using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Governor.Domain.Kinds;

namespace Governor.Sandbox.Store;

/// <summary>The objects of one cluster at one resourceVersion. Immutable.</summary>
internal sealed record StoreState(long Version, ImmutableDictionary<ResourceId, ImmutableSortedDictionary<ObjectKey, StoredObject>> Resources)
{
    private static readonly ImmutableSortedDictionary<ObjectKey, StoredObject> None =
        ImmutableSortedDictionary.Create<ObjectKey, StoredObject>(KeyOrder.Instance);

    public ImmutableSortedDictionary<ObjectKey, StoredObject> Of(ResourceId id) => Resources.GetValueOrDefault(id, None);

    public StoredObject? Find(ResourceId id, ObjectKey key) => Of(id).GetValueOrDefault(key);
}

/// <summary>
/// All objects of one cluster and their recent history. One lock orders the writes; reads take an immutable snapshot without it.
/// Writers are optimistic: they build the next object from the one they read, and commit only if it is still the current one.
/// </summary>
internal sealed class ObjectStore
{
    private readonly Lock _gate = new();
    private readonly int _historySize;
    private readonly long _historyBytes;
    private readonly Channel<Change?> _changes = Channel.CreateUnbounded<Change?>(new UnboundedChannelOptions { SingleReader = true });
    private long _forgotten = 100;
    private ImmutableDictionary<ResourceId, History> _histories = ImmutableDictionary<ResourceId, History>.Empty;
    private volatile StoreState _state =
        new(100, ImmutableDictionary<ResourceId, ImmutableSortedDictionary<ObjectKey, StoredObject>>.Empty);

    public ObjectStore(int historySize, long historyBytes) => (_historySize, _historyBytes) = (historySize, historyBytes);

    /// <summary>The newest state.</summary>
    public StoreState Current => _state;

    /// <summary>Every change in order, for the controllers; null for a nudge.</summary>
    public ChannelReader<Change?> Changes => _changes.Reader;

    /// <summary>How many changes were handed to the controllers so far.</summary>
    public long ChangeCount { get; private set; }

    public History HistoryOf(ResourceId id)
    {
        if (_histories.TryGetValue(id, out var found))
            return found;
        lock (_gate)
        {
            if (!_histories.TryGetValue(id, out found))
            {
                found = new History(_historySize, _historyBytes, _forgotten);
                _histories = _histories.Add(id, found);
            }
            return found;
        }
    }

    /// <summary>Creates or replaces an object.</summary>
    /// <param name="expected">The object that <paramref name="next"/> was made from; null for a create.</param>
    /// <returns>What is stored now, or null if <paramref name="expected"/> is no longer current.</returns>
    public StoredObject? TryPut(ResourceId id, ObjectKey key, StoredObject? expected, JsonObject next)
    {
        var history = HistoryOf(id);
        lock (_gate)
        {
            var items = _state.Of(id);
            if (!ReferenceEquals(items.GetValueOrDefault(key), expected))
                return null;
            var version = _state.Version + 1;
            var stored = StoredObject.Freeze(key, next, version);
            Publish(history, new Change(version, expected is null ? ChangeType.Added : ChangeType.Modified, id, stored, expected,
                items.SetItem(key, stored)));
            return stored;
        }
    }

    /// <summary>Deletes an object; false if <paramref name="expected"/> is no longer current.</summary>
    public bool TryDelete(ResourceId id, StoredObject expected)
    {
        var history = HistoryOf(id);
        lock (_gate)
        {
            var items = _state.Of(id);
            if (!ReferenceEquals(items.GetValueOrDefault(expected.Key), expected))
                return false;
            var version = _state.Version + 1;
            Publish(history, new Change(version, ChangeType.Deleted, id, expected.At(version), expected, items.Remove(expected.Key)));
            return true;
        }
    }

    /// <summary>Forgets the history of a kind, so that resuming any watch of it is 410, and ends its open watches.</summary>
    public void Restart(ResourceId id) => HistoryOf(id).Restart(_state.Version);

    /// <summary>Forgets the history of one kind, or of every kind; open watches go on.</summary>
    public void Expire(ResourceId? one = null)
    {
        if (one is { } id)
        {
            HistoryOf(id).Expire(_state.Version);
            return;
        }
        lock (_gate)
            _forgotten = _state.Version;
        foreach (var history in _histories.Values)
            history.Expire(_state.Version);
    }

    /// <summary>Makes the controllers look again though nothing has changed.</summary>
    public void Nudge()
    {
        lock (_gate)
        {
            ChangeCount++;
            _changes.Writer.TryWrite(null);
        }
    }

    /// <summary>Begins with the objects of another cluster, which the controllers see as their informers' first list. Before anything else only.</summary>
    /// <param name="unseen">The kind that the controllers need not see.</param>
    public void Begin(StoreState from, ResourceId unseen)
    {
        lock (_gate)
        {
            (_state, _forgotten) = (from, from.Version);
            foreach (var (id, items) in from.Resources.Where(resource => resource.Key != unseen))
                foreach (var item in items.Values)
                {
                    ChangeCount++;
                    _changes.Writer.TryWrite(new Change(from.Version, ChangeType.Added, id, item, null, items));
                }
        }
    }

    public void Close() => _changes.Writer.TryComplete();

    private void Publish(History history, Change change)
    {
        _state = new StoreState(change.Version, _state.Resources.SetItem(change.Resource, change.After));
        history.Append(change);
        ChangeCount++;
        _changes.Writer.TryWrite(change);
    }
}

/// <summary>The order of keys in lists: namespace, then name, bytewise.</summary>
internal sealed class KeyOrder : IComparer<ObjectKey>
{
    public static readonly KeyOrder Instance = new();

    public int Compare(ObjectKey x, ObjectKey y)
    {
        var order = string.CompareOrdinal(x.Namespace, y.Namespace);
        return order != 0 ? order : string.CompareOrdinal(x.Name, y.Name);
    }
}
