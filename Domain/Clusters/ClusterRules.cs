using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Audit;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;
using Governor.Domain.Packs;
using Governor.Domain.Permissions;

namespace Governor.Domain.Clusters;

/// <summary>How a cluster is decided on: what is known of it, and whether its Conductor can execute. Pure.</summary>
public static class ClusterRules
{
    public const string RunnerConfigNamespace = "ont-system";

    private const string Awaiting = "AwaitingConductorReady";

    /// <summary>The condition that a cluster's permission snapshot cannot be relied on, and why.</summary>
    public const string Degraded = "DegradedSecurityState";

    private const int MostIntruders = 16;

    /// <summary>Name of the Secret in the tenant's namespace that holds its kubeconfig, under key <c>value</c>.</summary>
    public static ObjectKey KubeconfigSecret(ClusterName cluster) =>
        new(ExecutionSpec.TenantNamespace(cluster.Value), $"seam-mc-{cluster}-kubeconfig");

    /// <summary>The cluster that a Secret is the kubeconfig of, or null for any other Secret.</summary>
    public static ClusterName? ClusterOfKubeconfigSecret(ObjectKey secret)
    {
        const string Prefix = "seam-mc-", Suffix = "-kubeconfig";
        if (!secret.Name.StartsWith(Prefix, StringComparison.Ordinal) || !secret.Name.EndsWith(Suffix, StringComparison.Ordinal)
            || secret.Name.Length <= Prefix.Length + Suffix.Length)
            return null;
        var cluster = new ClusterName(secret.Name[Prefix.Length..^Suffix.Length]);
        return KubeconfigSecret(cluster) == secret ? cluster : null;
    }

    public static Decision<ClusterState> Decide(ClusterState state, ClusterInput input, DateTimeOffset now) => input switch
    {
        ClusterInput.Observed(var cluster) => Observe(state, cluster, now),
        ClusterInput.Gone gone => Forget(state, gone, now),
        ClusterInput.RunnerConfigSeen(var runner) => See(state, runner, now),
        ClusterInput.KubeconfigSeen(var revision) => revision == state.KubeconfigRevision
            ? Decision.Of(state)
            : Moved(state, state with { KubeconfigRevision = revision, Reachability = Reachability.Unknown, ReachMessage = "" }, "cluster.kubeconfig-changed", "spec.kubeconfigSecretRef", now),
        ClusterInput.Probed probed => Judge(state, probed, now),
        ClusterInput.Told(Interest interest) => Decision.Of(
            state with { Interested = interest.Active ? state.Interested.Add(interest.From) : state.Interested.Remove(interest.From) }),
        ClusterInput.Told(TargetDoubted doubted) => state is { Exists: true, Reachability: Reachability.Reachable }
            ? Moved(state, state with { Reachability = Reachability.Unknown, ReachMessage = doubted.Why }, "cluster.doubted", "status.reachability", now)
            : Decision.Of(state),
        ClusterInput.Told(ReceiptFact receipt) => receipt.Supersedes(state.Snapshot) ? Receive(state, receipt, now) : Decision.Of(state),
        ClusterInput.Told => Decision.Of(state),
        _ => throw new ArgumentOutOfRangeException(nameof(input)),
    };

    /// <summary>Whether the cluster has to be asked if it is ready, and which one it is.</summary>
    public static bool OwesProbe(ClusterState state) =>
        state is { Exists: true, KubeconfigRevision.Length: > 0 }
        && state is { Reachability: Reachability.Unknown or Reachability.Unreachable } or { Reachability: Reachability.Reachable, ApiUid.Length: 0 };

    /// <summary>What is wrong with a kubeconfig that leads to another API server than the one before.</summary>
    public static string LeadsElsewhere(ClusterName cluster, string expected, string found) =>
        $"Secret {KubeconfigSecret(cluster)}: leads to another cluster than before: expected Namespace kube-system with UID {expected}, found {found}; "
        + "if that is meant, delete the TalosCluster and declare it again";

    public static bool IsReady(ClusterState state) => Fact(state).Readiness == ConductorReadiness.Ready;

