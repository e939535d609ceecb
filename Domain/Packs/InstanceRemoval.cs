using System.Collections.Immutable;
using Governor.Domain.Approvals;
using Governor.Domain.Audit;
using Governor.Domain.Facts;
using Governor.Domain.Signing;
using Orleans;

namespace Governor.Domain.Packs;

/// <summary>That it was approved not to remove what could not be reached.</summary>
/// <param name="Objects">What was left there.</param>
/// <param name="SeenAt">When the cluster answered again and was looked at; null before.</param>
/// <param name="Found">What of it was still there.</param>
public sealed record Abandonment(
    string Approval, string By, string Why, DateTimeOffset At, ImmutableArray<DeployedResource> Objects, DateTimeOffset? SeenAt, ImmutableArray<DeployedResource> Found);

/// <summary>What an approval has to be told.</summary>
public sealed record PlanAnswer(string Approval, Digest Plan, string Fault);

/// <summary>How what a lineage has on its target goes away: by a release that no longer has it, or with the last ClusterPack. Pure.</summary>
internal static class InstanceRemoval
{
    /// <summary>Brings standing and removal into line with what is declared.</summary>
    public static InstanceState Follow(InstanceState state, ImmutableArray<GovernanceEvent>.Builder events, DateTimeOffset now)
    {
        if (!state.Declared.IsEmpty)
            return state switch
            {
                { Standing: InstanceStanding.Retained } => state with { Standing = InstanceStanding.Standing },
                { Standing: InstanceStanding.Removing, Removal: { IsCancelled: false } wanted } => state with { Removal = wanted with { IsCancelled = true } },
                _ => state,
            };
        var owned = Owned(state);
        if (!state.HasHeard || owned.IsEmpty || state.Standing is InstanceStanding.Removing or InstanceStanding.Abandoned || (state.Standing == InstanceStanding.Removed && state.Strays.IsEmpty))
            return state;
        if (state.Retain)
        {
            if (state.Standing == InstanceStanding.Retained || state.Current is null)
                return state;
            events.Add(InstanceRules.Context(state).Operational(
                now, "packinstance.retained", "status.standing", $"{state.Standing}", nameof(InstanceStanding.Retained), "no ClusterPack is meant for the target any more; what was delivered is kept, as the last one said"));
            return state with { Standing = InstanceStanding.Retained };
        }
        if (!InstanceAim.IsFree(state))
            return state; // an attempt may still be writing
        var order = RemovalPlan.Order(state.Current?.Revision ?? 0, RemovalCause.Deletion, owned, now);
        events.Add(InstanceRules.Context(state).Operational(
            now, "packinstance.removing", "status.standing", $"{state.Standing}", nameof(InstanceStanding.Removing),
            $"no ClusterPack is meant for the target any more, and the last one said that nothing is to be kept: {owned.Length} objects"));
        return state with { Standing = InstanceStanding.Removing, Removal = order, Strays = [], Kept = [] };
    }

    /// <summary>The order to remove what a new release no longer has, or null when there is nothing.</summary>
    public static RemovalOrder? PruneAfter(InstanceState state, Release release, DateTimeOffset now)
    {
        var garbage = Inventory.Without(
            [.. state.Removal is { Cause: RemovalCause.Prune } pending ? pending.Pending.Reverse() : [], .. state.Current?.Inventory ?? [], .. state.Strays], release.Inventory);
        return garbage.IsEmpty ? null : RemovalPlan.Order(release.Revision, RemovalCause.Prune, garbage, now);
    }

    public static Decision<InstanceState> Done(InstanceState state, InstanceInput.ObjectDone done, DateTimeOffset now)
    {
        if (state.Removal is not { } order || order.Id != done.Removal || !order.Pending.Contains(done.Object))
            return Decision.Of(state);
        var what = Inventory.Describe(done.Object);
        var isKept = done.Outcome == RemovalOutcome.Kept;
        var next = state with
        {
            Removal = order with { Pending = order.Pending.Remove(done.Object), Removed = order.Removed + (done.Outcome == RemovalOutcome.Removed ? 1 : 0) },
            Kept = isKept ? state.Kept.Add(new KeptObject(done.Object, done.Reason, done.Message)) : state.Kept,
        };
        var told = InstanceRules.Context(state).Operational(
            now, isKept ? "packinstance.object-kept" : "packinstance.object-removed", $"status.deployedResources['{what}']", what, isKept ? what : null,
            $"{what}: {order.Cause}: {done.Outcome}: {(done.Reason.Length > 0 ? $"{done.Reason}: " : "")}{done.Message}");
        return next.Removal!.Pending.IsEmpty ? Decision.Of(End(next), told, Ended(next, now)) : Decision.Of(next, told);
    }

