using System.Text;
using Governor.Domain.Packs;

namespace Governor.Silo.Api;

/// <summary>Why something is as it is: what it waits for, on what, since when, and who can do something about it.</summary>
/// <param name="Text">The same, for people.</param>
public sealed record Explanation(string Object, string State, IReadOnlyList<GateView> Gates, string Text)
{
    internal static Explanation Of(ExecutionState state)
    {
        var text = new StringBuilder();
        text.AppendLine($"PackExecution {state.Key} is {state.Phase}.");
        if (state.Spec is { } spec)
            text.AppendLine(spec.Restores is { } restores
                ? $"It brings back revision {restores.Revision} of PackInstance {restores.Instance} ({spec.Pack.Name} {spec.PackVersion}) on cluster {spec.Cluster}."
                : $"It delivers ClusterPack {spec.Pack} {spec.PackVersion} to cluster {spec.Cluster}.");
        foreach (var gate in state.Gates)
        {
            var answer = gate.Answer;
            text.AppendLine($"  gate {(int)answer.Gate} {answer.Gate}: {(gate.IsOpen ? "open" : "closed")} since {gate.Since:u}: {answer.Reason}: {answer.Message}");
            if (!gate.IsOpen)
                text.AppendLine($"    waits for {answer.WaitsFor}; can be unblocked by: {answer.Unblocker}");
            if (answer.Evidence.Length > 0)
                text.AppendLine($"    decided on {answer.Evidence}");
        }
        if (state.Facts.Turn is { } turn && !state.IsTerminal)
            text.AppendLine(
                turn.SupersededBy.Length > 0 ? $"  It stepped aside: {turn.SupersededBy} came in its place."
                : turn.Holder == state.Key.ToString() ? "  It is its turn to write."
                : $"  It waits for its turn{(turn.WaitsFor.Length > 0 ? $": {turn.WaitsFor} has to end first" : "")}.");
        foreach (var step in state.Steps)
            text.AppendLine($"  step {step.Name}: {step.Status} at {step.At:u}: {step.Message}");
        if (state.Failure is { } failure)
            text.AppendLine($"It failed in step {failure.Step} on {failure.Object}: {failure.Reason}: {failure.Message}");
        return new Explanation($"PackExecution {state.Key}", state.Phase.ToString(), [.. state.Gates.Select(GateView.Of)], text.ToString());
    }

    internal static Explanation Of(InstanceState state)
    {
        var text = new StringBuilder();
        text.AppendLine($"PackInstance {state.Key} on cluster {state.Cluster} is {state.Standing}.");
        foreach (var condition in state.Conditions.Where(condition => condition.Type is "Ready" or "SecurityViolation"))
            text.AppendLine($"  {condition.Type} is {condition.Status} since {condition.LastTransitionTime:u}: {condition.Reason}: {condition.Message}");
        foreach (var pack in state.Declared.Values)
            text.AppendLine($"  declared: ClusterPack {pack.Pack} {pack.Spec?.Version}, {pack.Trust}{(pack.Spec?.RollbackToRevision > 0 ? $", asks for revision {pack.Spec.RollbackToRevision}" : "")}");
        if (state.Aim.Length > 0)
            text.AppendLine($"  shall be delivered by PackExecution {state.Aim}; {(state.Turn == state.Aim ? "it may write" : $"PackExecution {state.Turn} has to end first")}");
        if (state.Removal is { } removal)
            text.AppendLine($"  {removal.Cause} since {removal.Since:u}: {removal.Removed} objects are gone, {removal.Pending.Length} are still to go, next {Inventory.Describe(removal.Pending[0])}");
        foreach (var kept in state.Kept)
            text.AppendLine($"  left on the target: {Inventory.Describe(kept.Object)}: {kept.Reason}: {kept.Message}");
        foreach (var release in state.Releases.Reverse())
            text.AppendLine(
                $"  revision {release.Revision}: {release.Pack.Name} {release.Version}, {release.Direction}{(release.RestoredFrom > 0 ? $" from revision {release.RestoredFrom}" : "")}, "
                + $"{release.Inventory.Length} objects, delivered at {release.DeployedAt:u}");
        return new Explanation($"PackInstance {state.Key}", state.Standing.ToString(), [], text.ToString());
    }
}
