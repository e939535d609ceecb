using Governor.Domain.Kinds;

namespace Governor.Watchers.Watching;

/// <summary>What the reader of a stream believes to exist, so that a list can tell what has gone.</summary>
internal sealed class KnownObjects
{
    private readonly Dictionary<ObjectKey, (string Uid, int Round)> _objects = [];
    private int _round;

    public KnownObjects(IReadOnlyDictionary<ObjectKey, string>? known)
    {
        foreach (var (key, uid) in known ?? new Dictionary<ObjectKey, string>())
            _objects[key] = (uid, 0);
    }

    public bool Contains(ObjectKey key, string uid) => _objects.TryGetValue(key, out var known) && (known.Uid.Length == 0 || known.Uid == uid);

    public void BeginList() => _round++;

    /// <summary>The object exists. Returns the UID of another object that had its key before, if there was one.</summary>
    public string? Add(ObjectKey key, string uid)
    {
        var replaced = _objects.TryGetValue(key, out var before) && before.Uid.Length > 0 && before.Uid != uid ? before.Uid : null;
        _objects[key] = (uid, _round);
        return replaced;
    }

    public void Remove(ObjectKey key) => _objects.Remove(key);

    /// <summary>Forgets, and returns, what was known before the list began and was not in it.</summary>
    public IReadOnlyList<(ObjectKey Key, string Uid)> EndList()
    {
        var gone = _objects.Where(o => o.Value.Round != _round).Select(o => (o.Key, o.Value.Uid)).ToList();
        foreach (var (key, _) in gone)
            _objects.Remove(key);
        return gone;
    }
}
