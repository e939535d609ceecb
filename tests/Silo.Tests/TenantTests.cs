using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Domain.Kinds.Schemas;
using Governor.Domain.Permissions;
using Governor.Domain.Signing;
using Governor.Grains.Interfaces.Ports;
using Governor.Manifests;
using Governor.Sandbox;

namespace Governor.Silo.Tests;

/// <summary>
/// Two tenants of one silo, each with a cluster of its own, whose declarations have the same names: what one may do is asked of its own
/// API server, of its signed snapshot, and of the PermissionService.
/// </summary>
[Collection(nameof(SiloGround))]
public sealed class TenantTests(SiloGround ground) : IAsyncLifetime
{
    private const string Blue = "ccs-blue", Green = "ccs-green";
    private const string Account = "system:serviceaccount:web:web";

    private readonly Dictionary<string, (SandboxCluster Sandbox, ICluster Human)> _tenants = [];
    private SiloBed _bed = null!;

    public async Task InitializeAsync()
    {
        _bed = await SiloBed.StartAsync(ground);
        foreach (var tenant in (string[])[Blue, Green])
            await OnboardAsync(tenant);
        await _bed.Human.ApplyAsync(Secret(SigningKeyRules.Secret, "private.pem", SigningKey.Generate().ToPem()), "human", default, CancellationToken.None);
        await _bed.ReadyAsync();
    }

    public async Task DisposeAsync()
    {
        await _bed.DisposeAsync();
        foreach (var (sandbox, _) in _tenants.Values)
            await sandbox.DisposeAsync();
    }

    [Fact]
    public async Task Equally_named_ceilings_never_mix_and_what_happens_to_one_tenant_does_not_happen_to_the_other()
    {
        await DeclareAsync(Blue, "get");
        await DeclareAsync(Green, "list");

        await HasAsync(Blue, "get");
        await HasAsync(Green, "list");
        foreach (var (tenant, verb) in ((string, string)[])[(Blue, "get"), (Green, "list")])
        {
            var profile = (await _bed.Human.GetAsync(KnownKinds.RBACProfile, new(Namespace(tenant), "web"), CancellationToken.None))!;
            Assert.Equal("True", ConditionOf(profile, "PolicyCompliant")); // an auditing policy notes; the ceiling cuts
            Assert.Equal($"{verb} core/configmaps in web", Single(await AskAsync("list", new { principal = Account, cluster = tenant })));
        }

        // One tenant's ceiling goes up: the other's stays where it is.
        await ApplyAsync(Set(Blue, "cluster-maximum", "get", "list", "watch"));
        await HasAsync(Blue, "get", "list");
        await HasAsync(Green, "list");

        // One tenant's ceiling goes: the other's of the same name is no substitute.
        await _bed.Human.DeleteAsync(KnownKinds.PermissionSet, new(Namespace(Green), "cluster-maximum"), null, CancellationToken.None);
        await HasAsync(Green);
        await HasAsync(Blue, "get", "list");
    }

    [Fact]
    public async Task A_deleted_profile_s_rights_are_gone_from_RBAC_snapshot_and_PermissionService()
    {
        await DeclareAsync(Blue, "get", "list");
        await DeclareAsync(Green, "get", "list");
        await HasAsync(Blue, "get", "list");
        await HasAsync(Green, "get", "list");

        await _bed.Human.DeleteAsync(KnownKinds.RBACProfile, new(Namespace(Blue), "web"), null, CancellationToken.None);

        await HasAsync(Blue);
        Assert.Empty((await AskAsync("who-can", new { cluster = Blue, resource = "configmaps", verb = "get", @namespace = "web" }))["principals"]!.AsArray());
        var why = await AskAsync("explain", new { principal = Account, cluster = Blue, resource = "configmaps", verb = "get", @namespace = "web" });
        Assert.Contains("it was deleted", why["withheld"]!.ToJsonString(), StringComparison.Ordinal);
        var copy = (await _tenants[Blue].Human.GetAsync(KnownKinds.PermissionSnapshot, new("ont-system", $"snapshot-{Blue}"), CancellationToken.None))!;
        Assert.Equal(0, copy.Find("spec", "principalPermissions").GetArrayLength());
        foreach (var kind in (GroupVersionKind[])[KnownKinds.Role, KnownKinds.RoleBinding, KnownKinds.ServiceAccount])
            Assert.Empty(await _tenants[Blue].Human.ListAsync(kind, null, RbacObject.Selector, CancellationToken.None));
        await HasAsync(Green, "get", "list");
    }

