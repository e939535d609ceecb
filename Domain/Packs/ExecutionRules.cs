using System.Collections.Immutable;
using Governor.Domain.Audit;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;
using Governor.Domain.Permissions;

namespace Governor.Domain.Packs;

/// <summary>How a PackExecution is decided on: the gates, then the steps. Pure.</summary>
public static class ExecutionRules
{
    public static Decision<ExecutionState> Decide(ExecutionState state, ExecutionInput input, DateTimeOffset now) => input switch
    {
        ExecutionInput.Observed(var execution) => Observe(state, execution, now),
        ExecutionInput.Gone => Forget(state, now),
        ExecutionInput.Told(var fact) => Climb(state with { Facts = state.Facts.With(fact, state.Spec) }, now),
        ExecutionInput.Ticked => Climb(state, now),
        ExecutionInput.Verified verified => verified.Uid == state.Uid && !state.IsTerminal ? Accept(state, verified, now) : Decision.Of(state),
        ExecutionInput.StepDone done => done.Uid == state.Uid && !state.IsTerminal ? Advance(state, done, now) : Decision.Of(state),
        ExecutionInput.Stopped stopped => stopped.Uid == state.Uid && !state.IsTerminal ? Stop(state with { Inventory = [.. state.Inventory.Union(stopped.Objects)] }, stopped.Failure, now) : Decision.Of(state),
        _ => throw new ArgumentOutOfRangeException(nameof(input)),
    };

    /// <summary>When the answers have to be asked again although nobody says anything: the first time an open gate closes by itself.</summary>
    public static DateTimeOffset? NextTick(ExecutionState state) =>
        state is { Exists: true, IsTerminal: false } ? state.Gates.Where(g => g.IsOpen).Min(g => g.Answer.Until) : null;

    public static IEnumerable<Letter> Outbox(ExecutionState state)
    {
        var sources = Sources(state.Spec);
        foreach (var former in state.Former.Except(sources))
            yield return new Letter(former, new Interest(false));
        if (state.Spec is not { } spec)
            yield break;
        var listening = new Interest(state is { Exists: true, IsTerminal: false });
        foreach (var source in sources)
            yield return new Letter(source, listening);
        if (!state.Exists)
            yield return new Letter(new Address(Subjects.Pack, spec.Pack.ToString()), new ExecutionGone(state.Key, state.Uid));
        if (state is { Phase: ExecutionPhase.Succeeded, Verified: { } verified })
            yield return new Letter(
                new Address(Subjects.Instance, InstanceRules.KeyOf(spec.Pack, verified.Spec, spec.Cluster.Value).ToString()),
                new DeliveredFact(state.Key, state.Uid, spec.Pack, verified.Uid, spec.PackVersion, spec.Cluster.Value, verified.Spec, state.Inventory, state.FinishedAt!.Value, state.Lineage));
        foreach (var letter in Descent.Letters(state.Lineage, KnownKinds.PackExecution, state.Key, state.Uid, state.Generation, state.Declarer, "wrapper", state.Exists))
            yield return letter;
        if (state is { Lineage: { } lineage, IsTerminal: true })
            yield return new Letter(
                new Address(Subjects.Lineage, lineage.RootUid),
                new OutcomeFact(state.Uid, state.Phase == ExecutionPhase.Succeeded ? OutcomeType.Succeeded : OutcomeType.Failed, state.FinishedAt!.Value, $"PackExecution {state.Key}", state.Failure?.Message ?? "delivered"));
    }

    // A fact counts only when it is about what this execution is about: somebody asked under an earlier spec may still be speaking.
    private static GateFacts With(this GateFacts facts, Fact fact, ExecutionSpec? spec) => fact switch
    {
        ConductorFact conductor when conductor.Cluster == spec?.Cluster && conductor.Supersedes(facts.Conductor) => facts with { Conductor = conductor },
        PackFact pack when pack.Pack == spec?.Pack && pack.Supersedes(facts.Pack) => facts with { Pack = pack },
        SnapshotFact snapshot when snapshot.Cluster == spec?.Cluster && snapshot.Supersedes(facts.Snapshot) => facts with { Snapshot = snapshot },
        ProfileStanding profile when profile.Profile == spec?.Profile && profile.Supersedes(facts.Profile) => facts with { Profile = profile },
        _ => facts,
    };

