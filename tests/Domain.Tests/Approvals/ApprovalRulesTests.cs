using Governor.Domain.Approvals;
using Governor.Domain.Facts;
using static Governor.Domain.Tests.Approvals.Approving;

namespace Governor.Domain.Tests.Approvals;

public sealed class ApprovalRulesTests
{
    [Fact]
    public void A_request_says_who_wants_what_why_and_until_when()
    {
        var (state, events) = ApprovalRules.Decide(ApprovalState.Initial(Id), new ApprovalInput.Drafted(Draft()), Policy, Now);

        Assert.Equal((ApprovalPhase.Requested, "ann", "human", Now.AddDays(7)), (state.Phase, state.Request!.RequestedBy, state.Request.RequesterRole, state.Request.Expires));
        Assert.Equal(Plans.DigestOf(Plan.ToJson()), state.Request.Digest);
        Assert.Equal([ErasureRules.AddressOf(3), ErasureRules.AddressOf(8)], state.Request.Executors.AsEnumerable());
        var said = Assert.Single(events);
        Assert.Equal((ApprovalActions.Requested, "ann", Id, Plan.ToJson(), null), (said.Action, said.Actor, said.Subject.Name, said.NewValue, said.Reviewer));
        Assert.Empty(ApprovalRules.Outbox(state));
        Assert.Equal(state.Request.Expires, ApprovalRules.NextTick(state));
    }

    [Fact]
    public void An_AI_and_a_workload_may_draft()
    {
        Assert.Equal("ai", Requested(Ai).Request!.RequesterRole);
        Assert.Equal("workload", Requested(Workload).Request!.RequesterRole);
    }

    public static TheoryData<string, ApprovalDraft> BadDrafts => new()
    {
        { "why: expected a reason", Draft(why: "") },
        { "why: expected a reason", Draft(why: " \t") },
        { "why: expected a reason", Draft(why: new string('x', 4097)) },
        { "action: expected audit.erase or packinstance.abandon, found 'audit.forget'", Draft(action: "audit.forget") },
        { "plan: expected an erasure plan", Draft(plan: "{}") },
        { "plan: expected an erasure plan", Draft(plan: "no JSON") },
        { "plan: expected an erasure plan", Draft(plan: Plan.ToJson() + " ") },
        { "plan: expected an erasure plan", Draft(plan: Plan.ToJson().Replace("{\"action\"", "{\"a\":1,\"action\"", StringComparison.Ordinal)) },
        { "plan: expected an erasure plan", Draft(plan: Plan.ToJson().Replace("audit.erase", "audit.other", StringComparison.Ordinal)) },
        { "0 leaves", Draft(plan: new ErasurePlan([], "why").ToJson()) },
        { "257 leaves", Draft(plan: new ErasurePlan([.. Enumerable.Range(0, 257).Select(i => Target(i))], "why").ToJson()) },
        { "leaf -1", Draft(plan: new ErasurePlan([Target(-1)], "why").ToJson()) },
        { "do not ascend", Draft(plan: new ErasurePlan([Target(4), Target(4)], "why").ToJson()) },
        { "no reason", Draft(plan: new ErasurePlan([Target(4)], " ").ToJson()) },
        { "at most 200000 characters", Draft(plan: new string('x', 200_001)) },
        { "caller: expected a name", Draft(by: new Caller("", [])) },
        { "caller: expected a name", Draft(by: new Caller("ann\n", [])) },
    };

    [Theory]
    [MemberData(nameof(BadDrafts))]
    public void A_draft_that_nobody_could_judge_is_refused(string why, ApprovalDraft draft)
    {
        var initial = ApprovalState.Initial(Id);

        Assert.Contains(why, ApprovalRules.Refuse(initial, draft)!.ToString(), StringComparison.Ordinal);
        var decision = ApprovalRules.Decide(initial, new ApprovalInput.Drafted(draft), Policy, Now);
        Assert.Same(initial, decision.State);
        Assert.Empty(decision.Events);
    }

