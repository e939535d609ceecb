using System.Collections.Immutable;
using Governor.Domain.Clusters;
using Governor.Domain.Permissions;
using Orleans;

namespace Governor.Domain.Packs;

public enum GateVerdict
{
    /// <summary>The gate is open.</summary>
    Allow,

    /// <summary>Closed until something arrives that is expected to arrive.</summary>
    Defer,

    /// <summary>Closed until somebody repairs something.</summary>
    Deny,
}

/// <summary>The execution gates, in order: the seed's four under its names, then three of ours. Each is the type of the condition that says that it is closed.</summary>
public enum Gate
{
    ConductorReady = 0,
    PackSignaturePending = 1,
    PermissionSnapshotOutOfSync = 2,
    RBACProfileNotProvisioned = 3,
    PackRevoked = 4,
    WrapperRunnerRBACNotReady = 5,
    TargetUnreachable = 6,
}

/// <summary>One gate's answer, with what it was decided on.</summary>
/// <param name="Reason">A condition reason.</param>
/// <param name="WaitsFor">The object or event that would open the gate; "" when it is open.</param>
/// <param name="Unblocker">Who can bring that about; "" when it is open.</param>
/// <param name="Evidence">The facts, by sender and version.</param>
[GenerateSerializer, Immutable]
public sealed record GateAnswer(
    Gate Gate, GateVerdict Verdict, string Reason, string Message, string WaitsFor, string Unblocker, string Evidence, DateTimeOffset? Until = null);

/// <summary>What the gates are decided on. A fact that has not arrived is null, and never opens a gate.</summary>
[GenerateSerializer, Immutable]
/// <param name="Rights">What the target's API server answered about our own rights there.</param>
/// <param name="Turn">Whose turn it is to write to this pack lineage on its target. Not a gate: there is nobody who could be asked to open it.</param>
/// <param name="Release">What is restored, for an execution that restores.</param>
public sealed record GateFacts(
    ConductorFact? Conductor, PackFact? Pack, SnapshotFact? Snapshot, ProfileStanding? Profile, RunnerRights? Rights = null, TurnFact? Turn = null, ReleaseFact? Release = null)
{
    public static GateFacts None { get; } = new(null, null, null, null);
}

/// <summary>
/// The gate ladder of a PackExecution. Every gate is asked every time, so that an operator sees everything that is missing and
/// not only the first thing.
/// </summary>
public static class GateLadder
{
    public static ImmutableArray<GateAnswer> Evaluate(ExecutionSpec spec, GateFacts facts, DateTimeOffset now) =>
    [
        Conductor(spec, facts.Conductor),
        spec.Restores is { } restores ? Signature(restores, facts.Release) : Signature(spec, facts.Pack),
        Snapshot(spec, facts.Snapshot, now),
        Profile(spec, facts.Profile),
        Revocation(spec, facts),
        Rights(spec, facts),
        Reach(spec, facts.Conductor),
    ];

    /// <summary>What the delivery writes; null while nobody has read its content.</summary>
    public static ImmutableArray<PackNeed>? NeedsOf(ExecutionSpec spec, GateFacts facts) =>
        spec.Restores is null ? facts.Pack?.Needs : facts.Release?.Release is { } release ? release.Needs() : null;

    private static GateAnswer Conductor(ExecutionSpec spec, ConductorFact? fact)
    {
        const Gate Gate = Gate.ConductorReady;
        if (fact is null)
            return Defer(Gate, "AwaitingConductorReady", $"nothing is known of cluster {spec.Cluster} yet", $"TalosCluster {spec.Cluster}", "platform engineer");
        var evidence = Evidence(fact, $"{fact.Published}/{fact.Required} capabilities");
        return fact.Readiness switch
        {
            ConductorReadiness.Ready => Allow(Gate, "ConductorReady", fact.Message, evidence),
            ConductorReadiness.Awaited => Defer(Gate, fact.Reason, fact.Message, fact.WaitsFor, "platform engineer", evidence),
            _ => Deny(Gate, fact.Reason, fact.Message, fact.WaitsFor, "platform engineer", evidence),
        };
    }

