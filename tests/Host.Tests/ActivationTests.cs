using Governor.Host.Tests.Fixture;
using Governor.Host.Tests.Probes;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;

namespace Governor.Host.Tests;

/// <summary>How grains come and go.</summary>
[Collection(OneSilo.Name)]
public sealed class ActivationTests(SharedHost host)
{
    [Fact]
    public async Task Ten_thousand_concurrent_first_calls_make_one_activation()
    {
        var key = Fresh.Key("crowd");
        await Task.WhenAll(Enumerable.Range(0, 10_000).Select(_ => Task.Run(() => host.Grains.GetGrain<ILifeProbeGrain>(key).Touch()))).Soon();
        Assert.Equal((1, 0), await host.Grains.GetGrain<ILifeProbeGrain>(key).Lives().Soon());
    }

    [Fact]
    public async Task A_failed_activation_tells_its_callers_and_does_not_poison_later_ones()
    {
        var key = Fresh.Key("stillborn");
        StillbornProbeGrain.DieNext(key, times: 1);
        var probe = host.Grains.GetGrain<IStillbornProbeGrain>(key);

        var error = await Assert.ThrowsAnyAsync<Exception>(() => probe.Touch().Soon());
        Assert.Contains("stillborn", error.ToString(), StringComparison.Ordinal);
        Assert.Equal("alive", await probe.Touch().Soon());
    }

    [Fact]
    public async Task A_constructor_that_throws_tells_the_caller_why()
    {
        var probe = host.Grains.GetGrain<IUnbuildableProbeGrain>(Fresh.Key("unbuildable"));
        var error = await Assert.ThrowsAnyAsync<Exception>(() => probe.Touch().Soon());
        Assert.Contains("unbuildable", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deactivation_waits_for_the_running_request_and_the_next_request_meets_a_new_activation()
    {
        var key = Fresh.Key("leaves");
        var gate = Fresh.Key("last-words");
        var probe = host.Grains.GetGrain<IProbeGrain>(key);
        var number = await probe.ActivationNumber().Soon();

        var holding = probe.HoldInterleaving(gate);
        await Gate.Of(gate).Entered();
        await probe.EndWhenIdle().Soon();
        var next = probe.ActivationNumber();
        Assert.False(next.IsCompleted);

        Gate.Of(gate).Open();
        await holding.Soon();
        Assert.NotEqual(number, await next.Soon());
    }

    [Fact]
    public async Task OnDeactivateAsync_runs_once_and_before_the_next_activation_begins()
    {
        var key = Fresh.Key("lives");
        var probe = host.Grains.GetGrain<ILifeProbeGrain>(key);
        await probe.EndWhenIdle().Soon();
        Assert.Equal((2, 1), await probe.Lives().Soon());
        Assert.True(Gate.Of($"{key}/down/{DeactivationReasonCode.ApplicationRequested}").IsEntered);
    }

    [Fact]
    public async Task An_idle_activation_is_collected_and_one_that_asked_to_stay_is_not()
    {
        await using var impatient = await GrainHost.StartAsync(silo => silo.Configure<GrainCollectionOptions>(options =>
        {
            options.CollectionQuantum = TimeSpan.FromMilliseconds(500);
            options.CollectionAge = TimeSpan.FromMilliseconds(1_000);
        }));
        var (idle, staying) = (Fresh.Key("idle"), Fresh.Key("staying"));
        await impatient.Grains.GetGrain<ILifeProbeGrain>(staying).Stay(TimeSpan.FromHours(1)).Soon();
        await impatient.Grains.GetGrain<ILifeProbeGrain>(idle).Touch().Soon();

        await Gate.Of($"{idle}/down/{DeactivationReasonCode.ActivationIdle}").Entered();
        Assert.False(Gate.Of($"{staying}/down").IsEntered);
    }

    [Fact]
    public async Task A_stopping_silo_lets_the_running_request_finish_and_deactivates_its_grains()
    {
        var (busy, idle, gate) = (Fresh.Key("busy"), Fresh.Key("idle"), Fresh.Key("last-request"));
        var stopping = await GrainHost.StartAsync();
        await stopping.Grains.GetGrain<ILifeProbeGrain>(idle).Touch().Soon();
        var holding = stopping.Grains.GetGrain<ILifeProbeGrain>(busy).Hold(gate);
        await Gate.Of(gate).Entered();

        var stopped = stopping.DisposeAsync().AsTask();
        await Gate.Of($"{idle}/down/{DeactivationReasonCode.ShuttingDown}").Entered();
        Assert.False(stopped.IsCompleted);
        Assert.False(Gate.Of($"{busy}/down").IsEntered);

        Gate.Of(gate).Open();
        await holding.Soon();
        await stopped.Soon();
        Assert.Equal(1, Gate.Of($"{busy}/down").Passes);
    }

    [Fact]
    public async Task References_to_the_same_grain_are_equal_and_carry_its_key()
    {
        var key = Fresh.Key("same");
        var one = host.Grains.GetGrain<IProbeGrain>(key);
        var other = host.Grains.GetGrain<IProbeGrain>(key);
        Assert.Equal(one, other);
        Assert.Equal(one.GetHashCode(), other.GetHashCode());
        Assert.NotEqual(one, host.Grains.GetGrain<IProbeGrain>(Fresh.Key("other")));
        Assert.Equal(key, one.GetPrimaryKeyString());
        Assert.Equal($"probe/{key}", $"{GrainType.Create("probe")}/{one.GetGrainId().Key}");
        Assert.Equal(one, other.AsReference<IProbeGrain>());
        Assert.Equal("same", await host.Grains.GetGrain<IProbeGrain>(one.GetGrainId()).Echo("same").Soon());
    }

    [Fact]
    public void An_interface_that_no_class_implements_is_refused_when_a_reference_is_asked_for()
    {
        var error = Assert.Throws<ArgumentException>(() => host.Grains.GetGrain<INobodyGrain>("anyone"));
        Assert.Contains(nameof(INobodyGrain), error.Message, StringComparison.Ordinal);
    }
}

/// <summary>An interface without a class.</summary>
public interface INobodyGrain : IGrainWithStringKey
{
    Task Touch();
}
