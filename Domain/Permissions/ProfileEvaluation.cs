using System.Collections.Immutable;
using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Permissions;

/// <summary>What was decided about a profile.</summary>
/// <param name="Failures">Everything that keeps it from being provisioned.</param>
/// <param name="Notes">What an auditing policy notes without refusing.</param>
/// <param name="WaitsFor">The objects whose change would help, as <c>Kind namespace/name</c>.</param>
[GenerateSerializer, Immutable]
public sealed record ProfileVerdict(
    bool Provisioned,
    string Reason,
    string Summary,
    ImmutableArray<ConditionClaim> Claims,
    ImmutableArray<Failure> Failures,
    ImmutableArray<Failure> Notes,
    ImmutableArray<string> WaitsFor)
{
    /// <summary>What it declares beyond its ceiling, refused or noted; "" when nothing.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public string BeyondCeiling => string.Join("; ", Failures.Concat(Notes).Where(failure => failure.Check == PolicyCompliance.WithinCeiling).Select(failure => failure.Message));
}

/// <summary>
/// Decides whether a profile is provisioned. Everything that fails is listed; the reason is the first of: structure, policy, sets,
/// compliance, membership.
/// </summary>
public static class ProfileEvaluation
{
    public const string ProvisionedCondition = "Provisioned";
    public const string ValidatedCondition = "ProfileValidated";
    public const string CompliantCondition = "PolicyCompliant";

    public const string Complete = "ProvisioningComplete";
    public const string Failed = "ProvisioningFailed";
    public const string PolicyNotFound = "PolicyNotFound";
    public const string PermissionSetMissing = "PermissionSetMissing";
    public const string PolicyViolation = "PolicyViolation";
    public const string MembershipNotValidated = "MembershipNotValidated";

    /// <param name="policy">The policy it refers to; null when there is none.</param>
    /// <param name="sets">The sets of the namespace that are there: those declared, and the policy's maximum.</param>
    /// <param name="memberships">The SeamMemberships of the namespace.</param>
    public static ProfileVerdict Evaluate(
        Reading<RbacProfile> profile,
        Reading<RbacPolicy>? policy,
        IReadOnlyDictionary<ObjectKey, Reading<PermissionSet>> sets,
        IEnumerable<MembershipFact> memberships)
    {
        if (profile.Value is not { } valid)
            return Malformed(profile);
        var findings = new List<Finding>();
        PolicyFindings(valid, policy, sets, findings);
        SetFindings(valid, sets, findings);
        var compliance = ComplianceOf(valid, policy, sets);
        foreach (var violation in compliance?.Violations ?? [])
            findings.Add(new Finding(PolicyViolation, violation, ""));
        MembershipFindings(valid, memberships, findings);
        return Verdict(findings, compliance);
    }

    private static void PolicyFindings(
        RbacProfile profile, Reading<RbacPolicy>? policy, IReadOnlyDictionary<ObjectKey, Reading<PermissionSet>> sets, List<Finding> findings)
    {
        const string path = "spec.rbacPolicyRef";
        var name = $"RBACPolicy {profile.Policy}";
        if (profile.RbacPolicyRef.Length == 0)
            findings.Add(new Finding(
                PolicyNotFound,
                new Failure("PolicyFound", path,
                    "expected the name of an RBACPolicy, found none: without a policy there is no ceiling, and without a ceiling no right"),
                ""));
        else if (policy is null)
            findings.Add(new Finding(PolicyNotFound, new Failure("PolicyFound", path, $"expected {name}, found none"), name));
        else
            foreach (var failure in PolicyEvaluation.Failures(policy, CeilingOf(policy.Value, sets)))
                findings.Add(new Finding(PolicyNotFound, new Failure("PolicyValid", path, $"{name} is not valid: {failure}"),
                    policy.Value is { } sound ? $"PermissionSet {sound.MaximumPermissionSet}" : name));
    }

    private static void SetFindings(RbacProfile profile, IReadOnlyDictionary<ObjectKey, Reading<PermissionSet>> sets, List<Finding> findings)
    {
        foreach (var key in profile.PermissionSets)
        {
            var found = sets.GetValueOrDefault(key);
            if (found is not { IsValid: true })
                findings.Add(new Finding(
                    PermissionSetMissing,
                    new Failure("PermissionSetFound", "spec.permissionDeclarations",
                        found is null ? $"expected PermissionSet {key}, found none" : $"PermissionSet {key} is not valid: {found.Summary()}"),
                    $"PermissionSet {key}"));
        }
    }

    private static Compliance? ComplianceOf(
        RbacProfile profile, Reading<RbacPolicy>? policy, IReadOnlyDictionary<ObjectKey, Reading<PermissionSet>> sets)
    {
        if (policy?.Value is not { } sound || CeilingOf(sound, sets)?.Value is not { } ceiling)
            return null;
        var declared = profile.PermissionSets
            .Select(key => sets.GetValueOrDefault(key)?.Value)
            .OfType<PermissionSet>()
            .ToDictionary(set => set.Key);
        return PolicyCompliance.Check(profile, sound, declared, ceiling);
    }

