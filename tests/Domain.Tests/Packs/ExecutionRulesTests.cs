using System.Text.Json;
using System.Text.Json.Serialization;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;

namespace Governor.Domain.Tests.Packs;

public sealed class ExecutionRulesTests
{
    [Fact]
    public void A_new_execution_is_gated_and_says_what_every_gate_waits_for()
    {
        var state = Make.Observed();

        Assert.Equal(ExecutionPhase.Gated, state.Phase);
        Assert.Equal(7, state.Gates.Length);
        Assert.All(state.Gates, gate => Assert.Equal(Make.Now, gate.BlockedAt));
        Assert.True(state.Conditions.IsTrue("Waiting"));
        Assert.True(state.Conditions.IsTrue("PackSignaturePending"));
        Assert.True(state.Conditions.IsTrue("PermissionSnapshotOutOfSync"));
        Assert.True(state.Conditions.IsTrue("RBACProfileNotProvisioned"));
        Assert.True(state.Conditions.IsTrue("PackRevoked"));
        Assert.True(state.Conditions.IsTrue("WrapperRunnerRBACNotReady"));
        Assert.True(state.Conditions.IsTrue("TargetUnreachable"));
        Assert.True(state.Conditions.IsTrue("Pending"));
        Assert.False(state.Conditions.IsTrue("Ready"));
    }

    [Fact]
    public void It_is_verified_only_when_all_gates_are_open()
    {
        Assert.Equal(ExecutionPhase.Gated, Make.Observed(Make.AllOpen with { Profile = null }).Phase);
        Assert.Equal(ExecutionPhase.Verifying, Make.Observed(Make.AllOpen).Phase);
    }

    [Fact]
    public void A_gate_that_closes_before_the_first_write_stops_the_delivery()
    {
        var verifying = Make.Observed(Make.AllOpen);

        var closed = ExecutionRules.Decide(verifying, new ExecutionInput.Told(Make.Profile(provisioned: false, version: 2)), Make.Now);

        Assert.Equal(ExecutionPhase.Gated, closed.State.Phase);
        Assert.Contains(closed.Events, e => e.Action == "packexecution.gate-closed-again");
    }

    [Fact]
    public void A_snapshot_that_lapses_while_the_pack_is_verified_stops_the_first_write()
    {
        var verifying = Make.Observed(Make.AllOpen);

        var late = ExecutionRules.Decide(verifying, new ExecutionInput.Verified(verifying.Uid, Make.Verified, ""), Make.Now.AddHours(2));

        Assert.Equal(ExecutionPhase.Gated, late.State.Phase);
        Assert.False(late.State.HasDone(DeliverySteps.Verify));
    }

    [Fact]
    public void After_the_first_write_the_gates_have_no_say()
    {
        var delivering = Do(Make.Observed(Make.AllOpen), DeliverySteps.Verify);

        var told = ExecutionRules.Decide(delivering, new ExecutionInput.Told(Make.Profile(provisioned: false, version: 2)), Make.Now);

        Assert.Equal(ExecutionPhase.Delivering, told.State.Phase);
    }

    [Fact]
    public void It_succeeds_with_the_last_step_and_remembers_what_it_put_there()
    {
        var state = Make.Observed(Make.AllOpen);
        foreach (var step in DeliverySteps.All)
            state = Do(state, step, new DeployedResource("v1", "ConfigMap", "web", step));

        Assert.Equal(ExecutionPhase.Succeeded, state.Phase);
        Assert.Equal(DeliverySteps.All.Length - 1, state.Inventory.Length);
        Assert.True(state.Conditions.IsTrue("Ready"));
        var delivered = Assert.Single(ExecutionRules.Outbox(state).Select(l => l.Fact).OfType<DeliveredFact>());
        Assert.Equal("exec-uid", delivered.ExecutionUid);
    }

    [Fact]
    public void A_step_that_is_reported_twice_counts_once()
    {
        var once = Do(Make.Observed(Make.AllOpen), DeliverySteps.Verify);

        var twice = ExecutionRules.Decide(once, new ExecutionInput.Verified(once.Uid, Make.Verified, ""), Make.Now);

        Assert.Same(once, twice.State);
        Assert.Empty(twice.Events);
    }

