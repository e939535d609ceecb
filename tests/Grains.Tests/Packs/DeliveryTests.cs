using System.Text.Json;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;
using Governor.Domain.Signing;
using Governor.Grains.Tests.Support;
using Governor.LocalServers;
using Governor.Manifests;
using Governor.Registry;

namespace Governor.Grains.Tests.Packs;

[Collection(nameof(Ground))]
public sealed class DeliveryTests(Ground ground) : IAsyncLifetime
{
    private const string Tenant = "ccs-dev";
    private const string Ns = $"seam-tenant-{Tenant}";

    private static readonly ObjectKey Execution = new(Ns, $"web-{Tenant}");

    private Bed _bed = null!;
    private OciRegistryServer _registry = null!;

    public async Task InitializeAsync()
    {
        _bed = await Bed.StartAsync(ground, Tenant);
        _registry = await OciRegistryServer.StartAsync(Path.Combine(ground.Folder.FullName, $"registry-{Guid.NewGuid():n}"));
        await _bed.NamespaceAsync(Ns);
        await _bed.WatchAsync(
            KnownKinds.TalosCluster, KnownKinds.RunnerConfig, KnownKinds.ClusterPack, KnownKinds.PackExecution, KnownKinds.PackInstance,
            KnownKinds.RBACProfile, KnownKinds.RBACPolicy, KnownKinds.PermissionSet, KnownKinds.SeamMembership);
        await _bed.Grains.GetGrain<Governor.Grains.Interfaces.IWatchGrain>(
            Governor.Grains.Watches.WatchKey.Of(new ClusterName(Bed.ManagementName), KnownKinds.Secret, SigningKeyRules.Secret)).EnsureAsync();
    }

    public async Task DisposeAsync()
    {
        await _bed.DisposeAsync();
        await _registry.DisposeAsync();
    }

    [Fact]
    public async Task A_pack_from_a_real_registry_passes_its_gates_and_lands_on_the_tenant()
    {
        await DeclarePackAsync(await PublishAsync());
        await _bed.SeenAsync(KnownKinds.PackExecution, Execution, e => e.FindText("status", "phase") == "Gated", "gated");
        await DeclareTheRestAsync();

        await _bed.SeenAsync(KnownKinds.PackInstance, Execution, i => IsTrue(i, "Ready"), "ready");

        var tenant = _bed.Tenants[Tenant];
        Assert.Equal(["web/settings"], tenant.Writes.Where(w => w.Resource == "configmaps").Select(w => $"{w.Key}"));
        var steps = _bed.Commits.Of(Subjects.Execution, $"{Execution}")[^1].As<ExecutionState>();
        Assert.Equal(DeliverySteps.All, steps.Steps.Select(s => s.Name));
        await _bed.Commits.QuietAsync();
    }

    [Fact]
    public async Task A_pack_that_is_deleted_and_declared_again_in_another_version_is_delivered_again()
    {
        var layer = await PublishAsync();
        await DeclarePackAsync(layer);
        await DeclareTheRestAsync();
        await _bed.SeenAsync(KnownKinds.PackInstance, Execution, i => IsTrue(i, "Ready") && i.FindText("spec", "version") == "v1.0.0-r1", "ready");

        await _bed.DeleteAsync(KnownKinds.ClusterPack, new(Ns, "web"));
        await _bed.Management.IdleAsync();
        await _bed.Commits.UntilAsync<ExecutionState>(Subjects.Execution, $"{Execution}", e => !e.Exists, "gone with its pack");
        await DeclarePackAsync(layer, "v1.1.0-r1");

        await _bed.SeenAsync(KnownKinds.PackInstance, Execution, i => IsTrue(i, "Ready") && i.FindText("spec", "version") == "v1.1.0-r1", "the new version");
    }

