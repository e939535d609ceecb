using Governor.Domain.Approvals;
using Governor.Domain.Facts;

namespace Governor.Domain.Tests.Approvals;

/// <summary>People, plans and inputs for the tests of approvals.</summary>
internal static class Approving
{
    public const string Id = "er-1";

    public static readonly DateTimeOffset Now = new(2026, 11, 21, 6, 0, 0, TimeSpan.Zero);

    public static readonly ApprovalPolicy Policy = new(["governor:ai"], TimeSpan.FromDays(7));

    public static readonly Caller Asker = new("ann", ["auditors"]);
    public static readonly Caller Approver = new("bob", ["auditors"]);
    public static readonly Caller Ai = new("robin", ["auditors", "governor:ai"]);
    public static readonly Caller Workload = new("system:serviceaccount:ci:robot", []);

    public static readonly ErasurePlan Plan = new([Target(3), Target(8)], "a name that must go");

    public static readonly ErasurePlan OtherPlan = new([Target(3), Target(8)], "another reason");

    public static ErasureTarget Target(long leaf, string action = "pack.observed") => new(leaf, $"hash-of-{leaf}", $"infra.ontai.dev/ClusterPack/ns/{leaf}", action);

    public static ApprovalDraft Draft(Caller? by = null, string? plan = null, string why = "asked by the person concerned", string action = ErasurePlan.Action) =>
        new(action, plan ?? Plan.ToJson(), by ?? Asker, why);

    public static ApprovalRuling Ruling(
        ApprovalVerdict verdict = ApprovalVerdict.Approve, Caller? by = null, string why = "checked with the officer", ErasurePlan? plan = null) =>
        new(verdict, by ?? Approver, why, Plans.DigestOf((plan ?? Plan).ToJson()));

    public static ApprovalState Requested(Caller? by = null) =>
        ApprovalRules.Decide(ApprovalState.Initial(Id), new ApprovalInput.Drafted(Draft(by)), Policy, Now).State;

    public static Decision<ApprovalState> Rule(this ApprovalState state, ApprovalRuling ruling, DateTimeOffset? at = null) =>
        ApprovalRules.Decide(state, new ApprovalInput.Ruled(ruling), Policy, at ?? Now);

    public static Decision<ApprovalState> Done(this ApprovalState state, long leaf, string fault = "") =>
        ApprovalRules.Decide(
            state,
            new ApprovalInput.Told(new PlanExecuted(Id, Plans.DigestOf(Plan.ToJson()), fault) { From = ErasureRules.AddressOf(leaf), Version = 4 }), Policy, Now);

    public static PlanApproved Approved(string id = Id, ErasurePlan? plan = null) => new(
        id, ErasurePlan.Action, (plan ?? Plan).ToJson(), Plans.DigestOf((plan ?? Plan).ToJson()), "ann", "bob", "checked with the officer", Now)
    { From = ApprovalRules.AddressOf(id), Version = 2 };

    public static Decision<ErasureState> Hear(this ErasureState state, Fact fact) => ErasureRules.Decide(state, new ErasureInput.Told(fact), Now);

    public static Decision<ErasureState> Find(this ErasureState state, ErasureTarget? found) => ErasureRules.Decide(state, new ErasureInput.Found(found), Now);
}