    [Fact]
    public void Asking_again_changes_nothing_and_asking_something_else_under_the_same_id_is_refused()
    {
        var state = Requested();

        Assert.Null(ApprovalRules.Refuse(state, Draft()));
        Assert.Same(state, ApprovalRules.Decide(state, new ApprovalInput.Drafted(Draft()), Policy, Now).State);
        foreach (var other in (ApprovalDraft[])[Draft(plan: OtherPlan.ToJson()), Draft(by: Approver)])
        {
            Assert.Equal(RefusalReason.Taken, ApprovalRules.Refuse(state, other)!.Reason);
            Assert.Same(state, ApprovalRules.Decide(state, new ApprovalInput.Drafted(other), Policy, Now).State);
        }
    }

    public static TheoryData<RefusalReason, ApprovalRuling, int> BadRulings => new()
    {
        { RefusalReason.SamePerson, Ruling(by: Asker), 0 },
        { RefusalReason.SamePerson, Ruling(by: new Caller("ann", ["another"])), 0 },
        { RefusalReason.SamePerson, Ruling(ApprovalVerdict.Reject, Asker), 0 },
        { RefusalReason.NotHuman, Ruling(by: Ai), 0 },
        { RefusalReason.NotHuman, Ruling(ApprovalVerdict.Reject, Ai), 0 },
        { RefusalReason.NotHuman, Ruling(by: new Caller("ann", ["governor:ai"])), 0 },
        { RefusalReason.NotHuman, Ruling(by: Workload), 0 },
        { RefusalReason.NotHuman, Ruling(by: new Caller("system:node:worker-1", [])), 0 },
        { RefusalReason.NotHuman, Ruling(by: new Caller("system:anonymous", [])), 0 },
        { RefusalReason.OtherPlan, Ruling(plan: OtherPlan), 0 },
        { RefusalReason.OtherPlan, Ruling() with { Plan = default }, 0 },
        { RefusalReason.Malformed, Ruling(why: ""), 0 },
        { RefusalReason.Malformed, Ruling(why: "  "), 0 },
        { RefusalReason.Malformed, Ruling(why: new string('x', 4097)), 0 },
        { RefusalReason.Malformed, Ruling(by: new Caller("", [])), 0 },
        { RefusalReason.Malformed, Ruling(by: new Caller(new string('x', 513), [])), 0 },
        { RefusalReason.Expired, Ruling(), 7 * 24 },
    };

    [Theory]
    [MemberData(nameof(BadRulings))]
    public void A_ruling_that_is_not_another_humans_on_this_very_plan_in_time_is_refused(RefusalReason reason, ApprovalRuling ruling, int hours)
    {
        var state = Requested();

        var refusal = ApprovalRules.Refuse(state, ruling, Policy, Now.AddHours(hours));

        Assert.Equal(reason, refusal!.Reason);
        Assert.NotEmpty(refusal.Expected);
        Assert.NotEmpty(refusal.Found);
        var after = state.Rule(ruling, Now.AddHours(hours)).State;
        Assert.Null(after.Record);
        Assert.Empty(ApprovalRules.Outbox(after));
    }

    [Fact]
    public void Nothing_can_be_decided_that_was_not_asked()
    {
        var state = ApprovalState.Initial(Id);

        Assert.Equal(RefusalReason.Unknown, ApprovalRules.Refuse(state, Ruling(), Policy, Now)!.Reason);
        Assert.Same(state, state.Rule(Ruling()).State);
    }

    [Fact]
    public void An_approval_is_recorded_with_its_reviewer_and_told_to_whoever_carries_it_out()
    {
        var (state, events) = Requested().Rule(Ruling());

        Assert.Equal(new ApprovalRecord(ApprovalVerdict.Approve, "bob", "checked with the officer", Plans.DigestOf(Plan.ToJson()), Now), state.Record);
        var said = Assert.Single(events);
        Assert.Equal((ApprovalActions.Approved, "bob", "human", "bob"), (said.Action, said.Actor, said.ActorRole, said.Reviewer));
        Assert.Contains(state.Request!.Digest.Value, said.NewValue, StringComparison.Ordinal);
        Assert.Equal("checked with the officer", said.Rationale);
        Assert.Equal([ErasureRules.AddressOf(3), ErasureRules.AddressOf(8)], ApprovalRules.Outbox(state).Select(letter => letter.To));
        Assert.Null(ApprovalRules.NextTick(state));
    }

