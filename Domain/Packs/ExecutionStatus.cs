using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;

namespace Governor.Domain.Packs;

/// <summary>What a PackExecution's status says: the conditions of the specification, every gate, every step.</summary>
public static class ExecutionStatus
{
    private const int LongestMessage = 4000;

    /// <summary>Brings the conditions up to date with the rest of the state.</summary>
    public static ExecutionState Describe(ExecutionState state, DateTimeOffset now)
    {
        var generation = state.Generation;
        var conditions = state.Conditions;
        foreach (var gate in state.Gates)
            conditions = conditions.Set(ConditionOf(gate.Answer.Gate), !gate.IsOpen, gate.Answer.Reason, gate.Answer.Message, now, generation);

        var closed = state.Gates.FirstOrDefault(g => !g.IsOpen)?.Answer;
        var denied = state.Gates.FirstOrDefault(g => g.Answer.Verdict == GateVerdict.Deny)?.Answer;
        var superseded = state.Phase == ExecutionPhase.Superseded;
        var turn = state.Spec is { } spec ? ExecutionRules.TurnOf(spec, state.Facts) : null;
        var running = state.Phase is ExecutionPhase.Verifying or ExecutionPhase.Delivering;
        var succeeded = state.Phase == ExecutionPhase.Succeeded;
        var (failReason, failMessage) = state.Failure is { } failure
            ? (failure.Reason, Short($"step \"{failure.Step}\" failed on {failure.Object}: {failure.Message}"))
            : denied is not null ? (denied.Reason, $"step \"gate-{(int)denied.Gate}\" failed on {denied.WaitsFor}: {denied.Message}") : ("NotFailed", "");
        var failed = failReason != "NotFailed";
        var (reason, message) = succeeded ? ("JobSucceeded", $"{state.Inventory.Length} objects delivered")
            : failed ? (failReason, failMessage)
            : superseded ? ("Superseded", $"{turn?.SupersededBy} came in its place")
            : closed is not null ? (closed.Reason, closed.Message)
            : state.Phase == ExecutionPhase.Gated ? ("AwaitingTurn", turn is { WaitsFor.Length: > 0 } ? $"waits for {turn.WaitsFor} to end" : "its PackInstance has not said yet whose turn it is")
            : ("JobSubmitted", $"step {NextStep(state)}");

        conditions = conditions
            .Set("Pending", state.Phase == ExecutionPhase.Gated, state.Phase != ExecutionPhase.Gated ? "JobSubmitted" : closed is null ? "AwaitingTurn" : "GatesClearing", closed?.Message ?? "all gates are open", now, generation)
            .Set("Superseded", superseded, "Superseded", superseded ? message : "nothing came in its place", now, generation)
            .Set("Running", running, running ? "JobSubmitted" : succeeded ? "JobSucceeded" : failed ? "JobFailed" : "GatesClearing", message, now, generation)
            .Set("Succeeded", succeeded, succeeded ? "JobSucceeded" : failed ? "CapabilityFailed" : "GatesClearing", message, now, generation)
            .Set("Failed", failed, failReason, failMessage, now, generation)
            .Set(Conditions.Ready, succeeded, reason, message, now, generation)
            .Set(Conditions.Reconciling, !succeeded && !failed && !superseded, reason, message, now, generation)
            .Set(Conditions.Stalled, failed, reason, message, now, generation);
        return state with { Conditions = conditions };
    }

    public static JsonObject Render(ExecutionState state) => new()
    {
        ["observedGeneration"] = state.Generation,
        ["phase"] = state.Phase.ToString(),
        ["gates"] = new JsonArray([.. state.Gates.Select(Render)]),
        ["steps"] = new JsonArray([.. state.Steps.GroupBy(s => s.Name).Select(s => s.Last()).Select(step => (JsonNode)new JsonObject
        {
            ["name"] = step.Name,
            ["status"] = step.Status,
            ["message"] = Short(step.Message),
        })]),
        ["conditions"] = state.Conditions.ToJson(),
    };

    /// <summary>The condition type of the specification that says a gate is closed.</summary>
    public static string ConditionOf(Gate gate) => gate switch
    {
        Gate.ConductorReady => "Waiting",
        _ => gate.ToString(),
    };

    // Conditions and steps are to be read, and the schema bounds them; the whole text is in the audit.
    private static string Short(string text) => text.Length <= LongestMessage ? text : text[..LongestMessage] + " …";

    internal static string NextStep(ExecutionState state) =>
        DeliverySteps.All.FirstOrDefault(step => !state.HasDone(step)) ?? "none";

    private static JsonNode Render(GateRecord gate) => new JsonObject
    {
        ["gate"] = (int)gate.Answer.Gate,
        ["name"] = gate.Answer.Gate.ToString(),
        ["verdict"] = gate.Answer.Verdict.ToString(),
        ["reason"] = gate.Answer.Reason,
        ["message"] = gate.Answer.Message,
        ["waitsFor"] = gate.Answer.WaitsFor,
        ["since"] = KubeTime.Format(gate.Since),
    };
}