    [Fact]
    public void A_report_about_an_earlier_object_of_the_same_name_is_ignored()
    {
        var state = Make.Observed(Make.AllOpen);

        Assert.Same(state, ExecutionRules.Decide(state, new ExecutionInput.StepDone("other-uid", DeliverySteps.Verify, "", []), Make.Now).State);
        Assert.Same(state, ExecutionRules.Decide(state, new ExecutionInput.Stopped("other-uid", new DeliveryFailure("s", "o", "r", "m")), Make.Now).State);
    }

    [Fact]
    public void A_failure_names_step_object_and_cause_in_a_condition_and_in_the_audit()
    {
        var state = Make.Observed(Make.AllOpen);

        var stopped = ExecutionRules.Decide(state, new ExecutionInput.Stopped(state.Uid, new DeliveryFailure("verify-pack", "ConfigMap web/x", "DigestMismatch", "expected a, found b")), Make.Now);

        var condition = stopped.State.Conditions.Find("Failed")!;
        Assert.Equal(ConditionStatus.True, condition.Status);
        Assert.Equal("DigestMismatch", condition.Reason);
        Assert.Equal("step \"verify-pack\" failed on ConfigMap web/x: expected a, found b", condition.Message);
        var recorded = Assert.Single(stopped.Events);
        Assert.Equal("packexecution.failed", recorded.Action);
        Assert.Contains("ConfigMap web/x", recorded.Rationale, StringComparison.Ordinal);
    }

    [Fact]
    public void A_denied_gate_shows_as_failed_and_recovers_when_it_is_repaired()
    {
        var denied = Make.Observed(Make.AllOpen with { Conductor = Make.Conductor(Domain.Clusters.ConductorReadiness.Impossible) });
        Assert.True(denied.Conditions.IsTrue("Failed"));
        Assert.True(denied.Conditions.IsTrue("Stalled"));

        var repaired = ExecutionRules.Decide(denied, new ExecutionInput.Told(Make.Conductor(version: 2)), Make.Now).State;

        Assert.False(repaired.Conditions.IsTrue("Failed"));
        Assert.Equal(ExecutionPhase.Verifying, repaired.Phase);
    }

    [Fact]
    public void A_fact_that_arrives_late_changes_nothing()
    {
        var state = Make.Observed(Make.AllOpen with { Profile = Make.Profile(version: 5) });

        var late = ExecutionRules.Decide(state, new ExecutionInput.Told(Make.Profile(provisioned: false, version: 4)), Make.Now);

        Assert.Equal(ExecutionPhase.Verifying, late.State.Phase);
        Assert.Empty(late.Events);
    }