    [Fact]
    public async Task The_family_s_relationships_are_read_off_what_happens_on_the_tenants()
    {
        await DeclareAsync(Blue, "get");
        await DeclareAsync(Green, "get");
        await HasAsync(Blue, "get");
        await HasAsync(Green, "get");
        foreach (var tenant in (string[])[Blue, Green])
            await _bed.SeeAsync(KnownKinds.RunnerConfig, new("ont-system", tenant), _ => true);

        var (code, table) = await GovernAsync();
        Assert.Equal(Cli.ExitCode.Ok, code);
        Assert.Matches(@"(?m)^guardian-signs-conductor +Holds +2/2 +guardian +signs +conductor$", table);
        Assert.Matches(@"(?m)^platform-creates-runnerconfig +Holds +2/2 ", table);
        Assert.Matches(@"(?m)^seam-core-tracks-lineage +Holds +2/2 ", table);
        Assert.Matches(@"(?m)^wrapper-creates-packexecution +Unobserved +0/0 ", table);

        // Somebody on one tenant helps himself to more.
        var forged = (await _tenants[Blue].Human.GetAsync(KnownKinds.PermissionSnapshot, new("ont-system", $"snapshot-{Blue}"), CancellationToken.None))!.ToJsonObject();
        forged["spec"]!["principalPermissions"]![0]!["allowedOperations"]![0]!["verbs"] = new JsonArray("delete", "get");
        forged["metadata"] = new JsonObject { ["name"] = $"snapshot-{Blue}", ["namespace"] = "ont-system" };
        forged.Remove("status");
        await _tenants[Blue].Human.ApplyAsync(KubeObject.From(forged), "mallory", new ApplyOptions(Force: true), CancellationToken.None);
        await _bed.SeeAsync(KnownKinds.TalosCluster, new("seam-system", Blue), cluster => Conditions.Of(cluster).IsTrue(ClusterRules.Degraded));

        (code, table) = await GovernAsync("-o", "wide");
        Assert.Equal(Cli.ExitCode.No, code);
        Assert.Matches(@"(?m)^guardian-signs-conductor +Broken +1/2 ", table);
        Assert.Contains($"guardian-signs-conductor: Broken: PermissionSnapshot of {Blue}: Snapshot", table, StringComparison.Ordinal);
    }

    private async Task<(int Code, string Output)> GovernAsync(params string[] arguments)
    {
        var token = Path.Combine(ground.Folder.FullName, $"token-{Guid.NewGuid():n}");
        await File.WriteAllTextAsync(token, _bed.Management.AdminToken);
        using var output = new StringWriter(System.Globalization.CultureInfo.InvariantCulture);
        return (await Cli.GovernorCommand.RunAsync(["relationships", .. arguments, "--server", _bed.Url.ToString(), "--token-file", token], output, output), output.ToString());
    }

    /// <summary>Waits until a snapshot says so and its tenant has acknowledged it and has it as RBAC; then asks everybody.</summary>
    private async Task HasAsync(string tenant, params string[] verbs)
    {
        await _bed.SeeAsync(KnownKinds.PermissionSnapshot, new("seam-system", $"snapshot-{tenant}"), snapshot =>
            VerbsOf(snapshot).SequenceEqual(verbs) && Conditions.Of(snapshot).IsTrue("Compliant")
            && Conditions.Of(snapshot) is var found && found.IsTrue(MaterialisationRules.Condition) && found.Find(MaterialisationRules.Condition)!.Message.EndsWith(snapshot.FindText("spec", "version"), StringComparison.Ordinal)
            && snapshot.FindText("status", "lastAckedVersion") == snapshot.FindText("spec", "version"));
        foreach (var verb in (string[])["get", "list", "watch"])
        {
            Assert.Equal(verbs.Contains(verb), await MayAsync(tenant, verb));
            Assert.Equal(verbs.Contains(verb), await CheckAsync(tenant, verb));
        }
    }

    private static IEnumerable<string> VerbsOf(KubeObject snapshot) => snapshot.Find("spec", "principalPermissions").EnumerateArray()
        .SelectMany(held => held.GetProperty("allowedOperations").EnumerateArray()).SelectMany(rule => rule.GetProperty("verbs").EnumerateArray()).Select(verb => verb.GetString()!);

    /// <summary>Asked of the tenant's own authoriser.</summary>
    private async Task<bool> MayAsync(string tenant, string verb) =>
        (await _tenants[tenant].Human.CreateAsync(KubeObject.From(new JsonObject
        {
            ["apiVersion"] = "authorization.k8s.io/v1",
            ["kind"] = "SubjectAccessReview",
            ["metadata"] = new JsonObject(),
            ["spec"] = new JsonObject
            {
                ["user"] = Account,
                ["resourceAttributes"] = new JsonObject { ["verb"] = verb, ["resource"] = "configmaps", ["namespace"] = "web" },
            },
        }), CancellationToken.None)).Find("status", "allowed").GetBoolean();

