using System.Text.Json;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using static Governor.Domain.Tests.Permissions.Declarations;

namespace Governor.Domain.Tests.Permissions;

public sealed class ReadingTests
{
    [Theory]
    [InlineData("subjectScope", "\"both\"", "SubjectScopeValid")]
    [InlineData("subjectScope", null, "SubjectScopeValid")]
    [InlineData("enforcementMode", "\"\"", "EnforcementModeValid")]
    [InlineData("allowedClusters", "[\"a b\"]", "AllowedClustersFormat")]
    [InlineData("allowedClusters", "[\"\"]", "AllowedClustersFormat")]
    [InlineData("allowedClusters", "[]", "")]
    [InlineData("allowedClusters", null, "")]
    [InlineData("allowedClusters", "\"ccs-dev\"", "TypeValid")]
    [InlineData("maximumPermissionSetRef", "\" \"", "MaxPermissionSetRefNotEmpty")]
    [InlineData("maximumPermissionSetRef", "7", "TypeValid,MaxPermissionSetRefNotEmpty")]
    [InlineData("lineage", "{}", "")]
    public void A_policy_is_read_or_refused(string path, string? json, string checks) =>
        Assert.Equal(checks, Checks(Policy(spec => spec.With(path, json))));

    [Theory]
    [InlineData("principalRef", "\"\"", "PrincipalRefNotEmpty")]
    [InlineData("principalRef", "\"system:group:\"", "PrincipalGroupValid")]
    [InlineData("principalRef", "\"system:group:system:authenticated\"", "PrincipalGroupValid")]
    [InlineData("principalRef", "\"system:group:developers\"", "")]
    [InlineData("targetClusters", "[]", "TargetClustersNotEmpty")]
    [InlineData("permissionDeclarations", "[]", "PermissionDeclarationsNotEmpty")]
    [InlineData("permissionDeclarations.0.permissionSetRef", "\"\"", "PermissionSetRefNotEmpty")]
    [InlineData("permissionDeclarations.0.scope", "\"global\"", "ScopeValid")]
    [InlineData("permissionDeclarations.0.scope", "\"namespaced\"", "")]
    [InlineData("permissionDeclarations.0.namespaces", "[\"*\"]", "NamespacesValid")]
    [InlineData("rbacPolicyRef", "\"\"", "")]
    [InlineData("domainIdentityRef", "\"wrapper\"", "")]
    public void A_profile_is_read_or_refused(string path, string? json, string checks) =>
        Assert.Equal(checks, Checks(Profile(spec => spec.With(path, json))));

    [Theory]
    [InlineData("permissions", "[]", "PermissionsNotEmpty")]
    [InlineData("permissions.0.resources", "[]", "ResourcesNotEmpty")]
    [InlineData("permissions.0.resources", "[\"\"]", "ResourcesNotEmpty")]
    [InlineData("permissions.0.verbs", "[]", "VerbsNotEmpty")]
    [InlineData("permissions.0.verbs", "[\"*\"]", "VerbValid")]
    [InlineData("permissions.0.verbs", "[\"get\", \"fly\"]", "VerbValid")]
    [InlineData("permissions.0.apiGroups", null, "")]
    [InlineData("permissions.0.resourceNames", "[\"a\"]", "")]
    [InlineData("permissions.0.resourceNames", "[\"\"]", "ResourceNamesNotEmpty")]
    public void A_set_is_read_or_refused(string path, string? json, string checks) =>
        Assert.Equal(checks, Checks(Set("web", spec => spec.With(path, json))));

    [Fact]
    public void A_named_identity_must_say_in_which_namespaces() => Assert.Equal("NamespacesKnown",
        Checks(Profile(spec => spec.With("principalRef", "\"alice\"").With("permissionDeclarations.0.scope", "\"namespaced\""))));

    [Fact]
    public void Every_failure_is_listed_with_its_place_and_what_was_found()
    {
        var reading = Policy(spec => spec.With("subjectScope", "\"both\"").With("enforcementMode", "\"soft\"").With("allowedClusters", "[\"a b\", \"\"]").With("maximumPermissionSetRef", null));

        Assert.False(reading.IsValid);
        Assert.Equal(
            ["spec.subjectScope", "spec.enforcementMode", "spec.allowedClusters[0]", "spec.allowedClusters[1]", "spec.maximumPermissionSetRef"],
            reading.Failures.Select(failure => failure.Path));
        Assert.Equal("expected 'platform' or 'tenant', found 'both'", reading.Failures[0].Message);
    }

    [Fact]
    public void An_object_without_spec_is_refused_not_crashed_on() =>
        Assert.False(RbacProfile.Read(KubeObject.Parse("""{"apiVersion":"v1","kind":"X","spec":[]}"""u8)).IsValid);

    [Theory]
    [InlineData("system:serviceaccount:web:runner", PrincipalKind.ServiceAccount, "web", "runner")]
    [InlineData("system:serviceaccount:web:a:b", PrincipalKind.ServiceAccount, "web", "a:b")]
    [InlineData("system:serviceaccount:web:", PrincipalKind.User, "", "system:serviceaccount:web:")]
    [InlineData("system:serviceaccount::runner", PrincipalKind.User, "", "system:serviceaccount::runner")]
    [InlineData("alice@example.org", PrincipalKind.User, "", "alice@example.org")]
    [InlineData("system:group:developers", PrincipalKind.Group, "", "developers")]
    [InlineData("system:group:oidc:a:b", PrincipalKind.Group, "", "oidc:a:b")]
    [InlineData("system:group:", PrincipalKind.User, "", "system:group:")]
    public void A_principal_is_taken_apart(string reference, PrincipalKind kind, string @namespace, string name) =>
        Assert.Equal(new Principal(kind, @namespace, name), Principal.Parse(reference));

    [Fact]
    public void Readings_survive_JSON()
    {
        AssertRoundTrip(Policy());
        AssertRoundTrip(Policy(spec => spec.With("subjectScope", null)));
        AssertRoundTrip(Profile(spec => spec.With("domainIdentityRef", "\"wrapper\"")));
        AssertRoundTrip(Set("web"));
    }

    private static void AssertRoundTrip<T>(Reading<T> reading) where T : class
    {
        var text = JsonSerializer.Serialize(reading);
        Assert.Equal(text, JsonSerializer.Serialize(JsonSerializer.Deserialize<Reading<T>>(text)));
    }

    private static string Checks<T>(Reading<T> reading) where T : class => string.Join(',', reading.Failures.Select(failure => failure.Check));
}