    [Fact]
    public void A_spec_that_cannot_be_read_fails_with_every_reason()
    {
        var broken = Make.Json("""{"apiVersion":"infra.ontai.dev/v1alpha1","kind":"PackExecution","metadata":{"name":"x","namespace":"n","uid":"u"},"spec":{}}""");

        var state = ExecutionRules.Decide(ExecutionState.Initial(new ObjectKey("n", "x")), new ExecutionInput.Observed(broken), Make.Now).State;

        Assert.Equal(ExecutionPhase.Failed, state.Phase);
        Assert.Contains("spec.clusterPackRef.name", state.Failure!.Message, StringComparison.Ordinal);
        Assert.Contains("spec.targetClusterRef", state.Failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_execution_under_another_name_would_be_a_second_writer_and_is_refused()
    {
        var state = ExecutionRules.Decide(
            ExecutionState.Initial(new ObjectKey("seam-tenant-ccs-dev", "mine")), new ExecutionInput.Observed(Make.Execution(name: "mine")), Make.Now).State;

        Assert.Equal(ExecutionPhase.Failed, state.Phase);
        Assert.Contains("expected 'web-ccs-dev'", state.Failure!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_recreated_execution_starts_from_the_beginning_with_the_facts_that_are_known()
    {
        var done = Make.Observed(Make.AllOpen);
        foreach (var step in DeliverySteps.All)
            done = Do(done, step);

        var again = ExecutionRules.Decide(done, new ExecutionInput.Observed(Make.Execution(uid: "second")), Make.Now).State;

        Assert.Equal(ExecutionPhase.Verifying, again.Phase);
        Assert.Empty(again.Steps);
        Assert.Empty(again.Inventory);
    }

    [Fact]
    public void Facts_about_another_cluster_pack_or_profile_open_nothing()
    {
        var state = Make.Observed(new GateFacts(
            Make.Conductor() with { Cluster = new Domain.Clusters.ClusterName("other") },
            Make.Pack() with { Pack = new ObjectKey("seam-tenant-ccs-dev", "other") },
            Make.Snapshot() with { Cluster = new Domain.Clusters.ClusterName("other") },
            Make.Profile() with { Profile = new ObjectKey("seam-tenant-other", "web") }));

        Assert.Equal(GateFacts.None, state.Facts);
        Assert.Equal(ExecutionPhase.Gated, state.Phase);
    }

    [Fact]
    public void Another_delivery_under_the_same_name_inherits_no_facts_and_the_former_sources_are_told()
    {
        var open = Make.Observed(Make.AllOpen);
        var other = Make.Json("""
            {"apiVersion":"infra.ontai.dev/v1alpha1","kind":"PackExecution","metadata":{"name":"web-ccs-dev","namespace":"seam-tenant-ccs-dev","uid":"second","generation":1},
             "spec":{"clusterPackRef":{"name":"web-ccs","version":"v1.0.0-r1"},"targetClusterRef":"dev"}}
            """);

        var state = ExecutionRules.Decide(open, new ExecutionInput.Observed(other), Make.Now).State;

        Assert.Equal(ExecutionPhase.Gated, state.Phase);
        Assert.Equal(GateFacts.None with { Turn = open.Facts.Turn }, state.Facts); // whoever gave it the turn is told that it is over
        var letters = ExecutionRules.Outbox(state).ToList();
        Assert.Contains(letters, l => l.To == new Address(Subjects.Cluster, "ccs-dev") && l.Fact is Interest { Active: false });
        Assert.Contains(letters, l => l.To == new Address(Subjects.Cluster, "dev") && l.Fact is Interest { Active: true });
    }

    [Fact]
    public void A_delivery_never_goes_on_with_another_pack_than_it_began_with()
    {
        var delivering = Do(Make.Observed(Make.AllOpen), DeliverySteps.Verify);

        var replaced = ExecutionRules.Decide(delivering, new ExecutionInput.Verified(delivering.Uid, Make.Verified with { Uid = "another" }, ""), Make.Now).State;

        Assert.Equal(ExecutionPhase.Failed, replaced.Phase);
        Assert.Equal("PackReplaced", replaced.Failure!.Reason);
    }

    [Fact]
    public void What_was_delivered_is_what_was_verified_whatever_the_pack_says_now()
    {
        var state = Do(Make.Observed(Make.AllOpen), DeliverySteps.Verify);
        state = ExecutionRules.Decide(state, new ExecutionInput.Told(Make.Pack(spec: Make.Spec with { BasePackName = "other" }, version: 9)), Make.Now).State;
        foreach (var step in DeliverySteps.All.Skip(1))
            state = Do(state, step);

        Assert.Equal(Make.Spec, Assert.Single(ExecutionRules.Outbox(state).Select(l => l.Fact).OfType<DeliveredFact>()).Spec);
    }

    [Fact]
    public void A_lineage_that_no_owner_reference_confirms_does_not_count()
    {
        const string chain = """{"rootKind":"ClusterPack","rootName":"web","rootNamespace":"n","rootUID":"r","creatingOperator":{"name":"wrapper","version":"1"},"creationRationale":"PackExecution","rootGenerationAtCreation":1}""";

        var state = ExecutionRules.Decide(
            ExecutionState.Initial(new ObjectKey("seam-tenant-ccs-dev", "web-ccs-dev")), new ExecutionInput.Observed(Make.Execution(lineage: chain)), Make.Now).State;

        Assert.Null(state.Lineage);
    }

    [Fact]
    public void What_is_restored_may_be_told_before_the_execution_is_seen_and_opens_its_gate()
    {
        var release = new Release(1, Make.ExecutionSpec.Pack, "old-uid", "v0.9.0", Make.Spec, default, "e", Make.Now, UpgradeDirection.Initial, [new DeployedResource("v1", "ConfigMap", "web", "x")], null, "sha256:old", "{}", "key");
        var told = new ReleaseFact(Make.Instance, 1, release, "") { From = InstanceRules.AddressOf(Make.Instance), Version = 1 };
        var execution = Make.Json("""
            {"apiVersion":"infra.ontai.dev/v1alpha1","kind":"PackExecution","metadata":{"name":"web-ccs-dev-restore-1","namespace":"seam-tenant-ccs-dev","uid":"r","generation":1},
             "spec":{"clusterPackRef":{"name":"web","version":"v0.9.0"},"targetClusterRef":"ccs-dev","packInstanceRef":"web-ccs-dev","rollbackToRevision":1}}
            """);
        var state = ExecutionRules.Decide(ExecutionState.Initial(new ObjectKey("seam-tenant-ccs-dev", "web-ccs-dev-restore-1")), new ExecutionInput.Told(told), Make.Now).State;
        state = ExecutionRules.Decide(state, new ExecutionInput.Observed(execution), Make.Now).State;
        state = ExecutionRules.Decide(state, new ExecutionInput.Told(Make.Pack(exists: false)), Make.Now).State;

        Assert.Equal(release, state.Facts.Release!.Release);
        Assert.True(state.Gates.Single(g => g.Answer.Gate == Gate.PackSignaturePending).IsOpen);
        Assert.True(state.Gates.Single(g => g.Answer.Gate == Gate.PackRevoked).IsOpen); // its ClusterPack is gone, and nobody revoked it
    }

    [Fact]
    public void A_delivery_that_writes_stops_when_its_pack_is_revoked()
    {
        var delivering = Do(Make.Observed(Make.AllOpen), DeliverySteps.Verify);

        var stopped = ExecutionRules.Decide(delivering, new ExecutionInput.Told(Make.Pack(PackTrust.Revoked, version: 2)), Make.Now).State;

        Assert.Equal((ExecutionPhase.Failed, "ClusterPackRevoked"), (stopped.Phase, stopped.Failure!.Reason));
    }

    [Fact]
    public void What_is_going_to_be_written_is_known_before_the_first_write_also_to_the_lineage_when_the_execution_is_gone()
    {
        var planned = new DeployedResource("v1", "ConfigMap", "web", "x");
        var state = Make.Observed(Make.AllOpen);
        state = ExecutionRules.Decide(state, new ExecutionInput.Verified(state.Uid, Make.Verified, "") { Planned = [planned] }, Make.Now).State;
        Assert.Equal(planned, Assert.Single(state.Inventory));

        var gone = ExecutionRules.Decide(state, new ExecutionInput.Gone(), Make.Now).State;

        Assert.Equal(planned, Assert.Single(Assert.Single(ExecutionRules.Outbox(gone).Select(l => l.Fact).OfType<AttemptFact>()).Inventory));
        var written = planned with { Uid = "u", Created = true };
        Assert.Equal(written, Assert.Single(Do(state, DeliverySteps.Namespaces, written).Inventory));
    }

    [Fact]
    public void An_execution_that_was_never_declared_answers_whoever_gave_it_its_turn()
    {
        var state = ExecutionRules.Decide(ExecutionState.Initial(new ObjectKey("seam-tenant-ccs-dev", "web-ccs-dev")), new ExecutionInput.Told(Make.Turn()), Make.Now).State;

        var said = Assert.Single(ExecutionRules.Outbox(state).Select(l => l.Fact).OfType<AttemptFact>());
        Assert.Equal((false, 1L), (said.Exists, said.Heard));
    }

    [Fact]
    public void Without_its_turn_it_waits_and_when_it_is_superseded_it_steps_aside_and_comes_back()
    {
        var waiting = Make.Observed(Make.AllOpen with { Turn = Make.Turn(holder: "seam-tenant-ccs-dev/other") });
        Assert.Equal(ExecutionPhase.Gated, waiting.Phase);

        var aside = ExecutionRules.Decide(waiting, new ExecutionInput.Told(Make.Turn(holder: "seam-tenant-ccs-dev/other", supersededBy: "ClusterPack web-v2", version: 2)), Make.Now).State;
        Assert.Equal(ExecutionPhase.Superseded, aside.Phase);
        Assert.Equal("Superseded", aside.Conditions.Single(c => c.Type == "Ready").Reason);

        Assert.Equal(ExecutionPhase.Verifying, ExecutionRules.Decide(aside, new ExecutionInput.Told(Make.Turn(version: 3)), Make.Now).State.Phase);
    }

    [Fact]
    public void Its_pack_learns_that_it_is_gone()
    {
        var gone = ExecutionRules.Decide(Make.Observed(), new ExecutionInput.Gone(), Make.Now).State;

        Assert.Equal("exec-uid", Assert.Single(ExecutionRules.Outbox(gone).Select(l => l.Fact).OfType<ExecutionGone>()).Uid);
    }

    [Fact]
    public void The_first_open_gate_to_lapse_decides_when_to_look_again() =>
        Assert.Equal(Make.Now.AddHours(1), ExecutionRules.NextTick(Make.Observed(Make.AllOpen)));

    [Fact]
    public void An_execution_stops_listening_when_it_is_over()
    {
        var waiting = Make.Observed();
        var failed = ExecutionRules.Decide(waiting, new ExecutionInput.Stopped(waiting.Uid, new DeliveryFailure("s", "o", "r", "m")), Make.Now).State;

        Assert.All(ExecutionRules.Outbox(waiting).Select(l => l.Fact).OfType<Interest>(), interest => Assert.True(interest.Active));
        Assert.All(ExecutionRules.Outbox(failed).Select(l => l.Fact).OfType<Interest>(), interest => Assert.False(interest.Active));
    }

    [Fact]
    public void The_whole_state_survives_the_journal()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web)
        {
            Converters = { new JsonStringEnumConverter() },
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        };
        const string chain = """{"rootKind":"ClusterPack","rootName":"web","rootNamespace":"n","rootUID":"r","creatingOperator":{"name":"wrapper","version":"1"},"creationRationale":"PackExecution","rootGenerationAtCreation":1}""";
        var state = ExecutionRules.Decide(Make.Observed(Make.AllOpen), new ExecutionInput.Observed(Make.Execution("second", lineage: chain, owner: "r")), Make.Now).State;
        state = Do(Do(state, DeliverySteps.Verify), DeliverySteps.Namespaces, new DeployedResource("v1", "ConfigMap", "web", "x"));

        var written = JsonSerializer.Serialize(state, options);
        var read = JsonSerializer.Deserialize<ExecutionState>(written, options)!;

        Assert.Equal(written, JsonSerializer.Serialize(read, options));
        Assert.Equal(state.Facts.Pack!.Spec!.WorkloadDigest, read.Facts.Pack!.Spec!.WorkloadDigest);
        Assert.Equal(state.Lineage, read.Lineage);
        Assert.Equal(state.Phase, read.Phase);
        Assert.True(read.HasDone(DeliverySteps.Verify));
    }

    private static ExecutionState Do(ExecutionState state, string step, params DeployedResource[] objects) => ExecutionRules.Decide(
        state,
        step == DeliverySteps.Verify ? new ExecutionInput.Verified(state.Uid, Make.Verified, "done") : new ExecutionInput.StepDone(state.Uid, step, "done", [.. objects]),
        Make.Now).State;
}
