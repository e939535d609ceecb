using System.Collections.Immutable;
using Governor.Domain.Clusters;
using Governor.Domain.Packs;

namespace Governor.Domain.Tests.Packs;

public sealed class GateLadderTests
{
    private static readonly ImmutableSortedDictionary<string, Revocation> Revoked =
        ImmutableSortedDictionary<string, Revocation>.Empty.Add(Make.Content, new Revocation("ann", "CVE-2026-1"));

    public static TheoryData<string, GateFacts, Gate, GateVerdict, string> Cases => new()
    {
        { "nothing is known", GateFacts.None, Gate.ConductorReady, GateVerdict.Defer, "AwaitingConductorReady" },
        { "nothing is known", GateFacts.None, Gate.PackSignaturePending, GateVerdict.Defer, "AwaitingSignature" },
        { "nothing is known", GateFacts.None, Gate.PermissionSnapshotOutOfSync, GateVerdict.Defer, "SnapshotOutOfSync" },
        { "nothing is known", GateFacts.None, Gate.RBACProfileNotProvisioned, GateVerdict.Defer, "RBACProfileNotProvisioned" },
        { "conductor ready", GateFacts.None with { Conductor = Make.Conductor() }, Gate.ConductorReady, GateVerdict.Allow, "ConductorReady" },
        { "conductor awaited", GateFacts.None with { Conductor = Make.Conductor(ConductorReadiness.Awaited) }, Gate.ConductorReady, GateVerdict.Defer, "AwaitingConductorReady" },
        { "kubeconfig unusable", GateFacts.None with { Conductor = Make.Conductor(ConductorReadiness.Impossible) }, Gate.ConductorReady, GateVerdict.Deny, "AwaitingConductorReady" },
        { "pack gone", GateFacts.None with { Pack = Make.Pack(exists: false) }, Gate.PackSignaturePending, GateVerdict.Defer, "AwaitingSignature" },
        { "pack unsigned", GateFacts.None with { Pack = Make.Pack(PackTrust.Unsigned) }, Gate.PackSignaturePending, GateVerdict.Defer, "AwaitingSignature" },
        { "pack signed", GateFacts.None with { Pack = Make.Pack() }, Gate.PackSignaturePending, GateVerdict.Allow, "PackSigned" },
        { "pack rejected", GateFacts.None with { Pack = Make.Pack(PackTrust.Rejected, reason: "DigestMismatch") }, Gate.PackSignaturePending, GateVerdict.Deny, "DigestMismatch" },
        { "pack revoked", GateFacts.None with { Pack = Make.Pack(PackTrust.Revoked) }, Gate.PackSignaturePending, GateVerdict.Deny, "ClusterPackRevoked" },
        { "another version is stored", GateFacts.None with { Pack = Make.Pack(spec: Make.Spec with { Version = "v2.0.0-r1" }) }, Gate.PackSignaturePending, GateVerdict.Deny, "VersionConflict" },
        { "signed for other clusters", GateFacts.None with { Pack = Make.Pack(spec: Make.Spec with { TargetClusters = ["ccs-prod"] }) }, Gate.PackSignaturePending, GateVerdict.Deny, "ClusterNotTargeted" },
        { "snapshot not resolved", GateFacts.None with { Snapshot = Make.Snapshot(content: "") }, Gate.PermissionSnapshotOutOfSync, GateVerdict.Defer, "SnapshotOutOfSync" },
        { "snapshot fresh to the last moment", GateFacts.None with { Snapshot = Make.Snapshot(Make.Now) }, Gate.PermissionSnapshotOutOfSync, GateVerdict.Allow, "SnapshotFresh" },
        { "snapshot a tick too old", GateFacts.None with { Snapshot = Make.Snapshot(Make.Now.AddTicks(-1)) }, Gate.PermissionSnapshotOutOfSync, GateVerdict.Defer, "SnapshotOutOfSync" },
        { "nothing is known", GateFacts.None, Gate.PackRevoked, GateVerdict.Defer, "AwaitingPack" },
        { "nobody revoked it", GateFacts.None with { Pack = Make.Pack() }, Gate.PackRevoked, GateVerdict.Allow, "NotRevoked" },
        { "the pack is gone", GateFacts.None with { Pack = Make.Pack(exists: false) }, Gate.PackRevoked, GateVerdict.Defer, "AwaitingPack" },
        { "the object is revoked", GateFacts.None with { Pack = Make.Pack(PackTrust.Revoked) }, Gate.PackRevoked, GateVerdict.Deny, "ClusterPackRevoked" },
        { "the content was revoked", GateFacts.None with { Pack = Make.Pack() with { Revoked = Revoked } }, Gate.PackRevoked, GateVerdict.Deny, "ClusterPackRevoked" },
        { "nobody has read the content", GateFacts.None with { Pack = Make.Pack() with { Needs = null } }, Gate.WrapperRunnerRBACNotReady, GateVerdict.Defer, "AwaitingContent" },
        { "nobody has asked about rights", GateFacts.None with { Pack = Make.Pack(), Conductor = Make.Conductor() }, Gate.WrapperRunnerRBACNotReady, GateVerdict.Defer, "AwaitingRightsReview" },
        { "rights suffice", Make.AllOpen, Gate.WrapperRunnerRBACNotReady, GateVerdict.Allow, "RunnerRightsSuffice" },
        { "rights are missing", Make.AllOpen with { Rights = Make.Rights("patch configmaps in web") }, Gate.WrapperRunnerRBACNotReady, GateVerdict.Deny, "WrapperRunnerRBACNotReady" },
        { "another API server answered", Make.AllOpen with { Conductor = Make.Conductor() with { ApiUid = "other" } }, Gate.WrapperRunnerRBACNotReady, GateVerdict.Defer, "AwaitingRightsReview" },
        { "rights for other content", Make.AllOpen with { Rights = Make.Rights() with { Needs = [] } }, Gate.WrapperRunnerRBACNotReady, GateVerdict.Defer, "AwaitingRightsReview" },
        { "nothing is known", GateFacts.None, Gate.TargetUnreachable, GateVerdict.Defer, "AwaitingFirstAnswer" },
        { "it answers", GateFacts.None with { Conductor = Make.Conductor() }, Gate.TargetUnreachable, GateVerdict.Allow, "TargetReachable" },
        { "it was not asked", GateFacts.None with { Conductor = Make.Conductor(reach: Reachability.Unknown) }, Gate.TargetUnreachable, GateVerdict.Defer, "AwaitingFirstAnswer" },
        { "it does not answer", GateFacts.None with { Conductor = Make.Conductor(reach: Reachability.Unreachable) }, Gate.TargetUnreachable, GateVerdict.Defer, "TargetUnreachable" },
        { "its kubeconfig is broken", GateFacts.None with { Conductor = Make.Conductor(reach: Reachability.KubeconfigUnusable) }, Gate.TargetUnreachable, GateVerdict.Deny, "KubeconfigUnavailable" },
        { "profile absent", GateFacts.None with { Profile = Make.Profile(exists: false) }, Gate.RBACProfileNotProvisioned, GateVerdict.Defer, "RBACProfileNotProvisioned" },
        { "profile not provisioned", GateFacts.None with { Profile = Make.Profile(provisioned: false) }, Gate.RBACProfileNotProvisioned, GateVerdict.Defer, "RBACProfileNotProvisioned" },
        { "profile provisioned", GateFacts.None with { Profile = Make.Profile() }, Gate.RBACProfileNotProvisioned, GateVerdict.Allow, "ProvisioningComplete" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Each_gate_answers_from_its_own_fact(string situation, GateFacts facts, Gate gate, GateVerdict verdict, string reason)
    {
        var answer = GateLadder.Evaluate(Make.ExecutionSpec, facts, Make.Now).Single(a => a.Gate == gate);

        Assert.True(verdict == answer.Verdict, $"{situation}: expected {verdict}, found {answer}");
        Assert.Equal(reason, answer.Reason);
        Assert.Equal(verdict == GateVerdict.Allow, answer.WaitsFor.Length == 0);
        Assert.Equal(verdict == GateVerdict.Allow, answer.Unblocker.Length == 0);
    }

    [Fact]
    public void All_seven_gates_are_asked_every_time_those_of_the_seed_first() =>
        Assert.Equal(
            [
                Gate.ConductorReady, Gate.PackSignaturePending, Gate.PermissionSnapshotOutOfSync, Gate.RBACProfileNotProvisioned, Gate.PackRevoked,
                Gate.WrapperRunnerRBACNotReady, Gate.TargetUnreachable,
            ],
            GateLadder.Evaluate(Make.ExecutionSpec, GateFacts.None, Make.Now).Select(a => a.Gate));

    [Fact]
    public void An_open_gate_names_the_fact_it_was_decided_on()
    {
        foreach (var answer in GateLadder.Evaluate(Make.ExecutionSpec, Make.AllOpen, Make.Now))
            Assert.Contains(answer.Gate == Gate.WrapperRunnerRBACNotReady ? "API server api-uid" : " v1: ", answer.Evidence, StringComparison.Ordinal);
    }
}
