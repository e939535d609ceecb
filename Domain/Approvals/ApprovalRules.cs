using Governor.Domain.Audit;
using Governor.Domain.Facts;
using Governor.Domain.Signing;

namespace Governor.Domain.Approvals;

/// <summary>
/// How a request comes to its decision. Pure. An approval of one plan never authorises another: it is bound to the plan's digest; it is
/// given by a human, and never by whoever asked.
/// </summary>
public static class ApprovalRules
{
    /// <summary>Of a rationale, in UTF-16 units.</summary>
    public const int LongestWhy = 4096;

    /// <summary>Of a caller's name, in UTF-16 units.</summary>
    public const int LongestName = 512;

    /// <summary>Of a plan, in UTF-16 units: it is stored in an event.</summary>
    public const int LongestPlan = 200_000;

    public static Address AddressOf(string id) => new(Subjects.Approval, id);

    /// <summary>Why a draft is not accepted; null when it is, or has been.</summary>
    public static ApprovalRefusal? Refuse(ApprovalState state, ApprovalDraft draft)
    {
        if (FaultOf(draft.By) is { } nameless)
            return nameless;
        if (FaultOf(draft.Why) is { } silent)
            return silent;
        if (draft.Plan.Length > LongestPlan)
            return new ApprovalRefusal(RefusalReason.Malformed, "plan", $"at most {LongestPlan} characters", $"{draft.Plan.Length}");
        if (Plans.ExecutorsOf(draft.Action, draft.Plan).Refusal is { } impossible)
            return impossible;
        return state.Request is not { } asked || (asked.Action == draft.Action && asked.Plan == draft.Plan && asked.RequestedBy == draft.By.Name)
            ? null
            : new ApprovalRefusal(RefusalReason.Taken, $"approval {state.Id}", "an id of its own for every request", $"one of {asked.RequestedBy}");
    }

    /// <summary>Why a ruling is not accepted; null when it is, or has been: the same person may say the same again.</summary>
    public static ApprovalRefusal? Refuse(ApprovalState state, ApprovalRuling ruling, ApprovalPolicy policy, DateTimeOffset now)
    {
        if (state.Request is not { } request)
            return new ApprovalRefusal(RefusalReason.Unknown, "approval", "a request that was made", $"'{state.Id}'");
        if (FaultOf(ruling.By) is { } nameless)
            return nameless;
        if (policy.KindOf(ruling.By) is var kind and not CallerKind.Human)
            return new ApprovalRefusal(RefusalReason.NotHuman, "who decides", "a human", kind == CallerKind.Ai ? $"{ruling.By.Name}, labelled as AI" : $"{ruling.By.Name}, a workload");
        if (ruling.By.Name == request.RequestedBy)
            return new ApprovalRefusal(RefusalReason.SamePerson, "who decides", $"somebody else than {request.RequestedBy}, who asked", ruling.By.Name);
        if (FaultOf(ruling.Why) is { } silent)
            return silent;
        if (ruling.Plan != request.Digest)
            return new ApprovalRefusal(RefusalReason.OtherPlan, "planDigest", request.Digest.Value, $"'{ruling.Plan}'");
        if (state.Record is { } record)
            return record.By == ruling.By.Name && record.Verdict == ruling.Verdict && record.Plan == ruling.Plan
                ? null
                : new ApprovalRefusal(RefusalReason.Decided, $"approval {state.Id}", "a request that waits", $"{record.Verdict} by {record.By} at {record.At:O}");
        return state.PhaseAt(now) == ApprovalPhase.Requested
            ? null
            : new ApprovalRefusal(RefusalReason.Expired, $"approval {state.Id}", $"a decision before {request.Expires:O}", $"{now:O}");
    }

    public static Decision<ApprovalState> Decide(ApprovalState state, ApprovalInput input, ApprovalPolicy policy, DateTimeOffset now)
    {
        if (state.Phase == ApprovalPhase.Requested && state.PhaseAt(now) == ApprovalPhase.Expired)
            return Decision.Of(
                state with { Phase = ApprovalPhase.Expired },
                ApprovalEvents.Of(state).Governance(now, ApprovalActions.Expired, "$.phase", "Requested", "Expired", $"nobody decided before {state.Request!.Expires:O}"));
        return input switch
        {
            ApprovalInput.Drafted(var draft) => state.Request is null && Refuse(state, draft) is null ? Request(state, draft, policy, now) : Decision.Of(state),
            ApprovalInput.Ruled(var ruling) => state.Record is null && Refuse(state, ruling, policy, now) is null ? Rule(state, ruling, now) : Decision.Of(state),
            ApprovalInput.Told(PlanExecuted done) => Heard(state, done, now),
            ApprovalInput.Told or ApprovalInput.Ticked => Decision.Of(state),
            _ => throw new ArgumentOutOfRangeException(nameof(input)),
        };
    }

