using Governor.Domain.Facts;
using Governor.Domain.Memberships;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;

namespace Governor.Grains.Memberships;

/// <summary>Where the profiles and the memberships of one namespace learn of each other.</summary>
public sealed class RosterGrain(GovernedServices services)
    : GovernedGrain<RosterState, Fact>(services, Subjects.Roster), IRosterGrain
{
    protected override RosterState Initial() => RosterState.Initial;

    protected override Decision<RosterState> Decide(RosterState state, Fact input, DateTimeOffset now) => RosterRules.Decide(state, input);

    protected override Fact Receive(Fact fact) => fact;

    protected override Fact? Read(Observation seen) => null;

    protected override IEnumerable<Letter> Outbox(RosterState state) => RosterRules.Outbox(state);
}
