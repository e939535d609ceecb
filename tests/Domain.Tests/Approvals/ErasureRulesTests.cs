using Governor.Domain.Approvals;
using Governor.Domain.Audit;
using static Governor.Domain.Tests.Approvals.Approving;

namespace Governor.Domain.Tests.Approvals;

public sealed class ErasureRulesTests
{
    private static readonly ErasureState Fresh = ErasureState.Initial(3);

    [Fact]
    public void Approved_looked_up_committed_erased_and_answered_in_this_order()
    {
        var asked = Fresh.Hear(Approved());
        Assert.Equal((ErasureStage.Asked, 0), (asked.State.Stage, asked.Events.Length));

        var found = asked.State.Find(Target(3));
        var approved = Assert.Single(found.Events);
        Assert.Equal(
            (ErasureStage.Approved, AuditActions.ErasureApproved, AuditActions.Group, AuditActions.RecordKind, "3", "ann", "bob", Id),
            (found.State.Stage, approved.Action, approved.Subject.Group, approved.Subject.Kind, approved.Subject.Name, approved.Actor, approved.Reviewer, approved.Correlation));
        Assert.Contains(Plans.DigestOf(Plan.ToJson()).Value, approved.Rationale, StringComparison.Ordinal);
        Assert.Empty(ErasureRules.Outbox(found.State));

        var erased = ErasureRules.Decide(found.State, new ErasureInput.Erased(Id), Now);
        var gone = Assert.Single(erased.Events);
        Assert.Equal((ErasureStage.Erased, AuditActions.PayloadErased, "3", "bob"), (erased.State.Stage, gone.Action, gone.Subject.Name, gone.Reviewer));
        var letter = Assert.Single(ErasureRules.Outbox(erased.State));
        Assert.Equal((ApprovalRules.AddressOf(Id), new PlanExecuted(Id, Plans.DigestOf(Plan.ToJson()), "")), (letter.To, (PlanExecuted)letter.Fact));
    }

    public static TheoryData<string, PlanApproved> Forgeries => new()
    {
        { "it does not come from the approval", Approved() with { From = ApprovalRules.AddressOf("er-2") } },
        { "the digest is of another plan", Approved() with { Digest = Plans.DigestOf(OtherPlan.ToJson()) } },
        { "the plan is another one than was approved", Approved() with { Plan = OtherPlan.ToJson() } },
        { "the plan does not name this record", Approved(plan: new ErasurePlan([Target(4)], "why")) },
        { "it is another action", Approved() with { Action = "audit.other" } },
        { "nobody approved", Approved() with { ApprovedBy = "" } },
        { "whoever asked approved", Approved() with { ApprovedBy = "ann" } },
    };

    [Theory]
    [MemberData(nameof(Forgeries))]
    public void What_authorises_nothing_here_is_ignored(string because, PlanApproved fact)
    {
        var decision = Fresh.Hear(fact);

        Assert.True(ReferenceEquals(Fresh, decision.State), because);
        Assert.Empty(decision.Events);
    }

    public static TheoryData<string, ErasureTarget?> WrongRecords => new()
    {
        { "expected a record at leaf 3, found none", null },
        { "found another", Target(3) with { Record = "another" } },
        { "found hash-of-3", Target(3) with { Event = "pack.signed" } },
    };

    [Theory]
    [MemberData(nameof(WrongRecords))]
    public void Another_record_than_the_one_that_was_meant_is_not_touched(string why, ErasureTarget? found)
    {
        var (state, events) = Fresh.Hear(Approved()).State.Find(found);

        Assert.Equal((ErasureStage.None, AuditActions.ErasureRefused), (state.Stage, Assert.Single(events).Action));
        Assert.Contains(why, Assert.Single(state.Answers).Fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(AuditActions.KeyRotated)]
    [InlineData(AuditActions.ErasureApproved)]
    [InlineData("approval.requested")]
    public void Records_about_the_trail_keep_their_payloads(string action)
    {
        var plan = new ErasurePlan([Target(3, action)], "why");

        var (state, events) = Fresh.Hear(Approved(plan: plan)).State.Find(Target(3, action));

        Assert.Equal(AuditActions.ErasureRefused, Assert.Single(events).Action);
        Assert.Contains($"found one of '{action}'", Assert.Single(state.Answers).Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Hearing_it_again_at_any_time_changes_nothing()
    {
        var asked = Fresh.Hear(Approved()).State;
        var approved = asked.Find(Target(3)).State;
        var erased = ErasureRules.Decide(approved, new ErasureInput.Erased(Id), Now).State;

        foreach (var state in (ErasureState[])[asked, approved, erased])
        {
            Assert.Same(state, state.Hear(Approved()).State);
            Assert.Same(state, ErasureRules.Decide(state, new ErasureInput.Erased("another"), Now).State);
        }
        Assert.Same(approved, approved.Find(Target(3)).State);
        Assert.Same(erased, ErasureRules.Decide(erased, new ErasureInput.Erased(Id), Now).State);
        Assert.Same(asked, ErasureRules.Decide(asked, new ErasureInput.Erased(Id), Now).State);
    }

    [Fact]
    public void A_second_approval_is_answered_when_the_first_is_done_and_erases_nothing_again()
    {
        var busy = Fresh.Hear(Approved()).State.Find(Target(3)).State.Hear(Approved("er-2", OtherPlan)).State;
        Assert.Equal("er-2", Assert.Single(busy.Waiting).Approval);

        var done = ErasureRules.Decide(busy, new ErasureInput.Erased(Id), Now);
        Assert.Equal([Id, "er-2"], done.State.Answers.Select(answer => answer.Approval));
        Assert.Single(done.Events);

        var late = done.State.Hear(Approved("er-3"));
        Assert.Empty(late.Events);
        Assert.Equal("", late.State.Answers[^1].Fault);
        var wrong = late.State.Hear(Approved("er-4", new ErasurePlan([Target(3) with { Record = "another" }], "why")));
        Assert.Contains("expected the record another", wrong.State.Answers[^1].Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void When_the_first_approval_meant_another_record_the_second_is_looked_up()
    {
        var wrong = new ErasurePlan([Target(3) with { Record = "another" }], "why");
        var asked = Fresh.Hear(Approved(plan: wrong)).State.Hear(Approved("er-2")).State;

        var next = asked.Find(Target(3));

        Assert.Equal((ErasureStage.Asked, "er-2"), (next.State.Stage, next.State.Grounds!.Approval));
        Assert.Equal(ErasureStage.Approved, next.State.Find(Target(3)).State.Stage);
    }

    [Fact]
    public void What_the_database_refuses_is_answered_with_its_reason()
    {
        var approved = Fresh.Hear(Approved()).State.Find(Target(3)).State;

        var (state, events) = ErasureRules.Decide(approved, new ErasureInput.Impossible(Id, "leaf 3 was archived"), Now);

        Assert.Equal((ErasureStage.None, AuditActions.ErasureRefused), (state.Stage, Assert.Single(events).Action));
        Assert.Equal("leaf 3 was archived", Assert.Single(state.Answers).Fault);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("01")]
    [InlineData("1 ")]
    [InlineData("99999999999999999999")]
    public void Only_a_leaf_index_is_the_key_of_an_erasure(string key) => Assert.Throws<FormatException>(() => ErasureRules.LeafOf(key));
}
