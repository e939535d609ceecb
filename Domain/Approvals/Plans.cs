using System.Collections.Immutable;
using System.Text;
using Governor.Domain.Facts;
using Governor.Domain.Packs;
using Governor.Domain.Signing;

namespace Governor.Domain.Approvals;

/// <summary>The kinds of plans that can be approved.</summary>
public static class Plans
{
    /// <summary>The digest of a plan: SHA-256 of its canonical text, as anyone can compute it from what is shown.</summary>
    public static Digest DigestOf(string plan) => Digest.Of(Encoding.UTF8.GetBytes(plan));

    /// <summary>Who carries a plan out, or why nobody can.</summary>
    public static (ImmutableArray<Address> Executors, ApprovalRefusal? Refusal) ExecutorsOf(string action, string plan)
    {
        if (action == AbandonPlan.Action)
            return AbandonPlan.TryParse(plan, out var abandon, out var wrong)
                ? ([abandon.Executor], null)
                : ([], new ApprovalRefusal(RefusalReason.Malformed, "plan", "a plan to abandon", wrong));
        if (action != ErasurePlan.Action)
            return ([], new ApprovalRefusal(RefusalReason.Malformed, "action", $"{ErasurePlan.Action} or {AbandonPlan.Action}", $"'{action}'"));
        return ErasurePlan.TryParse(plan, out var erasure, out var fault)
            ? ([.. erasure.Leaves.Select(target => ErasureRules.AddressOf(target.Leaf))], null)
            : ([], new ApprovalRefusal(RefusalReason.Malformed, "plan", "an erasure plan", fault));
    }
}
