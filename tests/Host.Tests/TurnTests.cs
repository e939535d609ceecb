using Governor.Host.Tests.Probes;
using Orleans;

namespace Governor.Host.Tests;

/// <summary>Who may run while somebody else awaits.</summary>
[Collection(OneSilo.Name)]
public sealed class TurnTests(SharedHost host)
{
    private readonly string first = Fresh.Key("first");
    private readonly string second = Fresh.Key("second");

    private IProbeGrain Probe { get; } = host.Grains.GetGrain<IProbeGrain>(Fresh.Key("turns"));

    [Fact]
    public async Task A_request_waits_until_the_one_before_has_completed_even_while_that_one_awaits()
    {
        var holding = Probe.Hold(first);
        await Gate.Of(first).Entered();
        var waiting = Probe.Hold(second);

        await Probe.CountedNow().Soon(); // comes after the second in the queue, and interleaves
        Assert.False(Gate.Of(second).IsEntered);

        Gate.Of(first).Open();
        await holding.Soon();
        await Gate.Of(second).Entered();
        Gate.Of(second).Open();
        await waiting.Soon();
    }

    [Fact]
    public async Task An_always_interleave_method_runs_while_another_awaits()
    {
        var holding = Probe.Hold(first);
        await Gate.Of(first).Entered();

        var interleaving = Probe.HoldInterleaving(second);
        await Gate.Of(second).Entered();

        Gate.Of(second).Open();
        await interleaving.Soon();
        Gate.Of(first).Open();
        await holding.Soon();
    }

    [Fact]
    public async Task An_always_interleave_method_keeps_nobody_out()
    {
        var interleaving = Probe.HoldInterleaving(first);
        await Gate.Of(first).Entered();

        Assert.Equal("served", await Probe.Echo("served").Soon());

        Gate.Of(first).Open();
        await interleaving.Soon();
    }

    [Fact]
    public async Task Read_only_methods_interleave_with_each_other_and_keep_others_out()
    {
        var write = Fresh.Key("write");
        var reading = Probe.HoldReading(first);
        await Gate.Of(first).Entered();
        var writing = Probe.Hold(write);
        var readingToo = Probe.HoldReading(second);
        await Gate.Of(second).Entered();
        Assert.False(Gate.Of(write).IsEntered);

        Gate.Of(first).Open();
        Gate.Of(second).Open();
        await Task.WhenAll(reading, readingToo).Soon();
        await Gate.Of(write).Entered();
        Gate.Of(write).Open();
        await writing.Soon();
    }

    [Fact]
    public async Task A_read_only_method_waits_for_one_that_writes()
    {
        var writing = Probe.Hold(first);
        await Gate.Of(first).Entered();
        var reading = Probe.HoldReading(second);
        await Probe.CountedNow().Soon();
        Assert.False(Gate.Of(second).IsEntered);

        Gate.Of(first).Open();
        Gate.Of(second).Open();
        await Task.WhenAll(writing, reading).Soon();
    }

    [Fact]
    public async Task Requests_of_a_reentrant_class_interleave()
    {
        var reentrant = host.Grains.GetGrain<IReentrantProbeGrain>(Fresh.Key("reentrant"));
        var holding = reentrant.Hold(first);
        await Gate.Of(first).Entered();
        var holdingToo = reentrant.Hold(second);
        await Gate.Of(second).Entered();

        Gate.Of(second).Open();
        await holdingToo.Soon();
        Gate.Of(first).Open();
        await holding.Soon();
    }

    [Fact]
    public async Task Turns_of_a_reentrant_class_never_overlap()
    {
        var reentrant = host.Grains.GetGrain<IReentrantProbeGrain>(Fresh.Key("overlaps"));
        var overlaps = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => reentrant.Overlaps(50))).Soon();
        Assert.Equal(0, overlaps.Sum());
    }

    [Fact]
    public async Task A_class_may_choose_by_the_request_what_interleaves()
    {
        var choosy = host.Grains.GetGrain<IChoosyProbeGrain>(Fresh.Key("choosy"));
        var polite = Fresh.Key("please");
        var holding = choosy.Hold(first);
        await Gate.Of(first).Entered();
        var rude = choosy.Hold(second);
        var asked = choosy.Hold(polite);
        await Gate.Of(polite).Entered();
        Assert.False(Gate.Of(second).IsEntered);

        foreach (var gate in new[] { first, second, polite })
            Gate.Of(gate).Open();
        await Task.WhenAll(holding, rude, asked).Soon();
    }

    [Fact]
    public async Task Concurrent_read_yield_write_loses_no_update()
    {
        const int Calls = 2_000;
        await Task.WhenAll(Enumerable.Range(0, Calls).Select(_ => Task.Run(Probe.Count))).Soon();
        Assert.Equal(Calls, await Probe.Counted().Soon());
    }

    [Fact]
    public async Task Continuations_come_back_to_the_scheduler_of_the_activation() =>
        Assert.True(await Probe.StaysOnItsScheduler().Soon());

    [Fact]
    public async Task A_turn_that_throws_tells_its_caller_and_does_not_poison_the_grain()
    {
        var number = await Probe.ActivationNumber().Soon();
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => Probe.Fail("on purpose").Soon());
        Assert.Equal("on purpose", error.Message);
        Assert.Equal(number, await Probe.ActivationNumber().Soon());
    }

    [Fact]
    public async Task A_call_chain_comes_back_into_a_grain_that_allowed_it()
    {
        var key = Fresh.Key("allows");
        var back = await host.Grains.GetGrain<IProbeGrain>(key).GoRoundReentrantly(Fresh.Key("partner")).Soon();
        Assert.Equal(key, back);
    }
}
