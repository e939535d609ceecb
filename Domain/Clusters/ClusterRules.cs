using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Audit;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;
using Governor.Domain.Packs;

namespace Governor.Domain.Clusters;

/// <summary>How a cluster is decided on: what is known of it, and whether its Conductor can execute. Pure.</summary>
public static class ClusterRules
{
    public const string RunnerConfigNamespace = "ont-system";

    private const string Awaiting = "AwaitingConductorReady";

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
        ClusterInput.Gone(var key) => key == state.Key ? Forget(state, now) : Decision.Of(state),
        ClusterInput.RunnerConfigSeen(var runner) => See(state, runner, now),
        ClusterInput.KubeconfigSeen(var revision) => revision == state.KubeconfigRevision
            ? Decision.Of(state)
            : Moved(state, state with { KubeconfigRevision = revision, Reachability = Reachability.Unknown, ReachMessage = "" }, "cluster.kubeconfig-changed", "spec.kubeconfigSecretRef", now),
        ClusterInput.Probed probed => probed.Revision == state.KubeconfigRevision ? Probe(state, probed, now) : Decision.Of(state),
        ClusterInput.Told(Interest interest) => Decision.Of(
            state with { Interested = interest.Active ? state.Interested.Add(interest.From) : state.Interested.Remove(interest.From) }),
        ClusterInput.Told => Decision.Of(state),
        _ => throw new ArgumentOutOfRangeException(nameof(input)),
    };

    /// <summary>Whether the cluster has to be asked if it is ready.</summary>
    public static bool OwesProbe(ClusterState state) =>
        state is { Exists: true, KubeconfigRevision.Length: > 0, Reachability: Reachability.Unknown or Reachability.Unreachable };

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
        return new ConductorFact(state.Name, readiness, reason, message, waitsFor, published, required, state.ApiUid);
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
        var runner = new ObjectKey(RunnerConfigNamespace, state.Name.Value);
        foreach (var letter in Descent.Letters(state.Chain, KnownKinds.RunnerConfig, runner, state.RunnerConfigUid, 1, state.Declarer, "platform", state.RunnerConfigExists))
            yield return letter;
    }

    /// <summary>Whether a RunnerConfig was made for an earlier cluster of this name: its sealed lineage is another root's, so it has to go.</summary>
    public static bool IsOfAnother(ClusterState state, KubeObject runner) =>
        SealedCausalChain.Read(runner)?.Value is { } chain && chain.RootUid != state.Chain?.RootUid;

    /// <summary>The RunnerConfig that has to exist for the cluster, or null.</summary>
    public static KubeObject? DesiredRunnerConfig(ClusterState state) => !state.Exists ? null : Descent.Seal(
        new JsonObject
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
        },
        state.Chain);

    /// <summary>What the Conductor publishes once it has reached the cluster, or null before.</summary>
    public static JsonObject? RunnerConfigStatus(ClusterState state) =>
        state is not { Exists: true, RunnerConfigExists: true, Reachability: Reachability.Reachable }
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

    private static Decision<ClusterState> Probe(ClusterState state, ClusterInput.Probed probed, DateTimeOffset now)
    {
        var isAnother = state.ApiUid.Length > 0 && probed.ApiUid.Length > 0 && probed.ApiUid != state.ApiUid;
        var next = isAnother
            ? state with
            {
                Reachability = Reachability.KubeconfigUnusable,
                ReachMessage = $"expected the API server {state.ApiUid} that cluster {state.Name} has been from the beginning, found {probed.ApiUid}; a cluster that was rebuilt is declared anew",
            }
            : state with { Reachability = probed.Result, ReachMessage = probed.Message, ApiUid = state.ApiUid.Length > 0 ? state.ApiUid : probed.ApiUid };
        return next.Reachability == state.Reachability && next.ReachMessage == state.ReachMessage
            ? Decision.Of(state)
            : Moved(state, next, "cluster.probed", "status.reachability", now);
    }

    private static Decision<ClusterState> Observe(ClusterState state, KubeObject cluster, DateTimeOffset now)
    {
        if (state.Exists && state.Uid == cluster.Uid && state.Generation == cluster.Generation)
            return Decision.Of(state);
        // The first to declare a cluster of a name has it; a namesake in another namespace changes nothing.
        if (state.Exists && cluster.Key != state.Key)
            return Decision.Of(state);
        var recreated = state.Uid != cluster.Uid;
        var next = state with
        {
            Exists = true,
            Key = cluster.Key,
            Uid = cluster.Uid,
            Generation = cluster.Generation,
            Declarer = Descent.DeclarerOf(cluster),
            ApiUid = recreated ? "" : state.ApiUid,
            Reachability = recreated ? Reachability.Unknown : state.Reachability,
            Chain = !recreated && state.Chain is not null
                ? state.Chain
                : SealedCausalChain.Of(KnownKinds.TalosCluster.Kind, cluster.Key, cluster.Uid, "platform", CreationRationale.ConductorAssignment, cluster.Generation),
            Conditions = recreated ? [] : state.Conditions,
        };
        return Moved(state, next, state.Exists ? "cluster.changed" : "cluster.declared", "spec", now);
    }

    private static Decision<ClusterState> Forget(ClusterState state, DateTimeOffset now) => state.Exists
        ? Moved(state, state with { Exists = false }, "cluster.deleted", "metadata", now)
        : Decision.Of(state);

    private static Decision<ClusterState> See(ClusterState state, KubeObject? runner, DateTimeOffset now)
    {
        var published = ImmutableSortedSet<string>.Empty;
        if (runner?.Find("status", "capabilities") is { ValueKind: JsonValueKind.Array } listed)
            published = [.. listed.EnumerateArray().Select(c => c.TryGetProperty("name", out var n) ? n.GetString() ?? "" : "").Where(n => n.Length > 0)];
        var next = state with { RunnerConfigExists = runner is not null, RunnerConfigUid = runner?.Uid ?? state.RunnerConfigUid, Published = published };
        if (next.RunnerConfigExists == state.RunnerConfigExists && next.RunnerConfigUid == state.RunnerConfigUid && published.SetEquals(state.Published))
            return Decision.Of(state);
        return Moved(state, next, "cluster.capabilities-seen", "status.capabilities", now);
    }

    private static Decision<ClusterState> Moved(ClusterState old, ClusterState next, string action, string field, DateTimeOffset now)
    {
        var (before, after) = (Fact(old), Fact(next));
        var context = new EventContext(
            new EventSubject(KnownKinds.TalosCluster.Group, KnownKinds.TalosCluster.Kind, next.Key.Namespace ?? "", next.Name.Value, next.Uid, next.Generation),
            "system:governor:platform", "platform", next.Uid, next.Name.Value, next.Uid);
        return Decision.Of(Describe(next, after, now), context.Operational(now, action, field, before.Message, after.Message, $"conductor {before.Readiness} -> {after.Readiness}"));
    }

    private static ClusterState Describe(ClusterState state, ConductorFact fact, DateTimeOffset now)
    {
        var ready = fact.Readiness == ConductorReadiness.Ready;
        var broken = fact.Readiness == ConductorReadiness.Impossible;
        var generation = state.Generation;
        return state with
        {
            Conditions = state.Conditions
                .Set(Conditions.Ready, ready, ready ? "ClusterReady" : fact.Reason, fact.Message, now, generation)
                .Set("ConductorReady", ready, ready ? "ConductorBootstrapComplete" : "ConductorBootstrapPending", fact.Message, now, generation)
                .Set("KubeconfigUnavailable", broken || state.KubeconfigRevision.Length == 0, broken ? "KubeconfigUnreadable" : state.KubeconfigRevision.Length == 0 ? "TalosConfigSecretAbsent" : "KubeconfigGenerated", broken ? fact.Message : state.KubeconfigRevision.Length == 0 ? fact.Message : "the kubeconfig is there", now, generation)
                .Set(Conditions.Reconciling, !ready && !broken, fact.Reason, fact.Message, now, generation)
                .Set(Conditions.Stalled, broken, fact.Reason, fact.Message, now, generation),
        };
    }
}
