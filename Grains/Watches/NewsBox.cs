using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Grains.Watches;

/// <summary>
/// What a stream has shown and nobody has been told yet: one place per object, newest news only, first come, first served. An object
/// whose news could not be told rests, longer each time, and keeps nobody else waiting.
/// </summary>
public sealed class NewsBox
{
    private static readonly TimeSpan FirstRest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(30);

    /// <summary>Beyond so many bytes that wait, objects are kept as bytes only and parsed again when their turn comes.</summary>
    private const long MostParsedBytes = 16 * 1024 * 1024;

    /// <summary>After so many failures in a row, half a minute altogether, an object keeps the stream from being synced no longer.</summary>
    private const int Excused = 5;

    private readonly Queue<ObjectKey> _queue = new();
    private readonly Dictionary<ObjectKey, Place> _places = [];
    private readonly HashSet<ObjectKey> _owed = [];
    private bool _listed;

    /// <summary>
    /// Everything that existed has been told, and nothing has interrupted the stream since. What has failed again and again is excused:
    /// one poisoned object must not hold up everything for ever.
    /// </summary>
    public bool IsSynced => _listed && _owed.Count == 0;

    /// <summary>Bytes of the objects that wait.</summary>
    public long Bytes { get; private set; }

    public bool IsEmpty => _places.Count == 0;

    /// <summary>Everything that has not been told for good, including what is being told just now.</summary>
    public IEnumerable<WatchEvent> Untold => _places.Values.Select(place => place.Waiting ?? place.Telling!);

    public void Put(WatchEvent seen)
    {
        if (!_listed)
            _owed.Add(seen.Key);
        if (Bytes >= MostParsedBytes && seen.Object is { } parsed)
            seen = seen with { Object = parsed.Folded() };
        Bytes += Size(seen);
        if (_places.TryGetValue(seen.Key, out var place))
        {
            Bytes -= Size(place.Waiting);
            place.Waiting = seen;
            return;
        }
        _places[seen.Key] = new Place { Waiting = seen };
        _queue.Enqueue(seen.Key);
    }

    /// <summary>Nobody can say any more that everything has been told.</summary>
    public void BeginList()
    {
        if (!_listed)
            return;
        _listed = false;
        _owed.UnionWith(_places.Keys);
    }

    /// <summary>The list is complete.</summary>
    public void EndList() => _listed = true;

    /// <summary>Hands out the oldest object's news. Nothing more of that object comes out until it is said what became of this.</summary>
    public WatchEvent? Take()
    {
        if (!_queue.TryDequeue(out var key))
            return null;
        var place = _places[key];
        (place.Telling, place.Waiting) = (place.Waiting, null);
        Bytes -= Size(place.Telling);
        return place.Telling;
    }

    public void Told(ObjectKey key)
    {
        var place = _places[key];
        (place.Telling, place.Failures) = (null, 0);
        if (place.Waiting is not null)
        {
            _queue.Enqueue(key);
            return;
        }
        _places.Remove(key);
        _owed.Remove(key);
    }

    /// <summary>The news goes back into its place, unless there is newer news. Answers how long the object has to rest.</summary>
    public TimeSpan NotTold(ObjectKey key)
    {
        var place = _places[key];
        if (place.Waiting is null)
        {
            place.Waiting = place.Telling;
            Bytes += Size(place.Waiting);
        }
        place.Telling = null;
        var rest = FirstRest * Math.Pow(2, Math.Min(place.Failures++, 10));
        if (place.Failures >= Excused)
            _owed.Remove(key);
        return rest < LongestRest ? rest : LongestRest;
    }

    public void Rested(ObjectKey key) => _queue.Enqueue(key);

    private static long Size(WatchEvent? news) => news?.Object?.Json.Length ?? 0;

    private sealed class Place
    {
        public WatchEvent? Waiting { get; set; }

        public WatchEvent? Telling { get; set; }

        public int Failures { get; set; }
    }
}
