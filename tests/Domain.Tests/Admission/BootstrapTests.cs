using FsCheck;
using FsCheck.Fluent;
using Governor.Domain.Admission;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;

namespace Governor.Domain.Tests.Admission;

public sealed class BootstrapTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 28, 5, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Settling = TimeSpan.FromMinutes(1);
    private static readonly ObjectKey Guardian = new(BootstrapRules.FamilyNamespace, "guardian"), Wrapper = new(BootstrapRules.FamilyNamespace, "wrapper");

    private sealed record Step(BootstrapInput Input, int Minutes);

    private static Gen<Step[]> Steps { get; } =
        from count in Gen.Choose(0, 30)
        from steps in Gen.ArrayOf(
            from minutes in Gen.Choose(0, 45)
            from input in Gen.Frequency(
                (3, Gen.Choose(0, 120).Select(length => (BootstrapInput)new BootstrapInput.Started(TimeSpan.FromMinutes(length), TimeSpan.FromMinutes(5)))),
                (1, Gen.Constant((BootstrapInput)new BootstrapInput.Closed(Asking.Admin, "done"))),
                (2, Gen.Constant((BootstrapInput)new BootstrapInput.Ticked())),
                (3, from version in Gen.Choose(1, 9) from provisioned in Gen.Choose(0, 2) select (BootstrapInput)new BootstrapInput.Told(Family(version, provisioned > 0))))
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
        var state = Take(BootstrapState.Initial, new BootstrapInput.Started(TimeSpan.FromMinutes(30), Settling), Start);

        Assert.True(state.IsOpen(Start + TimeSpan.FromMinutes(29)));
        Assert.False(state.IsOpen(Start + TimeSpan.FromMinutes(30)));
        Assert.False(Take(state, new BootstrapInput.Ticked(), Start + TimeSpan.FromMinutes(31)).IsOpen(Start));
        Assert.Equal(Start + TimeSpan.FromMinutes(30), BootstrapRules.NextTick(state));
    }

    [Fact]
    public void Closing_is_recorded_with_whoever_closed_and_why()
    {
        var state = Take(BootstrapState.Initial, new BootstrapInput.Started(TimeSpan.FromHours(1), Settling), Start);
        var closing = BootstrapRules.Decide(state, new BootstrapInput.Closed(Asking.Admin, "all is in place"), Asking.Policy.Approvals, Start);

        var said = Assert.Single(closing.Events);
        Assert.Equal(("ann", "human", "admission.bootstrap-closed", "all is in place; it is closed for good"), (said.Actor, said.ActorRole, said.Action, said.Rationale));
        Assert.Empty(BootstrapRules.Decide(closing.State, new BootstrapInput.Closed(Asking.Developer, "again"), Asking.Policy.Approvals, Start).Events);
    }

    [Fact]
    public void No_time_means_closed_from_the_beginning_and_closing_it_before_it_opens_keeps_it_from_opening()
    {
        Assert.False(Take(BootstrapState.Initial, new BootstrapInput.Started(TimeSpan.Zero, Settling), Start).IsOpen(Start));
        var closed = Take(BootstrapState.Initial, new BootstrapInput.Closed(Asking.Admin, "never"), Start);
        Assert.False(Take(closed, new BootstrapInput.Started(TimeSpan.FromHours(1), Settling), Start).IsOpen(Start));
    }

    [Fact]
    public void It_closes_by_itself_when_the_family_has_been_complete_for_a_while()
    {
        var state = Take(BootstrapState.Initial, new BootstrapInput.Started(TimeSpan.FromHours(1), Settling), Start);
        Assert.Equal("waits for an RBACProfile in seam-system; closes at 2026-11-28T06:00:00Z at the latest", state.Conditions.Find(BootstrapRules.Condition)!.Message);

        // The first of the manifests is through before the others have arrived.
        state = Take(state, new BootstrapInput.Told(Family(1, true)), Start);
        Assert.Equal(Start + Settling, BootstrapRules.NextTick(state));
        state = Take(state, new BootstrapInput.Told(Family(2, true, false)), Start + TimeSpan.FromSeconds(30));
        Assert.Equal(Start + TimeSpan.FromHours(1), BootstrapRules.NextTick(state));
        Assert.Contains("RBACProfile seam-system/wrapper to be provisioned", BootstrapRules.Missing(state.Family));
        Assert.True(state.IsOpen(Start + TimeSpan.FromMinutes(2)));

        // A fact that was overtaken says nothing.
        Assert.Same(state, Take(state, new BootstrapInput.Told(Family(1, true)), Start + TimeSpan.FromMinutes(3)));

        var complete = Start + TimeSpan.FromMinutes(4);
        state = Take(state, new BootstrapInput.Told(Family(3, true, true)), complete);
        state = Take(state, new BootstrapInput.Told(Family(4, true, true)), complete + TimeSpan.FromSeconds(50)); // news, but not about this
        Assert.True(state.IsOpen(complete + TimeSpan.FromSeconds(59)));
        Assert.False(state.IsOpen(complete + Settling)); // whether or not anybody has said so

        var closing = BootstrapRules.Decide(state, new BootstrapInput.Ticked(), Asking.Policy.Approvals, complete + Settling);
        Assert.Equal(("system:governor:guardian", "all profiles of seam-system are provisioned and all memberships admitted since 2026-11-28T05:04:00Z; it is closed for good"), (closing.Events.Single().Actor, closing.Events.Single().Rationale));
        Assert.Equal((ConditionStatus.True, "BootstrapProfilesReady"), (closing.State.Conditions.Find(BootstrapRules.Condition)!.Status, closing.State.Conditions.Find(BootstrapRules.Condition)!.Reason));
        Assert.Equal("Enforcing", BootstrapRules.Status(closing.State)["webhookMode"]!.ToString());
        Assert.False(Assert.IsType<Interest>(Assert.Single(BootstrapRules.Outbox(closing.State)).Fact).Active);
    }

    [Fact]
    public void What_falls_apart_after_its_time_cannot_keep_it_open_and_a_membership_counts_as_a_profile_does()
    {
        var opened = Take(BootstrapState.Initial, new BootstrapInput.Started(TimeSpan.FromHours(1), Settling), Start);
        var state = Take(opened, new BootstrapInput.Told(Family(1, true)), Start);
        state = Take(state, new BootstrapInput.Told(Family(2, false)), Start + Settling);
        Assert.NotNull(state.ClosedAt);
        Assert.Same(state, Take(state, new BootstrapInput.Told(Family(3, true)), Start));

        var family = Family(1, true) with { Memberships = [new MembershipFact(Guardian, "system:serviceaccount:seam-system:guardian", "guardian", Validated: true, Admitted: false)] };
        Assert.Equal("SeamMembership seam-system/guardian to be admitted", Assert.Single(BootstrapRules.Missing(family)));
        Assert.Null(Take(opened, new BootstrapInput.Told(family), Start).CompleteSince);
    }

    private static RosterFact Family(long version, params bool[] provisioned) => new(
        [.. provisioned.Select((done, i) => new ProfileFact(i == 0 ? Guardian : Wrapper, "", "", done))], []) { Version = version };

    private static BootstrapState Take(BootstrapState state, BootstrapInput input, DateTimeOffset now) => BootstrapRules.Decide(state, input, Asking.Policy.Approvals, now).State;
}
