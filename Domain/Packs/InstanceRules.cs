using System.Collections.Immutable;
using Governor.Domain.Approvals;
using Governor.Domain.Audit;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;
using Governor.Domain.Signing;

namespace Governor.Domain.Packs;

/// <summary>How a PackInstance is decided on: a pack lineage on its target, and the releases it had there. Pure.</summary>
public static class InstanceRules
{
    /// <summary>Releases that are remembered; any of them can be returned to.</summary>
    public const int Retention = 10;

    /// <summary><c>namespace/{base pack}-{cluster}</c>: the pack lineage on its target, whatever versions come and go.</summary>
    public static ObjectKey KeyOf(ObjectKey pack, PackSpec spec, string cluster) =>
        new(pack.Namespace, $"{spec.BaseNameOr(pack.Name)}-{cluster}");

    public static Address AddressOf(ObjectKey instance) => new(Subjects.Instance, instance.ToString());

    public static Decision<InstanceState> Decide(InstanceState state, InstanceInput input, DateTimeOffset now)
    {
        var decision = input switch
        {
            InstanceInput.Told(DeliveredFact delivered) => Deliver(state, delivered, now),
            InstanceInput.Told(PackFact pack) => Decision.Of(Hear(state, pack)),
            InstanceInput.Told(AttemptFact attempt) => Decision.Of(Hear(state, attempt)),
            InstanceInput.Told(SigningKeyFact keys) => Decision.Of(keys.Supersedes(state.Keys) ? state with { Keys = keys } : state),
            InstanceInput.Told(ConductorFact conductor) => Decision.Of(conductor.Cluster.Value == state.Cluster && conductor.Supersedes(state.Conductor) ? state with { Conductor = conductor } : state),
            InstanceInput.Told(PlanApproved approved) => InstanceRemoval.Abandon(state, approved, now),
            InstanceInput.Told => Decision.Of(state),
            InstanceInput.Observed(var instance) => Observe(state, instance, now),
            InstanceInput.Gone => Forget(state, now),
            InstanceInput.ObjectDone done => InstanceRemoval.Done(state, done, now),
            InstanceInput.RemovalStopped(var removal) => InstanceRemoval.Stopped(state, removal, now),
            InstanceInput.AbandonedSeen seen => InstanceRemoval.Seen(state, seen, now),
            InstanceInput.ReceiptJudged(var standing) => PackReceiptRules.Judge(state, standing, now),
            _ => throw new ArgumentOutOfRangeException(nameof(input)),
        };
        if (ReferenceEquals(decision.State, state))
            return decision;
        var events = decision.Events.ToBuilder();
        return new Decision<InstanceState>(InstanceStatus.Describe(InstanceAim.Settle(decision.State, events, now), now), events.ToImmutable());
    }

    public static IEnumerable<Letter> Outbox(InstanceState state)
    {
        foreach (var letter in InstanceAim.Letters(state))
            yield return letter;
        foreach (var answer in state.Answers)
            yield return new Letter(ApprovalRules.AddressOf(answer.Approval), new PlanExecuted(answer.Approval, answer.Plan, answer.Fault));
        if (state.Cluster.Length > 0)
            yield return new Letter(new Address(Subjects.Cluster, state.Cluster), new Interest(IsInterestedInCluster(state)));
        if (state.Current is null)
            yield break;
        yield return new Letter(PackRules.SigningKeyAddress, new Interest());
        foreach (var letter in Descent.Letters(state.Lineage, KnownKinds.PackInstance, state.Key, state.Uid, state.Generation, "system:governor:wrapper", "wrapper", state.Exists))
            yield return letter;
    }

    internal static EventContext Context(InstanceState state) => new(
        new EventSubject(KnownKinds.PackInstance.Group, KnownKinds.PackInstance.Kind, state.Key.Namespace ?? "", state.Key.Name ?? "", state.Uid, state.Generation),
        "system:governor:wrapper", "wrapper", state.Lineage?.RootUid ?? "", state.Cluster, state.Current?.ExecutionUid ?? "");

    private static bool IsInterestedInCluster(InstanceState state) =>
        state.Removal is not null || state.Abandonment is { SeenAt: null } || PackReceiptRules.IsOwed(state);

    // What a pack says is about this target for as long as it says so. One that must not be delivered says nothing about where it goes:
    // a typing error never removes anything.
    private static InstanceState Hear(InstanceState state, PackFact pack)
    {
        var name = pack.Pack.ToString();
        var known = state.Declared.GetValueOrDefault(name);
        if (!pack.Supersedes(known))
            return state;
        if (pack.Exists && known?.Uid == pack.Uid && (pack.Spec is null || pack.Trust == PackTrust.Rejected))
            return state with { Declared = state.Declared.SetItem(name, pack with { Spec = known.Spec }) };
        var cluster = state.Cluster.Length > 0 ? state.Cluster : ClusterOf(state.Key, pack);
        var isMeant = pack is { Exists: true, Spec: { } spec } && spec.TargetClusters.Contains(cluster) && KeyOf(pack.Pack, spec, cluster) == state.Key;
        return isMeant
            ? state with { Cluster = cluster, HasHeard = true, Declared = state.Declared.SetItem(name, pack) }
            : known is null ? state : state with { Declared = state.Declared.Remove(name) };
    }