    /// <summary>An approved plan is told to whoever carries it out and has not answered yet; any other to nobody.</summary>
    public static IEnumerable<Letter> Outbox(ApprovalState state) =>
        state is not { Phase: ApprovalPhase.Approved, Request: { } request, Record: { Verdict: ApprovalVerdict.Approve } record }
            ? []
            : request.Executors.Where(executor => state.Outcomes.All(outcome => outcome.Executor != executor)).Select(executor => new Letter(
                executor,
                new PlanApproved(state.Id, request.Action, request.Plan, record.Plan, request.RequestedBy, record.By, record.Why, record.At)));

    public static DateTimeOffset? NextTick(ApprovalState state) => state.Phase == ApprovalPhase.Requested ? state.Request!.Expires : null;

    private static Decision<ApprovalState> Request(ApprovalState state, ApprovalDraft draft, ApprovalPolicy policy, DateTimeOffset now)
    {
        var request = new ApprovalRequest(
            draft.Action, draft.Plan, Plans.DigestOf(draft.Plan), draft.By.Name, policy.RoleOf(draft.By), draft.Why, now, now + policy.Lifetime,
            Plans.ExecutorsOf(draft.Action, draft.Plan).Executors);
        return Decision.Of(
            state with { Phase = ApprovalPhase.Requested, Request = request },
            ApprovalEvents.By(state.Id, request.RequestedBy, request.RequesterRole)
                .Governance(now, ApprovalActions.Requested, "$.plan", null, request.Plan, request.Why));
    }

    private static Decision<ApprovalState> Rule(ApprovalState state, ApprovalRuling ruling, DateTimeOffset now)
    {
        var (phase, action) = ruling.Verdict == ApprovalVerdict.Approve
            ? (ApprovalPhase.Approved, ApprovalActions.Approved)
            : (ApprovalPhase.Rejected, ApprovalActions.Rejected);
        var ruled = ApprovalEvents.By(state.Id, ruling.By.Name, "human")
            .Governance(now, action, "$.phase", "Requested", $"{phase} {ruling.Plan}", ruling.Why);
        return Decision.Of(
            state with { Phase = phase, Record = new ApprovalRecord(ruling.Verdict, ruling.By.Name, ruling.Why, ruling.Plan, now) },
            ruled with { Reviewer = ruled.Actor });
    }

    private static Decision<ApprovalState> Heard(ApprovalState state, PlanExecuted done, DateTimeOffset now)
    {
        if (state is not { Phase: ApprovalPhase.Approved, Request: { } request, Record: { } record }
            || done.Approval != state.Id || done.Digest != request.Digest || !request.Executors.Contains(done.From)
            || state.Outcomes.Any(outcome => outcome.Executor == done.From))
            return Decision.Of(state);
        var next = state with { Outcomes = state.Outcomes.Add(new PlanOutcome(done.From, done.Fault)) };
        if (next.Outcomes.Length < request.Executors.Length)
            return Decision.Of(next);
        var faults = next.Outcomes.Where(outcome => outcome.Fault.Length > 0).ToArray();
        var (phase, action) = faults.Length == 0 ? (ApprovalPhase.Executed, ApprovalActions.Executed) : (ApprovalPhase.Failed, ApprovalActions.Failed);
        var told = $"{next.Outcomes.Length - faults.Length} of {next.Outcomes.Length} done{string.Concat(faults.Select(fault => $"; {fault.Executor}: {fault.Fault}"))}";
        return Decision.Of(
            next with { Phase = phase },
            ApprovalEvents.Of(state).Governance(now, action, "$.phase", "Approved", $"{phase} {request.Digest}", told) with { Reviewer = record.By });
    }

    private static ApprovalRefusal? FaultOf(Caller by) =>
        by.Name.Length is > 0 and <= LongestName && !by.Name.Any(c => char.IsControl(c) || char.IsSurrogate(c))
            ? null
            : new ApprovalRefusal(RefusalReason.Malformed, "caller", $"a name of 1 to {LongestName} plain characters", $"one of {by.Name.Length}");

    private static ApprovalRefusal? FaultOf(string why) =>
        !string.IsNullOrWhiteSpace(why) && why.Length <= LongestWhy
            ? null
            : new ApprovalRefusal(RefusalReason.Malformed, "why", $"a reason of 1 to {LongestWhy} characters", why.Length == 0 ? "none" : $"one of {why.Length}");
}

/// <summary>The events of one approval: about it, by whoever acts.</summary>
internal static class ApprovalEvents
{
    public static EventContext By(string id, string actor, string role) =>
        new(new EventSubject(ApprovalActions.Group, ApprovalActions.Kind, "", id, "", 0), actor, role, "", "", id);

    public static EventContext Of(ApprovalState state) => By(state.Id, "system:governor:approval", "approval");
}
