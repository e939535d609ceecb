using Governor.Domain.Facts;
using Governor.Domain.Lineage;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;

namespace Governor.Grains.Lineage;

/// <summary>The one writer of one lineage index.</summary>
public sealed class LineageGrain(GovernedServices services)
    : GovernedGrain<LineageIndex, LineageInput>(services, Subjects.Lineage), ILineageGrain
{
    protected override LineageIndex Initial() => LineageIndex.Empty(Key);

    protected override Decision<LineageIndex> Decide(LineageIndex state, LineageInput input, DateTimeOffset now) => LineageRules.Decide(state, input, now);

    protected override LineageInput Receive(Fact fact) => new LineageInput.Told(fact);

    protected override LineageInput? Read(Observation seen) => null;

    protected override async Task ActAsync(CancellationToken cancellation)
    {
        if (LineageRules.Desired(State) is { } desired)
            await Owned.ApplyAsync(desired, FieldManagers.SeamCore, cancellation);
    }
}