    // An answer of a moment after the question: then it knows everything that was committed before.
    private async Task<bool> CheckAsync(string tenant, string verb)
    {
        var since = DateTimeOffset.UtcNow;
        while (true)
        {
            var answer = await AskAsync("check", new { principal = Account, cluster = tenant, resource = "configmaps", verb, @namespace = "web" });
            if (answer["knowledge"]!["confirmedAt"]!.GetValue<DateTimeOffset>() > since)
                return answer["allowed"]!.GetValue<bool>();
        }
    }

    private async Task<JsonNode> AskAsync(string path, object question)
    {
        using var client = _bed.Admin();
        using var body = new StringContent(JsonSerializer.Serialize(question), Encoding.UTF8, "application/json");
        using var answer = await client.PostAsync(new Uri($"/api/v1/permissions/{path}", UriKind.Relative), body);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
        return JsonNode.Parse(text)!;
    }

    private static string Single(JsonNode listed)
    {
        var rule = Assert.Single(listed["rules"]!.AsArray())!;
        return $"{string.Join(',', rule["verbs"]!.AsArray())} core/{rule["resource"]} in {rule["namespace"]}";
    }

    private static string ConditionOf(KubeObject item, string type) => Conditions.Of(item).Find(type)?.Status.ToString() ?? "absent";

    private async Task OnboardAsync(string tenant)
    {
        var sandbox = await SandboxCluster.StartAsync(new SandboxOptions(tenant));
        var human = _bed.HumanOn(tenant, sandbox);
        _tenants[tenant] = (sandbox, human);
        foreach (var definition in CrdGenerator.Objects([KnownKinds.PermissionSnapshot, KnownKinds.PermissionSnapshotReceipt]))
            await human.ApplyAsync(definition, "human", default, CancellationToken.None);
        await sandbox.IdleAsync(); // a definition is served when it is established
        foreach (var name in (string[])["ont-system", "web"])
            await human.ApplyAsync(Read($"apiVersion: v1\nkind: Namespace\nmetadata: {{ name: {name} }}"), "human", default, CancellationToken.None);
        await ApplyAsync($"apiVersion: v1\nkind: Namespace\nmetadata: {{ name: {Namespace(tenant)} }}");
        await _bed.Human.ApplyAsync(Secret(ClusterRules.KubeconfigSecret(new ClusterName(tenant)), "value", sandbox.Kubeconfig), "human", default, CancellationToken.None);
        await ApplyAsync($$"""
            apiVersion: platform.ontai.dev/v1alpha1
            kind: TalosCluster
            metadata: { name: {{tenant}}, namespace: seam-system }
            spec: { mode: import, role: tenant, talosVersion: v1.9.5, kubernetesVersion: 1.32.3 }
            """);
    }

    /// <summary>Names are the same for every tenant; only the ceiling differs.</summary>
    private async Task DeclareAsync(string tenant, params string[] ceiling)
    {
        await ApplyAsync(Set(tenant, "cluster-maximum", ceiling));
        await ApplyAsync(Set(tenant, "web-reader", "get", "list"));
        await ApplyAsync($$"""
            apiVersion: security.ontai.dev/v1alpha1
            kind: RBACPolicy
            metadata: { name: cluster-policy, namespace: {{Namespace(tenant)}} }
            spec: { subjectScope: platform, allowedClusters: [{{tenant}}], maximumPermissionSetRef: cluster-maximum, enforcementMode: audit }
            """);
        await ApplyAsync($$"""
            apiVersion: security.ontai.dev/v1alpha1
            kind: RBACProfile
            metadata: { name: web, namespace: {{Namespace(tenant)}} }
            spec:
              principalRef: {{Account}}
              targetClusters: [{{tenant}}]
              rbacPolicyRef: cluster-policy
              permissionDeclarations:
              - { permissionSetRef: web-reader, scope: namespaced }
            """);
    }

    private static string Set(string tenant, string name, params string[] verbs) => $$"""
        apiVersion: security.ontai.dev/v1alpha1
        kind: PermissionSet
        metadata: { name: {{name}}, namespace: {{Namespace(tenant)}} }
        spec:
          permissions:
          - { apiGroups: [""], resources: [configmaps], verbs: [{{string.Join(", ", verbs)}}] }
        """;

    private static string Namespace(string tenant) => $"seam-tenant-{tenant}";

    private static KubeObject Read(string yaml) => ManifestReader.Read(yaml, "test").Single();

    private Task ApplyAsync(string yaml) => _bed.ApplyAsync(Read(yaml));

    private static KubeObject Secret(ObjectKey key, string entry, string content) => KubeObject.From(new JsonObject
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Secret",
        ["metadata"] = new JsonObject { ["name"] = key.Name, ["namespace"] = key.Namespace },
        ["data"] = new JsonObject { [entry] = Convert.ToBase64String(Encoding.UTF8.GetBytes(content)) },
    });
}