    private static GateAnswer Signature(ExecutionSpec spec, PackFact? fact)
    {
        const Gate Gate = Gate.PackSignaturePending;
        if (fact is not { Exists: true })
            return Defer(Gate, "AwaitingSignature", $"ClusterPack {spec.Pack} is not there", $"ClusterPack {spec.Pack}", "whoever delivers packs", fact is null ? "" : Evidence(fact, "absent"));
        var evidence = Evidence(fact, fact.Trust == PackTrust.Signed ? fact.Message : fact.Reason);
        if (fact.Spec is { } stored && stored.Version != spec.PackVersion)
            return Deny(Gate, "VersionConflict", $"expected version {spec.PackVersion} of ClusterPack {spec.Pack}, found {stored.Version}", "a PackExecution for the stored version", "wrapper", evidence);
        if (fact.Spec is { } aimed && !aimed.TargetClusters.Contains(spec.Cluster.Value))
            return Deny(Gate, "ClusterNotTargeted", $"expected cluster {spec.Cluster} among the pack's targetClusters, found {string.Join(", ", aimed.TargetClusters)}", "a pack that is meant for this cluster", "whoever built the pack", evidence);
        return fact.Trust switch
        {
            PackTrust.Signed => Allow(Gate, "PackSigned", fact.Message, evidence),
            PackTrust.Unsigned => Defer(Gate, "AwaitingSignature", fact.Message, "the management Conductor's signature", "holder of the signing key", evidence),
            PackTrust.Revoked => Deny(Gate, "ClusterPackRevoked", fact.Message, "a pack that is not revoked", "security", evidence),
            _ => Deny(Gate, fact.Reason, fact.Message, $"ClusterPack {spec.Pack}", "whoever built the pack", evidence),
        };
    }

    private static GateAnswer Snapshot(ExecutionSpec spec, SnapshotFact? fact, DateTimeOffset now)
    {
        const Gate Gate = Gate.PermissionSnapshotOutOfSync;
        const string Reason = "SnapshotOutOfSync";
        var waitsFor = $"PermissionSnapshot snapshot-{spec.Cluster}";
        if (fact is not { SnapshotVersion.Length: > 0 })
            return Defer(Gate, Reason, $"no permission snapshot of cluster {spec.Cluster} has been resolved", waitsFor, "security: a provisioned RBACProfile that targets the cluster", fact is null ? "" : Evidence(fact, "absent"));
        var evidence = Evidence(fact, $"version {fact.SnapshotVersion}, fresh until {fact.FreshUntil:O}");
        return now <= fact.FreshUntil
            ? Allow(Gate, "SnapshotFresh", $"snapshot {fact.SnapshotVersion} is fresh until {fact.FreshUntil:O}", evidence) with { Until = fact.FreshUntil }
            : Defer(Gate, Reason, $"snapshot {fact.SnapshotVersion} went stale at {fact.FreshUntil:O}", waitsFor, "guardian", evidence);
    }

    private static GateAnswer Profile(ExecutionSpec spec, ProfileStanding? fact)
    {
        const Gate Gate = Gate.RBACProfileNotProvisioned;
        const string Reason = "RBACProfileNotProvisioned";
        var profile = spec.Profile;
        if (fact is not { Exists: true })
            return Defer(Gate, Reason, $"RBACProfile {profile} is not there", $"RBACProfile {profile}", "security", fact is null ? "" : Evidence(fact, "absent"));
        return fact.Provisioned
            ? Allow(Gate, "ProvisioningComplete", $"RBACProfile {profile} is provisioned", Evidence(fact, "provisioned"))
            : Defer(Gate, Reason, $"RBACProfile {profile} is not provisioned: {fact.Reason}: {fact.Message}", $"RBACProfile {profile} provisioned", "security", Evidence(fact, fact.Reason));
    }

    private static GateAnswer Signature(ReleaseRef restores, ReleaseFact? fact)
    {
        const Gate Gate = Gate.PackSignaturePending;
        if (fact?.Release is not { } release)
            return Defer(Gate, "AwaitingSignature", $"release {restores.Revision} of {restores.Instance} has not been handed over", $"PackInstance {restores.Instance}", "wrapper", fact is null ? "" : Evidence(fact, "not retained"));
        var evidence = Evidence(fact, $"release {release.Revision}, {release.Version}, content {release.ContentDigest}");
        return fact.Refusal.Length > 0
            ? Deny(Gate, "SigningKeyRevoked", fact.Refusal, "a release that was signed by a key which is not revoked", "security", evidence)
            : Allow(Gate, "PackSigned", $"release {release.Revision} carries its signature by key {Signing.SigningKeyRules.Short(release.KeyId)}", evidence);
    }

