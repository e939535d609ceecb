using System.Globalization;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;

namespace Governor.Domain.Packs;

/// <summary>The objects that show a pack lineage on the management cluster: the PackInstance, and the PackExecution of a restoration. Pure.</summary>
public static class InstanceStatus
{
    private const int MostListed = 50;

    /// <summary>The PackInstance object that has to exist, or null: nothing was delivered, or it is gone again.</summary>
    public static KubeObject? Desired(InstanceState state)
    {
        if (state is not { Current: { } current, Standing: not (InstanceStanding.Removed or InstanceStanding.Abandoned) })
            return null;
        var made = new JsonObject
        {
            ["apiVersion"] = KnownKinds.PackInstance.ApiVersion,
            ["kind"] = KnownKinds.PackInstance.Kind,
            ["metadata"] = new JsonObject
            {
                ["name"] = state.Key.Name,
                ["namespace"] = state.Key.Namespace,
                ["labels"] = new JsonObject
                {
                    ["infrastructure.ontai.dev/pack"] = LineageNames.LabelValue(current.Pack.Name),
                    ["infrastructure.ontai.dev/cluster"] = LineageNames.LabelValue(state.Cluster),
                },
            },
            ["spec"] = new JsonObject
            {
                ["clusterPackRef"] = current.Pack.Name,
                ["version"] = current.Version,
                ["targetClusterRef"] = state.Cluster,
            },
        };
        return Descent.Seal(made, state.Lineage);
    }

    /// <summary>Whether the PackInstance object has nothing to show any more.</summary>
    public static bool IsOver(InstanceState state) => state is { Exists: true, Standing: InstanceStanding.Removed, Declared.IsEmpty: true, Strays.IsEmpty: true };

    /// <summary>The PackExecution of the restoration that is wanted, or null.</summary>
    public static KubeObject? Restoration(InstanceState state)
    {
        // Whose the execution is has to be there first: it goes with the PackInstance.
        if (state is not { Restoration: { } restoration, Exists: true } || state.Find(restoration.Revision) is not { } release)
            return null;
        return KubeObject.From(new JsonObject
        {
            ["apiVersion"] = KnownKinds.PackExecution.ApiVersion,
            ["kind"] = KnownKinds.PackExecution.Kind,
            ["metadata"] = new JsonObject
            {
                ["name"] = restoration.Execution.Name,
                ["namespace"] = restoration.Execution.Namespace,
                ["labels"] = new JsonObject
                {
                    ["infrastructure.ontai.dev/pack"] = LineageNames.LabelValue(release.Pack.Name),
                    ["infrastructure.ontai.dev/pack-version"] = LineageNames.LabelValue(release.Version),
                    ["infrastructure.ontai.dev/cluster"] = LineageNames.LabelValue(state.Cluster),
                },
                ["ownerReferences"] = new JsonArray(new JsonObject
                {
                    ["apiVersion"] = KnownKinds.PackInstance.ApiVersion,
                    ["kind"] = KnownKinds.PackInstance.Kind,
                    ["name"] = state.Key.Name,
                    ["uid"] = state.Uid,
                    ["controller"] = true,
                }),
            },
            ["spec"] = new JsonObject
            {
                ["clusterPackRef"] = new JsonObject { ["name"] = release.Pack.Name, ["version"] = release.Version },
                ["targetClusterRef"] = state.Cluster,
                ["admissionProfileRef"] = release.Spec.BaseNameOr(release.Pack.Name),
                ["packInstanceRef"] = state.Key.Name,
                ["rollbackToRevision"] = restoration.Revision,
            },
        });
    }

    public static JsonObject Status(InstanceState state) => new()
    {
        ["observedGeneration"] = state.Generation,
        ["deliveredAt"] = state.Current is { } current ? KubeTime.Format(current.DeployedAt) : null,
        ["upgradeDirection"] = state.Current?.Direction.ToString(),
        ["revision"] = state.Current?.Revision,
        ["standing"] = state.Standing.ToString(),
        ["deployedResources"] = new JsonArray([.. (state.Current?.Inventory ?? []).Select(Render)]),
        ["releases"] = new JsonArray([.. state.Releases.Reverse().Select(release => (JsonNode)new JsonObject
        {
            ["revision"] = release.Revision,
            ["clusterPackRef"] = release.Pack.Name,
            ["version"] = release.Version,
            ["direction"] = release.Direction.ToString(),
            ["deliveredAt"] = KubeTime.Format(release.DeployedAt),
            ["restoredFrom"] = release.RestoredFrom,
            ["objects"] = release.Inventory.Length,
        })]),
        ["keptResources"] = new JsonArray([.. state.Kept.Take(MostListed).Select(kept =>
        {
            var made = Render(kept.Object).AsObject();
            made["reason"] = kept.Reason;
            made["message"] = kept.Message;
            return (JsonNode)made;
        })]),
        ["conditions"] = state.Conditions.ToJson(),
    };

