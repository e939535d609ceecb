using Governor.Sandbox.Admission;
using Governor.Sandbox.Auth;
using Governor.Sandbox.Discovery;
using Governor.Sandbox.Faults;
using Governor.Sandbox.Store;

namespace Governor.Sandbox.Api;

/// <summary>Everything that one cluster is made of, wired once.</summary>
internal sealed class ClusterCore : IDisposable
{
    private volatile KindTable _kinds = KindTable.Empty;
    private int _lastIp = 10;

    /// <param name="like">The cluster whose objects and kinds it begins with; null for an empty one.</param>
    public ClusterCore(SandboxOptions options, ClusterCore? like = null)
    {
        Options = options;
        var clock = new SkewedClock(options.Clock ?? TimeProvider.System);
        Faults = new SandboxFaults(options.Seed, clock);
        Clock = clock;
        Switchboard = new FaultSwitchboard(Faults, options.Clock ?? TimeProvider.System);
        Store = new ObjectStore(options.WatchHistory, options.WatchHistoryBytes);
        Tokens = new Tokens(Store, Clock);
        Authorizer = new Authorizer(Store);
        Faults.OnExpire(kind => Store.Expire(kind is { } one ? new ResourceId(one.Group, one.Plural) : null));
        Admission = new AdmissionChain(this);
        Writer = new ObjectWriter(this);
        Remover = new ObjectRemover(this);
        if (like is null)
            return;
        (_kinds, _lastIp) = (like.Kinds, like._lastIp);
        Store.Begin(like.Store.Current, KindTable.Definitions);
    }

    public SandboxOptions Options { get; }
    public SandboxFaults Faults { get; }
    public FaultSwitchboard Switchboard { get; }
    public TimeProvider Clock { get; }
    public ObjectStore Store { get; }
    public Tokens Tokens { get; }
    public Authorizer Authorizer { get; }
    public AdmissionChain Admission { get; }
    public ObjectWriter Writer { get; }
    public ObjectRemover Remover { get; }
    public WriteLog Writes { get; } = new();
    public RequestCounts Requests { get; } = new();

    /// <summary>What is served now. Replaced by the controller of definitions only.</summary>
    public KindTable Kinds
    {
        get => _kinds;
        set => _kinds = value;
    }

    public string NextClusterIp()
    {
        var next = Interlocked.Increment(ref _lastIp);
        return $"10.96.{next / 250}.{next % 250 + 1}";
    }

    public void Dispose()
    {
        Store.Close();
        Tokens.Dispose();
        Admission.Dispose();
    }
}
