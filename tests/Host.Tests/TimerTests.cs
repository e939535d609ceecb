using Governor.Host.Tests.Probes;
using Orleans;

namespace Governor.Host.Tests;

/// <summary>Timers: turns that nobody called.</summary>
[Collection(OneSilo.Name)]
public sealed class TimerTests(SharedHost host)
{
    private static readonly TimeSpan Never = TimeSpan.FromHours(1);
    private static readonly TimeSpan Often = TimeSpan.FromMilliseconds(5);

    private readonly string gate = Fresh.Key("tick");
    private readonly string key = Fresh.Key("timers");

    private ITimerProbeGrain Probe => host.Grains.GetGrain<ITimerProbeGrain>(key);

    [Fact]
    public async Task A_timer_ticks()
    {
        await Probe.Start(gate, TimeSpan.Zero, Never).Soon();
        await Gate.Of(gate).Entered();
    }

    [Fact]
    public async Task A_changed_timer_ticks_at_its_new_time()
    {
        await Probe.Start(gate, Never, Never).Soon();
        await Probe.Change(Often, Never).Soon();
        await Gate.Of(gate).Entered();
    }

    [Fact]
    public async Task A_disposed_timer_ticks_no_more()
    {
        var other = Fresh.Key("fence");
        await Probe.Start(gate, Never, Never).Soon();
        await Probe.Stop().Soon();
        await Probe.Change(Often, Often).Soon();
        await Probe.Start(other, Often * 10, Never).Soon(); // due after the disposed one would have been
        await Gate.Of(other).Entered();
        Assert.False(Gate.Of(gate).IsEntered);
    }

    [Fact]
    public async Task A_timer_waits_for_the_running_request_unless_it_may_interleave()
    {
        var interleaving = Fresh.Key("interleaving");
        Assert.Equal(0, await Probe.PlainTicksDuringRequest(gate, interleaving).Soon());
        await Gate.Of(gate).Entered();
    }

    [Fact]
    public async Task A_tick_that_throws_does_not_stop_the_timer()
    {
        await Probe.StartFailing(gate).Soon();
        await Gate.Of(gate + "/again").Entered();
    }

    [Fact]
    public async Task Requests_and_deactivation_wait_for_a_running_tick()
    {
        await Probe.StartHolding(gate).Soon();
        await Gate.Of(gate).Entered();
        var touching = Probe.Touch();
        var ending = Probe.EndWhenIdle();
        Assert.False(touching.IsCompleted);
        Assert.False(Gate.Of(key + "/down").IsEntered);

        Gate.Of(gate).Open();
        await Task.WhenAll(touching, ending).Soon();
        await Gate.Of(key + "/down").Entered();
    }
}