    [Fact]
    public void A_rejection_ends_it()
    {
        var (state, events) = Requested().Rule(Ruling(ApprovalVerdict.Reject));

        Assert.Equal((ApprovalPhase.Rejected, ApprovalActions.Rejected, "bob"), (state.Phase, Assert.Single(events).Action, events[0].Reviewer));
        Assert.Empty(ApprovalRules.Outbox(state));
        Assert.Equal(RefusalReason.Decided, ApprovalRules.Refuse(state, Ruling(), Policy, Now)!.Reason);
        Assert.Same(state, state.Rule(Ruling(by: new Caller("cai", []))).State);
    }

    [Fact]
    public void The_same_person_may_say_the_same_again_at_any_time_and_nothing_else()
    {
        var approved = Requested().Rule(Ruling()).State;
        var later = Now.AddDays(30);

        Assert.Null(ApprovalRules.Refuse(approved, Ruling(why: "again"), Policy, later));
        Assert.Same(approved, approved.Rule(Ruling(why: "again"), later).State);
        Assert.Equal(RefusalReason.Decided, ApprovalRules.Refuse(approved, Ruling(ApprovalVerdict.Reject), Policy, later)!.Reason);
        Assert.Equal(RefusalReason.Decided, ApprovalRules.Refuse(approved, Ruling(by: new Caller("cai", [])), Policy, later)!.Reason);
        Assert.Equal(RefusalReason.OtherPlan, ApprovalRules.Refuse(approved, Ruling(plan: OtherPlan), Policy, later)!.Reason);
    }

    [Fact]
    public void A_request_that_nobody_decides_expires_once()
    {
        var state = Requested();
        Assert.Same(state, ApprovalRules.Decide(state, new ApprovalInput.Ticked(), Policy, Now.AddDays(7).AddTicks(-1)).State);

        var (expired, events) = ApprovalRules.Decide(state, new ApprovalInput.Ticked(), Policy, Now.AddDays(7));

        Assert.Equal((ApprovalPhase.Expired, ApprovalActions.Expired), (expired.Phase, Assert.Single(events).Action));
        Assert.Same(expired, ApprovalRules.Decide(expired, new ApprovalInput.Ticked(), Policy, Now.AddDays(8)).State);
        Assert.Equal(ApprovalPhase.Expired, state.PhaseAt(Now.AddDays(7)));
        Assert.Equal(RefusalReason.Expired, ApprovalRules.Refuse(expired, Ruling(), Policy, Now)!.Reason);
    }

    [Fact]
    public void It_is_executed_when_everybody_has_answered()
    {
        var half = Requested().Rule(Ruling()).State.Done(3).State;
        Assert.Equal(ApprovalPhase.Approved, half.Phase);
        Assert.Equal([ErasureRules.AddressOf(8)], ApprovalRules.Outbox(half).Select(letter => letter.To));
        Assert.Same(half, half.Done(3, "said twice").State);
        Assert.Same(half, half.Done(99).State);

        var (state, events) = half.Done(8);

        Assert.Equal((ApprovalPhase.Executed, ApprovalActions.Executed, "bob"), (state.Phase, Assert.Single(events).Action, events[0].Reviewer));
        Assert.Empty(ApprovalRules.Outbox(state));
    }

    [Fact]
    public void It_has_failed_when_a_part_could_not_be_done_and_says_which()
    {
        var (state, events) = Requested().Rule(Ruling()).State.Done(3).State.Done(8, "found none");

        Assert.Equal((ApprovalPhase.Failed, ApprovalActions.Failed), (state.Phase, Assert.Single(events).Action));
        Assert.Equal("1 of 2 done; erasure/8: found none", events[0].Rationale);
    }

    [Fact]
    public void Nobody_hears_of_an_execution_that_was_not_approved()
    {
        Assert.Empty(Requested().Done(3).Events);
        Assert.Equal(ApprovalPhase.Requested, Requested().Done(3).State.Phase);
    }

    [Fact]
    public void A_plan_is_read_back_as_it_was_written_whatever_its_reason_says()
    {
        foreach (var reason in (string[])["plain", "<b>&\"quoted\" \u2028 \ud83d\ude00\n\t", "\u00e4\u0000"])
        {
            var plan = Plan with { Reason = reason };
            Assert.True(ErasurePlan.TryParse(plan.ToJson(), out var read, out var fault), fault);
            Assert.Equal(reason, read.Reason);
            Assert.Equal(plan.Leaves.ToArray(), read.Leaves);
        }
    }
}
