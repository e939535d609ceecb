using Governor.Domain.Approvals;
using Governor.Domain.Audit;
using Governor.Domain.Facts;
using Governor.Grains.Interfaces;
using Governor.Grains.Interfaces.Ports;
using Governor.Grains.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Governor.Grains.Tests.Approvals;

/// <summary>From a draft over its approval to payloads that are gone, with everything real around it.</summary>
[Collection(nameof(Ground))]
public sealed class ErasureGrainTests(Ground ground) : IAsyncLifetime
{
    private const string Id = "er-1";

    private static readonly Caller Ann = new("ann", []);
    private static readonly Caller Bob = new("bob", []);

    private Bed _bed = null!;

    public async Task InitializeAsync()
    {
        _bed = await Bed.StartAsync(ground);
        for (var n = 1; n <= 4; n++)
            await _bed.Grains.GetGrain<ITallyGrain>("a").TellAsync(new Counted("x", n));
        await Services<IAuditReader>().WaitForCheckpointAsync(CancellationToken.None);
    }

    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Fact]
    public async Task An_approved_plan_is_carried_out_and_each_step_is_an_event_before_the_next()
    {
        var plan = await PlanAsync(1, 2);
        Assert.Null(await Approval().RequestAsync(Draft(plan)));
        Assert.Equal(4, await PayloadsAsync());

        Assert.Null(await Approval().RuleAsync(Ruling(plan)));

        await FinishedAsync(ApprovalPhase.Executed);
        Assert.Equal(2, await PayloadsAsync());
        AssertCarriedOutOnce(plan);
        Assert.All(
            _bed.Commits.Events().Where(e => e.Subject.Kind == AuditActions.RecordKind),
            e => Assert.Equal((AuditActions.Group, "bob", Id), (e.Subject.Group, e.Reviewer, e.Correlation)));
    }

    [Fact]
    public async Task What_is_not_approved_is_not_carried_out()
    {
        var (plan, other) = (await PlanAsync(1, 2), await PlanAsync(1));
        await Approval().RequestAsync(Draft(plan));

        Assert.Equal(RefusalReason.SamePerson, (await Approval().RuleAsync(Ruling(plan) with { By = Ann }))!.Reason);
        Assert.Equal(RefusalReason.NotHuman, (await Approval().RuleAsync(Ruling(plan) with { By = new Caller("robin", ["governor:ai"]) }))!.Reason);
        Assert.Equal(RefusalReason.OtherPlan, (await Approval().RuleAsync(Ruling(other)))!.Reason);
        Assert.Equal(RefusalReason.Unknown, (await _bed.Grains.GetGrain<IApprovalGrain>("er-2").RuleAsync(Ruling(plan)))!.Reason);
        Assert.Null(await Approval().RuleAsync(Ruling(plan) with { Verdict = ApprovalVerdict.Reject }));
        Assert.Equal(RefusalReason.Decided, (await Approval().RuleAsync(Ruling(plan)))!.Reason);

        await _bed.Commits.QuietAsync();
        Assert.Equal(4, await PayloadsAsync());
        Assert.DoesNotContain(_bed.Commits.Events(), e => e.Action.StartsWith("audit.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Of_many_who_decide_at_once_one_wins_and_the_others_learn_of_it()
    {
        var plan = await PlanAsync(1);
        await Approval().RequestAsync(Draft(plan));

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(n => Approval().RuleAsync(
            Ruling(plan) with { By = new Caller($"bob-{n}", []), Verdict = n % 2 == 0 ? ApprovalVerdict.Approve : ApprovalVerdict.Reject })));

        Assert.Single(answers, answer => answer is null);
        Assert.Equal(19, answers.Count(answer => answer?.Reason == RefusalReason.Decided));
        Assert.Single(_bed.Commits.Events(), e => e.Action is ApprovalActions.Approved or ApprovalActions.Rejected);
        await _bed.Commits.QuietAsync();
    }

    [Fact]
    public async Task A_plan_that_names_another_record_than_stands_there_fails_and_what_is_right_in_it_is_done()
    {
        var real = await PlanAsync(1, 2);
        var plan = real with { Leaves = real.Leaves.SetItem(0, real.Leaves[0] with { Record = real.Leaves[1].Record }) };
        await Approval().RequestAsync(Draft(plan));
        await Approval().RuleAsync(Ruling(plan));

        var state = await FinishedAsync(ApprovalPhase.Failed);

        Assert.Contains("expected the record", state.Outcomes.Single(o => o.Executor.Key == "1").Fault, StringComparison.Ordinal);
        Assert.Equal(3, await PayloadsAsync());
        Assert.Single(_bed.Commits.Events(), e => e is { Action: AuditActions.ErasureRefused, Subject.Name: "1" });
    }

    [Theory]
    [InlineData("the executors have not heard of it", "grain_state", "NEW.subject = 'erasure'", ApprovalPhase.Approved, null)]
    [InlineData("the record was not looked up", "governance_event", "NEW.action = 'audit.erasure-approved'", ApprovalPhase.Approved, ErasureStage.Asked)]
    [InlineData("the payload is there", "", "", ApprovalPhase.Approved, ErasureStage.Approved)]
    [InlineData("the payload is gone and nobody said so", "governance_event", "NEW.action = 'audit.payload-erased'", ApprovalPhase.Approved, ErasureStage.Approved)]
    [InlineData("the approval does not know that it is done", "governance_event", "NEW.action = 'approval.executed'", ApprovalPhase.Approved, ErasureStage.Erased)]
    public async Task A_silo_that_dies_between_two_steps_is_gone_on_with(string where, string table, string condition, ApprovalPhase phase, ErasureStage? stage)
    {
        // The database does not let this step happen, and the silo ends while it tries.
        await _bed.AskAsync<object>(table.Length == 0
            ? "REVOKE EXECUTE ON FUNCTION governor.erase_payload FROM governor_silo"
            : $"""
               CREATE FUNCTION governor.stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$;
               CREATE TRIGGER stop BEFORE INSERT ON governor.{table} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION governor.stop()
               """);
        var plan = await PlanAsync(1, 2);
        await Approval().RequestAsync(Draft(plan));
        await Approval().RuleAsync(Ruling(plan));
        await _bed.Commits.UntilAsync<ApprovalState>(Subjects.Approval, Id, s => s.Phase == phase, where);
        foreach (var leaf in (string[])["1", "2"])
            if (stage is { } reached)
                await _bed.Commits.UntilAsync<ErasureState>(Subjects.Erasure, leaf, s => s.Stage == reached, where);
        if (condition.Contains("payload-erased", StringComparison.Ordinal))
            await GoneAsync(2);
        await _bed.StopSiloAsync();
        await _bed.AskAsync<object>(table.Length == 0
            ? "GRANT EXECUTE ON FUNCTION governor.erase_payload TO governor_silo"
            : $"DROP TRIGGER stop ON governor.{table}");

        await _bed.StartSiloAsync();
        await _bed.ResumeAsync();

        await FinishedAsync(ApprovalPhase.Executed);
        Assert.Equal(2, await PayloadsAsync());
        AssertCarriedOutOnce(plan);
    }

    private IApprovalGrain Approval() => _bed.Grains.GetGrain<IApprovalGrain>(Id);

    private T Services<T>()
        where T : notnull => _bed.Services.GetRequiredService<T>();

    private static ApprovalDraft Draft(ErasurePlan plan) => new(ErasurePlan.Action, plan.ToJson(), Ann, "asked by the person concerned");

    private static ApprovalRuling Ruling(ErasurePlan plan) => new(ApprovalVerdict.Approve, Bob, "checked", Plans.DigestOf(plan.ToJson()));

    private async Task<ErasurePlan> PlanAsync(params long[] leaves)
    {
        var targets = new List<ErasureTarget>();
        foreach (var leaf in leaves)
            targets.Add((await Services<IErasures>().FindAsync(leaf, CancellationToken.None))!);
        return new ErasurePlan([.. targets], "a name that must go");
    }

    private Task<long> PayloadsAsync() => _bed.AskAsync<long>("SELECT count(payload) FROM governor.governance_event WHERE kind = 'Tally'");

    private async Task GoneAsync(long left)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        while (await PayloadsAsync() != left)
            patience.Token.ThrowIfCancellationRequested();
    }

    private async Task<ApprovalState> FinishedAsync(ApprovalPhase phase)
    {
        var finished = await _bed.Commits.UntilAsync<ApprovalState>(Subjects.Approval, Id, s => s.Phase >= ApprovalPhase.Executed, $"{phase}");
        await _bed.Commits.QuietAsync();
        Assert.Equal(phase, finished.As<ApprovalState>().Phase);
        return finished.As<ApprovalState>();
    }

    private void AssertCarriedOutOnce(ErasurePlan plan)
    {
        var events = _bed.Commits.Events()
            .Where(e => !e.Action.StartsWith("tally.", StringComparison.Ordinal) && !e.Action.EndsWith(".noted", StringComparison.Ordinal)).ToList();
        Assert.Equal(3 + (2 * plan.Leaves.Length), events.Count);
        Assert.Equal([ApprovalActions.Requested, ApprovalActions.Approved], events.Take(2).Select(e => e.Action));
        Assert.Equal(ApprovalActions.Executed, events[^1].Action);
        foreach (var target in plan.Leaves)
            Assert.Equal(
                [AuditActions.ErasureApproved, AuditActions.PayloadErased],
                events.Where(e => e.Subject.Kind == AuditActions.RecordKind && e.Subject.Name == $"{target.Leaf}").Select(e => e.Action));
    }
}