    private static string ClusterOf(ObjectKey instance, PackFact pack) =>
        pack.Spec?.TargetClusters.FirstOrDefault(cluster => KeyOf(pack.Pack, pack.Spec, cluster) == instance) ?? "";

    private static InstanceState Hear(InstanceState state, AttemptFact attempt)
    {
        var name = attempt.Execution.ToString();
        if (!attempt.Supersedes(state.Attempts.GetValueOrDefault(name)))
            return state;
        var isOver = !attempt.Exists || attempt.Standing == AttemptStanding.Failed;
        return state with
        {
            Attempts = state.Attempts.SetItem(name, attempt with { Inventory = [] }),
            // What a failed attempt put there is nobody's yet; a release that has it takes it over.
            Strays = isOver ? Inventory.Merge(state.Strays, Inventory.Without(attempt.Inventory, state.Current?.Inventory ?? [])) : state.Strays,
        };
    }

    private static Decision<InstanceState> Deliver(InstanceState state, DeliveredFact delivered, DateTimeOffset now)
    {
        var previous = state.Current;
        // Every delivery that succeeded is told again after a restart, also those that are no longer remembered.
        if (previous is not null && (delivered.At <= previous.DeployedAt || delivered.ExecutionUid == previous.ExecutionUid))
            return Decision.Of(state);
        var restoration = state.Restoration is { } asked && asked.Execution == delivered.Execution ? asked : null;
        var declaredAt = restoration is not null ? state.Find(restoration.Revision)?.DeclaredAt ?? default
            : state.Declared.GetValueOrDefault(delivered.Pack.ToString())?.DeclaredAt ?? default;
        var direction = restoration is { IsRollback: true } ? UpgradeDirection.Rollback
            : PackOrder.Direction(previous?.Version, delivered.PackVersion, previous?.DeclaredAt ?? default, declaredAt);
        var release = new Release(
            (previous?.Revision ?? 0) + 1, delivered.Pack, delivered.PackUid, delivered.PackVersion, delivered.Spec, delivered.Execution, delivered.ExecutionUid,
            delivered.At, direction, Inherit(state, delivered.Inventory), delivered.Lineage, delivered.ContentDigest, delivered.Document, delivered.KeyId,
            restoration?.Revision ?? 0, restoration?.AskedBy ?? "", declaredAt);
        var prune = InstanceRemoval.PruneAfter(state, release, now);
        var next = state with
        {
            Key = KeyOf(delivered.Pack, delivered.Spec, delivered.Cluster),
            Cluster = delivered.Cluster,
            Releases = [.. state.Releases.Add(release).TakeLast(Retention)],
            Lineage = previous is null ? delivered.Lineage : state.Lineage,
            Standing = InstanceStanding.Standing,
            Abandonment = null,
            Removal = prune,
            Strays = [],
            Kept = [.. state.Kept.Where(kept => release.Inventory.All(entry => Inventory.IdentityOf(entry) != Inventory.IdentityOf(kept.Object)))],
        };
        return Decision.Of(
            next,
            Context(next).Operational(
                now, "packinstance.released", "spec.version", previous?.Version, release.Version,
                $"{release.Direction}: revision {release.Revision}, {release.Inventory.Length} objects, by PackExecution {release.Execution}"
                + (restoration is null ? "" : $"; brings back revision {restoration.Revision}: {restoration.Why}")
                + (prune is null ? "" : $"; {prune.Pending.Length} objects of before are not in it and go")));
    }

    // That we made an object stays true from release to release, for as long as it is the same object.
    private static ImmutableArray<DeployedResource> Inherit(InstanceState state, ImmutableArray<DeployedResource> inventory)
    {
        var before = new Dictionary<(string, string, ObjectKey), DeployedResource>();
        foreach (var entry in (IEnumerable<DeployedResource>)[.. state.Kept.Select(kept => kept.Object), .. state.Current?.Inventory ?? [], .. state.Strays])
            before[Inventory.IdentityOf(entry)] = entry;
        return [.. inventory.Select(entry => before.TryGetValue(Inventory.IdentityOf(entry), out var known) ? Inventory.Inherit(known, entry) : entry)];
    }

    private static Decision<InstanceState> Forget(InstanceState state, DateTimeOffset now) => state.Exists
        ? Decision.Of(
            state with { Exists = false, Uid = "" },
            Context(state).Operational(now, "packinstance.deleted", "metadata", state.Uid, null, "the PackInstance object was deleted; its release history stays"))
        : Decision.Of(state);

    private static Decision<InstanceState> Observe(InstanceState state, KubeObject instance, DateTimeOffset now)
    {
        if (state.Exists && state.Uid == instance.Uid && state.Generation == instance.Generation)
            return Decision.Of(state);
        var seen = state with
        {
            Key = instance.Key,
            Cluster = state.Cluster.Length > 0 ? state.Cluster : instance.FindText("spec", "targetClusterRef"),
            Exists = true,
            Uid = instance.Uid,
            Generation = instance.Generation,
        };
        return state.Uid == instance.Uid
            ? Decision.Of(seen)
            : Decision.Of(seen, Context(seen).Operational(now, "packinstance.recorded", "metadata.uid", state.Uid.Length > 0 ? state.Uid : null, instance.Uid, "the PackInstance object is there"));
    }
}
