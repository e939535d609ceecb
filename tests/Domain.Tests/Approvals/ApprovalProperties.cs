using FsCheck;
using FsCheck.Fluent;
using Governor.Domain.Approvals;
using Governor.Domain.Audit;
using Governor.Domain.Facts;
using static Governor.Domain.Tests.Approvals.Approving;

namespace Governor.Domain.Tests.Approvals;

/// <summary>No sequence of inputs carries out a plan that not another human has approved, exactly as it is.</summary>
public sealed class ApprovalProperties
{
    private static readonly Caller[] People = [Asker, Approver, new Caller("cai", []), Ai, new Caller("bob", ["governor:ai"]), Workload];
    private static readonly ErasurePlan[] PlansOfThisWorld = [Plan, OtherPlan, new ErasurePlan([Target(3)], "a name that must go")];

    /// <summary>One thing that happens; what a field means depends on what it is.</summary>
    private sealed record Step(StepKind Kind, Caller By, ErasurePlan Plan, ApprovalVerdict Verdict, string Why, int Hours, long Leaf, ErasureTarget? Found);

    private enum StepKind
    {
        Draft,
        Rule,
        Wait,
        Deliver,
        Look,
        Erase,
        Fail,
        Forge,
    }

    private static Gen<Step[]> Steps { get; } =
        from count in Gen.Choose(0, 40)
        from steps in Gen.ArrayOf(
            from kind in Gen.Frequency(
                (2, Gen.Constant(StepKind.Draft)), (4, Gen.Constant(StepKind.Rule)), (1, Gen.Constant(StepKind.Wait)), (4, Gen.Constant(StepKind.Deliver)),
                (3, Gen.Constant(StepKind.Look)), (3, Gen.Constant(StepKind.Erase)), (1, Gen.Constant(StepKind.Fail)), (1, Gen.Constant(StepKind.Forge)))
            from caller in Gen.Elements(People)
            from plan in Gen.Frequency((4, Gen.Constant(Plan)), (1, Gen.Elements(PlansOfThisWorld)))
            from verdict in Gen.Frequency((3, Gen.Constant(ApprovalVerdict.Approve)), (1, Gen.Constant(ApprovalVerdict.Reject)))
            from why in Gen.Frequency((4, Gen.Constant("because")), (1, Gen.Constant("")))
            from hours in Gen.Choose(1, 100)
            from leaf in Gen.Elements(3L, 8L)
            from wrong in Gen.Frequency((4, Gen.Constant(0)), (1, Gen.Constant(1)), (1, Gen.Constant(2)))
            select new Step(kind, caller, plan, verdict, why, hours, leaf, wrong switch { 0 => Target(leaf), 1 => Target(leaf) with { Record = "another" }, _ => null }), count)
        select steps;

    [Fact]
    public void No_sequence_of_inputs_carries_out_a_plan_without_an_approval_of_exactly_it_by_another_human() => Check(steps =>
    {
        var world = new World();
        foreach (var step in steps)
        {
            world.Take(step);
            if (!world.IsJustified())
                return false;
        }
        return true;
    });

    [Fact]
    public void There_is_a_sequence_that_carries_it_out()
    {
        var world = new World();
        var (at, why) = (Target(3), "because");
        foreach (var kind in (StepKind[])[StepKind.Draft, StepKind.Rule, StepKind.Deliver, StepKind.Look, StepKind.Erase])
            foreach (var leaf in (long[])[3, 8])
                world.Take(new Step(kind, kind == StepKind.Draft ? Asker : Approver, Plan, ApprovalVerdict.Approve, why, 1, leaf, at with { Leaf = leaf, Record = $"hash-of-{leaf}", Subject = $"infra.ontai.dev/ClusterPack/ns/{leaf}" }));
        world.Take(new Step(StepKind.Deliver, Asker, Plan, default, why, 1, 3, null));

        Assert.Equal(ApprovalPhase.Executed, world.Approval.Phase);
        Assert.True(world.IsJustified());
        Assert.Equal([3, 8], world.Gone.Order());
    }

    private static void Check(Func<Step[], bool> holds) =>
        FsCheck.Check.One(Config.QuickThrowOnFailure.WithMaxTest(1000), Prop.ForAll(Steps.ToArbitrary(), holds));