    public static ConductorFact Fact(ClusterState state)
    {
        var published = Capabilities.Names.Count(state.Published.Contains);
        var required = Capabilities.All.Length;
        var (readiness, reason, message, waitsFor) = state switch
        {
            { Exists: false } => (ConductorReadiness.Awaited, Awaiting, $"TalosCluster {state.Name} is not there", $"TalosCluster {state.Name}"),
            { KubeconfigRevision.Length: 0 } => (ConductorReadiness.Awaited, Awaiting, $"cluster {state.Name} has no kubeconfig", $"Secret {KubeconfigSecret(state.Name)}"),
            { Reachability: Reachability.KubeconfigUnusable } => (ConductorReadiness.Impossible, "KubeconfigUnavailable", state.ReachMessage, $"a usable kubeconfig in Secret {KubeconfigSecret(state.Name)}"),
            { Reachability: Reachability.Unknown } => (ConductorReadiness.Awaited, Awaiting, $"cluster {state.Name} has not been asked yet", $"an answer of cluster {state.Name}"),
            { Reachability: Reachability.Unreachable } => (ConductorReadiness.Awaited, Awaiting, $"cluster {state.Name} does not answer: {state.ReachMessage}", $"an answer of cluster {state.Name}"),
            _ when published < required => (ConductorReadiness.Awaited, Awaiting, $"{published} of {required} capabilities are published", $"RunnerConfig {RunnerConfigNamespace}/{state.Name} status.capabilities"),
            _ => (ConductorReadiness.Ready, "ConductorReady", $"{published} capabilities are published and the cluster answers: {state.ReachMessage}", ""),
        };
        return new ConductorFact(state.Name, readiness, reason, message, waitsFor, published, required, state.ApiUid, state.Reachability, state.ReachMessage);
    }

    public static IEnumerable<Letter> Outbox(ClusterState state)
    {
        var fact = Fact(state);
        foreach (var receiver in state.Interested)
            yield return new Letter(receiver, fact);
        if (state.Uid.Length == 0)
            yield break;
        foreach (var letter in Descent.Root(KnownKinds.TalosCluster, state.Key, state.Uid, state.Generation, state.Declarer, "platform", state.Exists))
            yield return letter;
        if (StaleRunnerConfig(state) is not null)
            yield break;
        var runner = new ObjectKey(RunnerConfigNamespace, state.Name.Value);
        foreach (var letter in Descent.Letters(Chain(state), KnownKinds.RunnerConfig, runner, state.RunnerConfigUid, 1, state.Declarer, "platform", state.RunnerConfigExists))
            yield return letter;
    }

    /// <summary>
    /// UID of a RunnerConfig that was made for a TalosCluster which is no more, or null. Its seal cannot be changed: it has to go before
    /// the present one's can be made.
    /// </summary>
    public static string? StaleRunnerConfig(ClusterState state) =>
        state is { Exists: true, RunnerConfigExists: true, RunnerLineage.RootUid.Length: > 0 } && state.RunnerLineage.RootUid != state.Uid
            ? state.RunnerConfigUid
            : null;

    /// <summary>The RunnerConfig that has to exist for the cluster, or null.</summary>
    /// <remarks>One that is there keeps the seal that it has, byte for byte, or none: adding, changing and removing are all refused.</remarks>
    public static KubeObject? DesiredRunnerConfig(ClusterState state)
    {
        if (!state.Exists || StaleRunnerConfig(state) is not null)
            return null;
        var item = new JsonObject
        {
            ["apiVersion"] = KnownKinds.RunnerConfig.ApiVersion,
            ["kind"] = KnownKinds.RunnerConfig.Kind,
            ["metadata"] = new JsonObject
            {
                ["name"] = state.Name.Value,
                ["namespace"] = RunnerConfigNamespace,
                ["labels"] = new JsonObject { ["platform.ontai.dev/cluster"] = LineageNames.LabelValue(state.Name.Value) },
            },
            ["spec"] = new JsonObject
            {
                ["clusterRef"] = state.Name.Value,
                ["runnerImage"] = "governor/conductor:in-silo",
            },
        };
        if (state.RunnerSeal is not { } seal)
            return Descent.Seal(item, Chain(state));
        if (seal.Length == 0)
            return Descent.Seal(item, null);
        var kept = Descent.Seal(item, Chain(state)).ToJsonObject();
        kept["spec"]!["lineage"] = JsonNode.Parse(seal);
        return KubeObject.From(kept);
    }

    /// <summary>Whether a RunnerConfig lists all capabilities.</summary>
    public static bool IsPublished(KubeObject runner) => Capabilities.Names.IsSubsetOf(PublishedBy(runner));

    /// <summary>What the Conductor publishes once it has reached the cluster, or null before.</summary>
    public static JsonObject? RunnerConfigStatus(ClusterState state) =>
        state is not { Exists: true, RunnerConfigExists: true, Reachability: Reachability.Reachable } || StaleRunnerConfig(state) is not null
            ? null
            : new JsonObject
            {
                ["agentVersion"] = "in-silo",
                ["capabilities"] = new JsonArray([.. Capabilities.All.Select(c => (JsonNode)new JsonObject
                {
                    ["name"] = c.Name,
                    ["version"] = c.Version,
                    ["description"] = c.Description,
                })]),
            };

