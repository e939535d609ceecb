namespace Governor.Sandbox.Faults;

/// <summary>Counts what matches, and says which of it is hit: the <c>from</c>-th, so many of them, each with a probability.</summary>
public abstract class FaultCount
{
    private readonly TaskCompletionSource _hit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private readonly Random _random;
    private readonly int _from;
    private readonly int _count;
    private readonly double _probability;
    private int _seen;
    private int _hits;

    private protected FaultCount(int from, int count, double probability, Random random)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(from, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfNegative(probability);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(probability, 1);
        (_from, _count, _probability, _random) = (from, count, probability, random);
    }

    /// <summary>How many it hit.</summary>
    public int Hits => Volatile.Read(ref _hits);

    /// <summary>How many matched, hit or not.</summary>
    public int Seen => Volatile.Read(ref _seen);

    /// <summary>Completes with the first hit.</summary>
    public Task FirstHit => _hit.Task;

    private protected bool CountsAndHits()
    {
        lock (_gate)
        {
            var number = ++_seen;
            if (number < _from || number - _from >= _count || (_probability < 1 && _random.NextDouble() >= _probability))
                return false;
            _hits++;
        }
        _hit.TrySetResult();
        return true;
    }

    private protected T Draw<T>(Func<Random, T> draw)
    {
        lock (_gate)
            return draw(_random);
    }
}

/// <summary>A fault that was armed against requests; counts what it hit.</summary>
public sealed class ArmedFault : FaultCount
{
    private readonly Func<FaultRequest, bool> _matches;
    private readonly FaultEffect _effect;

    internal ArmedFault(Func<FaultRequest, bool> matches, FaultEffect effect, int from, int count, double probability, Random random)
        : base(from, count, probability, random)
    {
        _matches = matches;
        _effect = effect;
    }

    /// <summary>What happens to the request; null when it is not hit. A drawn latency is a plain delay.</summary>
    internal FaultEffect? Take(FaultRequest request)
    {
        if (!_matches(request) || !CountsAndHits())
            return null;
        return _effect is FaultEffect.Latency latency ? new FaultEffect.Delay(Draw(latency.Sample)) : _effect;
    }
}
