using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Grains.Tests.Support;

namespace Governor.Grains.Tests.Clusters;

[Collection(nameof(Ground))]
public sealed class ClusterGrainTests(Ground ground) : IAsyncLifetime
{
    private const string Tenant = "ccs-dev";

    private static readonly ObjectKey Talos = new("seam-system", Tenant);
    private static readonly ObjectKey Runner = new("ont-system", Tenant);

    private Bed _bed = null!;

    public async Task InitializeAsync()
    {
        _bed = await Bed.StartAsync(ground, Tenant);
        await _bed.NamespaceAsync($"seam-tenant-{Tenant}");
        await _bed.WatchAsync(KnownKinds.TalosCluster, KnownKinds.RunnerConfig);
    }

    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Fact]
    public async Task A_reachable_cluster_publishes_its_seventeen_capabilities_and_is_ready()
    {
        await DeclareAsync();
        await HandOverAsync(_bed.Tenants[Tenant].Kubeconfig);

        var runner = await _bed.SeenAsync(KnownKinds.RunnerConfig, Runner, r => r.Find("status", "capabilities").ValueKind == System.Text.Json.JsonValueKind.Array, "capabilities");
        Assert.Equal(Capabilities.Names.Order(), runner.Find("status", "capabilities").EnumerateArray().Select(c => c.GetProperty("name").GetString()!).Order());
        Assert.Equal(17, runner.Find("status", "capabilities").GetArrayLength());
        await _bed.SeenAsync(KnownKinds.TalosCluster, Talos, IsReady, "ready");
    }

    [Fact]
    public async Task A_RunnerConfig_that_somebody_deletes_is_made_again_with_its_status()
    {
        await DeclareAsync();
        await HandOverAsync(_bed.Tenants[Tenant].Kubeconfig);
        await _bed.SeenAsync(KnownKinds.TalosCluster, Talos, IsReady, "ready");
        var first = await _bed.Client.GetAsync(KnownKinds.RunnerConfig, Runner, CancellationToken.None);

        await _bed.DeleteAsync(KnownKinds.RunnerConfig, Runner);

        var second = await _bed.SeenAsync(
            KnownKinds.RunnerConfig, Runner, r => r.Uid != first!.Uid && r.Find("status", "capabilities") is { ValueKind: System.Text.Json.JsonValueKind.Array } c && c.GetArrayLength() == 17, "made again");
        Assert.NotEqual(first!.Uid, second.Uid);
    }

    [Fact]
    public async Task A_kubeconfig_that_cannot_be_used_never_makes_a_cluster_ready()
    {
        await DeclareAsync();
        await HandOverAsync("this: [is not a kubeconfig");

        await UnavailableAsync("expected YAML or JSON");

        Assert.DoesNotContain(States(), ClusterRules.IsReady);
    }

    [Fact]
    public async Task A_kubeconfig_that_leads_to_the_management_cluster_never_makes_a_tenant_ready()
    {
        await DeclareAsync();
        await HandOverAsync(_bed.Management.Kubeconfig);

        await UnavailableAsync("management cluster");

        Assert.DoesNotContain(States(), ClusterRules.IsReady);
        Assert.DoesNotContain(States(), s => s.Reachability == Reachability.Reachable);
    }

    [Fact]
    public async Task A_kubeconfig_that_is_repaired_makes_the_cluster_ready_and_one_that_is_taken_away_does_not_leave_it_so()
    {
        await DeclareAsync();
        await HandOverAsync(_bed.Management.Kubeconfig);
        await UnavailableAsync("management cluster");

        await HandOverAsync(_bed.Tenants[Tenant].Kubeconfig);
        await _bed.SeenAsync(KnownKinds.TalosCluster, Talos, IsReady, "ready");

        await _bed.DeleteAsync(KnownKinds.Secret, ClusterRules.KubeconfigSecret(new ClusterName(Tenant)));
        await _bed.SeenAsync(KnownKinds.TalosCluster, Talos, c => !IsReady(c), "not ready");
    }

    private IEnumerable<ClusterState> States() => _bed.Commits.Of(Subjects.Cluster, Tenant).Select(e => e.As<ClusterState>());

    private Task DeclareAsync() => _bed.DeclareAsync($$"""
        apiVersion: platform.ontai.dev/v1alpha1
        kind: TalosCluster
        metadata: { name: {{Tenant}}, namespace: seam-system }
        spec:
          mode: import
          role: tenant
          talosVersion: v1.9.5
          kubernetesVersion: 1.32.3
        """);

    private Task HandOverAsync(string kubeconfig) => _bed.DeclareSecretAsync(ClusterRules.KubeconfigSecret(new ClusterName(Tenant)), "value", kubeconfig);

    private Task<KubeObject> UnavailableAsync(string because) => _bed.SeenAsync(
        KnownKinds.TalosCluster, Talos,
        c => Condition(c, "KubeconfigUnavailable") is { } found && found.GetProperty("status").GetString() == "True"
            && found.GetProperty("reason").GetString() == "KubeconfigUnreadable" && found.GetProperty("message").GetString()!.Contains(because, StringComparison.Ordinal),
        $"KubeconfigUnavailable because of {because}");

    private static bool IsReady(KubeObject cluster) => Condition(cluster, "Ready") is { } found && found.GetProperty("status").GetString() == "True";

    private static System.Text.Json.JsonElement? Condition(KubeObject cluster, string type) =>
        cluster.Find("status", "conditions") is { ValueKind: System.Text.Json.JsonValueKind.Array } conditions
            ? conditions.EnumerateArray().Where(c => c.GetProperty("type").GetString() == type).Select(c => (System.Text.Json.JsonElement?)c).FirstOrDefault()
            : null;
}
