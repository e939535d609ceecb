using Governor.Host.Tests.Fixture;
using Governor.Host.Tests.Probes;
using Orleans;

namespace Governor.Host.Tests;

/// <summary>Reminders: what a grain is told even if nobody remembers it.</summary>
public sealed class ReminderTests : IAsyncLifetime
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Later = TimeSpan.FromHours(1);

    private readonly string key = Fresh.Key("reminded");
    private GrainHost? host;

    private IReminderProbeGrain Probe => host!.Grains.GetGrain<IReminderProbeGrain>(key);

    public async Task InitializeAsync() => host = await GrainHost.StartAsync();

    public async Task DisposeAsync() => await host!.DisposeAsync();

    [Fact]
    public async Task A_reminder_ticks()
    {
        await Probe.Remind("soon", Soon).Soon();
        await Gate.Of(key + "/soon").Entered();
    }

    [Fact]
    public async Task A_reminder_survives_a_restart_and_ticks_then()
    {
        await Probe.Remind("later", Later).Soon();
        await Probe.Remind("soon", TimeSpan.FromSeconds(5)).Soon();
        await host!.RestartAsync();

        Assert.Equal(["later", "soon"], (await Probe.Names().Soon()).Order());
        await Gate.Of(key + "/soon").Entered();
    }

    [Fact]
    public async Task A_reminder_that_is_registered_again_is_replaced()
    {
        await Probe.Remind("one", Later).Soon();
        await Probe.Remind("one", Soon).Soon();
        await Gate.Of(key + "/one").Entered();
        Assert.Equal(["one"], await Probe.Names().Soon());
    }

    [Fact]
    public async Task A_forgotten_reminder_is_gone()
    {
        await Probe.Remind("one", Later).Soon();
        await Probe.Remind("two", Later).Soon();
        await Probe.Forget("one").Soon();
        Assert.Equal(["two"], await Probe.Names().Soon());
    }
}
