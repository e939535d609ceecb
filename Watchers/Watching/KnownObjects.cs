using Governor.Domain.Kinds;

namespace Governor.Watchers.Watching;

/// <summary>What the reader of a stream believes to exist, and how new that is, so that a list can tell what has gone or was missed.</summary>
internal sealed class KnownObjects
{
    private readonly Dictionary<ObjectKey, (string Uid, ulong Version, int Round)> _objects = [];
    private int _round;

    public KnownObjects(IReadOnlyDictionary<ObjectKey, string>? known)
    {
        foreach (var (key, uid) in known ?? new Dictionary<ObjectKey, string>())
            _objects[key] = (uid, 0, 0);
    }

    /// <summary>The reader knew the object before the stream began, and it does not know in which state.</summary>
    public bool IsOfUnknownVersion(ObjectKey key, string uid) =>
        _objects.TryGetValue(key, out var known) && known.Version == 0 && (known.Uid.Length == 0 || known.Uid == uid);

    public void BeginList() => _round++;

    /// <summary>The object was seen in a newer state than this, so this says nothing any more.</summary>
    public bool IsOutdated(ObjectKey key, ulong version) => version > 0 && _objects.TryGetValue(key, out var known) && known.Version > version;

    /// <summary>The object was seen in exactly this state.</summary>
    public bool Has(ObjectKey key, string uid, ulong version) =>
        version > 0 && _objects.TryGetValue(key, out var known) && known.Version == version && known.Uid == uid;

    /// <summary>The object exists. Returns the UID of another object that had its key before, if there was one.</summary>
    public string? Add(ObjectKey key, string uid, ulong version)
    {
        var replaced = _objects.TryGetValue(key, out var before) && before.Uid.Length > 0 && before.Uid != uid ? before.Uid : null;
        _objects[key] = (uid, version, _round);
        return replaced;
    }

    public void Remove(ObjectKey key) => _objects.Remove(key);

    /// <summary>The cluster went back: nothing that comes is old any more.</summary>
    public void ForgetVersions()
    {
        foreach (var (key, known) in _objects)
            _objects[key] = known with { Version = 0 };
    }

    /// <summary>Forgets, and returns, what was known before the list began and was not in it.</summary>
    public IReadOnlyList<(ObjectKey Key, string Uid)> EndList()
    {
        var gone = _objects.Where(o => o.Value.Round != _round).Select(o => (o.Key, o.Value.Uid)).ToList();
        foreach (var (key, _) in gone)
            _objects.Remove(key);
        return gone;
    }
}
