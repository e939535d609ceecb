using Governor.Host.Tests.Fixture;
using Governor.Host.Tests.Probes;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace Governor.Host.Tests;

/// <summary>States that outlive activations.</summary>
public sealed class StateTests : IAsyncLifetime
{
    private readonly string key = Fresh.Key("stateful");
    private GrainHost? host;

    private IStateProbeGrain Probe => host!.Grains.GetGrain<IStateProbeGrain>(key);

    public async Task InitializeAsync() => host = await GrainHost.StartAsync();

    public async Task DisposeAsync() => await host!.DisposeAsync();

    [Fact]
    public async Task A_state_that_was_never_written_does_not_exist()
    {
        Assert.Equal((0, false, null), await Probe.Read().Soon());
    }

    [Fact]
    public async Task A_written_state_is_there_after_deactivation_and_after_a_restart()
    {
        await Probe.Write(7).Soon();
        var number = await Probe.ActivationNumber().Soon();
        await Probe.EndWhenIdle().Soon();
        Assert.NotEqual(number, await Probe.ActivationNumber().Soon());
        var (value, exists, etag) = await Probe.Read().Soon();
        Assert.Equal((7, true), (value, exists));

        await host!.RestartAsync();
        Assert.Equal((7, true, etag), await Probe.Read().Soon());
    }

    [Fact]
    public async Task A_cleared_state_does_not_exist()
    {
        await Probe.Write(7).Soon();
        await Probe.Clear().Soon();
        var (value, exists, _) = await Probe.Read().Soon();
        Assert.Equal((0, false), (value, exists));
        await Probe.Write(8).Soon();
    }

    [Fact]
    public async Task States_of_one_grain_in_two_storages_are_apart()
    {
        await Probe.Write(7).Soon();
        Assert.Equal(7, await Probe.WriteOther(8).Soon());
        await Probe.Reread().Soon();
        Assert.Equal(7, (await Probe.Read().Soon()).Value);
    }

    [Fact]
    public async Task A_write_over_somebody_elses_fails_and_the_next_activation_reads_what_is_there()
    {
        await Probe.Write(1).Soon();
        var number = await Probe.ActivationNumber().Soon();
        await WriteBehindItsBack(value: 2);

        await Assert.ThrowsAsync<InconsistentStateException>(() => Probe.Write(3).Soon());
        Assert.Equal(2, (await Probe.Read().Soon()).Value);
        Assert.NotEqual(number, await Probe.ActivationNumber().Soon());
        await Probe.Write(4).Soon();
    }

    private async Task WriteBehindItsBack(int value)
    {
        var storage = host!.Services.GetRequiredKeyedService<IGrainStorage>("Default");
        var state = new GrainState<ProbeState>();
        await storage.ReadStateAsync("probe", Probe.GetGrainId(), state);
        state.State!.Value = value;
        await storage.WriteStateAsync("probe", Probe.GetGrainId(), state);
    }
}
