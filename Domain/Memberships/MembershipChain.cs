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
/// The chain of admission: identity matches, principal matches (now it is Validated), profile provisioned and, for an application,
/// within its ceiling (now it is Admitted), snapshot resolved on every cluster that the profile targets (now it is Ready). A member's
/// profile in turn waits for Validated only, so that the two never wait for each other. The chain is asked again from its first link
/// whenever any of them changes: an admission whose premise falls is withdrawn.
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
    public const string CeilingExceeded = "CeilingExceeded";

    public const string ResolvedCondition = "SnapshotResolved";
    public const string SnapshotResolved = "SnapshotResolved";
    public const string SnapshotPending = "SnapshotPending";

    /// <param name="profiles">The profiles; those of other namespaces are ignored.</param>
    /// <param name="firstAdmittedAt">When it was first admitted, if it ever was.</param>
    /// <param name="resolved">The clusters that have a snapshot.</param>
    public static MembershipVerdict Evaluate(
        Reading<SeamMembership> membership, IEnumerable<ProfileFact> profiles, DateTimeOffset? firstAdmittedAt, DateTimeOffset now,
        IReadOnlySet<string>? resolved = null)
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
        var provisioned = own.Where(profile => profile.Provisioned).ToImmutableArray();
        if (provisioned.IsEmpty)
            return NotAdmitted(own, ProfileNotProvisioned, $"waits for RBACProfile {own[0].Key} to be provisioned", stalled: false, firstAdmittedAt);
        var within = valid.Tier == MembershipTier.Application ? [.. provisioned.Where(profile => profile.BeyondCeiling.Length == 0)] : provisioned;
        if (within.IsEmpty)
            return NotAdmitted(
                provisioned, CeilingExceeded, $"an application stays within its ceiling; RBACProfile {provisioned[0].Key}: {provisioned[0].BeyondCeiling}", stalled: true, firstAdmittedAt);
        var awaited = within.SelectMany(profile => profile.Clusters).Distinct().Where(cluster => resolved?.Contains(cluster) != true).Order(StringComparer.Ordinal).ToImmutableArray();
        return Admitted(valid, awaited, firstAdmittedAt ?? now);
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
                Unresolved(reason, message),
                .. Conditions.Standing(ready: false, stalled, reason, message),
            ],
            waitsFor);

    private static MembershipVerdict NotAdmitted(
        ImmutableArray<ProfileFact> own, string reason, string message, bool stalled, DateTimeOffset? firstAdmittedAt)
    {
        return new MembershipVerdict(true, false, firstAdmittedAt, "", reason, message,
            [
                ConditionClaim.Of(ValidatedCondition, true, MembershipValidated, $"Identity and principal match RBACProfile {own[0].Key}."),
                ConditionClaim.Of(AdmittedCondition, false, reason, message),
                Unresolved(reason, message),
                .. Conditions.Standing(ready: false, stalled, reason, message),
            ],
            Names(own));
    }

    /// <param name="awaited">Clusters that have no snapshot yet.</param>
    private static MembershipVerdict Admitted(SeamMembership membership, ImmutableArray<string> awaited, DateTimeOffset admittedAt)
    {
        var message = $"Admitted; its rights are in PermissionSnapshot {membership.SnapshotName}.";
        var (reason, standing) = awaited.IsEmpty ? (MembershipAdmitted, message) : (SnapshotPending, $"waits for the PermissionSnapshot of {string.Join(", ", awaited)}");
        return new MembershipVerdict(true, true, admittedAt, membership.SnapshotName, MembershipAdmitted, message,
            [
                ConditionClaim.Of(ValidatedCondition, true, MembershipAdmitted, message),
                ConditionClaim.Of(AdmittedCondition, true, MembershipAdmitted, message),
                awaited.IsEmpty
                    ? ConditionClaim.Of(ResolvedCondition, true, SnapshotResolved, "Every cluster that the profile targets has its snapshot.")
                    : Unresolved(SnapshotPending, standing),
                .. Conditions.Standing(ready: awaited.IsEmpty, stalled: false, reason, standing),
            ],
            [.. awaited.Select(cluster => $"PermissionSnapshot of {cluster}")]);
    }

    private static ConditionClaim Unresolved(string reason, string message) => ConditionClaim.Of(ResolvedCondition, false, reason, message);

    private static ImmutableArray<string> Names(ImmutableArray<ProfileFact> profiles) => [.. profiles.Select(profile => $"RBACProfile {profile.Key}")];
}
