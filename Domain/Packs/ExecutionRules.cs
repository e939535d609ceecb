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
        ExecutionInput.Told(var fact) => Hear(state with { Facts = state.Facts.With(fact, state.Spec) }, now),
        ExecutionInput.RightsReviewed(var uid, var rights) => uid == state.Uid ? Climb(state with { Facts = state.Facts with { Rights = rights } }, now) : Decision.Of(state),
        ExecutionInput.Ticked => Climb(state, now),
        ExecutionInput.Verified verified => verified.Uid == state.Uid && !state.IsTerminal ? Accept(state, verified, now) : Decision.Of(state),
        ExecutionInput.StepDone done => done.Uid == state.Uid && !state.IsTerminal ? Advance(state, done, now) : Decision.Of(state),
        ExecutionInput.Stopped stopped => stopped.Uid == state.Uid && !state.IsTerminal ? Stop(state with { Inventory = Inventory.Merge(state.Inventory, stopped.Objects) }, stopped.Failure, now) : Decision.Of(state),
        _ => throw new ArgumentOutOfRangeException(nameof(input)),
    };

    /// <summary>When the answers have to be asked again although nobody says anything: the first time an open gate closes by itself, or that missing rights are asked for again.</summary>
    public static DateTimeOffset? NextTick(ExecutionState state) => state is not { Exists: true, IsTerminal: false }
        ? null
        : state.Gates.Where(g => g.IsOpen).Select(g => g.Answer.Until).Append(state.Facts.Rights?.Due).Min();

    /// <summary>What the target has to be asked about our rights there; null when it has answered, or when what is asked for is not known yet.</summary>
    public static ImmutableArray<PackNeed>? OwedReview(ExecutionState state, DateTimeOffset now) =>
        state is { Exists: true, Spec: { } spec, Phase: ExecutionPhase.Gated or ExecutionPhase.Verifying or ExecutionPhase.Superseded, Facts.Conductor: { Reachability: Reachability.Reachable } conductor }
        && GateLadder.NeedsOf(spec, state.Facts) is { IsEmpty: false } needs
        && !(state.Facts.Rights is { } rights && rights.Covers(needs, conductor.ApiUid) && !(rights.Due <= now))
            ? needs
            : null;

    /// <summary>The lineage of what the delivery makes: its own, or that of what it restores.</summary>
    public static SealedCausalChain? LineageOf(ExecutionState state) => state.Lineage ?? state.Facts.Release?.Release?.Lineage;

    public static IEnumerable<Letter> Outbox(ExecutionState state)
    {
        // Also of an execution that never was: whoever gave it its turn has to know that nobody will take it.
        if (state.Facts.Turn is { } turn)
            yield return new Letter(
                InstanceRules.AddressOf(turn.Instance),
                new AttemptFact(state.Key, state.Uid, state.Exists, StandingOf(state), turn.Number, state.FinishedAt, state.Phase == ExecutionPhase.Succeeded ? [] : state.Inventory));
        var sources = Sources(state.Spec);
        foreach (var former in state.Former.Except(sources))
            yield return new Letter(former, new Interest(false));
        if (state.Spec is not { } spec)
            yield break;
        var listening = new Interest(state is { Exists: true, IsTerminal: false });
        foreach (var source in sources)
            yield return new Letter(source, listening);
        if (!state.Exists && state.Uid.Length > 0)
            yield return new Letter(
                spec.Restores is null ? new Address(Subjects.Pack, spec.Pack.ToString()) : InstanceRules.AddressOf(spec.Restores.Instance), new ExecutionGone(state.Key, state.Uid));
        if (state is { Phase: ExecutionPhase.Succeeded, Verified: { } verified })
            yield return new Letter(
                new Address(Subjects.Instance, InstanceRules.KeyOf(spec.Pack, verified.Spec, spec.Cluster.Value).ToString()),
                new DeliveredFact(
                    state.Key, state.Uid, spec.Pack, verified.Uid, spec.PackVersion, spec.Cluster.Value, verified.Spec, state.Inventory, state.FinishedAt!.Value, LineageOf(state),
                    verified.ContentDigest, verified.Document, verified.KeyId));
        foreach (var letter in Descent.Letters(state.Lineage, KnownKinds.PackExecution, state.Key, state.Uid, state.Generation, state.Declarer, "wrapper", state.Exists))
            yield return letter;
        if (state is { Lineage: { } lineage, IsTerminal: true })
            yield return new Letter(
                new Address(Subjects.Lineage, lineage.RootUid),
                new OutcomeFact(state.Uid, state.Phase == ExecutionPhase.Succeeded ? OutcomeType.Succeeded : OutcomeType.Failed, state.FinishedAt!.Value, $"PackExecution {state.Key}", state.Failure?.Message ?? "delivered"));
    }

    private static AttemptStanding StandingOf(ExecutionState state) => state.Phase switch
    {
        ExecutionPhase.Gated or ExecutionPhase.Verifying => AttemptStanding.Waiting,
        ExecutionPhase.Delivering => AttemptStanding.Writing,
        ExecutionPhase.Succeeded => AttemptStanding.Succeeded,
        ExecutionPhase.Failed => AttemptStanding.Failed,
        ExecutionPhase.Superseded => AttemptStanding.Superseded,
        _ => throw new ArgumentOutOfRangeException(nameof(state), state.Phase, "expected a phase"),
    };

    // After the first write the gates have no say any more. A pack that must not be delivered has: what is not written yet is not written.
    private static Decision<ExecutionState> Hear(ExecutionState state, DateTimeOffset now)
    {
        if (state is not { Exists: true, Phase: ExecutionPhase.Delivering, Spec: { } spec })
            return Climb(state, now);
        var closed = GateLadder.Evaluate(spec, state.Facts, now).FirstOrDefault(answer =>
            answer is { Gate: Gate.PackSignaturePending or Gate.PackRevoked, Verdict: GateVerdict.Deny, Reason: not ("VersionConflict" or "ClusterNotTargeted") });
        return closed is null
            ? Decision.Of(state)
            : Stop(state, new DeliveryFailure(ExecutionStatus.NextStep(state), $"ClusterPack {spec.Pack}", closed.Reason, closed.Message), now);
    }

    // A fact counts only when it is about what this execution is about: somebody asked under an earlier spec may still be speaking.
    private static GateFacts With(this GateFacts facts, Fact fact, ExecutionSpec? spec) => fact switch
    {
        ConductorFact conductor when conductor.Cluster == spec?.Cluster && conductor.Supersedes(facts.Conductor) => facts with { Conductor = conductor },
        PackFact pack when pack.Pack == spec?.Pack && pack.Supersedes(facts.Pack) => facts with { Pack = pack },
        SnapshotFact snapshot when snapshot.Cluster == spec?.Cluster && snapshot.Supersedes(facts.Snapshot) => facts with { Snapshot = snapshot },
        ProfileStanding profile when profile.Profile == spec?.Profile && profile.Supersedes(facts.Profile) => facts with { Profile = profile },
        TurnFact turn when turn.From == InstanceRules.AddressOf(turn.Instance) && turn.Supersedes(facts.Turn) => facts with { Turn = turn },
        // It may come before the object is seen; then it is looked at again when that is.
        ReleaseFact release when (spec is null || spec.Restores == new ReleaseRef(release.Instance, release.Revision))
            && release.From == InstanceRules.AddressOf(release.Instance) && release.Supersedes(facts.Release) => facts with { Release = release },
        _ => facts,
    };

    // Whoever has told us already does not tell the same again: what is about the new spec as well is kept.
    private static GateFacts About(this GateFacts facts, ExecutionSpec? spec) => new(
        facts.Conductor?.Cluster == spec?.Cluster ? facts.Conductor : null,
        facts.Pack?.Pack == spec?.Pack ? facts.Pack : null,
        facts.Snapshot?.Cluster == spec?.Cluster ? facts.Snapshot : null,
        facts.Profile?.Profile == spec?.Profile ? facts.Profile : null,
        facts.Pack?.Pack == spec?.Pack ? facts.Rights : null,
        facts.Turn,
        facts.Release is { } release && spec?.Restores == new ReleaseRef(release.Instance, release.Revision) ? release : null);

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
        if (state is not { Exists: true, Spec: { } spec, Phase: ExecutionPhase.Gated or ExecutionPhase.Verifying or ExecutionPhase.Superseded })
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
        var turn = TurnOf(spec, state.Facts);
        var phase = turn?.SupersededBy.Length > 0 ? ExecutionPhase.Superseded
            : open && turn?.Holder == state.Key.ToString() ? ExecutionPhase.Verifying
            : ExecutionPhase.Gated;
        if (phase != state.Phase)
        {
            var (action, why) = phase switch
            {
                ExecutionPhase.Superseded => ("packexecution.superseded", $"{turn!.SupersededBy} came in its place before the first write"),
                ExecutionPhase.Verifying => ("packexecution.gates-cleared", "all gates are open, and it is its turn"),
                _ when state.Phase == ExecutionPhase.Superseded => ("packexecution.wanted-again", "what came in its place was taken back"),
                _ => ("packexecution.gate-closed-again", open ? "it is another attempt's turn" : "a gate closed again before the first write"),
            };
            events.Add(context.Operational(now, action, "status.phase", state.Phase.ToString(), phase.ToString(), why));
        }
        return new Decision<ExecutionState>(
            ExecutionStatus.Describe(state with { Gates = gates.ToImmutable(), Phase = phase }, now), events.ToImmutable());
    }

    /// <summary>What this execution was told by the PackInstance that it is an attempt of; null while that has said nothing.</summary>
    internal static TurnFact? TurnOf(ExecutionSpec spec, GateFacts facts) =>
        facts.Turn is { } turn && (spec.Restores?.Instance ?? (facts.Pack?.Spec is { } pack ? InstanceRules.KeyOf(spec.Pack, pack, spec.Cluster.Value) : null)) == turn.Instance ? turn : null;

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
            return known.IsSameAs(found.Pack)
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
        var advanced = Advance(climbed.State with { Verified = found.Pack, Inventory = Inventory.Merge(climbed.State.Inventory, found.Planned) }, new ExecutionInput.StepDone(state.Uid, DeliverySteps.Verify, found.Message, []), now);
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
            Inventory = Inventory.Merge(state.Inventory, done.Objects),
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
