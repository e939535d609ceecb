using Governor.Host.Tests.Fixture;
using Governor.Host.Tests.Probes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;

namespace Governor.Host.Tests.Embedded;

/// <summary>What the embedded host does beyond what Orleans promises, and what can be told exactly because the test turns its clock.</summary>
public sealed class EmbeddedTests : IAsyncLifetime
{
    private readonly ManualClock clock = new();
    private readonly string key = Fresh.Key("embedded");
    private GrainHost? host;

    private IProbeGrain Probe => host!.Grains.GetGrain<IProbeGrain>(key);

    public async Task InitializeAsync() => host = await GrainHost.StartAsync(silo => silo.Services.AddSingleton<TimeProvider>(clock));

    public async Task DisposeAsync() => await host!.DisposeAsync();

    [Fact]
    public async Task A_timeout_says_who_waits_for_whom_and_that_it_is_a_cycle()
    {
        var other = Fresh.Key("embedded");
        var first = host!.Grains.GetGrain<ICycleProbeGrain>(key);
        var round = first.Round(other, Fresh.Key("cycle"));
        await Gate.Of(other + "/asked").Entered();
        await host.Grains.GetGrain<ICycleProbeGrain>(key).Fence().Soon();

        clock.Advance(TimeSpan.FromSeconds(31));
        var error = await Assert.ThrowsAsync<TimeoutException>(() => round.Soon());
        Assert.Contains(
            $"outside -> cycleprobe/{key} (ICycleProbeGrain.Round) -> cycleprobe/{other} (ICycleProbeGrain.Ask) -> cycleprobe/{key} (ICycleProbeGrain.Answer): a cycle",
            error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_caller_waits_exactly_as_long_as_the_silo_says()
    {
        var gate = Fresh.Key("long");
        var holding = Probe.Hold(gate);
        await Gate.Of(gate).Entered();
        clock.Advance(TimeSpan.FromSeconds(29));
        Assert.False(holding.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(2));
        await Assert.ThrowsAsync<TimeoutException>(() => holding.Soon());
        Gate.Of(gate).Open();
        await Gate.Of(gate).Left();
    }

    [Fact]
    public async Task A_request_that_nobody_waits_for_any_more_is_not_begun()
    {
        var (first, second) = (Fresh.Key("first"), Fresh.Key("second"));
        var holding = Probe.Hold(first);
        await Gate.Of(first).Entered();
        var waiting = Probe.Hold(second);
        clock.Advance(TimeSpan.FromSeconds(31));
        await Assert.ThrowsAsync<TimeoutException>(() => waiting.Soon());

        Gate.Of(first).Open();
        await Assert.ThrowsAsync<TimeoutException>(() => holding.Soon());
        Assert.Equal("next", await Probe.Echo("next").Soon());
        Assert.False(Gate.Of(second).IsEntered);
    }

    [Fact]
    public async Task Idle_collection_follows_the_clock_and_spares_what_was_used_or_asked_to_stay()
    {
        var (idle, used, staying) = (Fresh.Key("idle"), Fresh.Key("used"), Fresh.Key("staying"));
        ILifeProbeGrain Life(string name) => host!.Grains.GetGrain<ILifeProbeGrain>(name);
        foreach (var name in new[] { idle, used, staying })
            await Life(name).Touch().Soon();
        await Life(staying).Stay(TimeSpan.FromHours(1)).Soon();

        clock.Advance(TimeSpan.FromMinutes(10));
        await Life(used).Touch().Soon();
        clock.Advance(TimeSpan.FromMinutes(6));
        await Gate.Of($"{idle}/down/{DeactivationReasonCode.ActivationIdle}").Entered();
        Assert.Equal((1, 0), await Life(used).Lives().Soon());
        Assert.False(Gate.Of(staying + "/down").IsEntered);

        clock.Advance(TimeSpan.FromHours(1));
        await Gate.Of($"{staying}/down/{DeactivationReasonCode.ActivationIdle}").Entered();
    }

    [Fact]
    public async Task A_timer_ticks_by_the_clock_and_counts_its_period_from_the_end_of_a_tick()
    {
        var gate = Fresh.Key("tick");
        var timers = host!.Grains.GetGrain<ITimerProbeGrain>(key);
        await timers.Start(gate, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(20)).Soon();
        clock.Advance(TimeSpan.FromSeconds(9));
        await timers.Touch().Soon();
        Assert.Equal(0, Gate.Of(gate).Passes);
        clock.Advance(TimeSpan.FromSeconds(1));
        await timers.Touch().Soon();
        Assert.Equal(1, Gate.Of(gate).Passes);
        clock.Advance(TimeSpan.FromSeconds(20));
        await timers.Touch().Soon();
        Assert.Equal(2, Gate.Of(gate).Passes);
    }

    [Fact]
    public async Task A_silo_that_has_stopped_refuses_calls_and_says_so()
    {
        var probe = Probe;
        await probe.Echo("before").Soon();
        await host!.RestartAsync();
        await Assert.ThrowsAsync<SiloUnavailableException>(() => probe.Echo("after").Soon());
        Assert.Equal("again", await Probe.Echo("again").Soon());
    }

    [Fact]
    public async Task An_activation_that_always_ends_itself_before_serving_does_not_go_round_for_ever()
    {
        var error = await Assert.ThrowsAnyAsync<OrleansException>(() => host!.Grains.GetGrain<IRestlessProbeGrain>(key).Touch().Soon());
        Assert.Contains(key, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_type_that_cannot_be_a_grain_interface_is_refused_with_the_member_that_is_wrong()
    {
        var error = Assert.Throws<NotSupportedException>(() => host!.Grains.GetGrain<IOddProbeGrain>(key));
        Assert.Contains($"{nameof(IOddProbeGrain)}.{nameof(IOddProbeGrain.Now)}", error.Message, StringComparison.Ordinal);
        await Task.CompletedTask;
    }

    [Fact]
    public async Task A_collection_age_below_its_quantum_is_refused_at_start()
    {
        await Assert.ThrowsAsync<OptionsValidationException>(() => GrainHost.StartAsync(silo =>
            silo.Configure<GrainCollectionOptions>(options => options.CollectionAge = TimeSpan.FromSeconds(1))));
    }
}

/// <summary>Two of these wait for each other without the impatience of the shared probe.</summary>
internal interface ICycleProbeGrain : IGrainWithStringKey
{
    Task Round(string other, string gate);

    Task Ask(string first);

    Task Answer();

    [Orleans.Concurrency.AlwaysInterleave]
    Task Fence();
}

internal sealed class CycleProbeGrain : Grain, ICycleProbeGrain
{
    public Task Round(string other, string gate) => GrainFactory.GetGrain<ICycleProbeGrain>(other).Ask(this.GetPrimaryKeyString());

    public Task Ask(string first)
    {
        var answer = GrainFactory.GetGrain<ICycleProbeGrain>(first).Answer();
        Gate.Of(this.GetPrimaryKeyString() + "/asked").Note();
        return answer;
    }

    public Task Answer() => Task.CompletedTask;

    public Task Fence() => Task.CompletedTask;
}

internal interface IRestlessProbeGrain : IGrainWithStringKey
{
    Task Touch();
}

internal sealed class RestlessProbeGrain : Grain, IRestlessProbeGrain
{
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    public Task Touch() => Task.CompletedTask;
}

internal interface IOddProbeGrain : IGrainWithStringKey
{
    DateTime Now();
}

internal sealed class OddProbeGrain : Grain, IOddProbeGrain
{
    public DateTime Now() => DateTime.UnixEpoch;
}
