using System.Text.Json.Nodes;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using Governor.Grains.Interfaces.Ports;
using Governor.Grains.Tests.Support;
using Governor.Manifests;

namespace Governor.Grains.Tests.Permissions;

/// <summary>What permissions become on real clusters, asked of the clusters' own authorisers.</summary>
[Collection(nameof(Ground))]
public sealed class MaterialisationTests(Ground ground) : IAsyncLifetime
{
    private const string Blue = "ccs-blue", Green = "ccs-green";
    private const string Account = "system:serviceaccount:web:web";

    private static readonly string Name = Materialisation.NameOf(Account);
    private static readonly ObjectKey Key = new("web", Name);

    private Bed _bed = null!;

    public async Task InitializeAsync()
    {
        _bed = await Bed.StartAsync(ground, Blue, Green);
        await _bed.WatchAsync(
            KnownKinds.TalosCluster, KnownKinds.RunnerConfig, KnownKinds.RBACProfile, KnownKinds.RBACPolicy, KnownKinds.PermissionSet, KnownKinds.SeamMembership,
            KnownKinds.PermissionSnapshot);
    }

    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Fact]
    public async Task Rights_become_a_role_shrink_with_the_ceiling_and_go_with_the_profile()
    {
        await DeclareAsync(Blue);
        await NamespaceAsync(Blue, "web");
        await DoneAsync(Blue, standing: 3);
        Assert.True(await MayAsync(Blue, "list", "configmaps"));
        Assert.False(await MayAsync(Blue, "watch", "configmaps")); // in the ceiling, not declared
        Assert.False(await MayAsync(Blue, "list", "configmaps", "other"));
        Assert.NotNull(await _bed.TenantClient(Blue).GetAsync(KnownKinds.ServiceAccount, new("web", "web"), CancellationToken.None));
        await _bed.SeenAsync(
            KnownKinds.PermissionSnapshot, new("seam-system", $"snapshot-{Blue}"),
            s => Conditions.Of(s).IsTrue(MaterialisationRules.Condition), "materialised");

        var shrunk = Event("rbac.materialised", "get core/configmaps in web");
        await _bed.DeclareAsync(Ceiling(Blue, "get"));
        await shrunk;
        Assert.True(await MayAsync(Blue, "get", "configmaps"));
        Assert.False(await MayAsync(Blue, "list", "configmaps"));

        var withdrawn = Until(Blue, state => state.Inventory.IsEmpty, "withdrawn");
        await _bed.DeleteAsync(KnownKinds.RBACProfile, new($"seam-tenant-{Blue}", "web"));
        await withdrawn;
        Assert.False(await MayAsync(Blue, "get", "configmaps"));
        foreach (var kind in (GroupVersionKind[])[KnownKinds.Role, KnownKinds.RoleBinding])
            Assert.Null(await _bed.TenantClient(Blue).GetAsync(kind, Key, CancellationToken.None));
        Assert.Equal(3, _bed.Commits.Events().Count(e => e.Action == "rbac.withdrawn"));
    }

    [Fact]
    public async Task Equally_named_ceilings_of_two_tenants_never_mix()
    {
        foreach (var (tenant, verb) in ((string, string)[])[(Blue, "get"), (Green, "list")])
        {
            await DeclareAsync(tenant);
            await _bed.DeclareAsync(Ceiling(tenant, verb));
            await NamespaceAsync(tenant, "web");
        }
        foreach (var (tenant, verb) in ((string, string)[])[(Blue, "get"), (Green, "list")])
            await Until(tenant, state => IsDone(state, 3) && state.Rights!.Permissions.Principals[0].Rules.Single().Verbs.SequenceEqual([verb]), "its own ceiling");

        Assert.Equal(
            (true, false, false, true),
            (await MayAsync(Blue, "get", "configmaps"), await MayAsync(Blue, "list", "configmaps"), await MayAsync(Green, "get", "configmaps"), await MayAsync(Green, "list", "configmaps")));
    }

    [Fact]
    public async Task A_group_is_bound_as_a_group_and_not_as_the_user_of_the_same_name()
    {
        await NamespaceAsync(Blue, "web");
        await DeclareAsync(Blue, text => text
            .Replace("principalRef: system:serviceaccount:web:web\n  targetClusters", "principalRef: system:group:team\n  targetClusters", StringComparison.Ordinal)
            .Replace("subjectScope: platform", "subjectScope: tenant", StringComparison.Ordinal)
            .Replace("    scope: namespaced", "    scope: namespaced\n    namespaces: [web]", StringComparison.Ordinal));
        await DoneAsync(Blue, standing: 2);

        Assert.Equal((true, false, false), (await MayAsync(Blue, "get", "configmaps", user: "ann", "team"), await MayAsync(Blue, "get", "configmaps", user: "team"), await MayAsync(Blue, "get", "configmaps", user: "ann", "others")));

        await _bed.DeleteAsync(KnownKinds.RBACProfile, new($"seam-tenant-{Blue}", "web"));
        await Until(Blue, state => state.Inventory.IsEmpty, "withdrawn");
        Assert.False(await MayAsync(Blue, "get", "configmaps", user: "ann", "team"));
    }

    [Fact]
    public async Task A_role_of_somebody_else_stays_and_nothing_is_bound_to_it()
    {
        await NamespaceAsync(Blue, "web");
        var foreign = ManifestReader.Read($$"""
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: { name: "{{Name}}", namespace: web, annotations: { ontai.dev/rbac-owner: guardian } }
            rules:
            - { apiGroups: [""], resources: [secrets], verbs: ["*"] }
            """, "test").Single();
        var before = await _bed.TenantClient(Blue).ApplyAsync(foreign, "human", default, CancellationToken.None);

        await DeclareAsync(Blue);
        await Until(Blue, state => state.Inventory.Values.Any(record => record.Trouble?.Reason == MaterialisationRules.Conflict), "conflict");
        await Until(Blue, state => state.Inventory.Values.Any(record => record.Trouble?.Reason == "RoleMissing"), "nothing is bound");

        Assert.Equal(before.ResourceVersion, (await _bed.TenantClient(Blue).GetAsync(KnownKinds.Role, Key, CancellationToken.None))!.ResourceVersion);
        Assert.False(await MayAsync(Blue, "get", "secrets"));
        Assert.Contains(_bed.Commits.Events(), e => e.Action == "rbac.conflict");
        await _bed.SeenAsync(
            KnownKinds.PermissionSnapshot, new("seam-system", $"snapshot-{Blue}"),
            s => Conditions.Of(s).Find(MaterialisationRules.Condition) is { Status: ConditionStatus.False, Reason: MaterialisationRules.Conflict }, "said so");

        // When it goes, ours takes its place: the stream says so.
        await _bed.TenantClient(Blue).DeleteAsync(KnownKinds.Role, Key, null, CancellationToken.None);
        await DoneAsync(Blue, standing: 3);
        Assert.True(await MayAsync(Blue, "get", "configmaps"));
    }

    [Fact]
    public async Task Rights_in_a_namespace_wait_for_it_and_what_is_changed_there_is_put_back()
    {
        await DeclareAsync(Blue);
        await Until(Blue, state => state.Inventory.Values.Any(record => record.Trouble?.Reason == MaterialisationRules.NamespaceMissing), "waits");
        await NamespaceAsync(Blue, "web");
        await DoneAsync(Blue, standing: 3);

        // More rights, and without the marks: still the object that was made here.
        var role = (await _bed.TenantClient(Blue).GetAsync(KnownKinds.Role, Key, CancellationToken.None))!;
        var repaired = Event("rbac.repaired", null);
        await _bed.TenantClient(Blue).MergePatchAsync(KnownKinds.Role, Key, new JsonObject
        {
            ["metadata"] = new JsonObject { ["annotations"] = null, ["labels"] = null },
            ["rules"] = new JsonArray(new JsonObject { ["apiGroups"] = new JsonArray("*"), ["resources"] = new JsonArray("*"), ["verbs"] = new JsonArray("*") }),
        }, "mallory", CancellationToken.None);
        await repaired;
        var mended = (await _bed.TenantClient(Blue).GetAsync(KnownKinds.Role, Key, CancellationToken.None))!;
        Assert.Equal(role.Uid, mended.Uid);
        Assert.Equal("guardian", mended.Annotations[RbacObject.OwnerAnnotation]);
        Assert.False(await MayAsync(Blue, "delete", "secrets"));
    }

    [Theory]
    [InlineData("roles")]
    [InlineData("rolebindings")]
    public async Task What_a_dead_silo_wrote_or_was_about_to_write_is_known_to_the_next_one(string resource)
    {
        await NamespaceAsync(Blue, "web");
        var refused = _bed.Tenants[Blue].Faults.Arm(
            r => r.Verb == "create" && r.Resource == resource, new Governor.Sandbox.Faults.FaultEffect.Fail(500, "InternalError", "not now"), count: int.MaxValue);
        await DeclareAsync(Blue);
        await refused.FirstHit;
        Assert.Contains(_bed.Commits.Of(Subjects.Rbac, Blue)[^1].As<MaterialisationState>().Inventory.Values, record => record.Kind == KnownKinds.RoleBinding);

        await _bed.StopSiloAsync();
        _bed.Tenants[Blue].Faults.Clear();
        await _bed.DeleteAsync(KnownKinds.RBACProfile, new($"seam-tenant-{Blue}", "web"));
        await _bed.StartSiloAsync();
        await _bed.ResumeAsync();
        await _bed.WatchAsync(KnownKinds.TalosCluster, KnownKinds.RBACProfile, KnownKinds.RBACPolicy, KnownKinds.PermissionSet, KnownKinds.SeamMembership);

        await Until(Blue, state => state.Rights is not null && state.Inventory.IsEmpty, "nothing is left");
        foreach (var kind in (GroupVersionKind[])[KnownKinds.Role, KnownKinds.RoleBinding, KnownKinds.ServiceAccount])
            Assert.Empty(await _bed.TenantClient(Blue).ListAsync(kind, null, RbacObject.Selector, CancellationToken.None));
    }

    [Fact]
    public async Task An_account_that_others_use_is_marked_and_given_back()
    {
        await NamespaceAsync(Blue, "web");
        var theirs = ManifestReader.Read("""
            apiVersion: v1
            kind: ServiceAccount
            metadata: { name: web, namespace: web, labels: { app: web } }
            """, "test").Single();
        await _bed.TenantClient(Blue).ApplyAsync(theirs, "human", default, CancellationToken.None);
        await DeclareAsync(Blue);
        await DoneAsync(Blue, standing: 3);
        Assert.Equal("guardian", (await AccountAsync())!.Annotations[RbacObject.OwnerAnnotation]);

        await _bed.DeleteAsync(KnownKinds.RBACProfile, new($"seam-tenant-{Blue}", "web"));
        await Until(Blue, state => state.Inventory.IsEmpty, "given back");

        var kept = (await AccountAsync())!;
        Assert.Equal("web", kept.Labels["app"]);
        Assert.False(kept.Annotations.ContainsKey(RbacObject.OwnerAnnotation));

        Task<KubeObject?> AccountAsync() => _bed.TenantClient(Blue).GetAsync(KnownKinds.ServiceAccount, new("web", "web"), CancellationToken.None);
    }

    private async Task DeclareAsync(string tenant, Func<string, string>? changed = null)
    {
        await _bed.ConnectTenantAsync(tenant);
        // No member's profile, and in audit mode: what goes further than the ceiling is cut, not refused.
        var text = Declared.Text(tenant).Replace("strict", "audit", StringComparison.Ordinal).Replace("  domainIdentityRef: web\n  targetClusters", "  targetClusters", StringComparison.Ordinal);
        await _bed.DeclareAsync(changed?.Invoke(text) ?? text);
        await _bed.DeclareAsync($$"""
            apiVersion: platform.ontai.dev/v1alpha1
            kind: TalosCluster
            metadata: { name: {{tenant}}, namespace: seam-system }
            spec: { mode: import, role: tenant, talosVersion: v1.9.5, kubernetesVersion: 1.32.3 }
            """);
    }

    private static string Ceiling(string tenant, params string[] verbs) => $$"""
        apiVersion: security.ontai.dev/v1alpha1
        kind: PermissionSet
        metadata: { name: cluster-maximum, namespace: seam-tenant-{{tenant}} }
        spec:
          permissions:
          - apiGroups: [""]
            resources: [configmaps, services]
            verbs: [{{string.Join(", ", verbs)}}]
        """;

    private Task<KubeObject> NamespaceAsync(string tenant, string name) => _bed.TenantClient(tenant).ApplyAsync(
        ManifestReader.Read($"apiVersion: v1\nkind: Namespace\nmetadata: {{ name: {name} }}", "test").Single(), "human", default, CancellationToken.None);

    private Task<Committed> Until(string tenant, Func<MaterialisationState, bool> holds, string what) => _bed.Commits.UntilAsync(Subjects.Rbac, tenant, holds, what);

    private Task<Committed> DoneAsync(string tenant, int standing) => Until(tenant, state => IsDone(state, standing), $"{standing} objects stand");

    private Task<Committed> Event(string action, string? next) => Until(
        Blue, _ => _bed.Commits.Events().Any(e => e.Action == action && (next is null || e.NewValue == next)), action);

    private static bool IsDone(MaterialisationState state, int standing) =>
        state.Inventory.Count == standing && state.Inventory.Values.All(record => record.Trouble is null) && MaterialisationRules.Fact(state).IsDone;

    private Task<bool> MayAsync(string tenant, string verb, string resource, string place = "web") => AskAsync(tenant, verb, resource, place, Account, []);

    private Task<bool> MayAsync(string tenant, string verb, string resource, string user, params string[] groups) => AskAsync(tenant, verb, resource, "web", user, groups);

    private async Task<bool> AskAsync(string tenant, string verb, string resource, string place, string user, string[] groups) =>
        (await _bed.TenantClient(tenant).CreateAsync(KubeObject.From(new JsonObject
        {
            ["apiVersion"] = "authorization.k8s.io/v1",
            ["kind"] = "SubjectAccessReview",
            ["metadata"] = new JsonObject(),
            ["spec"] = new JsonObject
            {
                ["user"] = user,
                ["groups"] = new JsonArray([.. groups.Select(name => (JsonNode)name)]),
                ["resourceAttributes"] = new JsonObject { ["verb"] = verb, ["resource"] = resource, ["namespace"] = place },
            },
        }), CancellationToken.None)).Find("status", "allowed").GetBoolean();
}
