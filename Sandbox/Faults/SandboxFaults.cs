using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Governor.Sandbox.Faults;

/// <summary>
/// The fault switches of one cluster. All may be turned while it serves. What is random is drawn from the seed of
/// <see cref="SandboxOptions"/> in the order of arming and arrival, so that the same run meets the same faults.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The token source has no timer and no wait handle: there is nothing to dispose of.")]
public sealed class SandboxFaults
{
    private readonly Lock _gate = new();
    private readonly int _seed;
    private readonly SkewedClock _clock;
    private int _armings;
    private int _silences;
    private ImmutableList<ArmedFault> _armed = [];
    private ImmutableList<ArmedEventFault> _armedEvents = [];
    private CancellationTokenSource _watches = new();
    private Action<(string Group, string Plural)?> _expire = _ => { };

    internal SandboxFaults(int seed, SkewedClock clock)
    {
        _seed = seed;
        _clock = clock;
    }

    /// <summary>How far the cluster's clock is ahead of the true one; negative when it is behind. Seen in timestamps, tokens and the Date header.</summary>
    public TimeSpan ClockSkew
    {
        get => _clock.Skew;
        set => _clock.Skew = value;
    }

    /// <summary>Arms a fault for the <paramref name="from"/>-th matching request (counted from 1 from now on) and the ones after it.</summary>
    /// <param name="count">How many requests after that it may hit.</param>
    /// <param name="probability">The chance of each of these to be hit, from 0 to 1.</param>
    /// <remarks>Delays add up and let other faults act; of all others the one armed first acts alone.</remarks>
    public ArmedFault Arm(Func<FaultRequest, bool> matches, FaultEffect effect, int from = 1, int count = 1, double probability = 1)
    {
        lock (_gate)
        {
            var armed = new ArmedFault(matches, effect, from, count, probability, NextRandom());
            _armed = _armed.Add(armed);
            return armed;
        }
    }

    /// <summary>Arms a fault for the <paramref name="from"/>-th matching event over all watches (counted from 1 from now on) and the ones after it.</summary>
    public ArmedEventFault ArmEvent(Func<FaultEvent, bool> matches, EventFate fate, int from = 1, int count = 1, double probability = 1)
    {
        lock (_gate)
        {
            var armed = new ArmedEventFault(matches, fate, from, count, probability, NextRandom());
            _armedEvents = _armedEvents.Add(armed);
            return armed;
        }
    }

    /// <summary>Disarms one fault.</summary>
    public void Disarm(FaultCount fault)
    {
        lock (_gate)
        {
            _armed = _armed.RemoveAll(f => ReferenceEquals(f, fault));
            _armedEvents = _armedEvents.RemoveAll(f => ReferenceEquals(f, fault));
        }
    }

    /// <summary>Disarms everything and sets the clock right.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _armed = [];
            _armedEvents = [];
        }
        ClockSkew = TimeSpan.Zero;
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

    /// <summary>Every watch that is open now stays open and brings nothing more, not even its end. New watches work.</summary>
    public void SilenceWatches() => Interlocked.Increment(ref _silences);

    /// <summary>Forgets the history: resuming a watch or paging on from before now is 410 Expired.</summary>
    public void ExpireHistory() => _expire(null);

    /// <summary>Forgets the history of one kind.</summary>
    public void ExpireHistory(string group, string plural) => _expire((group, plural));

    internal int Silences => Volatile.Read(ref _silences);

    internal CancellationToken WatchesDropped
    {
        get
        {
            lock (_gate)
                return _watches.Token;
        }
    }

    internal bool AnyArmed => !_armed.IsEmpty;

    internal bool AnyEventArmed => !_armedEvents.IsEmpty;

    internal void OnExpire(Action<(string Group, string Plural)?> expire) => _expire = expire;

    /// <summary>What happens to a request, in order: any delays, and at most one effect that is none.</summary>
    internal IReadOnlyList<FaultEffect> Take(FaultRequest request)
    {
        if (_armed.IsEmpty)
            return [];
        var taken = new List<FaultEffect>();
        foreach (var fault in _armed)
            if (fault.Take(request) is { } effect)
            {
                taken.Add(effect);
                if (!effect.IsDelay)
                    break;
            }
        return taken;
    }

    internal EventFate? Take(FaultEvent e)
    {
        foreach (var fault in _armedEvents)
            if (fault.Takes(e))
                return fault.Fate;
        return null;
    }

    private Random NextRandom() => new(unchecked((_seed * 397) + _armings++));
}
