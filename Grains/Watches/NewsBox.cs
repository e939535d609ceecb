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

    private readonly Queue<ObjectKey> _queue = new();
    private readonly Dictionary<ObjectKey, Place> _places = [];
    private readonly HashSet<ObjectKey> _firstList = [];
    private bool _listed;

    /// <summary>Everything of the first list has been told once, or has at least been tried. Once true, it stays so.</summary>
    public bool IsSynced => _listed && _firstList.Count == 0;

    /// <summary>Everything that has not been told for good, including what is being told just now.</summary>
    public IEnumerable<WatchEvent> Untold => _places.Values.Select(place => place.Waiting ?? place.Telling!);

    public void Put(WatchEvent seen)
    {
        if (!_listed)
            _firstList.Add(seen.Key);
        if (_places.TryGetValue(seen.Key, out var place))
        {
            place.Waiting = seen;
            return;
        }
        _places[seen.Key] = new Place { Waiting = seen };
        _queue.Enqueue(seen.Key);
    }

    /// <summary>The first list is complete.</summary>
    public void EndList() => _listed = true;

    /// <summary>Hands out the oldest object's news. Nothing more of that object comes out until it is said what became of this.</summary>
    public WatchEvent? Take()
    {
        if (!_queue.TryDequeue(out var key))
            return null;
        var place = _places[key];
        (place.Telling, place.Waiting) = (place.Waiting, null);
        return place.Telling;
    }

    public void Told(ObjectKey key)
    {
        _firstList.Remove(key);
        var place = _places[key];
        (place.Telling, place.Failures) = (null, 0);
        if (place.Waiting is null)
            _places.Remove(key);
        else
            _queue.Enqueue(key);
    }

    /// <summary>The news goes back into its place, unless there is newer news. Answers how long the object has to rest.</summary>
    public TimeSpan NotTold(ObjectKey key)
    {
        _firstList.Remove(key);
        var place = _places[key];
        place.Waiting ??= place.Telling;
        place.Telling = null;
        var rest = FirstRest * Math.Pow(2, Math.Min(place.Failures++, 10));
        return rest < LongestRest ? rest : LongestRest;
    }

    public void Rested(ObjectKey key) => _queue.Enqueue(key);

    private sealed class Place
    {
        public WatchEvent? Waiting { get; set; }

        public WatchEvent? Telling { get; set; }

        public int Failures { get; set; }
    }
}
