using System.Collections.Immutable;
using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Permissions;

/// <summary>What was decided about a declaration.</summary>
/// <param name="Summary">The verdict in one sentence, for <c>status.validationSummary</c>.</param>
[GenerateSerializer, Immutable]
public sealed record DeclarationVerdict(bool Valid, string Summary, ImmutableArray<ConditionClaim> Claims, ImmutableArray<Failure> Failures);

/// <summary>Decides whether an RBACPolicy can be relied on.</summary>
public static class PolicyEvaluation
{
    public const string ValidCondition = "RBACPolicyValid";
    public const string DegradedCondition = "RBACPolicyDegraded";

    /// <param name="ceiling">The set that the policy names as its maximum; null when there is none.</param>
    public static DeclarationVerdict Evaluate(Reading<RbacPolicy> policy, Reading<PermissionSet>? ceiling)
    {
        var failures = Failures(policy, ceiling);
        if (failures.IsEmpty)
            return Verdict(true, stalled: false, "ValidationPassed", "Valid.", failures);
        if (policy.Value is null)
            return Verdict(false, stalled: true, "ValidationFailed",
                $"Validation failed: {failures.Length} check(s) failed. {string.Join("; ", failures)}", failures);
        return Verdict(false, stalled: false, "PermissionSetNotFound", $"Waiting: {string.Join("; ", failures)}", failures);
    }

    /// <summary>Everything that keeps a policy from being relied on; empty when nothing does.</summary>
    internal static ImmutableArray<Failure> Failures(Reading<RbacPolicy> policy, Reading<PermissionSet>? ceiling)
    {
        if (policy.Value is not { } valid)
            return policy.Failures;
        return ceiling switch
        {
            null => [new Failure("PermissionSetFound", "spec.maximumPermissionSetRef", $"expected PermissionSet {valid.MaximumPermissionSet}, found none")],
            { IsValid: false } => [new Failure("PermissionSetFound", "spec.maximumPermissionSetRef",
                $"expected a valid PermissionSet {valid.MaximumPermissionSet}, found one that is not: {ceiling.Summary()}")],
            _ => [],
        };
    }

    private static DeclarationVerdict Verdict(bool valid, bool stalled, string reason, string message, ImmutableArray<Failure> failures) =>
        new(valid, message,
            [
                ConditionClaim.Of(ValidCondition, valid, reason, message),
                ConditionClaim.Of(DegradedCondition, !valid, reason, message),
                .. Conditions.Standing(valid, stalled, reason, message),
            ],
            failures);
}

/// <summary>Decides whether a PermissionSet can be relied on.</summary>
public static class PermissionSetEvaluation
{
    public const string ValidCondition = "PermissionSetValid";

    public static DeclarationVerdict Evaluate(Reading<PermissionSet> set)
    {
        var (reason, message) = set.IsValid ? ("Valid", "Valid.") : ("Invalid", set.Summary());
        return new DeclarationVerdict(set.IsValid, message,
            [ConditionClaim.Of(ValidCondition, set.IsValid, reason, message), .. Conditions.Standing(set.IsValid, !set.IsValid, reason, message)],
            set.Failures);
    }
}
