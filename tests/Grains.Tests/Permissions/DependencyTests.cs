using System.Text.Json;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using Governor.Grains.Tests.Support;

namespace Governor.Grains.Tests.Permissions;

/// <summary>
/// What Guardian's declarations depend on appears, changes, disappears and comes back, on a real management cluster: each time
/// everything that depends on it is decided again, without anybody asking.
/// </summary>
[Collection(nameof(Ground))]
public sealed class DependencyTests(Ground ground) : IAsyncLifetime
{
    private const string Ns = "seam-tenant-dev";
    private const string Account = "system:serviceaccount:web:web";

    private static readonly ObjectKey Snapshot = new("seam-system", "snapshot-dev");
    private static readonly ObjectKey Provider = new(Ns, "anchor");
    private static readonly ObjectKey Binding = new(Ns, "ann");

    private Bed _bed = null!;

    public async Task InitializeAsync()
    {
        _bed = await Bed.StartAsync(ground);
        await _bed.NamespaceAsync(Ns);
        await _bed.WatchAsync(
            KnownKinds.RBACProfile, KnownKinds.RBACPolicy, KnownKinds.PermissionSet, KnownKinds.SeamMembership, KnownKinds.IdentityProvider, KnownKinds.IdentityBinding);
    }

    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Fact]
    public async Task The_platform_s_ceiling_cuts_what_every_cluster_has_and_cannot_be_lost_by_deleting_it()
    {
        await _bed.DeclareAsync(Declared.Text("dev"));
        await HoldsAsync("PlatformCeilingNotDeclared", "get", "list");

        // It appears.
        await _bed.DeclareAsync(PlatformSet("get", "delete"));
        await _bed.DeclareAsync(PlatformPolicy("management-maximum"));
        await HoldsAsync("PlatformCeilingApplied", "get");
        await _bed.SeenAsync(
            KnownKinds.RBACPolicy, new(Ns, "cluster-policy"),
            policy => Conditions.Of(policy).Find("WithinPlatformCeiling") is { Status: ConditionStatus.False, Reason: "ExceedsPlatformCeiling" }, "told that it promises more than anybody gets");

        // It changes.
        await _bed.DeclareAsync(PlatformSet("get", "list", "watch"));
        await HoldsAsync("PlatformCeilingApplied", "get", "list");
        await _bed.SeenAsync(KnownKinds.RBACPolicy, new(Ns, "cluster-policy"), policy => Conditions.Of(policy).IsTrue("WithinPlatformCeiling"), "within");

        // Its set disappears, and comes back; its policy names another that is not there; it is not valid; it disappears.
        await _bed.DeleteAsync(KnownKinds.PermissionSet, new("seam-system", "management-maximum"));
        await HoldsAsync("PlatformCeilingMissing");
        await _bed.DeclareAsync(PlatformSet("list"));
        await HoldsAsync("PlatformCeilingApplied", "list");
        await _bed.DeclareAsync(PlatformPolicy("other-maximum"));
        await HoldsAsync("PlatformCeilingMissing");
        await _bed.DeclareAsync(PlatformPolicy("management-maximum"));
        await HoldsAsync("PlatformCeilingApplied", "list");
        await _bed.DeleteAsync(KnownKinds.RBACPolicy, PlatformCeiling.Policy);
        await HoldsAsync("PlatformCeilingMissing");

        // Nor by a restart without it.
        await _bed.StopSiloAsync();
        await _bed.StartSiloAsync();
        await _bed.ResumeAsync();
        await _bed.WatchAsync(KnownKinds.RBACProfile, KnownKinds.RBACPolicy, KnownKinds.PermissionSet, KnownKinds.SeamMembership);
        await _bed.DeclareAsync(Declared.Text("dev").Replace("[configmaps, services]", "[configmaps]", StringComparison.Ordinal));
        await _bed.Commits.QuietAsync();
        await HoldsAsync("PlatformCeilingMissing");
        await _bed.DeclareAsync(PlatformPolicy("management-maximum"));
        await HoldsAsync("PlatformCeilingApplied", "list");
    }

    [Fact]
    public async Task A_binding_follows_its_provider_as_it_appears_changes_disappears_and_comes_back()
    {
        await _bed.DeclareAsync("""
            apiVersion: security.ontai.dev/v1alpha1
            kind: IdentityBinding
            metadata: { name: ann, namespace: seam-tenant-dev }
            spec:
              identityType: certificate
              principalName: ann
              trustMethod: mtls
              certificateConfig: { commonName: ann }
              identityProviderRef: anchor
            """);
        await BoundAsync(false, TrustAnchor.NotFound);

        await _bed.DeclareAsync(Anchor("token", "tokenSigningKey: a key"));
        await BoundAsync(false, TrustAnchor.TypeMismatch);
        await _bed.DeclareAsync(Anchor("pki", """caBundle: " " """));
        await BoundAsync(false, TrustAnchor.Invalid);
        await _bed.SeenAsync(KnownKinds.IdentityProvider, Provider, p => Conditions.Of(p).Find(IdentityProviderRules.ValidCondition) is { Status: ConditionStatus.False, Reason: "Invalid" }, "not valid");
        await _bed.DeclareAsync(Anchor("pki", "caBundle: a certificate"));
        await BoundAsync(true, TrustAnchor.Found);

        await _bed.DeleteAsync(KnownKinds.IdentityProvider, Provider);
        await BoundAsync(false, TrustAnchor.NotFound);
        await _bed.DeclareAsync(Anchor("pki", "caBundle: a certificate"));
        await BoundAsync(true, TrustAnchor.Found);

        // What it does not refer to any more does not concern it: nor when that goes.
        await _bed.Client.MergePatchAsync(
            KnownKinds.IdentityBinding, Binding, new() { ["spec"] = new System.Text.Json.Nodes.JsonObject { ["identityProviderRef"] = null } }, "human", CancellationToken.None);
        await _bed.SeenAsync(KnownKinds.IdentityBinding, Binding, b => Conditions.Of(b).Find(IdentityBindingRules.ResolvedCondition) is null && Conditions.Of(b).IsTrue(IdentityBindingRules.ValidCondition), "needs nobody");
        await _bed.DeleteAsync(KnownKinds.IdentityProvider, Provider);
        await _bed.Commits.UntilAsync<IdentityProviderState>(Subjects.IdentityProvider, Provider.ToString(), p => p.Provider is null && p.Interested.IsEmpty, "gone, with nobody to tell");
        Assert.True(Conditions.Of((await _bed.Client.GetAsync(KnownKinds.IdentityBinding, Binding, CancellationToken.None))!).IsTrue(IdentityBindingRules.ValidCondition));
    }

    [Fact]
    public async Task A_provider_that_was_away_while_no_silo_ran_is_missed_by_the_next_one()
    {
        await _bed.DeclareAsync(Anchor("pki", "caBundle: a certificate"));
        await _bed.DeclareAsync("""
            apiVersion: security.ontai.dev/v1alpha1
            kind: IdentityBinding
            metadata: { name: ann, namespace: seam-tenant-dev }
            spec: { identityType: certificate, principalName: ann, trustMethod: mtls, certificateConfig: { commonName: ann }, identityProviderRef: anchor }
            """);
        await BoundAsync(true, TrustAnchor.Found);

        await _bed.StopSiloAsync();
        await _bed.DeleteAsync(KnownKinds.IdentityProvider, Provider);
        await _bed.StartSiloAsync();
        await _bed.ResumeAsync();
        await _bed.WatchAsync(KnownKinds.IdentityProvider, KnownKinds.IdentityBinding);

        await BoundAsync(false, TrustAnchor.NotFound);
        Assert.Single(_bed.Commits.Events(), e => e.Action == "identityprovider.deleted");
    }

    private Task<KubeObject> HoldsAsync(string ceiling, params string[] verbs) => _bed.SeenAsync(
        KnownKinds.PermissionSnapshot, Snapshot,
        s => Conditions.Of(s).Find("PlatformCeilingResolved")?.Reason == ceiling && VerbsOf(s).SequenceEqual(verbs), $"{ceiling}: {string.Join(',', verbs)} of {Account}");

    private static IEnumerable<string?> VerbsOf(KubeObject snapshot) => snapshot.Find("spec", "principalPermissions") is { ValueKind: JsonValueKind.Array } held
        ? held.EnumerateArray().SelectMany(one => one.GetProperty("allowedOperations").EnumerateArray()).SelectMany(rule => rule.GetProperty("verbs").EnumerateArray()).Select(verb => verb.GetString())
        : [];

    private Task<KubeObject> BoundAsync(bool valid, string reason) => _bed.SeenAsync(
        KnownKinds.IdentityBinding, Binding,
        b => Conditions.Of(b).Find(IdentityBindingRules.ResolvedCondition)?.Reason == reason && Conditions.Of(b).IsTrue(IdentityBindingRules.ValidCondition) == valid, reason);

    private static string Anchor(string type, string field) => $$"""
        apiVersion: security.ontai.dev/v1alpha1
        kind: IdentityProvider
        metadata: { name: anchor, namespace: {{Ns}} }
        spec:
          type: {{type}}
          {{field}}
        """;

    private static string PlatformPolicy(string maximum) => $$"""
        apiVersion: security.ontai.dev/v1alpha1
        kind: RBACPolicy
        metadata: { name: management-policy, namespace: seam-system }
        spec: { subjectScope: platform, maximumPermissionSetRef: {{maximum}}, enforcementMode: strict }
        """;

    private static string PlatformSet(params string[] verbs) => $$"""
        apiVersion: security.ontai.dev/v1alpha1
        kind: PermissionSet
        metadata: { name: management-maximum, namespace: seam-system }
        spec:
          permissions:
          - { apiGroups: ["*"], resources: ["*"], verbs: [{{string.Join(", ", verbs)}}] }
        """;
}
