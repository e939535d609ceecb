using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;
using Governor.Domain.Packs;

namespace Governor.Silo.Api;

/// <summary>One condition.</summary>
public sealed record ConditionView(string Type, string Status, string Reason, string Message, DateTimeOffset LastTransitionTime)
{
    internal static IReadOnlyList<ConditionView> Of(IEnumerable<Condition> conditions) =>
        [.. conditions.Select(c => new ConditionView(c.Type, c.Status.ToString(), c.Reason, c.Message, c.LastTransitionTime))];
}

/// <summary>One cluster.</summary>
/// <param name="Capabilities">How many capabilities its Conductor has published, and how many there are.</param>
public sealed record ClusterView(string Name, bool Ready, string Reason, string Message, string WaitsFor, string Reachability, string Capabilities, IReadOnlyList<ConditionView> Conditions)
{
    internal static ClusterView Of(ClusterState state)
    {
        var fact = ClusterRules.Fact(state);
        return new ClusterView(
            state.Name.Value, fact.Readiness == ConductorReadiness.Ready, fact.Reason, fact.Message, fact.WaitsFor, state.Reachability.ToString(),
            $"{fact.Published}/{fact.Required}", ConditionView.Of(state.Conditions));
    }
}

/// <summary>One pack.</summary>
public sealed record PackView(
    string Namespace, string Name, string Version, string Trust, string Reason, string Message, string KeyId, IReadOnlyList<string> TargetClusters,
    IReadOnlyList<ConditionView> Conditions)
{
    internal static PackView Of(PackState state) => new(
        state.Key.Namespace, state.Key.Name, state.Spec?.Version ?? "", state.Trust.ToString(), state.Reason, state.Message, state.KeyId,
        state.Spec is { } spec ? [.. spec.TargetClusters] : [], ConditionView.Of(state.Conditions));
}

/// <summary>One gate: open or not, why, on what it waits, who can open it, and what it was decided on.</summary>
public sealed record GateView(
    int Gate, string Name, string Verdict, string Reason, string Message, string WaitsFor, string Unblocker, string Evidence, DateTimeOffset Since,
    string BlockedReason, DateTimeOffset? BlockedAt, DateTimeOffset? ClearedAt)
{
    internal static GateView Of(GateRecord gate) => new(
        (int)gate.Answer.Gate, gate.Answer.Gate.ToString(), gate.Answer.Verdict.ToString(), gate.Answer.Reason, gate.Answer.Message, gate.Answer.WaitsFor,
        gate.Answer.Unblocker, gate.Answer.Evidence, gate.Since, gate.BlockedReason, gate.BlockedAt, gate.ClearedAt);
}

public sealed record StepView(string Name, string Status, string Message, DateTimeOffset At);

public sealed record FailureView(string Step, string Object, string Reason, string Message);

/// <summary>One delivery.</summary>
public sealed record ExecutionView(
    string Namespace, string Name, string Pack, string Version, string Cluster, string Phase, IReadOnlyList<GateView> Gates, IReadOnlyList<StepView> Steps,
    FailureView? Failure, IReadOnlyList<ConditionView> Conditions)
{
    internal static ExecutionView Of(ExecutionState state) => new(
        state.Key.Namespace, state.Key.Name, state.Spec?.Pack.Name ?? "", state.Spec?.PackVersion ?? "", state.Spec?.Cluster.Value ?? "", state.Phase.ToString(),
        [.. state.Gates.Select(GateView.Of)], [.. state.Steps.Select(s => new StepView(s.Name, s.Status, s.Message, s.At))],
        state.Failure is { } f ? new FailureView(f.Step, f.Object, f.Reason, f.Message) : null, ConditionView.Of(state.Conditions));
}

public sealed record ReleaseView(int Revision, string Pack, string Version, string Direction, string Execution, DateTimeOffset DeployedAt, int Objects, int RestoredFrom);

/// <summary>What a pack lineage has on a target.</summary>
public sealed record InstanceView(
    string Namespace, string Name, string Cluster, bool Ready, string Standing, string Pack, string Version, IReadOnlyList<DeployedResource> DeployedResources,
    IReadOnlyList<ReleaseView> History, IReadOnlyList<ConditionView> Conditions)
{
    internal static InstanceView Of(InstanceState state) => new(
        state.Key.Namespace, state.Key.Name, state.Cluster, state.Exists && state.Conditions.IsTrue(Domain.Kinds.Conditions.Ready), state.Standing.ToString(), state.Current?.Pack.Name ?? "", state.Current?.Version ?? "",
        [.. state.Current?.Inventory ?? []],
        [.. state.Releases.Reverse().Select(r => new ReleaseView(r.Revision, r.Pack.Name, r.Version, r.Direction.ToString(), r.Execution.ToString(), r.DeployedAt, r.Inventory.Length, r.RestoredFrom))],
        ConditionView.Of(state.Conditions));
}

public sealed record DescendantView(string Kind, string Namespace, string Name, string Uid, string Rationale, string Actor);

/// <summary>What descends from one root declaration.</summary>
public sealed record LineageView(string Index, string RootKind, string Namespace, string Name, string RootUid, string Declarer, IReadOnlyList<DescendantView> Descendants)
{
    internal static LineageView? Of(LineageState state) => state.Index is not { } index
        ? null
        : new LineageView(
            index.Name, index.Root.RootKind, index.Root.RootNamespace, index.Root.RootName, index.Root.RootUid, index.Root.DeclaringPrincipal,
            [.. index.Descendants.Select(d => new DescendantView(d.Kind, d.Namespace, d.Name, d.Uid, d.CreationRationale.ToString(), d.ActorRef))]);
}
