using System.Collections.Immutable;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using static Governor.Domain.Tests.Permissions.Declarations;

namespace Governor.Domain.Tests.Permissions;

public sealed class EvaluationTests
{
    private static readonly ImmutableDictionary<ObjectKey, Reading<PermissionSet>> Both = Sets("web", "cluster-maximum");

    [Fact]
    public void A_profile_with_all_it_needs_is_provisioned()
    {
        var verdict = ProfileEvaluation.Evaluate(Profile(), Policy(), Both, []);

        Assert.True(verdict.Provisioned);
        Assert.Equal(
            ["Provisioned=True/ProvisioningComplete", "ProfileValidated=True/ProvisioningComplete", "PolicyCompliant=True/ProvisioningComplete",
             "Ready=True/ProvisioningComplete", "Reconciling=False/ProvisioningComplete", "Stalled=False/ProvisioningComplete"],
            Claims(verdict.Claims));
    }

    [Theory]
    [InlineData("cluster-maximum", "PermissionSetMissing", "PermissionSet seam-tenant-ccs-dev/web")]
    [InlineData("web", "PolicyNotFound", "PermissionSet seam-tenant-ccs-dev/cluster-maximum")]
    [InlineData("other", "PolicyNotFound", "PermissionSet seam-tenant-ccs-dev/cluster-maximum,PermissionSet seam-tenant-ccs-dev/web")]
    public void A_missing_set_is_waited_for_by_name(string present, string reason, string waitsFor)
    {
        var verdict = ProfileEvaluation.Evaluate(Profile(), Policy(), Sets(present), []);

        Assert.Equal((false, reason, waitsFor), (verdict.Provisioned, verdict.Reason, string.Join(',', verdict.WaitsFor)));
        Assert.Contains("Reconciling=True/" + reason, Claims(verdict.Claims));
    }

    [Fact]
    public void A_set_of_the_same_name_in_another_namespace_does_not_count()
    {
        var elsewhere = Both.ToImmutableDictionary(entry => entry.Key with { Namespace = "seam-tenant-other" }, entry => entry.Value);

        Assert.Equal("PolicyNotFound", ProfileEvaluation.Evaluate(Profile(), Policy(), elsewhere, []).Reason);
    }

    [Fact]
    public void A_missing_policy_and_a_missing_set_are_both_listed()
    {
        var verdict = ProfileEvaluation.Evaluate(Profile(), null, Sets(), []);

        Assert.Equal("PolicyNotFound", verdict.Reason);
        Assert.Equal(["PolicyFound", "PermissionSetFound"], verdict.Failures.Select(failure => failure.Check));
        Assert.Equal("RBACPolicy seam-tenant-ccs-dev/cluster-policy,PermissionSet seam-tenant-ccs-dev/web", string.Join(',', verdict.WaitsFor));
        Assert.Contains("PolicyCompliant=Unknown/PolicyNotFound", Claims(verdict.Claims));
    }

    [Fact]
    public void An_invalid_profile_is_stalled_with_every_failure()
    {
        var verdict = ProfileEvaluation.Evaluate(Profile(spec => spec.With("principalRef", null).With("targetClusters", null)), Policy(), Both, []);

        Assert.Equal(("ProvisioningFailed", 2), (verdict.Reason, verdict.Failures.Length));
        Assert.Contains("Stalled=True/ProvisioningFailed", Claims(verdict.Claims));
    }

    [Fact]
    public void A_profile_without_policy_never_gets_a_right() =>
        Assert.Equal("PolicyNotFound", ProfileEvaluation.Evaluate(Profile(spec => spec.With("rbacPolicyRef", "\"\"")), null, Both, []).Reason);