    internal static JsonNode Render(DeployedResource resource)
    {
        var made = new JsonObject { ["apiVersion"] = resource.ApiVersion, ["kind"] = resource.Kind, ["name"] = resource.Name };
        if (resource.Namespace.Length > 0)
            made["namespace"] = resource.Namespace;
        return made;
    }

    /// <summary>Brings the conditions up to date with the rest of the state.</summary>
    internal static InstanceState Describe(InstanceState state, DateTimeOffset now)
    {
        var (ready, reconciling, reason, message) = Judge(state);
        var stalled = !ready && !reconciling;
        var receipt = state.Receipt is { Verified: false } refused && refused.Revision == state.Current?.Revision ? refused : null;
        var delivered = state.Current is not null;
        var generation = state.Generation;
        return state with
        {
            Conditions = state.Conditions
                .Set(Conditions.Ready, ready, reason, message, now, generation)
                .Set("Progressing", reconciling, delivered ? reason : "PackReceiptNotFound", message, now, generation)
                .Set("SecurityViolation", receipt is not null, receipt is not null ? "SignatureVerifyFailed" : "SecurityViolationCleared", receipt?.Message ?? "the tenant's receipt is not contested", now, generation)
                .Set("Abandoned", state.Standing == InstanceStanding.Abandoned, state.Standing == InstanceStanding.Abandoned ? "Abandoned" : "NotAbandoned", state.Standing == InstanceStanding.Abandoned ? message : "", now, generation)
                .Set(Conditions.Reconciling, reconciling, reason, message, now, generation)
                .Set(Conditions.Stalled, stalled, reason, message, now, generation),
        };
    }

    private static (bool Ready, bool Reconciling, string Reason, string Message) Judge(InstanceState state)
    {
        if (state.Current is not { } current)
            return state.Problem.Length > 0 ? (false, false, "RevisionNotRetained", state.Problem) : (false, true, "AwaitingDelivery", "nothing has been delivered yet");
        var at = string.Create(CultureInfo.InvariantCulture, $"revision {current.Revision}: {current.Pack.Name} {current.Version}");
        switch (state.Standing)
        {
            case InstanceStanding.Retained:
                return (true, false, "Retained", $"{at}; no ClusterPack is meant for the target any more, and what was delivered is kept");
            case InstanceStanding.Removing when state.Removal is { } order:
                var unreachable = state.Conductor is { Reachability: not Clusters.Reachability.Reachable } conductor ? $"; cluster {state.Cluster} does not answer: {conductor.Message}" : "";
                return (false, true, unreachable.Length > 0 ? "TargetUnreachable" : "Removing", $"{order.Pending.Length} objects are still to be removed, {order.Removed} are gone{unreachable}");
            case InstanceStanding.Removed:
                return (false, !state.Declared.IsEmpty, "Removed", $"what was delivered is gone; {state.Kept.Length} objects were left on the target");
            case InstanceStanding.Abandoned when state.Abandonment is { } abandonment:
                return (false, false, abandonment.SeenAt is null ? "Abandoned" : "AbandonedAndFound", $"given up by {abandonment.By} ({abandonment.Why}): {abandonment.Objects.Length} objects were left on {state.Cluster}"
                    + (abandonment.SeenAt is { } seen ? $"; it answered again at {seen:u}, with {abandonment.Found.Length} of them still there, which are left alone" : ""));
        }
        if (PackReceiptRules.RevocationOf(state) is { } revocation)
            return (false, false, "PackRevoked", $"{at} is {revocation}; what stands on the target was not touched: deliver another release, or go back to one");
        if (state.Keys?.RevocationOf(current.KeyId) is { } stolen)
            return (false, false, "SigningKeyRevoked", $"{at} was signed by key {Signing.SigningKeyRules.Short(current.KeyId)}, which is revoked: {stolen}");
        if (state.Receipt is { Verified: false, Reason: "SignatureVerifyFailed" } receipt && receipt.Revision == current.Revision)
            return (false, false, "SignatureVerifyFailed", $"{at}: the tenant's receipt: {receipt.Message}");
        if (state.Problem.Length > 0)
            return (false, false, "RevisionNotRetained", $"{at} stands; {state.Problem}");
        var verified = state.Receipt is { Verified: true } good && good.Revision == current.Revision;
        return (true, false, verified ? "PackReceiptReady" : "PackDelivered", at + (state.Removal is { } prune ? $"; {prune.Pending.Length} objects of before are still to be removed" : ""));
    }
}