    private static void MembershipFindings(RbacProfile profile, IEnumerable<MembershipFact> memberships, List<Finding> findings)
    {
        if (!profile.BelongsToMember)
            return;
        var near = memberships.Where(fact => fact.Key.Namespace == profile.Key.Namespace && fact.PrincipalRef == profile.PrincipalRef)
            .OrderBy(fact => fact.Key.Name, StringComparer.Ordinal).ToArray();
        if (near.Any(fact => fact.IsOf(profile) && fact.Validated))
            return;
        var wanted = $"a SeamMembership in {profile.Key.Namespace} with principalRef '{profile.PrincipalRef}' and domainIdentityRef "
            + $"'{profile.DomainIdentityRef}', Validated";
        var found = near.Length == 0 ? "none" : string.Join(", ", near.Select(fact => fact.IsOf(profile)
            ? $"{fact.Key}, which is not Validated"
            : $"{fact.Key} with domainIdentityRef '{fact.DomainIdentityRef}'"));
        findings.Add(new Finding(
            MembershipNotValidated,
            new Failure("MembershipValidated", "spec.domainIdentityRef", $"waits for {wanted}; found {found}"),
            near.Length == 0 ? $"SeamMembership {profile.Key.Namespace}/*" : $"SeamMembership {near[0].Key}"));
    }

    private static ProfileVerdict Malformed(Reading<RbacProfile> profile)
    {
        var summary = profile.Summary();
        return new ProfileVerdict(false, Failed, summary,
            [
                ConditionClaim.Of(ProvisionedCondition, false, Failed, summary),
                ConditionClaim.Of(ValidatedCondition, false, Failed, summary),
                new ConditionClaim(CompliantCondition, ConditionStatus.Unknown, Failed, "not checked: the profile is not valid"),
                .. Conditions.Standing(ready: false, stalled: true, Failed, summary),
            ],
            profile.Failures, [], []);
    }

    private static ProfileVerdict Verdict(List<Finding> findings, Compliance? compliance)
    {
        var provisioned = findings.Count == 0;
        var reason = provisioned ? Complete : findings[0].Reason;
        var notes = compliance?.Notes ?? [];
        var summary = provisioned ? string.Join(" ", notes.Select(note => note.ToString()).Prepend("Provisioned.")) : Sentence(findings);
        // Whatever can only be mended by editing the profile or its policy is stuck; all else is woken by the object it waits for.
        var stalled = findings.Any(finding => finding.WaitsFor.Length == 0);
        return new ProfileVerdict(provisioned, reason, summary,
            [
                ConditionClaim.Of(ProvisionedCondition, provisioned, reason, summary),
                ValidatedClaim(findings),
                CompliantClaim(findings, compliance),
                .. Conditions.Standing(provisioned, stalled, reason, summary),
            ],
            [.. findings.Select(finding => finding.Failure)],
            notes,
            [.. findings.Select(finding => finding.WaitsFor).Where(name => name.Length > 0).Distinct()]);
    }

    private static ConditionClaim ValidatedClaim(List<Finding> findings)
    {
        var policy = findings.Where(finding => finding.Reason == PolicyNotFound).ToList();
        return policy.Count == 0
            ? ConditionClaim.Of(ValidatedCondition, true, Complete, "Valid.")
            : ConditionClaim.Of(ValidatedCondition, false, PolicyNotFound, Sentence(policy));
    }

    private static ConditionClaim CompliantClaim(List<Finding> findings, Compliance? compliance)
    {
        if (compliance is null)
            return new ConditionClaim(CompliantCondition, ConditionStatus.Unknown, PolicyNotFound, "not checked: there is no valid policy");
        var notes = compliance.Notes.IsEmpty ? "Compliant." : string.Join("; ", compliance.Notes);
        return compliance.IsCompliant
            ? ConditionClaim.Of(CompliantCondition, true, Complete, notes)
            : ConditionClaim.Of(CompliantCondition, false, PolicyViolation, Sentence([.. findings.Where(finding => finding.Reason == PolicyViolation)]));
    }

    private static Reading<PermissionSet>? CeilingOf(RbacPolicy? policy, IReadOnlyDictionary<ObjectKey, Reading<PermissionSet>> sets) =>
        policy is null ? null : sets.GetValueOrDefault(policy.MaximumPermissionSet);

    private static string Sentence(List<Finding> findings) => string.Join("; ", findings.Select(finding => finding.Failure));

    /// <param name="WaitsFor">The object whose change would help; "" when a human has to edit.</param>
    private sealed record Finding(string Reason, Failure Failure, string WaitsFor);
}
