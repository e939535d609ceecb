using Orleans;
using Orleans.Concurrency;

namespace Governor.Host.Tests.Probes;

/// <summary>A grain that does what a test asks.</summary>
public interface IProbeGrain : IGrainWithStringKey
{
    /// <summary>Passes the gate.</summary>
    Task Hold(string gate);

    [AlwaysInterleave]
    Task HoldInterleaving(string gate);

    [ReadOnly]
    Task HoldReading(string gate);

    [ResponseTimeout("00:00:00.500")]
    Task HoldImpatiently(string gate);

    [OneWay]
    Task HoldOneWay(string gate);

    /// <summary>Reads a counter, yields, writes it back one higher.</summary>
    Task Count();

    Task<int> Counted();

    [AlwaysInterleave]
    Task<int> CountedNow();

    Task Fail(string message);

    /// <summary>Whether every continuation came back to the scheduler the request began on.</summary>
    Task<bool> StaysOnItsScheduler();

    Task<string?> Context(string key);

    /// <summary>Asks another probe for its context, after changing it here.</summary>
    Task<string?> ContextOf(string other, string key, string value);

    Task<string> Echo(string text);

    ValueTask<int> Sum(int left, int right);

    /// <summary>Waits until the token is cancelled, then passes the gate.</summary>
    Task AwaitCancellation(string gate, CancellationToken cancellationToken);

    Task EndWhenIdle();

    /// <summary>Which activation this is; another activation has another number.</summary>
    Task<int> ActivationNumber();

    /// <summary>Calls <see cref="Back"/> of another probe, which calls this one.</summary>
    Task GoRound(string other);

    [ResponseTimeout("00:00:00.500")]
    Task<string> Back(string first);

    /// <summary>The same with call-chain reentrancy allowed.</summary>
    Task<string> GoRoundReentrantly(string other);

    Task<string> BackPatiently(string first);
}

/// <summary>A probe whose requests interleave.</summary>
public interface IReentrantProbeGrain : IGrainWithStringKey
{
    Task Hold(string gate);

    /// <summary>Stays inside for a while in each of several turns and counts how often it was not alone.</summary>
    Task<int> Overlaps(int turns);
}

/// <summary>A probe that lets requests interleave by their argument.</summary>
public interface IChoosyProbeGrain : IGrainWithStringKey
{
    Task Hold(string gate);
}

/// <summary>A probe that reports its life at the gates <c>key/up</c> and <c>key/down</c>.</summary>
public interface ILifeProbeGrain : IGrainWithStringKey
{
    Task Touch();

    Task Hold(string gate);

    Task EndWhenIdle();

    /// <summary>How often this key was activated and deactivated.</summary>
    Task<(int Up, int Down)> Lives();

    [AlwaysInterleave]
    Task Stay(TimeSpan time);
}

/// <summary>A probe that fails to activate as often as the test says.</summary>
public interface IStillbornProbeGrain : IGrainWithStringKey
{
    Task<string> Touch();
}

/// <summary>A probe whose constructor fails.</summary>
public interface IUnbuildableProbeGrain : IGrainWithStringKey
{
    Task Touch();
}

/// <summary>A probe with timers.</summary>
public interface ITimerProbeGrain : IGrainWithStringKey
{
    /// <summary>Starts a timer that notes its ticks at a gate.</summary>
    Task Start(string gate, TimeSpan dueTime, TimeSpan period);

    Task Change(TimeSpan dueTime, TimeSpan period);

    Task Stop();

    /// <summary>Starts a plain and an interleaving timer and stays in the request until the interleaving one has ticked three times.</summary>
    /// <returns>How often the plain one ticked meanwhile.</returns>
    Task<int> PlainTicksDuringRequest(string plain, string interleaving);

    /// <summary>A timer whose first tick fails.</summary>
    Task StartFailing(string gate);

    /// <summary>A timer that passes a gate in each tick.</summary>
    Task StartHolding(string gate);

    Task Touch();

    Task EndWhenIdle();
}

/// <summary>A probe with reminders; its ticks are noted at <c>key/name</c>.</summary>
public interface IReminderProbeGrain : IGrainWithStringKey
{
    Task Remind(string name, TimeSpan dueTime);

    Task Forget(string name);

    Task<string[]> Names();
}

/// <summary>A probe with stored states.</summary>
public interface IStateProbeGrain : IGrainWithStringKey
{
    Task<(int Value, bool Exists, string? Etag)> Read();

    Task Write(int value);

    Task Reread();

    Task Clear();

    Task<int> WriteOther(int value);

    Task EndWhenIdle();

    Task<int> ActivationNumber();
}

/// <summary>A probe that filters its own calls.</summary>
public interface IFilteringProbeGrain : IGrainWithStringKey
{
    Task<string> Echo(string text);

    Task<string> Secret();
}
