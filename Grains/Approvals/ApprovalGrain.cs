using Governor.Domain.Approvals;
using Governor.Domain.Facts;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;
using Microsoft.Extensions.Options;

namespace Governor.Grains.Approvals;

/// <summary>
/// One request for one human decision. It carries nothing out: once approved, it tells the plan to those whom the plan names, until
/// each has answered.
/// </summary>
public sealed class ApprovalGrain(GovernedServices services, IOptions<ApprovalOptions> options)
    : GovernedGrain<ApprovalState, ApprovalInput>(services, Subjects.Approval), IApprovalGrain
{
    private readonly ApprovalPolicy _policy = options.Value.ToPolicy();

    // What was accepted is not refused when it is said again, so the answer can be worked out from what is committed now.
    public async Task<ApprovalRefusal?> RequestAsync(ApprovalDraft draft)
    {
        await DecideAsync(new ApprovalInput.Drafted(draft));
        return ApprovalRules.Refuse(State, draft);
    }

    public async Task<ApprovalRefusal?> RuleAsync(ApprovalRuling ruling)
    {
        await DecideAsync(new ApprovalInput.Ruled(ruling));
        return ApprovalRules.Refuse(State, ruling, _policy, Clock.GetUtcNow());
    }

    /// <summary>The trail is there whether the management cluster is or not.</summary>
    protected override bool DependsOnObservation => false;

    protected override ApprovalState Initial() => ApprovalState.Initial(Key);

    protected override Decision<ApprovalState> Decide(ApprovalState state, ApprovalInput input, DateTimeOffset now) => ApprovalRules.Decide(state, input, _policy, now);

    protected override ApprovalInput Receive(Fact fact) => new ApprovalInput.Told(fact);

    protected override ApprovalInput? Read(Observation seen) => null;

    protected override IEnumerable<Letter> Outbox(ApprovalState state) => ApprovalRules.Outbox(state);

    protected override DateTimeOffset? NextTick(ApprovalState state) => ApprovalRules.NextTick(state);

    protected override ApprovalInput Tick() => new ApprovalInput.Ticked();
}
