using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Governor.Domain.Audit;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;

namespace Governor.Domain.Packs;

/// <summary>How a PackInstance is decided on. Pure.</summary>
public static class InstanceRules
{
    /// <summary>Releases that are remembered; any of them can be returned to.</summary>
    public const int Retention = 10;

    /// <summary><c>namespace/{base pack}-{cluster}</c>: the pack lineage on its target, whatever versions come and go.</summary>
    public static ObjectKey KeyOf(ObjectKey pack, PackSpec spec, string cluster) =>
        new(pack.Namespace, $"{(spec.BasePackName.Length > 0 ? spec.BasePackName : pack.Name)}-{cluster}");

    public static Decision<InstanceState> Decide(InstanceState state, InstanceInput input, DateTimeOffset now) => input switch
    {
        InstanceInput.Told(DeliveredFact delivered) => Deliver(state, delivered, now),
        InstanceInput.Told => Decision.Of(state),
        InstanceInput.Observed(var instance) => Observe(state, instance, now),
        InstanceInput.Gone => state.Exists
            ? Decision.Of(
                state with { Exists = false, Uid = "" },
                Context(state).Operational(now, "packinstance.deleted", "metadata", state.Uid, null, "the PackInstance object was deleted; its release history stays"))
            : Decision.Of(state),
        _ => throw new ArgumentOutOfRangeException(nameof(input)),
    };

    public static IEnumerable<Letter> Outbox(InstanceState state) => state.Current is not null
        ? Descent.Letters(state.Lineage, KnownKinds.PackInstance, state.Key, state.Uid, state.Generation, "system:governor:wrapper", "wrapper", state.Exists)
        : [];

    /// <summary>The PackInstance object that has to exist, or null while nothing was delivered.</summary>
    public static KubeObject? Desired(InstanceState state)
    {
        if (state.Current is not { } current)
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

    public static JsonObject Status(InstanceState state) => new()
    {
        ["observedGeneration"] = state.Generation,
        ["deliveredAt"] = state.Current is { } current ? KubeTime.Format(current.DeployedAt) : null,
        ["upgradeDirection"] = state.Current?.Direction.ToString(),
        ["deployedResources"] = new JsonArray([.. (state.Current?.Inventory ?? []).Select(Render)]),
        ["conditions"] = state.Conditions.ToJson(),
    };

    /// <summary>Where a release moves the target. A version that is no version of ours counts by the order of declaration.</summary>
    public static UpgradeDirection Direction(string? previous, string next)
    {
        if (previous is null)
            return UpgradeDirection.Initial;
        if (previous == next)
            return UpgradeDirection.Redeploy;
        if (PackVersion.Parse(previous) is not { } old || PackVersion.Parse(next) is not { } made)
            return UpgradeDirection.Upgrade;
        return made.CompareTo(old) switch
        {
            > 0 => UpgradeDirection.Upgrade,
            < 0 => UpgradeDirection.Rollback,
            _ => UpgradeDirection.Redeploy,
        };
    }

    private static Decision<InstanceState> Deliver(InstanceState state, DeliveredFact delivered, DateTimeOffset now)
    {
        var previous = state.Current;
        // Every delivery that succeeded is told again after a restart, also those that are no longer remembered.
        if (previous is not null && (delivered.At <= previous.DeployedAt || delivered.ExecutionUid == previous.ExecutionUid))
            return Decision.Of(state);
        var release = new Release(
            (previous?.Revision ?? 0) + 1, delivered.Pack, delivered.PackUid, delivered.PackVersion, delivered.Spec, delivered.Execution, delivered.ExecutionUid,
            delivered.At, Direction(previous?.Version, delivered.PackVersion), delivered.Inventory, delivered.Lineage);
        var next = state with
        {
            Key = KeyOf(delivered.Pack, delivered.Spec, delivered.Cluster),
            Cluster = delivered.Cluster,
            Releases = [.. state.Releases.Add(release).TakeLast(Retention)],
            Lineage = previous is null ? delivered.Lineage : state.Lineage,
        };
        return Decision.Of(
            Describe(next, now),
            Context(next).Operational(
                now, "packinstance.released", "spec.version", previous?.Version, release.Version,
                $"{release.Direction}: revision {release.Revision}, {release.Inventory.Length} objects, by PackExecution {release.Execution}"));
    }

    private static Decision<InstanceState> Observe(InstanceState state, KubeObject instance, DateTimeOffset now)
    {
        if (state.Exists && state.Uid == instance.Uid && state.Generation == instance.Generation)
            return Decision.Of(state);
        var seen = Describe(
            state with
            {
                Key = instance.Key,
                Cluster = state.Cluster.Length > 0 ? state.Cluster : instance.FindText("spec", "targetClusterRef"),
                Exists = true,
                Uid = instance.Uid,
                Generation = instance.Generation,
            },
            now);
        return state.Uid == instance.Uid
            ? Decision.Of(seen)
            : Decision.Of(seen, Context(seen).Operational(now, "packinstance.recorded", "metadata.uid", state.Uid.Length > 0 ? state.Uid : null, instance.Uid, "the PackInstance object is there"));
    }

    private static InstanceState Describe(InstanceState state, DateTimeOffset now)
    {
        var delivered = state.Current is not null;
        var reason = delivered ? "PackDelivered" : "AwaitingDelivery";
        var message = state.Current is { } current ? $"revision {current.Revision}: {current.Pack.Name} {current.Version}" : "nothing has been delivered yet";
        return state with
        {
            Conditions = state.Conditions
                .Set(Conditions.Ready, delivered, reason, message, now, state.Generation)
                .Set("Progressing", !delivered, delivered ? "PackDelivered" : "PackReceiptNotFound", message, now, state.Generation)
                .Set(Conditions.Reconciling, !delivered, reason, message, now, state.Generation)
                .Set(Conditions.Stalled, false, reason, message, now, state.Generation),
        };
    }

    private static JsonNode Render(DeployedResource resource)
    {
        var made = new JsonObject { ["apiVersion"] = resource.ApiVersion, ["kind"] = resource.Kind, ["name"] = resource.Name };
        if (resource.Namespace.Length > 0)
            made["namespace"] = resource.Namespace;
        return made;
    }

    private static EventContext Context(InstanceState state) => new(
        new EventSubject(KnownKinds.PackInstance.Group, KnownKinds.PackInstance.Kind, state.Key.Namespace, state.Key.Name, state.Uid, state.Generation),
        "system:governor:wrapper", "wrapper", state.Lineage?.RootUid ?? "", state.Cluster, state.Current?.ExecutionUid ?? "");
}