    [Fact]
    public async Task A_silo_that_ends_during_the_delivery_leaves_it_to_the_next_one()
    {
        var refused = _bed.Tenants[Tenant].Faults.Arm(
            r => r is { Verb: "patch", Resource: "configmaps" }, new Governor.Sandbox.Faults.FaultEffect.Fail(500, "InternalError", "not now"), count: int.MaxValue);
        await DeclarePackAsync(await PublishAsync());
        await DeclareTheRestAsync();
        await refused.FirstHit;

        await _bed.StopSiloAsync();
        _bed.Tenants[Tenant].Faults.Clear();
        await _bed.StartSiloAsync();
        await _bed.ResumeAsync();
        await _bed.WatchAsync(KnownKinds.PackInstance);

        await _bed.SeenAsync(KnownKinds.PackInstance, Execution, i => IsTrue(i, "Ready"), "ready");
        Assert.Single(_bed.Tenants[Tenant].Writes, w => w.Resource == "configmaps");
    }

    [Fact]
    public async Task A_pack_whose_layer_the_registry_does_not_have_is_rejected_and_never_delivered()
    {
        await DeclarePackAsync(Digest.Of("nothing of the kind"u8));
        await DeclareTheRestAsync();

        await _bed.SeenAsync(KnownKinds.ClusterPack, new(Ns, "web"), p => IsTrue(p, "Stalled"), "stalled");
        await _bed.SeenAsync(KnownKinds.PackExecution, Execution, e => IsTrue(e, "Stalled"), "stalled");

        Assert.All(_bed.Commits.Of(Subjects.Execution, $"{Execution}"), e => Assert.Equal(ExecutionPhase.Gated, e.As<ExecutionState>().Phase));
        Assert.Empty(_bed.Tenants[Tenant].Writes);
    }

    private async Task<Digest> PublishAsync()
    {
        using var client = new OciClient(new RegistryOptions());
        var content = ManifestReader.Read("""
            apiVersion: v1
            kind: Namespace
            metadata: { name: web }
            ---
            apiVersion: v1
            kind: ConfigMap
            metadata: { name: settings, namespace: web }
            data: { colour: blue }
            """, "pack");
        return await new PackPublisher(client).PublishAsync(
            RepositoryName.Parse($"{_registry.Host}/packs/web"), PreparedLayer.Of(PackLayerKind.Workload, content), "v1.0.0-r1", CancellationToken.None);
    }

    private Task DeclarePackAsync(Digest layer, string version = "v1.0.0-r1") => _bed.DeclareAsync($$"""
        apiVersion: infra.ontai.dev/v1alpha1
        kind: ClusterPack
        metadata: { name: web, namespace: {{Ns}} }
        spec:
          version: {{version}}
          registryRef: { url: "{{_registry.Host}}/packs/web", digest: "{{layer}}" }
          workloadDigest: "{{layer}}"
          basePackName: web
          targetClusters: [{{Tenant}}]
        """);

    private async Task DeclareTheRestAsync()
    {
        await _bed.DeclareAsync(Declared.Text(Tenant));
        await _bed.DeclareSecretAsync(SigningKeyRules.Secret, "private.pem", SigningKey.Generate().ToPem());
        await _bed.DeclareAsync($$"""
            apiVersion: platform.ontai.dev/v1alpha1
            kind: TalosCluster
            metadata: { name: {{Tenant}}, namespace: seam-system }
            spec: { mode: import, role: tenant, talosVersion: v1.9.5, kubernetesVersion: 1.32.3 }
            """);
        await _bed.DeclareSecretAsync(ClusterRules.KubeconfigSecret(new ClusterName(Tenant)), "value", _bed.Tenants[Tenant].Kubeconfig);
    }

    private static bool IsTrue(KubeObject item, string condition) =>
        item.Find("status", "conditions") is { ValueKind: JsonValueKind.Array } conditions
        && conditions.EnumerateArray().Any(c => c.GetProperty("type").GetString() == condition && c.GetProperty("status").GetString() == "True");
}
