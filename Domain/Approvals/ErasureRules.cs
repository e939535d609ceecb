using System.Globalization;
using Governor.Domain.Audit;
using Governor.Domain.Facts;

namespace Governor.Domain.Approvals;

/// <summary>
/// How the payload of one record comes to be erased. Pure. The event that says that it was approved is committed before anything is
/// done, and the database demands it; the event that says that it is gone is committed after.
/// </summary>
public static class ErasureRules
{
    public static Address AddressOf(long leaf) => new(Subjects.Erasure, NameOf(leaf));

    /// <summary>The name of a record as the subject of an event: its leaf index.</summary>
    public static string NameOf(long leaf) => leaf.ToString(CultureInfo.InvariantCulture);

    /// <exception cref="FormatException">Not a leaf index.</exception>
    public static long LeafOf(string name) =>
        long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var leaf) && NameOf(leaf) == name
            ? leaf
            : throw new FormatException($"expected a leaf index as the key of an erasure, found '{name}'");

    public static Decision<ErasureState> Decide(ErasureState state, ErasureInput input, DateTimeOffset now) => input switch
    {
        ErasureInput.Told(PlanApproved approved) => Heard(state, approved),
        ErasureInput.Told => Decision.Of(state),
        ErasureInput.Found(var record) => state.Stage == ErasureStage.Asked ? LookedUp(state, state.Grounds!, record, now) : Decision.Of(state),
        ErasureInput.Erased(var approval) => IsUnderWay(state, approval) ? Erased(state, state.Grounds!, now) : Decision.Of(state),
        ErasureInput.Impossible(var approval, var why) => IsUnderWay(state, approval) ? Refused(state, state.Grounds!, why, now) : Decision.Of(state),
        _ => throw new ArgumentOutOfRangeException(nameof(input)),
    };

    public static IEnumerable<Letter> Outbox(ErasureState state) => state.Answers.Select(answer => new Letter(
        ApprovalRules.AddressOf(answer.Approval), new PlanExecuted(answer.Approval, answer.Plan, answer.Fault)));

    /// <summary>What a fact says about this record, or null when it authorises nothing here.</summary>
    private static ErasureGrounds? GroundsOf(long leaf, PlanApproved approved) =>
        approved.From == ApprovalRules.AddressOf(approved.Approval) && approved.Action == ErasurePlan.Action
            && Plans.DigestOf(approved.Plan) == approved.Digest
            && approved.ApprovedBy.Length > 0 && approved.ApprovedBy != approved.RequestedBy
            && ErasurePlan.TryParse(approved.Plan, out var plan, out _)
            && plan.Leaves.FirstOrDefault(target => target.Leaf == leaf) is { } target
            ? new ErasureGrounds(approved.Approval, approved.Digest, target, plan.Reason, approved.RequestedBy, approved.ApprovedBy, approved.Why, approved.ApprovedAt)
            : null;

    private static Decision<ErasureState> Heard(ErasureState state, PlanApproved approved)
    {
        if (state.Knows(approved.Approval) || GroundsOf(state.Leaf, approved) is not { } grounds)
            return Decision.Of(state);
        return state.Stage switch
        {
            ErasureStage.None => Decision.Of(state with { Stage = ErasureStage.Asked, Grounds = grounds }),
            ErasureStage.Erased => Decision.Of(Answered(state, grounds, AfterErasure(state, grounds))),
            _ => Decision.Of(state with { Waiting = state.Waiting.Add(grounds) }),
        };
    }

    private static Decision<ErasureState> LookedUp(ErasureState state, ErasureGrounds grounds, ErasureTarget? record, DateTimeOffset now)
    {
        if (record is null)
            return Refused(state, grounds, $"expected a record at leaf {state.Leaf}, found none", now);
        if (record != grounds.Target)
            return Refused(state, grounds, $"expected the record {grounds.Target.Record} at leaf {state.Leaf}, found {record.Record}", now);
        if (!AuditActions.MayBeErased(record.Event))
            return Refused(state, grounds, $"expected a record that may lose its payload, found one of '{record.Event}'", now);
        return Decision.Of(
            state with { Stage = ErasureStage.Approved },
            Event(state, grounds, grounds.RequestedBy, "requester", now, AuditActions.ErasureApproved, "present", "to be erased", $"{grounds.Reason}; approved: {grounds.Why}; plan {grounds.Plan}"));
    }

    private static Decision<ErasureState> Erased(ErasureState state, ErasureGrounds grounds, DateTimeOffset now)
    {
        var next = Answered(state with { Stage = ErasureStage.Erased, Waiting = [] }, grounds, "");
        foreach (var waiting in state.Waiting)
            next = Answered(next, waiting, AfterErasure(next, waiting));
        return Decision.Of(
            next, Event(state, grounds, "system:governor:audit", "audit", now, AuditActions.PayloadErased, "to be erased", "erased", grounds.Reason));
    }

    // The next approval that waits may name the right record.
    private static Decision<ErasureState> Refused(ErasureState state, ErasureGrounds grounds, string why, DateTimeOffset now)
    {
        var answered = Answered(state, grounds, why);
        var refused = Event(state, grounds, "system:governor:audit", "audit", now, AuditActions.ErasureRefused, null, null, why);
        return state.Waiting.IsEmpty
            ? Decision.Of(answered with { Stage = ErasureStage.None, Grounds = null }, refused)
            : Decision.Of(answered with { Stage = ErasureStage.Asked, Grounds = state.Waiting[0], Waiting = state.Waiting.RemoveAt(0) }, refused);
    }

    private static string AfterErasure(ErasureState state, ErasureGrounds grounds) => grounds.Target == state.Grounds!.Target
        ? ""
        : $"expected the record {grounds.Target.Record} at leaf {state.Leaf}, found {state.Grounds.Target.Record}";

    private static ErasureState Answered(ErasureState state, ErasureGrounds grounds, string fault) =>
        state with { Answers = state.Answers.Add(new ErasureAnswer(grounds.Approval, grounds.Plan, fault)) };

    private static bool IsUnderWay(ErasureState state, string approval) => state.Stage == ErasureStage.Approved && state.Grounds!.Approval == approval;

    private static GovernanceEvent Event(
        ErasureState state, ErasureGrounds grounds, string actor, string role, DateTimeOffset now, string action, string? previous, string? next, string rationale) =>
        new EventContext(
            new EventSubject(AuditActions.Group, AuditActions.RecordKind, "", NameOf(state.Leaf), "", 0), actor, role, "", "", grounds.Approval)
            .Governance(now, action, "$.payload", previous, next, rationale) with { Reviewer = grounds.ApprovedBy, RegulatoryImplication = true };
}
