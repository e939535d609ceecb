using System.Collections.Immutable;
using Governor.Domain.Audit;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;

namespace Governor.Domain.Lineage;

/// <summary>The lineage of one root, keyed by its UID.</summary>
/// <param name="Index">Null while only descendants have been heard of.</param>
/// <param name="Early">What was told before the root: kept, and registered when the root is known.</param>
public sealed record LineageState(string RootUid, bool RootExists, LineageIndex? Index, ImmutableArray<DescendantFact> Early, ImmutableArray<OutcomeFact> EarlyOutcomes)
{
    public static LineageState Initial(string rootUid) => new(rootUid, false, null, [], []);
}

/// <summary>How a lineage index grows: by appending, never otherwise. Pure.</summary>
public static class LineageRules
{
    public static Decision<LineageState> Decide(LineageState state, Fact fact, DateTimeOffset now) => fact switch
    {
        RootFact root => Bind(state, root, now),
        DescendantFact descendant => state.Index is null
            ? Decision.Of(state.Early.Any(d => d.Uid == descendant.Uid) ? state : state with { Early = state.Early.Add(descendant) })
            : Register(state, state.Index, descendant, now),
        OutcomeFact outcome => state.Index is null
            ? Decision.Of(state.EarlyOutcomes.Any(o => o.Uid == outcome.Uid) ? state : state with { EarlyOutcomes = state.EarlyOutcomes.Add(outcome) })
            : Conclude(state, state.Index, outcome, now),
        _ => Decision.Of(state),
    };

    /// <summary>The InfrastructureLineageIndex object that has to exist, or null while the root is unknown.</summary>
    public static KubeObject? Desired(LineageState state) => state.Index?.ToObject(state.Index.Name);

    private static Decision<LineageState> Bind(LineageState state, RootFact root, DateTimeOffset now)
    {
        if (state.Index is { } bound)
            // The binding is immutable; only whether the root still exists may change.
            return state.RootExists == root.Exists
                ? Decision.Of(state)
                : Decision.Of(
                    state with { RootExists = root.Exists },
                    Events(bound).Operator(now, "lineage.root-gone", "spec.rootBinding", $"{state.RootExists}", $"{root.Exists}", "the index outlives its root"));
        var index = LineageIndex.Bind(root);
        var decision = Decision.Of(
            state with { Index = index, RootExists = root.Exists, Early = [], EarlyOutcomes = [] },
            Events(index).Operator(now, "lineage.index-created", "spec.rootBinding", null, root.Uid, $"declared by {root.Declarer}"));
        foreach (var fact in state.Early.Cast<Fact>().Concat(state.EarlyOutcomes))
        {
            var next = Decide(decision.State, fact, now);
            decision = new Decision<LineageState>(next.State, decision.Events.AddRange(next.Events));
        }
        return decision;
    }

    private static Decision<LineageState> Register(LineageState state, LineageIndex index, DescendantFact told, DateTimeOffset now)
    {
        var change = index.Register(told.Kind, told.Key, told.Uid, told.Chain, now);
        return change.Changed
            ? Decision.Of(
                state with { Index = change.Index },
                Events(index).Operator(now, "lineage.descendant-registered", "spec.descendantRegistry", null, change.Message, told.Chain.CreationRationale.ToString()))
            : Decision.Of(state);
    }

    private static Decision<LineageState> Conclude(LineageState state, LineageIndex index, OutcomeFact told, DateTimeOffset now)
    {
        var change = index.Conclude(new Outcome(told.Uid, told.Type, told.At, told.Reference, told.Detail));
        return change.Changed
            ? Decision.Of(
                state with { Index = change.Index },
                Events(index).Operator(now, "lineage.outcome-registered", "spec.outcomeRegistry", null, change.Message, $"{told.Reference}: {told.Detail}"))
            : Decision.Of(state);
    }

    private static EventContext Events(LineageIndex index) => new(
        new EventSubject(
            KnownKinds.InfrastructureLineageIndex.Group, KnownKinds.InfrastructureLineageIndex.Kind, index.Root.RootNamespace, index.Name, "", index.Root.RootObservedGeneration),
        "system:governor:seam-core", "seam-core", index.Root.RootUid, "", index.Root.RootUid);
}