    // Whoever has told us already does not tell the same again: what is about the new spec as well is kept.
    private static GateFacts About(this GateFacts facts, ExecutionSpec? spec) => new(
        facts.Conductor?.Cluster == spec?.Cluster ? facts.Conductor : null,
        facts.Pack?.Pack == spec?.Pack ? facts.Pack : null,
        facts.Snapshot?.Cluster == spec?.Cluster ? facts.Snapshot : null,
        facts.Profile?.Profile == spec?.Profile ? facts.Profile : null);

    private static ImmutableSortedSet<Address> Sources(ExecutionSpec? spec) => spec is null
        ? []
        : [
            new Address(Subjects.Cluster, spec.Cluster.Value),
            new Address(Subjects.Pack, spec.Pack.ToString()),
            new Address(Subjects.Permission, spec.Cluster.Value),
            new Address(Subjects.Profile, spec.Profile.ToString()),
        ];

    private static Decision<ExecutionState> Observe(ExecutionState state, KubeObject execution, DateTimeOffset now)
    {
        if (state.Exists && state.Uid == execution.Uid)
            return Decision.Of(state.Generation == execution.Generation ? state : state with { Generation = execution.Generation });
        var (spec, failures) = ExecutionSpec.Read(execution);
        var fresh = ExecutionState.Initial(state.Key) with
        {
            Exists = true,
            Uid = execution.Uid,
            Generation = execution.Generation,
            Spec = spec,
            SpecFailures = failures,
            Lineage = Descent.Owned(execution),
            Declarer = Descent.DeclarerOf(execution),
            Facts = state.Facts.About(spec),
            Former = state.Former.Union(Sources(state.Spec)),
        };
        var declared = Context(fresh).Operational(
            now, "packexecution.declared", "spec", null, spec is null ? null : $"{spec.Pack} {spec.PackVersion} on {spec.Cluster}", "a delivery was asked for");
        var decided = spec is null
            ? Stop(fresh, new DeliveryFailure("read-spec", execution.ToString(), "InvalidSpec", string.Join("; ", failures)), now)
            : Climb(fresh, now);
        return decided with { Events = decided.Events.Insert(0, declared) };
    }

    private static Decision<ExecutionState> Forget(ExecutionState state, DateTimeOffset now) => state.Exists
        ? Decision.Of(
            state with { Exists = false },
            Context(state).Operational(now, "packexecution.deleted", "metadata", state.Uid, null, $"the PackExecution was deleted in phase {state.Phase}"))
        : Decision.Of(state);

    /// <summary>Asks every gate and moves between Gated and Verifying. After the first write the gates have no say any more.</summary>
    private static Decision<ExecutionState> Climb(ExecutionState state, DateTimeOffset now)
    {
        if (state is not { Exists: true, Spec: { } spec, Phase: ExecutionPhase.Gated or ExecutionPhase.Verifying })
            return Decision.Of(state);
        var context = Context(state);
        var events = ImmutableArray.CreateBuilder<GovernanceEvent>();
        var gates = ImmutableArray.CreateBuilder<GateRecord>();
        foreach (var answer in GateLadder.Evaluate(spec, state.Facts, now))
        {
            var old = state.Gates.FirstOrDefault(g => g.Answer.Gate == answer.Gate);
            var record = Record(old, answer, now);
            gates.Add(record);
            if (old?.Answer.Verdict != answer.Verdict || old.Answer.Reason != answer.Reason)
                events.Add(context.Operational(
                    now, record.IsOpen ? "packexecution.gate-cleared" : "packexecution.gate-blocked", $"status.gates[{(int)answer.Gate}]",
                    old is null ? null : $"{old.Answer.Verdict}/{old.Answer.Reason}", $"{answer.Verdict}/{answer.Reason}", $"{answer.Message} [{answer.Evidence}]"));
        }
        var open = gates.All(g => g.IsOpen);
        var phase = open ? ExecutionPhase.Verifying : ExecutionPhase.Gated;
        if (phase != state.Phase)
            events.Add(context.Operational(
                now, open ? "packexecution.gates-cleared" : "packexecution.gate-closed-again", "status.phase", state.Phase.ToString(), phase.ToString(),
                open ? "all gates are open" : "a gate closed again before the first write"));
        return new Decision<ExecutionState>(
            ExecutionStatus.Describe(state with { Gates = gates.ToImmutable(), Phase = phase }, now), events.ToImmutable());
    }