    /// <summary>One approval, the erasures of two records, and a payload each.</summary>
    private sealed class World
    {
        private readonly Dictionary<long, ErasureState> _erasures = new() { [3] = ErasureState.Initial(3), [8] = ErasureState.Initial(8) };
        private readonly List<(ApprovalRuling Ruling, DateTimeOffset At)> _rulings = [];
        private readonly List<GovernanceEvent> _events = [];
        private DateTimeOffset _now = Now;

        public ApprovalState Approval { get; private set; } = ApprovalState.Initial(Id);

        public HashSet<long> Gone { get; } = [];

        public void Take(Step step)
        {
            switch (step.Kind)
            {
                case StepKind.Draft:
                    Decide(new ApprovalInput.Drafted(Draft(step.By, step.Plan.ToJson(), step.Why)));
                    break;
                case StepKind.Rule:
                    var ruling = new ApprovalRuling(step.Verdict, step.By, step.Why, Plans.DigestOf(step.Plan.ToJson()));
                    _rulings.Add((ruling, _now));
                    Decide(new ApprovalInput.Ruled(ruling));
                    break;
                case StepKind.Wait:
                    _now = _now.AddHours(step.Hours);
                    Decide(new ApprovalInput.Ticked());
                    break;
                case StepKind.Deliver:
                    Deliver();
                    break;
                case StepKind.Look:
                    Erase(step.Leaf, new ErasureInput.Found(step.Found));
                    break;
                case StepKind.Erase:
                    // What the actor does, and only in this stage.
                    if (_erasures[step.Leaf].Stage != ErasureStage.Approved)
                        break;
                    Gone.Add(step.Leaf);
                    Erase(step.Leaf, new ErasureInput.Erased(Id));
                    break;
                case StepKind.Fail:
                    Erase(step.Leaf, new ErasureInput.Impossible(Id, "not today"));
                    break;
                case StepKind.Forge:
                    // Anyone but the approval says that it was approved.
                    Erase(step.Leaf, new ErasureInput.Told(Approved(plan: step.Plan) with { From = ErasureRules.AddressOf(8) }));
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(step));
            }
        }

        public bool IsJustified()
        {
            var carriedOut = Gone.Count > 0 || Approval.Phase is ApprovalPhase.Approved or ApprovalPhase.Executed or ApprovalPhase.Failed
                || _erasures.Values.Any(erasure => erasure.Stage != ErasureStage.None) || ApprovalRules.Outbox(Approval).Any()
                || _events.Any(e => e.Action is AuditActions.ErasureApproved or AuditActions.PayloadErased);
            return !carriedOut
                || (Approval.Request is { } request
                    && _rulings.Any(given =>
                        given.Ruling is { Verdict: ApprovalVerdict.Approve, Why.Length: > 0 } ruling
                        && ruling.Plan == Plans.DigestOf(request.Plan) && ruling.By.Name != request.RequestedBy
                        && ruling.By.Name is "bob" or "cai" or "ann" && !ruling.By.Groups.Contains("governor:ai")
                        && given.At < request.Expires && ruling.By.Name == Approval.Record!.By)
                    && Gone.All(leaf => ErasurePlan.TryParse(request.Plan, out var plan, out _) && plan.Leaves.Any(target => target.Leaf == leaf))
                    && Gone.All(leaf => _events.Any(e => e.Action == AuditActions.ErasureApproved && e.Subject.Name == $"{leaf}" && e.Reviewer == Approval.Record!.By)));
        }

        private void Decide(ApprovalInput input)
        {
            var decision = ApprovalRules.Decide(Approval, input, Policy, _now);
            Approval = decision.State;
            _events.AddRange(decision.Events);
        }

        private void Erase(long leaf, ErasureInput input)
        {
            var decision = ErasureRules.Decide(_erasures[leaf], input, _now);
            _erasures[leaf] = decision.State;
            _events.AddRange(decision.Events);
        }

        private void Deliver()
        {
            foreach (var (to, fact) in ApprovalRules.Outbox(Approval).ToArray())
                Erase(ErasureRules.LeafOf(to.Key), new ErasureInput.Told(fact with { From = ApprovalRules.AddressOf(Id) }));
            foreach (var (leaf, erasure) in _erasures.ToArray())
                foreach (var (_, fact) in ErasureRules.Outbox(erasure))
                    Decide(new ApprovalInput.Told(fact with { From = ErasureRules.AddressOf(leaf) }));
        }
    }
}
