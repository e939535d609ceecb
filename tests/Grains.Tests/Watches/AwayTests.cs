using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;
using Governor.Domain.Permissions;
using Governor.Domain.Signing;
using Governor.Grains.Tests.Support;
using Governor.Grains.Watches;
using Governor.LocalServers;
using Governor.Manifests;
using Governor.Registry;
using Governor.Sandbox.Faults;

namespace Governor.Grains.Tests.Watches;

/// <summary>Observe, diff, gate, act: what was owed when a cluster went away is judged by what it is like when it is back.</summary>
[Collection(nameof(Ground))]
public sealed class AwayTests(Ground ground) : IAsyncLifetime
{
    private const string Tenant = "ccs-dev";
    private const string Ns = $"seam-tenant-{Tenant}";

    private static readonly ObjectKey Execution = new(Ns, $"web-{Tenant}");

    private static readonly GroupVersionKind[] Kinds =
    [
        KnownKinds.TalosCluster, KnownKinds.RunnerConfig, KnownKinds.ClusterPack, KnownKinds.PackExecution, KnownKinds.PackInstance,
        KnownKinds.RBACProfile, KnownKinds.RBACPolicy, KnownKinds.PermissionSet, KnownKinds.SeamMembership,
    ];

    private Bed _bed = null!;
    private OciRegistryServer _registry = null!;

    public async Task InitializeAsync()
    {
        _bed = await Bed.StartAsync(ground, Tenant);
        _registry = await OciRegistryServer.StartAsync(Path.Combine(ground.Folder.FullName, $"registry-{Guid.NewGuid():n}"));
    }

    public async Task DisposeAsync()
    {
        await _bed.DisposeAsync();
        await _registry.DisposeAsync();
    }

    [Fact]
    public async Task When_the_management_cluster_was_away()
    {
        await WaitForTheTenantAsync();
        // The silo is cut off; meanwhile the profile is taken back and the tenant returns.
        await _bed.Management.GoAwayAsync();
        await NotSyncedAsync();
        Assert.False(_bed.Gate.IsOpen);
        await _bed.Tenants[Tenant].ComeBackAsync();
        await _bed.Management.ComeBackAsync();
        var late = HoldProfiles();
        await _bed.DeleteAsync(KnownKinds.RBACProfile, new(Ns, "web"));
        await late.FirstHit;

        await NothingIsDeliveredAsync(late);
    }

    [Fact]
    public async Task When_the_silo_was_away()
    {
        await WaitForTheTenantAsync();
        await _bed.StopSiloAsync();
        await _bed.DeleteAsync(KnownKinds.RBACProfile, new(Ns, "web"));
        await _bed.Tenants[Tenant].ComeBackAsync();
        var late = HoldProfiles();
        await _bed.StartSiloAsync();
        await ObserveAsync();
        await late.FirstHit;

        await NothingIsDeliveredAsync(late);
    }

    [Fact]
    public async Task When_the_tenant_was_away_and_nothing_was_taken_back_it_is_delivered()
    {
        await WaitForTheTenantAsync();
        await _bed.Tenants[Tenant].ComeBackAsync();

        await _bed.Commits.UntilAsync<ExecutionState>(Subjects.Execution, $"{Execution}", s => s.Phase == ExecutionPhase.Succeeded, "delivered");
    }

    /// <summary>A delivery for which nothing is missing but its tenant.</summary>
    private async Task WaitForTheTenantAsync()
    {
        await _bed.NamespaceAsync(Ns);
        await ObserveAsync();
        await _bed.Tenants[Tenant].GoAwayAsync();
        var layer = await PublishAsync();
        await _bed.DeclareAsync(Declared.Text(Tenant));
        await _bed.DeclareSecretAsync(SigningKeyRules.Secret, "private.pem", SigningKey.Generate().ToPem());
        await _bed.DeclareSecretAsync(ClusterRules.KubeconfigSecret(new ClusterName(Tenant)), "value", _bed.Tenants[Tenant].Kubeconfig);
        await _bed.DeclareAsync($$"""
            apiVersion: platform.ontai.dev/v1alpha1
            kind: TalosCluster
            metadata: { name: {{Tenant}}, namespace: seam-system }
            spec: { mode: import, role: tenant, talosVersion: v1.9.5, kubernetesVersion: 1.32.3 }
            ---
            apiVersion: infra.ontai.dev/v1alpha1
            kind: ClusterPack
            metadata: { name: web, namespace: {{Ns}} }
            spec:
              version: v1.0.0-r1
              registryRef: { url: "{{_registry.Host}}/packs/web", digest: "{{layer}}" }
              workloadDigest: "{{layer}}"
              basePackName: web
              targetClusters: [{{Tenant}}]
            """);
        await _bed.Commits.UntilAsync<ExecutionState>(
            Subjects.Execution, $"{Execution}",
            s => !s.Gates.IsEmpty && s.Gates.All(g => g.IsOpen == g.Answer.Gate is not (Gate.ConductorReady or Gate.WrapperRunnerRBACNotReady or Gate.TargetUnreachable)),
            "all gates open but the tenant's");
    }

    private Task ObserveAsync() => _bed.ObserveAsync(
        [.. Kinds.Select(kind => WatchKey.Of(new ClusterName(Bed.ManagementName), kind)), WatchKey.Of(new ClusterName(Bed.ManagementName), KnownKinds.Secret, SigningKeyRules.Secret)]);

    private async Task NotSyncedAsync()
    {
        foreach (var kind in Kinds)
            Assert.False(await _bed.Watch(kind).UntilSyncedAsync(false));
    }

    /// <summary>All other kinds are known long before it is known that the profile is gone.</summary>
    private ArmedFault HoldProfiles() =>
        _bed.Management.Faults.Arm(r => r is { Verb: "list", Resource: "rbacprofiles" }, new FaultEffect.Delay(TimeSpan.FromSeconds(3)), count: int.MaxValue);

    private async Task NothingIsDeliveredAsync(ArmedFault late)
    {
        Assert.False(_bed.Gate.IsOpen);
        _bed.Management.Faults.Disarm(late);
        await _bed.Commits.UntilAsync<ProfileState>(Subjects.Profile, $"{Ns}/web", s => s.Profile is null, "taken back");
        await _bed.Commits.UntilAsync<ExecutionState>(Subjects.Execution, $"{Execution}", s => s.Gates.Any(g => (int)g.Answer.Gate == 3 && !g.IsOpen), "closed");
        await _bed.Gate.OpenAsync(default).WaitAsync(TimeSpan.FromSeconds(90));
        await _bed.Commits.UntilAsync<ExecutionState>(Subjects.Execution, $"{Execution}", s => s.Gates.Any(g => g.Answer.Gate == 0 && g.IsOpen), "the tenant is there");
        await _bed.Commits.QuietAsync();

        Assert.All(_bed.Commits.Of(Subjects.Execution, $"{Execution}"), e => Assert.Equal(ExecutionPhase.Gated, e.As<ExecutionState>().Phase));
        Assert.Empty(_bed.Tenants[Tenant].Writes);
    }

    private async Task<Digest> PublishAsync()
    {
        using var client = new OciClient(new RegistryOptions());
        var content = ManifestReader.Read("{apiVersion: v1, kind: Namespace, metadata: {name: web}}", "pack");
        return await new PackPublisher(client).PublishAsync(
            RepositoryName.Parse($"{_registry.Host}/packs/web"), PreparedLayer.Of(PackLayerKind.Workload, content), "v1.0.0-r1", CancellationToken.None);
    }
}
