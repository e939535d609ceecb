using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Governor.Sandbox.Faults;

/// <summary>One request as a fault matcher sees it.</summary>
/// <param name="Verb">get, list, watch, create, update, patch, delete, deletecollection; for other paths the HTTP method.</param>
/// <param name="Group">The API group; empty for the core group and for paths.</param>
/// <param name="Resource">The plural, with the subresource after a slash; empty for paths.</param>
/// <param name="Name">From the path; of a create from its body, where that is JSON.</param>
public sealed record FaultRequest(string Verb, string Group, string Resource, string Namespace, string Name, string Path, string User);

/// <summary>What happens to a request that a fault hits.</summary>
public abstract partial record FaultEffect
{
    private FaultEffect()
    {
    }

    /// <summary>Answered with a Status of this code instead of being done.</summary>
    public sealed record Fail(int Code, string Reason = "", string Message = "", int RetryAfterSeconds = 0) : FaultEffect;

    /// <summary>Done, and answered this much later.</summary>
    public sealed record Delay(TimeSpan Duration) : FaultEffect;

    /// <summary>The connection breaks before anything is done.</summary>
    public sealed record DropBefore : FaultEffect;

    /// <summary>The request is done, and the connection breaks instead of an answer.</summary>
    public sealed record DropAfter : FaultEffect;
}

/// <summary>A fault that was armed; counts what it hit.</summary>
public sealed class ArmedFault
{
    private readonly TaskCompletionSource _hit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _seen;
    private int _hits;

    internal ArmedFault(Func<FaultRequest, bool> matches, FaultEffect effect, int from, int count)
    {
        Matches = matches;
        Effect = effect;
        From = from;
        Count = count;
    }

    /// <summary>How many requests it hit.</summary>
    public int Hits => Volatile.Read(ref _hits);

    /// <summary>Completes with the first hit.</summary>
    public Task FirstHit => _hit.Task;

    internal Func<FaultRequest, bool> Matches { get; }
    internal FaultEffect Effect { get; }
    internal int From { get; }
    internal int Count { get; }

    internal bool Takes(FaultRequest request)
    {
        if (!Matches(request))
            return false;
        var number = Interlocked.Increment(ref _seen);
        if (number < From || number - From >= Count)
            return false;
        Interlocked.Increment(ref _hits);
        _hit.TrySetResult();
        return true;
    }
}

/// <summary>The fault switches of one cluster. All may be turned while it serves.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The token source has no timer and no wait handle: there is nothing to dispose of.")]
public sealed class SandboxFaults
{
    private readonly Lock _gate = new();
    private ImmutableList<ArmedFault> _armed = [];
    private CancellationTokenSource _watches = new();
    private Action _expire = () => { };

    internal SandboxFaults()
    {
    }

    /// <summary>Arms a fault for the <paramref name="from"/>-th matching request (counted from 1 from now on) and the ones after it.</summary>
    /// <param name="count">How many requests it hits.</param>
    public ArmedFault Arm(Func<FaultRequest, bool> matches, FaultEffect effect, int from = 1, int count = 1)
    {
        var armed = new ArmedFault(matches, effect, from, count);
        lock (_gate)
            _armed = _armed.Add(armed);
        return armed;
    }

    /// <summary>Disarms one fault.</summary>
    public void Disarm(ArmedFault fault)
    {
        lock (_gate)
            _armed = _armed.Remove(fault);
    }

    /// <summary>Disarms everything.</summary>
    public void Clear()
    {
        lock (_gate)
            _armed = [];
    }

    /// <summary>Breaks every open watch without a final chunk, as a dying server does.</summary>
    public void DropWatches()
    {
        CancellationTokenSource dropped;
        lock (_gate)
        {
            dropped = _watches;
            _watches = new CancellationTokenSource();
        }
        dropped.Cancel();
    }

    /// <summary>Forgets the history: resuming a watch or paging on from before now is 410 Expired.</summary>
    public void ExpireHistory() => _expire();

    internal CancellationToken WatchesDropped
    {
        get
        {
            lock (_gate)
                return _watches.Token;
        }
    }

    internal bool AnyArmed => !_armed.IsEmpty;

    internal void OnExpire(Action expire) => _expire = expire;

    internal FaultEffect? Take(FaultRequest request)
    {
        foreach (var fault in _armed)
            if (fault.Takes(request))
                return fault.Effect;
        return null;
    }
}