    [Theory]
    [InlineData("strict", "targetClusters", "[\"ccs-dev\", \"ccs-prod\"]", "TargetClusterAllowed")]
    [InlineData("audit", "targetClusters", "[\"ccs-dev\", \"ccs-prod\"]", "")]
    [InlineData("strict", "principalRef", "\"alice\"", "SubjectScopeMatches")]
    [InlineData("audit", "principalRef", "\"alice\"", "SubjectScopeMatches")]
    public void Compliance_follows_the_enforcement_mode_except_for_the_kind_of_principal(string mode, string path, string json, string violations)
    {
        var verdict = ProfileEvaluation.Evaluate(
            Profile(spec => spec.With(path, json)), Policy(spec => spec.With("enforcementMode", $"\"{mode}\"")), Both, []);

        Assert.Equal(violations, string.Join(',', verdict.Failures.Select(failure => failure.Check)));
        Assert.Equal(violations.Length == 0 ? "ProvisioningComplete" : "PolicyViolation", verdict.Reason);
        Assert.Equal(path == "targetClusters" && mode == "audit", verdict.Notes.Any(note => note.Message.StartsWith("[audit]", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("permissions.0.verbs", "[\"get\", \"delete\"]", "delete apps/deployments")]
    [InlineData("permissions.0.resources", "[\"deployments\", \"statefulsets\"]", "get,list apps/statefulsets")]
    [InlineData("permissions.0.apiGroups", "[\"*\"]", "get,list */deployments")]
    [InlineData("permissions.0.resourceNames", "[\"web\"]", "")]
    public void A_claim_beyond_the_ceiling_breaks_a_strict_policy(string path, string json, string beyond)
    {
        var sets = Both.SetItem(new ObjectKey(Namespace, "web"), Set("web", spec => spec.With(path, json)));

        var strict = ProfileEvaluation.Evaluate(Profile(), Policy(), sets, []);
        var audit = ProfileEvaluation.Evaluate(Profile(), Policy(spec => spec.With("enforcementMode", "\"audit\"")), sets, []);

        Assert.Equal(beyond.Length == 0, strict.Provisioned);
        Assert.True(audit.Provisioned);
        Assert.Contains(beyond, strict.Summary, StringComparison.Ordinal);
        Assert.Equal(beyond.Length == 0, audit.Notes.IsEmpty);
    }

    [Theory]
    [InlineData(null, null, false, "none")]
    [InlineData(Account, "other", true, "domainIdentityRef 'other'")]
    [InlineData("system:serviceaccount:web:other", "wrapper", true, "none")]
    [InlineData(Account, "wrapper", false, "not Validated")]
    [InlineData(Account, "wrapper", true, null)]
    public void A_member_s_profile_waits_for_its_membership_to_be_validated(string? principal, string? identity, bool validated, string? found)
    {
        MembershipFact[] memberships = principal is null ? [] : [new(new ObjectKey(Namespace, "wrapper"), principal, identity!, validated, false)];

        var verdict = ProfileEvaluation.Evaluate(Profile(spec => spec.With("domainIdentityRef", "\"wrapper\"")), Policy(), Both, memberships);

        Assert.Equal(found is null, verdict.Provisioned);
        Assert.Equal(found is null ? "ProvisioningComplete" : "MembershipNotValidated", verdict.Reason);
        Assert.Contains(found ?? "Provisioned.", verdict.Summary, StringComparison.Ordinal);
    }

    [Fact]
    public void A_membership_in_another_namespace_does_not_count()
    {
        MembershipFact elsewhere = new(new ObjectKey("seam-system", "wrapper"), Account, "wrapper", true, true);

        Assert.False(ProfileEvaluation.Evaluate(Profile(spec => spec.With("domainIdentityRef", "\"wrapper\"")), Policy(), Both, [elsewhere]).Provisioned);
    }

    [Theory]
    [InlineData(false, "", false, false)]
    [InlineData(true, "", false, true)]
    [InlineData(true, "wrapper", false, false)]
    [InlineData(true, "wrapper", true, true)]
    public void Rights_are_in_force_after_admission(bool provisioned, string identity, bool admitted, bool inForce)
    {
        var profile = Profile(spec => spec.With("domainIdentityRef", $"\"{identity}\"")).Value!;
        MembershipFact membership = new(new ObjectKey(Namespace, "wrapper"), Account, "wrapper", true, admitted);

        Assert.Equal(inForce, GrantAssembly.IsInForce(profile, provisioned, [membership]));
    }

    [Fact]
    public void What_is_missing_for_one_profile_leaves_the_others_their_grants()
    {
        var sound = Profile().Value!;
        var broken = sound with { Key = sound.Key with { Name = "broken" }, RbacPolicyRef = "gone" };
        var policies = new Dictionary<ObjectKey, Reading<RbacPolicy>> { [sound.Policy] = Policy() };

        var (grants, failures) = GrantAssembly.Assemble(new ClusterName("ccs-dev"), [broken, sound], policies, Both);

        Assert.Equal(sound.Key, Assert.Single(grants).Profile);
        Assert.Equal((broken.Key, "PolicyNotFound"), (Assert.Single(failures).Profile, failures[0].Reason));
    }

    [Theory]
    [InlineData("ccs-dev", true)]
    [InlineData("ccs-prod", false)]
    [InlineData("ccs-test", false)]
    public void A_declaration_holds_on_its_clusters_as_far_as_the_profile_targets_them(string cluster, bool holds)
    {
        var profile = Profile(spec => spec.With("targetClusters", "[\"ccs-dev\", \"ccs-test\"]").With("permissionDeclarations.0.clusters", "[\"ccs-dev\", \"ccs-prod\"]"));
        var policies = new Dictionary<ObjectKey, Reading<RbacPolicy>> { [profile.Value!.Policy] = Policy() };

        var outcome = GrantAssembly.Assemble(new ClusterName(cluster), profile.Value!, policies, Both);

        Assert.Equal((holds, true), (outcome.Grant is not null, outcome.Failure is null));
    }

    [Theory]
    [InlineData(true, true, "RBACPolicyValid=True/ValidationPassed,RBACPolicyDegraded=False/ValidationPassed,Ready=True/ValidationPassed")]
    [InlineData(true, false, "RBACPolicyValid=False/PermissionSetNotFound,RBACPolicyDegraded=True/PermissionSetNotFound,Ready=False/PermissionSetNotFound")]
    [InlineData(false, true, "RBACPolicyValid=False/ValidationFailed,RBACPolicyDegraded=True/ValidationFailed,Ready=False/ValidationFailed")]
    public void A_policy_needs_a_sound_structure_and_its_ceiling(bool sound, bool ceiling, string claims)
    {
        var verdict = PolicyEvaluation.Evaluate(sound ? Policy() : Policy(spec => spec.With("subjectScope", null)), ceiling ? Set("cluster-maximum") : null);

        Assert.Equal(claims, string.Join(',', Claims(verdict.Claims).Take(3)));
    }

    private static string[] Claims(ImmutableArray<ConditionClaim> claims) => [.. claims.Select(claim => $"{claim.Type}={claim.Status}/{claim.Reason}")];
}