    private static GateRecord Record(GateRecord? old, GateAnswer answer, DateTimeOffset now)
    {
        var open = answer.Verdict == GateVerdict.Allow;
        if (old is null)
            return new GateRecord(answer, now, open ? "" : answer.Reason, open ? null : now, open ? now : null);
        var moved = old.Answer.Verdict != answer.Verdict || old.Answer.Reason != answer.Reason;
        return old with
        {
            Answer = answer,
            Since = moved ? now : old.Since,
            BlockedReason = old.BlockedReason.Length == 0 && !open ? answer.Reason : old.BlockedReason,
            BlockedAt = old.BlockedAt ?? (open ? null : now),
            ClearedAt = open ? (old.IsOpen ? old.ClearedAt : now) : null,
        };
    }

    // The last look at the gates, and from here on they have no say: the first write may follow.
    private static Decision<ExecutionState> Accept(ExecutionState state, ExecutionInput.Verified found, DateTimeOffset now)
    {
        if (state.Verified is { } known)
            return known.Uid == found.Pack.Uid && known.SpecDigest == found.Pack.SpecDigest
                ? Decision.Of(state)
                : Stop(
                    state,
                    new DeliveryFailure(
                        DeliverySteps.Verify, $"ClusterPack {state.Spec!.Pack}", "PackReplaced",
                        $"expected the pack {known.Uid} with spec {known.SpecDigest} that this delivery began with, found {found.Pack.Uid} with spec {found.Pack.SpecDigest}"),
                    now);
        var climbed = Climb(state, now);
        if (climbed.State.Phase != ExecutionPhase.Verifying)
            return climbed;
        var advanced = Advance(climbed.State with { Verified = found.Pack }, new ExecutionInput.StepDone(state.Uid, DeliverySteps.Verify, found.Message, []), now);
        return advanced with { Events = climbed.Events.AddRange(advanced.Events) };
    }

    private static Decision<ExecutionState> Advance(ExecutionState state, ExecutionInput.StepDone done, DateTimeOffset now)
    {
        if (state.Verified is null || state.HasDone(done.Step))
            return Decision.Of(state);
        var finished = done.Step == DeliverySteps.WaitReady;
        var phase = finished ? ExecutionPhase.Succeeded : ExecutionPhase.Delivering;
        var next = state with
        {
            Phase = phase,
            Steps = state.Steps.Add(new StepRecord(done.Step, "Succeeded", done.Message, now)),
            Inventory = [.. state.Inventory.Union(done.Objects)],
            FinishedAt = finished ? now : null,
        };
        return Decision.Of(
            ExecutionStatus.Describe(next, now),
            Context(state).Operational(
                now, finished ? "packexecution.delivered" : "packexecution.step-done", $"status.steps[{done.Step}]", state.Phase.ToString(), phase.ToString(), done.Message));
    }

    private static Decision<ExecutionState> Stop(ExecutionState state, DeliveryFailure failure, DateTimeOffset now)
    {
        var next = state with
        {
            Phase = ExecutionPhase.Failed,
            Failure = failure,
            Steps = state.Steps.Add(new StepRecord(failure.Step, "Failed", $"{failure.Object}: {failure.Message}", now)),
            FinishedAt = now,
        };
        return Decision.Of(
            ExecutionStatus.Describe(next, now),
            Context(state).Operational(
                now, "packexecution.failed", $"status.steps[{failure.Step}]", state.Phase.ToString(), nameof(ExecutionPhase.Failed),
                $"step {failure.Step}, object {failure.Object}: {failure.Reason}: {failure.Message}"));
    }

    private static EventContext Context(ExecutionState state) => new(
        new EventSubject(KnownKinds.PackExecution.Group, KnownKinds.PackExecution.Kind, state.Key.Namespace, state.Key.Name, state.Uid, state.Generation),
        "system:governor:wrapper", "wrapper", state.Lineage?.RootUid ?? state.Uid, state.Spec?.Cluster.Value ?? "", state.Uid);
}