    // The content of a restored release may have been taken back since, also when its ClusterPack is gone.
    private static GateAnswer Revocation(ExecutionSpec spec, GateFacts facts)
    {
        const Gate Gate = Gate.PackRevoked;
        if (facts.Pack is not { } fact)
            return Defer(Gate, "AwaitingPack", $"nothing is known of ClusterPack {spec.Pack} yet", $"ClusterPack {spec.Pack}", "whoever delivers packs");
        if (spec.Restores is null && !fact.Exists)
            return Defer(Gate, "AwaitingPack", $"ClusterPack {spec.Pack} is not there", $"ClusterPack {spec.Pack}", "whoever delivers packs", Evidence(fact, "absent"));
        if (spec.Restores is not null && facts.Release?.Release is null)
            return Defer(Gate, "AwaitingPack", "what is restored has not been handed over", $"PackInstance {spec.Restores.Instance}", "wrapper", Evidence(fact, "known"));
        var content = spec.Restores is null ? fact.ContentDigest : facts.Release!.Release!.ContentDigest;
        if (fact.RevocationOf(content) is { } revocation)
            return Deny(Gate, "ClusterPackRevoked", revocation.ToString(), "a pack that is not revoked", "security", Evidence(fact, $"content {content}"));
        return spec.Restores is null && fact.Trust == PackTrust.Revoked
            ? Deny(Gate, "ClusterPackRevoked", fact.Message, "a pack that is not revoked", "security", Evidence(fact, "revoked"))
            : Allow(Gate, "NotRevoked", "nobody has revoked this content", Evidence(fact, $"content {content}"));
    }

    private static GateAnswer Rights(ExecutionSpec spec, GateFacts facts)
    {
        const Gate Gate = Gate.WrapperRunnerRBACNotReady;
        if (NeedsOf(spec, facts) is not { } needs)
            return Defer(Gate, "AwaitingContent", "what the delivery writes is not known before its content was read", $"the content of ClusterPack {spec.Pack}", "whoever delivers packs");
        if (needs.IsEmpty)
            return Allow(Gate, "RunnerRightsSuffice", "the delivery writes nothing", "0 kinds and places");
        if (facts.Rights is not { } rights || !rights.Covers(needs, facts.Conductor?.ApiUid ?? ""))
            return Defer(Gate, "AwaitingRightsReview", $"cluster {spec.Cluster} has not said yet what may be written there", $"an answer of cluster {spec.Cluster}", "platform engineer");
        return rights.Missing.IsEmpty
            ? Allow(Gate, "RunnerRightsSuffice", $"our identity on {spec.Cluster} may write all that the delivery writes", rights.ToString())
            : Deny(Gate, "WrapperRunnerRBACNotReady", $"our identity on {spec.Cluster} may not: {string.Join("; ", rights.Missing)}", $"these rights on cluster {spec.Cluster}", "administrator of the tenant", rights.ToString());
    }

    private static GateAnswer Reach(ExecutionSpec spec, ConductorFact? fact)
    {
        const Gate Gate = Gate.TargetUnreachable;
        var waitsFor = $"an answer of cluster {spec.Cluster}";
        if (fact is null)
            return Defer(Gate, "AwaitingFirstAnswer", $"nothing is known of cluster {spec.Cluster} yet", waitsFor, "platform engineer");
        var evidence = Evidence(fact, $"{fact.Reachability}");
        return fact.Reachability switch
        {
            Reachability.Reachable => Allow(Gate, "TargetReachable", $"its API server answers: {fact.ReachMessage}", evidence),
            Reachability.KubeconfigUnusable => Deny(Gate, "KubeconfigUnavailable", fact.ReachMessage, fact.WaitsFor, "platform engineer", evidence),
            Reachability.Unreachable => Defer(Gate, "TargetUnreachable", $"cluster {spec.Cluster} does not answer: {fact.ReachMessage}", waitsFor, "platform engineer", evidence),
            _ => Defer(Gate, "AwaitingFirstAnswer", $"cluster {spec.Cluster} has not answered yet{(fact.ReachMessage.Length > 0 ? $": {fact.ReachMessage}" : "")}", waitsFor, "platform engineer", evidence),
        };
    }

    private static string Evidence(Facts.Fact fact, string what) => $"{fact.From} v{fact.Version}: {what}";

    private static GateAnswer Allow(Gate gate, string reason, string message, string evidence) =>
        new(gate, GateVerdict.Allow, reason, message, "", "", evidence);

    private static GateAnswer Defer(Gate gate, string reason, string message, string waitsFor, string unblocker, string evidence = "") =>
        new(gate, GateVerdict.Defer, reason, message, waitsFor, unblocker, evidence);

    private static GateAnswer Deny(Gate gate, string reason, string message, string waitsFor, string unblocker, string evidence) =>
        new(gate, GateVerdict.Deny, reason, message, waitsFor, unblocker, evidence);
}
