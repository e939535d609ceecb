using FsCheck;
using FsCheck.Fluent;
using Governor.Domain.Admission;

namespace Governor.Domain.Tests.Admission;

public sealed class BootstrapTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 28, 5, 0, 0, TimeSpan.Zero);

    private sealed record Step(BootstrapInput Input, int Minutes);

    private static Gen<Step[]> Steps { get; } =
        from count in Gen.Choose(0, 30)
        from steps in Gen.ArrayOf(
            from minutes in Gen.Choose(0, 45)
            from input in Gen.Frequency(
                (3, Gen.Choose(0, 120).Select(length => (BootstrapInput)new BootstrapInput.Started(TimeSpan.FromMinutes(length)))),
                (1, Gen.Constant((BootstrapInput)new BootstrapInput.Closed(Asking.Admin, "done"))),
                (2, Gen.Constant((BootstrapInput)new BootstrapInput.Ticked())))
            select new Step(input, minutes), count)
        select steps;

    [Fact]
    public void It_opens_once_closes_for_good_and_its_end_never_moves() => FsCheck.Check.One(Config.QuickThrowOnFailure.WithMaxTest(1000), Prop.ForAll(Steps.ToArbitrary(), steps =>
    {
        var (state, now, wasOver, until) = (BootstrapState.Initial, Start, false, (DateTimeOffset?)null);
        var (opened, closed) = (0, 0);
        foreach (var step in steps)
        {
            now += TimeSpan.FromMinutes(step.Minutes);
            var decision = BootstrapRules.Decide(state, step.Input, Asking.Policy.Approvals, now);
            opened += decision.Events.Count(e => e.Action == "admission.bootstrap-opened");
            closed += decision.Events.Count(e => e.Action == "admission.bootstrap-closed");
            state = decision.State;
            wasOver |= state.IsOver(now);
            if ((until is not null && state.Until != until) || (wasOver && state.IsOpen(now)) || opened > 1 || closed > 1)
                return false;
            until = state.Until;
        }
        return true;
    }));

    [Fact]
    public void Before_anything_is_decided_it_is_not_open() => Assert.False(BootstrapState.Initial.IsOpen(Start));

    [Fact]
    public void It_is_closed_from_its_end_on_although_nobody_has_said_so_and_a_clock_that_goes_back_does_not_open_what_was_closed()
    {
        var state = Take(BootstrapState.Initial, new BootstrapInput.Started(TimeSpan.FromMinutes(30)), Start);

        Assert.True(state.IsOpen(Start + TimeSpan.FromMinutes(29)));
        Assert.False(state.IsOpen(Start + TimeSpan.FromMinutes(30)));
        Assert.False(Take(state, new BootstrapInput.Ticked(), Start + TimeSpan.FromMinutes(31)).IsOpen(Start));
        Assert.Equal(Start + TimeSpan.FromMinutes(30), BootstrapRules.NextTick(state));
    }

    [Fact]
    public void Closing_is_recorded_with_whoever_closed_and_why()
    {
        var state = Take(BootstrapState.Initial, new BootstrapInput.Started(TimeSpan.FromHours(1)), Start);
        var closing = BootstrapRules.Decide(state, new BootstrapInput.Closed(Asking.Admin, "all is in place"), Asking.Policy.Approvals, Start);

        var said = Assert.Single(closing.Events);
        Assert.Equal(("ann", "human", "admission.bootstrap-closed", "all is in place; it is closed for good"), (said.Actor, said.ActorRole, said.Action, said.Rationale));
        Assert.Empty(BootstrapRules.Decide(closing.State, new BootstrapInput.Closed(Asking.Developer, "again"), Asking.Policy.Approvals, Start).Events);
    }

    [Fact]
    public void No_time_means_closed_from_the_beginning_and_closing_it_before_it_opens_keeps_it_from_opening()
    {
        Assert.False(Take(BootstrapState.Initial, new BootstrapInput.Started(TimeSpan.Zero), Start).IsOpen(Start));
        var closed = Take(BootstrapState.Initial, new BootstrapInput.Closed(Asking.Admin, "never"), Start);
        Assert.False(Take(closed, new BootstrapInput.Started(TimeSpan.FromHours(1)), Start).IsOpen(Start));
    }

    private static BootstrapState Take(BootstrapState state, BootstrapInput input, DateTimeOffset now) => BootstrapRules.Decide(state, input, Asking.Policy.Approvals, now).State;
}