    public static JsonObject Status(ClusterState state) => new()
    {
        ["observedGeneration"] = state.Generation,
        ["origin"] = "imported",
        ["conditions"] = state.Conditions.ToJson(),
    };

    /// <summary>What a TalosCluster is told whose name another one had first.</summary>
    public static JsonObject Status(ClusterState state, Intruder intruder) => new()
    {
        ["observedGeneration"] = intruder.Generation,
        ["conditions"] = ImmutableArray<Condition>.Empty.Apply(
            Conditions.Standing(
                ready: false, stalled: true, "NameTaken",
                $"expected a name that no other TalosCluster has, found that {state.Key} had it first; this one has no say in cluster {state.Name}"),
            intruder.Generation, intruder.Since).ToJson(),
    };

    private static SealedCausalChain Chain(ClusterState state) =>
        state.RunnerLineage is { } sealedBefore && sealedBefore.RootUid == state.Uid ? sealedBefore : state.Chain ?? Seal(state.Key, state.Uid, state.Generation);

    private static SealedCausalChain Seal(ObjectKey key, string uid, long generation) =>
        SealedCausalChain.Of(KnownKinds.TalosCluster.Kind, key, uid, "platform", CreationRationale.ConductorAssignment, generation);

    private static Decision<ClusterState> Observe(ClusterState state, KubeObject cluster, DateTimeOffset now)
    {
        if (state.Exists && state.Key != cluster.Key)
            return Refuse(state, cluster, now);
        if (state.Exists && state.Uid == cluster.Uid && state.Generation == cluster.Generation)
            return Decision.Of(state);
        var next = state with
        {
            Exists = true,
            Key = cluster.Key,
            Uid = cluster.Uid,
            Generation = cluster.Generation,
            Declarer = Descent.DeclarerOf(cluster),
            Chain = state.Uid == cluster.Uid ? Chain(state) : Seal(cluster.Key, cluster.Uid, cluster.Generation),
            Intruders = [.. state.Intruders.Where(i => i.Key != cluster.Key)],
        };
        // Another TalosCluster may mean another cluster: what was known of the one before says nothing about it.
        if (state.Uid != cluster.Uid)
            next = next with { Conditions = [], ApiUid = "", Reachability = Reachability.Unknown, ReachMessage = "" };
        return Moved(state, next, state.Exists ? "cluster.changed" : "cluster.declared", "spec", now);
    }

    // A name is one cluster's: who else takes it can neither change nor delete that cluster.
    private static Decision<ClusterState> Refuse(ClusterState state, KubeObject cluster, DateTimeOffset now)
    {
        var known = state.Intruders.FirstOrDefault(i => i.Key == cluster.Key);
        if (known is null && state.Intruders.Length >= MostIntruders)
            return Decision.Of(state);
        if (known is not null)
            return known.Generation == cluster.Generation
                ? Decision.Of(state)
                : Decision.Of(state with { Intruders = state.Intruders.Replace(known, known with { Generation = cluster.Generation }) });
        return Decision.Of(
            state with { Intruders = state.Intruders.Add(new Intruder(cluster.Key, cluster.Generation, now)) },
            Context(state).Operational(
                now, "cluster.name-taken", "metadata.name", null, cluster.Key.ToString(), $"TalosCluster {cluster.Key} is ignored: {state.Key} had the name first"));
    }

    private static Decision<ClusterState> Forget(ClusterState state, ClusterInput.Gone gone, DateTimeOffset now)
    {
        if (gone.Key != state.Key)
            return state.Intruders.Any(i => i.Key == gone.Key)
                ? Decision.Of(state with { Intruders = [.. state.Intruders.Where(i => i.Key != gone.Key)] })
                : Decision.Of(state);
        var isPredecessor = gone.Uid.Length > 0 && gone.Uid != state.Uid;
        return state.Exists && !isPredecessor
            ? Moved(state, state with { Exists = false }, "cluster.deleted", "metadata", now)
            : Decision.Of(state);
    }

    private static Decision<ClusterState> Judge(ClusterState state, ClusterInput.Probed probed, DateTimeOffset now)
    {
        if (!state.Exists || probed.Revision != state.KubeconfigRevision)
            return Decision.Of(state);
        var isAnother = state.ApiUid.Length > 0 && probed.ApiUid.Length > 0 && probed.ApiUid != state.ApiUid;
        var next = isAnother
            ? state with { Reachability = Reachability.KubeconfigUnusable, ReachMessage = LeadsElsewhere(state.Name, state.ApiUid, probed.ApiUid) }
            : state with
            {
                Reachability = probed.Result,
                ReachMessage = probed.Message,
                ApiUid = probed is { Result: Reachability.Reachable, ApiUid.Length: > 0 } ? probed.ApiUid : state.ApiUid,
            };
        return next == state ? Decision.Of(state) : Moved(state, next, "cluster.probed", "status.reachability", now);
    }

