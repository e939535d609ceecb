using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;

namespace Governor.Grains.Packs;

/// <summary>What one pack lineage has on one target.</summary>
public sealed class PackInstanceGrain(GovernedServices services)
    : GovernedGrain<InstanceState, InstanceInput>(services, Subjects.Instance), IPackInstanceGrain
{
    protected override InstanceState Initial() => InstanceState.Initial with { Key = ObjectKey.Parse(Key) };

    protected override Decision<InstanceState> Decide(InstanceState state, InstanceInput input, DateTimeOffset now) => InstanceRules.Decide(state, input, now);

    protected override InstanceInput Receive(Fact fact) => new InstanceInput.Told(fact);

    protected override InstanceInput? Read(Observation seen) =>
        seen.Object is { } instance ? new InstanceInput.Observed(instance) : new InstanceInput.Gone();

    protected override IEnumerable<Letter> Outbox(InstanceState state) => InstanceRules.Outbox(state);

    protected override async Task ActAsync(CancellationToken cancellation)
    {
        if (InstanceRules.Desired(State) is not { } desired)
            return;
        await Owned.ApplyAsync(desired, FieldManagers.Wrapper, cancellation);
        await Owned.ApplyStatusAsync(KnownKinds.PackInstance, State.Key, InstanceRules.Status(State), FieldManagers.Wrapper, cancellation);
    }
}
