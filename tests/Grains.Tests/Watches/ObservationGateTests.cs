using Governor.Grains.Watches;

namespace Governor.Grains.Tests.Watches;

public sealed class ObservationGateTests
{
    private readonly ObservationGate _gate = new();

    [Fact]
    public void A_gate_that_nobody_armed_is_open() => Assert.True(_gate.IsOpen);

    [Fact]
    public void It_opens_when_every_stream_is_synced_what_was_owed_is_resumed_and_all_has_been_told()
    {
        _gate.Arm(["a", "b"]);
        _gate.BeginTelling();
        _gate.Say("a", true);
        Assert.False(_gate.ListedAsync(default).IsCompleted);
        Assert.Equal(["b"], _gate.Unsynced);

        _gate.Say("b", true);
        Assert.True(_gate.ListedAsync(default).IsCompleted);
        Assert.False(_gate.IsOpen);
        _gate.EndTelling();
        Assert.False(_gate.IsOpen);
        _gate.Resumed();
        Assert.True(_gate.IsOpen);
    }

    [Fact]
    public void An_interruption_closes_it_for_acts_and_not_for_words()
    {
        _gate.Arm(["a"]);
        _gate.Resumed();
        _gate.Say("a", true);

        _gate.Say("a", false);
        Assert.False(_gate.IsOpen);
        Assert.True(_gate.ListedAsync(default).IsCompleted);
        var waiting = _gate.OpenAsync(default);
        _gate.BeginTelling();
        _gate.Say("a", true);
        Assert.False(waiting.IsCompleted);
        _gate.EndTelling();
        Assert.True(_gate.IsOpen);
        Assert.True(waiting.IsCompleted);
    }
}
