using System.Collections.Immutable;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using Orleans;

namespace Governor.Domain.Memberships;

/// <summary>What was decided about a membership.</summary>
/// <param name="AdmittedAt">When it was admitted for the first time; kept when the admission is lost and found again.</param>
/// <param name="SnapshotRef">The snapshot that carries its rights; "" while it is not admitted.</param>
/// <param name="WaitsFor">The objects whose change would help, as <c>Kind namespace/name</c>.</param>
[GenerateSerializer, Immutable]
public sealed record MembershipVerdict(
    bool Validated,
    bool Admitted,
    DateTimeOffset? AdmittedAt,
    string SnapshotRef,
    string Reason,
    string Message,
    ImmutableArray<ConditionClaim> Claims,
    ImmutableArray<string> WaitsFor)
{
    /// <summary>What the profile of this membership needs to know.</summary>
    public MembershipFact FactOf(SeamMembership membership) =>
        new(membership.Key, membership.PrincipalRef, membership.DomainIdentityRef, Validated, Admitted);
}

/// <summary>
/// The chain of admission: identity matches, principal matches (now it is Validated), profile provisioned (now it is Admitted). A
/// member's profile in turn waits for Validated only, so that the two never wait for each other.
/// </summary>
public static class MembershipChain
{
    public const string ValidatedCondition = "Validated";
    public const string AdmittedCondition = "Admitted";

    public const string MembershipAdmitted = "MembershipAdmitted";
    public const string MembershipValidated = "MembershipValidated";
    public const string MembershipInvalid = "MembershipInvalid";
    public const string DomainIdentityMismatch = "DomainIdentityMismatch";
    public const string PrincipalMismatch = "PrincipalMismatch";
    public const string ProfileNotProvisioned = "RBACProfileNotProvisioned";

    /// <param name="profiles">The profiles; those of other namespaces are ignored.</param>
    /// <param name="firstAdmittedAt">When it was first admitted, if it ever was.</param>
    public static MembershipVerdict Evaluate(
        Reading<SeamMembership> membership, IEnumerable<ProfileFact> profiles, DateTimeOffset? firstAdmittedAt, DateTimeOffset now)
    {
        if (membership.Value is not { } valid)
            return NotValidated(MembershipInvalid, membership.Summary(), stalled: true, firstAdmittedAt, []);
        var near = profiles.Where(profile => profile.Key.Namespace == valid.Key.Namespace)
            .OrderBy(profile => profile.Key.Name, StringComparer.Ordinal).ToImmutableArray();
        var sameIdentity = near.Where(profile => profile.DomainIdentityRef == valid.DomainIdentityRef).ToImmutableArray();
        if (sameIdentity.IsEmpty)
            return IdentityMismatch(valid, near, firstAdmittedAt);
        var own = sameIdentity.Where(profile => profile.PrincipalRef == valid.PrincipalRef).ToImmutableArray();
        if (own.IsEmpty)
            return NotValidated(PrincipalMismatch,
                $"principalRef is '{valid.PrincipalRef}'; RBACProfile {sameIdentity[0].Key} of the same identity has '{sameIdentity[0].PrincipalRef}'",
                stalled: false, firstAdmittedAt, Names(sameIdentity));
        return own.Any(profile => profile.Provisioned)
            ? Admitted(valid, firstAdmittedAt ?? now)
            : NotAdmitted(own, firstAdmittedAt);
    }

    private static MembershipVerdict IdentityMismatch(SeamMembership membership, ImmutableArray<ProfileFact> near, DateTimeOffset? firstAdmittedAt)
    {
        var samePrincipal = near.Where(profile => profile.PrincipalRef == membership.PrincipalRef).ToImmutableArray();
        if (samePrincipal.IsEmpty)
            return NotValidated(DomainIdentityMismatch,
                $"waits for an RBACProfile in {membership.Key.Namespace} with domainIdentityRef '{membership.DomainIdentityRef}' "
                + $"and principalRef '{membership.PrincipalRef}'; found none",
                stalled: false, firstAdmittedAt, [$"RBACProfile {membership.Key.Namespace}/*"]);
        var other = samePrincipal[0];
        return NotValidated(DomainIdentityMismatch,
            $"domainIdentityRef is '{membership.DomainIdentityRef}'; RBACProfile {other.Key} of the same principal has '{other.DomainIdentityRef}'",
            stalled: false, firstAdmittedAt, Names(samePrincipal));
    }

    private static MembershipVerdict NotValidated(
        string reason, string message, bool stalled, DateTimeOffset? firstAdmittedAt, ImmutableArray<string> waitsFor) =>
        new(false, false, firstAdmittedAt, "", reason, message,
            [
                ConditionClaim.Of(ValidatedCondition, false, reason, message),
                ConditionClaim.Of(AdmittedCondition, false, reason, message),
                .. Conditions.Standing(ready: false, stalled, reason, message),
            ],
            waitsFor);

    private static MembershipVerdict NotAdmitted(ImmutableArray<ProfileFact> own, DateTimeOffset? firstAdmittedAt)
    {
        var message = $"waits for RBACProfile {own[0].Key} to be provisioned";
        return new MembershipVerdict(true, false, firstAdmittedAt, "", ProfileNotProvisioned, message,
            [
                ConditionClaim.Of(ValidatedCondition, true, MembershipValidated, $"Identity and principal match RBACProfile {own[0].Key}."),
                ConditionClaim.Of(AdmittedCondition, false, ProfileNotProvisioned, message),
                .. Conditions.Standing(ready: false, stalled: false, ProfileNotProvisioned, message),
            ],
            Names(own));
    }

    private static MembershipVerdict Admitted(SeamMembership membership, DateTimeOffset admittedAt)
    {
        var message = $"Admitted; its rights are in PermissionSnapshot {membership.SnapshotName}.";
        return new MembershipVerdict(true, true, admittedAt, membership.SnapshotName, MembershipAdmitted, message,
            [
                ConditionClaim.Of(ValidatedCondition, true, MembershipAdmitted, message),
                ConditionClaim.Of(AdmittedCondition, true, MembershipAdmitted, message),
                .. Conditions.Standing(ready: true, stalled: false, MembershipAdmitted, message),
            ],
            []);
    }

    private static ImmutableArray<string> Names(ImmutableArray<ProfileFact> profiles) => [.. profiles.Select(profile => $"RBACProfile {profile.Key}")];
}