    private static Decision<ClusterState> See(ClusterState state, KubeObject? runner, DateTimeOffset now)
    {
        var published = runner is null ? [] : PublishedBy(runner);
        var next = state with
        {
            RunnerConfigExists = runner is not null,
            RunnerConfigUid = runner?.Uid ?? state.RunnerConfigUid,
            RunnerLineage = runner is null ? null : SealedCausalChain.Read(runner)?.Value,
            RunnerSeal = runner is null ? null : runner.Find("spec", "lineage") is { ValueKind: JsonValueKind.Object } seal ? seal.GetRawText() : "",
            Published = published.SetEquals(state.Published) ? state.Published : published,
        };
        return next == state ? Decision.Of(state) : Moved(state, next, "cluster.capabilities-seen", "status.capabilities", now);
    }

    private static ImmutableSortedSet<string> PublishedBy(KubeObject runner) =>
        runner.Find("status", "capabilities") is { ValueKind: JsonValueKind.Array } listed
            ? [.. listed.EnumerateArray().Select(NameOf).Where(n => n.Length > 0)]
            : [];

    private static string NameOf(JsonElement capability) =>
        capability.ValueKind == JsonValueKind.Object && capability.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String
            ? name.GetString()!
            : "";

    // Whether the cluster's rights can be relied on is not whether its Conductor can execute: it has a condition of its own.
    private static Decision<ClusterState> Receive(ClusterState state, ReceiptFact receipt, DateTimeOffset now)
    {
        var next = WithSecurity(state with { Snapshot = receipt }, now);
        var (before, after) = (state.Snapshot?.Sync == SnapshotSync.DegradedSecurityState, receipt.Sync == SnapshotSync.DegradedSecurityState);
        return before == after && state.Snapshot?.Reason == receipt.Reason
            ? Decision.Of(next)
            : Decision.Of(next, Context(next).Governance(
                now, after ? "cluster.security-degraded" : "cluster.security-sound", $"status.conditions['{Degraded}']", state.Snapshot?.Reason, receipt.Reason, receipt.Message));
    }

    private static ClusterState WithSecurity(ClusterState state, DateTimeOffset now) => state.Snapshot is not { } receipt ? state : state with
    {
        Conditions = state.Conditions.Set(Degraded, receipt.Sync == SnapshotSync.DegradedSecurityState, receipt.Reason, receipt.Message, now, state.Generation),
    };

    private static Decision<ClusterState> Moved(ClusterState old, ClusterState next, string action, string field, DateTimeOffset now)
    {
        var (before, after) = (Fact(old), Fact(next));
        return Decision.Of(
            Describe(next, after, now), Context(next).Operational(now, action, field, before.Message, after.Message, $"conductor {before.Readiness} -> {after.Readiness}"));
    }

    private static EventContext Context(ClusterState state) => new(
        new EventSubject(KnownKinds.TalosCluster.Group, KnownKinds.TalosCluster.Kind, state.Key.Namespace ?? "", state.Name.Value, state.Uid, state.Generation),
        "system:governor:platform", "platform", state.Uid, state.Name.Value, state.Uid);

    private static ClusterState Describe(ClusterState state, ConductorFact fact, DateTimeOffset now)
    {
        var ready = fact.Readiness == ConductorReadiness.Ready;
        var broken = fact.Readiness == ConductorReadiness.Impossible;
        var generation = state.Generation;
        return WithSecurity(state, now) with
        {
            Conditions = WithSecurity(state, now).Conditions
                .Set(Conditions.Ready, ready, ready ? "ClusterReady" : fact.Reason, fact.Message, now, generation)
                .Set("ConductorReady", ready, ready ? "ConductorBootstrapComplete" : "ConductorBootstrapPending", fact.Message, now, generation)
                .Set("KubeconfigUnavailable", broken || state.KubeconfigRevision.Length == 0, broken ? "KubeconfigUnreadable" : state.KubeconfigRevision.Length == 0 ? "TalosConfigSecretAbsent" : "KubeconfigGenerated", broken ? fact.Message : state.KubeconfigRevision.Length == 0 ? fact.Message : "the kubeconfig is there", now, generation)
                .Set(Conditions.Reconciling, !ready && !broken, fact.Reason, fact.Message, now, generation)
                .Set(Conditions.Stalled, broken, fact.Reason, fact.Message, now, generation),
        };
    }
}
