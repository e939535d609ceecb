using Governor.Domain.Facts;
using Governor.Domain.Lineage;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;

namespace Governor.Grains.Lineage;

/// <summary>The one writer of one lineage index.</summary>
public sealed class LineageGrain(GovernedServices services)
    : GovernedGrain<LineageState, Fact>(services, Subjects.Lineage), ILineageGrain
{
    protected override LineageState Initial() => LineageState.Initial(Key);

    protected override Decision<LineageState> Decide(LineageState state, Fact input, DateTimeOffset now) => LineageRules.Decide(state, input, now);

    protected override Fact Receive(Fact fact) => fact;

    protected override Fact? Read(Observation seen) => null;

    protected override async Task ActAsync(CancellationToken cancellation)
    {
        if (LineageRules.Desired(State) is { } desired)
            await Owned.ApplyAsync(desired, FieldManagers.SeamCore, cancellation);
    }
}