    /// <summary>A removal that was called off has come to rest: what is left belongs to the lineage still.</summary>
    public static Decision<InstanceState> Stopped(InstanceState state, string removal, DateTimeOffset now) =>
        state.Removal is not { IsCancelled: true } order || order.Id != removal
            ? Decision.Of(state)
            : Decision.Of(
                state with { Removal = null, Standing = InstanceStanding.Removed, Strays = [.. order.Pending.Reverse()] },
                InstanceRules.Context(state).Operational(
                    now, "packinstance.removal-stopped", "status.standing", $"{state.Standing}", nameof(InstanceStanding.Removed), $"it is declared again; {order.Removed} objects are gone, {order.Pending.Length} are left"));

    /// <summary>An approved plan to leave what cannot be reached: it holds for exactly the removal and the objects that it names.</summary>
    public static Decision<InstanceState> Abandon(InstanceState state, PlanApproved approved, DateTimeOffset now)
    {
        if (state.Answers.Any(answer => answer.Approval == approved.Approval) || approved.Action != AbandonPlan.Action
            || approved.From != ApprovalRules.AddressOf(approved.Approval) || Plans.DigestOf(approved.Plan) != approved.Digest
            || approved.ApprovedBy.Length == 0 || approved.ApprovedBy == approved.RequestedBy)
            return Decision.Of(state);
        var fault = !AbandonPlan.TryParse(approved.Plan, out var plan, out var wrong) ? wrong
            : state is not { Standing: InstanceStanding.Removing, Removal: { } order } ? $"expected a removal under way, found {state.Standing}"
            : plan != AbandonPlan.Of(state.Key, state.Cluster, order, plan.Reason) ? $"expected the plan of what is pending now ({order.Id}, {order.Pending.Length} objects), found another"
            : "";
        var answered = state with { Answers = [.. state.Answers.Add(new PlanAnswer(approved.Approval, approved.Digest, fault)).TakeLast(InstanceRules.Retention)] };
        if (fault.Length > 0)
            return Decision.Of(answered, Event(state, approved, now, "packinstance.abandon-refused", $"{state.Standing}", fault));
        return Decision.Of(
            answered with
            {
                Standing = InstanceStanding.Abandoned,
                Removal = null,
                Abandonment = new Abandonment(approved.Approval, approved.ApprovedBy, approved.Why, now, state.Removal!.Pending, null, []),
            },
            Event(state, approved, now, "packinstance.abandoned", nameof(InstanceStanding.Abandoned), $"{state.Removal.Pending.Length} objects are left on {state.Cluster}: {plan!.Reason}; approved: {approved.Why}"));
    }

    /// <summary>An abandoned cluster answers again. What is there is said; nothing is done.</summary>
    public static Decision<InstanceState> Seen(InstanceState state, InstanceInput.AbandonedSeen seen, DateTimeOffset now) =>
        state is not { Standing: InstanceStanding.Abandoned, Abandonment: { SeenAt: null } abandonment }
            ? Decision.Of(state)
            : Decision.Of(
                state with { Abandonment = abandonment with { SeenAt = now, Found = seen.Found } },
                InstanceRules.Context(state).Operational(
                    now, "packinstance.abandoned-found", "status.standing", null, $"{seen.Found.Length} of {abandonment.Objects.Length}",
                    $"cluster {state.Cluster} (API server {seen.ApiUid}) answers again; still there and left alone: {string.Join(", ", seen.Found.Select(Inventory.Describe))}"));

    private static InstanceState End(InstanceState state) => state with
    {
        Removal = null,
        Standing = state.Removal!.Cause == RemovalCause.Deletion ? InstanceStanding.Removed : state.Standing,
    };

    private static GovernanceEvent Ended(InstanceState state, DateTimeOffset now) => InstanceRules.Context(state).Operational(
        now, state.Removal!.Cause == RemovalCause.Deletion ? "packinstance.removed" : "packinstance.pruned", "status.standing", null, null,
        $"{state.Removal.Removed} objects removed, {state.Kept.Length} left on the target");

    // In the order in which it was put there, each object once; what an earlier release left behind only because of its kind goes, too.
    private static ImmutableArray<DeployedResource> Owned(InstanceState state) => Inventory.Without(
    [
        .. state.Kept.Where(kept => kept.Reason == "KindKept").Select(kept => kept.Object),
        .. state.Removal is { Cause: RemovalCause.Prune } pending ? pending.Pending.Reverse() : [],
        .. state.Standing == InstanceStanding.Removed ? [] : state.Current?.Inventory ?? [],
        .. state.Strays,
    ]);

    private static GovernanceEvent Event(InstanceState state, PlanApproved approved, DateTimeOffset now, string action, string next, string rationale) =>
        (InstanceRules.Context(state) with { Actor = approved.RequestedBy, ActorRole = "requester" })
            .Governance(now, action, "status.standing", $"{state.Standing}", next, rationale) with { Reviewer = approved.ApprovedBy, RegulatoryImplication = true };
}
