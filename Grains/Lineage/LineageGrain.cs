using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Grains.Lineage;

/// <summary>The one writer of one lineage index.</summary>
public sealed class LineageGrain(GovernedServices services)
    : GovernedGrain<LineageState, Fact>(services, Subjects.Lineage), ILineageGrain
{
    private string? _name;

    protected override LineageState Initial() => LineageState.Initial(Key);

    protected override Decision<LineageState> Decide(LineageState state, Fact input, DateTimeOffset now) => LineageRules.Decide(state, input, now);

    protected override Fact Receive(Fact fact) => fact;

    protected override Fact? Read(Observation seen) => null;

    protected override async Task ActAsync(CancellationToken cancellation)
    {
        if (State.Index is not { } index)
            return;
        try
        {
            _name ??= await NameAsync(index, cancellation);
            await Owned.ApplyAsync(index.ToObject(_name), FieldManagers.SeamCore, cancellation);
        }
        catch (KubernetesException e) when (e is { Code: 404, Reason: "NotFound" })
        {
            // The namespace went with everything in it: there is nowhere to write to, and the journal keeps the index.
        }
    }

    // The first index of a name keeps it. Creating, unlike applying, fails when the name was taken a moment ago. It claims the name and
    // no more: what is created is owned beside what is applied, and would depend on how much was known by then.
    private async Task<string> NameAsync(LineageIndex index, CancellationToken cancellation)
    {
        var plain = LineageNames.Index(index.Root, null);
        if (await OccupantAsync(plain) is not { } occupant)
        {
            var empty = index with { DescendantsByUid = index.DescendantsByUid.Clear(), OutcomesByUid = index.OutcomesByUid.Clear() };
            await Clusters.Management.CreateAsync(empty.ToObject(plain), new WriteOptions(FieldManagers.SeamCore), cancellation);
            return plain;
        }
        return LineageNames.Index(index.Root, occupant);

        async Task<string?> OccupantAsync(string name) =>
            (await Clusters.Management.GetAsync(KnownKinds.InfrastructureLineageIndex, new ObjectKey(index.Root.RootNamespace, name), cancellation))
                ?.FindText("spec", "rootBinding", "rootUID");
    }
}
