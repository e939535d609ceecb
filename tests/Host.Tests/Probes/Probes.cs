using System.Collections.Concurrent;
using Orleans;
using Orleans.Concurrency;
using Orleans.Runtime;
using Orleans.Serialization.Invocation;

namespace Governor.Host.Tests.Probes;

internal static class Numbers
{
    private static int last;

    public static int Next() => Interlocked.Increment(ref last);
}

public sealed class ProbeGrain : Grain, IProbeGrain
{
    private readonly int number = Numbers.Next();
    private int counter;

    public Task Hold(string gate) => Gate.Of(gate).PassAsync();

    public Task HoldInterleaving(string gate) => Gate.Of(gate).PassAsync();

    public Task HoldReading(string gate) => Gate.Of(gate).PassAsync();

    public Task HoldImpatiently(string gate) => Gate.Of(gate).PassAsync();

    public Task HoldOneWay(string gate) => Gate.Of(gate).PassAsync();

    public async Task Count()
    {
        var read = counter;
        await Task.Yield();
        counter = read + 1;
    }

    public Task<int> Counted() => Task.FromResult(counter);

    public Task<int> CountedNow() => Task.FromResult(counter);

    public Task Fail(string message) => throw new InvalidOperationException(message);

    public async Task<bool> StaysOnItsScheduler()
    {
        var scheduler = TaskScheduler.Current;
        await Task.Yield();
        var stayed = ReferenceEquals(scheduler, TaskScheduler.Current);
        await Task.Run(() => stayed &= !ReferenceEquals(scheduler, TaskScheduler.Current));
        return stayed && ReferenceEquals(scheduler, TaskScheduler.Current) && scheduler != TaskScheduler.Default;
    }

    public Task<string?> Context(string key) => Task.FromResult(RequestContext.Get(key) as string);

    public async Task<string?> ContextOf(string other, string key, string value)
    {
        RequestContext.Set(key, value);
        return await GrainFactory.GetGrain<IProbeGrain>(other).Context(key);
    }

    public Task<string> Echo(string text) => Task.FromResult(text);

    public ValueTask<int> Sum(int left, int right) => new(left + right);

    public async Task AwaitCancellation(string gate, CancellationToken cancellationToken)
    {
        var cancelled = new TaskCompletionSource();
        await using var registration = cancellationToken.Register(() => cancelled.TrySetResult());
        Gate.Of(gate + "/waiting").Note();
        await cancelled.Task;
        Gate.Of(gate).Note();
    }

    public Task EndWhenIdle()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    public Task<int> ActivationNumber() => Task.FromResult(number);

    public Task GoRound(string other) => GrainFactory.GetGrain<IProbeGrain>(other).BackPatiently(this.GetPrimaryKeyString());

    public Task<string> Back(string first) => Task.FromResult(this.GetPrimaryKeyString());

    public async Task<string> GoRoundReentrantly(string other)
    {
        using var section = RequestContext.AllowCallChainReentrancy();
        return await GrainFactory.GetGrain<IProbeGrain>(other).BackPatiently(this.GetPrimaryKeyString());
    }

    public Task<string> BackPatiently(string first) => GrainFactory.GetGrain<IProbeGrain>(first).Back(first);
}

[Reentrant]
public sealed class ReentrantProbeGrain : Grain, IReentrantProbeGrain
{
    private int inside;

    public Task Hold(string gate) => Gate.Of(gate).PassAsync();

    public async Task<int> Overlaps(int turns)
    {
        var overlaps = 0;
        for (var turn = 0; turn < turns; turn++)
        {
            if (Interlocked.Increment(ref inside) != 1)
                overlaps++;
            Thread.SpinWait(50);
            Interlocked.Decrement(ref inside);
            await Task.Yield();
        }

        return overlaps;
    }
}

[MayInterleave(nameof(IsPolite))]
public sealed class ChoosyProbeGrain : Grain, IChoosyProbeGrain
{
    public static bool IsPolite(IInvokable request) => request.GetArgument(0) is string gate && gate.StartsWith("please", StringComparison.Ordinal);

    public Task Hold(string gate) => Gate.Of(gate).PassAsync();
}

public sealed class LifeProbeGrain : Grain, ILifeProbeGrain
{
    private string Key => this.GetPrimaryKeyString();

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        await Task.Yield();
        Gate.Of(Key + "/up").Note();
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        Gate.Of(Key + "/down").Note();
        Gate.Of($"{Key}/down/{reason.ReasonCode}").Note();
        await Task.Yield();
    }

    public Task Touch() => Task.CompletedTask;

    public Task Hold(string gate) => Gate.Of(gate).PassAsync();

    public Task EndWhenIdle()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    public Task<(int Up, int Down)> Lives() => Task.FromResult((Gate.Of(Key + "/up").Passes, Gate.Of(Key + "/down").Passes));

    public Task Stay(TimeSpan time)
    {
        DelayDeactivation(time);
        return Task.CompletedTask;
    }
}

public sealed class StillbornProbeGrain : Grain, IStillbornProbeGrain
{
    private static readonly ConcurrentDictionary<string, int> Deaths = new();

    public static void DieNext(string key, int times) => Deaths[key] = times;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        await Task.Yield();
        var key = this.GetPrimaryKeyString();
        if (Deaths.TryGetValue(key, out var left) && left > 0)
        {
            Deaths[key] = left - 1;
            throw new InvalidOperationException("stillborn");
        }
    }

    public Task<string> Touch() => Task.FromResult("alive");
}

public sealed class UnbuildableProbeGrain : Grain, IUnbuildableProbeGrain
{
    public UnbuildableProbeGrain() => throw new InvalidOperationException("unbuildable");

    public Task Touch() => Task.CompletedTask;
}

public sealed class FilteringProbeGrain : Grain, IFilteringProbeGrain, IIncomingGrainCallFilter
{
    public Task<string> Echo(string text) => Task.FromResult(text);

    public Task<string> Secret() => Task.FromResult("secret");

    public async Task Invoke(IIncomingGrainCallContext context)
    {
        if (context.ImplementationMethod.Name == nameof(Secret))
        {
            context.Result = "withheld";
            return;
        }

        await context.Invoke();
        context.Result = $"[{context.Result}]";
    }
}
