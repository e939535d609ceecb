using Governor.Sandbox;
using Governor.Sandbox.Faults;

namespace Governor.Sieve.Tests.Support;

/// <summary>
/// Stands between the silos of a run and the API servers: remembers what went over the wire, gives each write, list and event a name,
/// and lets one of them go wrong.
/// </summary>
internal sealed class Wire(Perturbation perturbation, Life life, LeapingClock clock, Pulse pulse)
{
    private static readonly string[] Mutating = ["create", "update", "patch", "delete", "deletecollection"];

    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _counts = [];
    private readonly HashSet<string> _opened = [];
    private HashSet<string> _open = [];

    public List<string> Writes { get; } = [];

    public List<string> Events { get; } = [];

    public List<(string Name, int Changes)> Lists { get; } = [];

    /// <summary>The perturbation has hit.</summary>
    public bool WasHit { get; private set; }

    public void Arm(SandboxCluster cluster)
    {
        var faults = cluster.Faults;
        faults.Arm(request => IsLastWrite(cluster, request), new FaultEffect.DropAfter(), count: int.MaxValue);
        faults.Arm(request => life.IsDead(request.UserAgent), new FaultEffect.DropBefore(), count: int.MaxValue);
        faults.Arm(
            request => IsStaleList(cluster, request), new FaultEffect.Lag(perturbation is Perturbation.StaleList(var changes, _) ? changes : 0), count: int.MaxValue);
        faults.ArmEvent(sent => IsDropped(cluster, sent), EventFate.Drop, count: int.MaxValue);
    }

    /// <summary>The streams have to open a watch again before <see cref="IsWatching"/> holds.</summary>
    public void ExpectStreams(bool ofNewSilo)
    {
        lock (_gate)
        {
            _open = [];
            if (ofNewSilo)
                _opened.Clear();
        }
    }

    /// <summary>All streams of the management cluster watch.</summary>
    /// <param name="count">How many there are at least.</param>
    public bool IsWatching(int count)
    {
        lock (_gate)
            return _open.Count >= count && _opened.IsSubsetOf(_open);
    }

    private bool IsLastWrite(SandboxCluster cluster, FaultRequest request)
    {
        if (!IsOfLivingSilo(request.UserAgent) || !Mutating.Contains(request.Verb))
            return false;
        var name = Name($"{cluster.Name} {request.Verb} {Resource(request.Group, request.Resource)} {Key(request.Namespace, request.Name)}");
        lock (_gate)
            Writes.Add(name);
        if (perturbation is not Perturbation.CrashAfterWrite(var last) || last != name)
            return false;
        WasHit = true;
        life.End();
        return true;
    }

    private bool IsStaleList(SandboxCluster cluster, FaultRequest request)
    {
        if (!IsOfLivingSilo(request.UserAgent) || request.Verb is not ("list" or "watch"))
            return false;
        var resource = Resource(request.Group, request.Resource);
        var stream = $"{resource} {Key(request.Namespace, request.Name)}";
        if (request.Verb == "watch")
        {
            if (cluster.Name == World.ManagementName)
                lock (_gate)
                {
                    _opened.Add(stream);
                    _open.Add(stream);
                }
            pulse.Beat();
            return false;
        }
        var name = Name($"{cluster.Name} list {stream}");
        var changes = cluster.Writes.Where(write => write.Resource.Split('/')[0] == resource).Select(write => write.ResourceVersion).Distinct().Count();
        lock (_gate)
            Lists.Add((name, changes));
        if (perturbation is not Perturbation.StaleList(_, var stale) || stale != name)
            return false;
        WasHit = true;
        return true;
    }

    private bool IsDropped(SandboxCluster cluster, FaultEvent sent)
    {
        if (!IsOfLivingSilo(sent.UserAgent) || sent.Type == "BOOKMARK")
            return false;
        var name = Name($"{cluster.Name} {sent.Type} {Resource(sent.Group, sent.Resource)} {Key(sent.Namespace, sent.Name)}");
        lock (_gate)
            Events.Add(name);
        if (perturbation is not Perturbation.DropEvent(var dropped) || dropped != name)
            return false;
        WasHit = true;
        ThreadPool.UnsafeQueueUserWorkItem(_ => clock.Leap(), null); // nothing else will ever tell: hours pass
        return true;
    }

    private bool IsOfLivingSilo(string userAgent) => userAgent == life.UserAgent && !life.IsOver;

    /// <summary>The how-manieth of its kind it is in this run.</summary>
    private string Name(string what)
    {
        lock (_gate)
        {
            var number = _counts[what] = _counts.GetValueOrDefault(what) + 1;
            return $"{what} #{number}";
        }
    }

    private static string Resource(string group, string resource)
    {
        var parts = resource.Split('/', 2);
        var plural = group.Length == 0 ? parts[0] : $"{parts[0]}.{group}";
        return parts.Length == 1 ? plural : $"{plural}/{parts[1]}";
    }

    private static string Key(string @namespace, string name) => @namespace.Length > 0 && @namespace != name ? $"{@namespace}/{name}" : name;
}
