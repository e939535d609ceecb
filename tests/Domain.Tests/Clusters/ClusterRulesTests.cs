using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Tests.Packs;

namespace Governor.Domain.Tests.Clusters;

public sealed class ClusterRulesTests
{
    [Fact]
    public void The_conductor_becomes_ready_when_everything_it_needs_has_arrived_and_says_at_each_step_what_is_missing()
    {
        var state = ClusterState.Initial(new ClusterName("c"));
        Assert.Contains("TalosCluster c", ClusterRules.Fact(state).WaitsFor, StringComparison.Ordinal);

        state = Decide(state, new ClusterInput.Observed(Talos()));
        Assert.Contains("Secret seam-tenant-c/seam-mc-c-kubeconfig", ClusterRules.Fact(state).WaitsFor, StringComparison.Ordinal);
        Assert.False(ClusterRules.OwesProbe(state));

        state = Decide(state, new ClusterInput.KubeconfigSeen("r1"));
        Assert.True(ClusterRules.OwesProbe(state));

        state = Decide(state, new ClusterInput.Probed("r1", Reachability.Reachable, "v1", "api-1"));
        Assert.Contains("status.capabilities", ClusterRules.Fact(state).WaitsFor, StringComparison.Ordinal);

        state = Decide(state, new ClusterInput.RunnerConfigSeen(Runner()));
        Assert.Equal(ConductorReadiness.Ready, ClusterRules.Fact(state).Readiness);
        Assert.Equal("api-1", ClusterRules.Fact(state).ApiUid);
    }

    [Fact]
    public void A_new_kubeconfig_has_to_be_asked_before_anything_is_ready_again()
    {
        var state = Decide(Ready(), new ClusterInput.KubeconfigSeen("r2"));

        Assert.Equal(ConductorReadiness.Awaited, ClusterRules.Fact(state).Readiness);
        Assert.Same(state, Decide(state, new ClusterInput.Probed("r1", Reachability.Reachable, "late answer", "api-1")));
    }

    [Fact]
    public void A_kubeconfig_that_leads_to_another_api_server_is_unusable()
    {
        var state = Decide(Ready(), new ClusterInput.KubeconfigSeen("r2"));

        state = Decide(state, new ClusterInput.Probed("r2", Reachability.Reachable, "v1", "api-2"));

        Assert.Equal(ConductorReadiness.Impossible, ClusterRules.Fact(state).Readiness);
        Assert.Equal("api-1", state.ApiUid);
    }

    [Fact]
    public void A_namesake_in_another_namespace_neither_takes_over_nor_deletes()
    {
        var ready = Ready();

        Assert.Same(ready, Decide(ready, new ClusterInput.Observed(Talos(@namespace: "evil", uid: "evil"))));
        Assert.Same(ready, Decide(ready, new ClusterInput.Gone(new ObjectKey("evil", "c"))));
        Assert.False(Decide(ready, new ClusterInput.Gone(new ObjectKey("seam-system", "c"))).Exists);
    }

    [Fact]
    public void What_is_sealed_into_the_runner_config_does_not_change_with_the_cluster()
    {
        var first = ClusterRules.DesiredRunnerConfig(Ready())!;

        var edited = ClusterRules.DesiredRunnerConfig(Decide(Ready(), new ClusterInput.Observed(Talos(generation: 7))))!;

        Assert.Equal(first.Json.ToArray(), edited.Json.ToArray());
    }

    [Fact]
    public void A_recreated_cluster_is_reached_anew_and_its_predecessors_runner_config_has_to_go()
    {
        var before = Ready();

        var after = Decide(Decide(before, new ClusterInput.Gone(before.Key)), new ClusterInput.Observed(Talos(uid: "second")));

        Assert.Equal("", after.ApiUid);
        Assert.True(ClusterRules.OwesProbe(after));
        Assert.True(ClusterRules.IsOfAnother(after, ClusterRules.DesiredRunnerConfig(before)!));
        Assert.False(ClusterRules.IsOfAnother(after, ClusterRules.DesiredRunnerConfig(after)!));
    }

    [Theory]
    [InlineData("seam-tenant-c", "seam-mc-c-kubeconfig", "c")]
    [InlineData("seam-tenant-other", "seam-mc-c-kubeconfig", null)]
    [InlineData("seam-tenant-c", "seam-mc-c-talosconfig", null)]
    [InlineData("default", "whatever", null)]
    public void Only_the_secret_in_the_tenants_own_namespace_is_its_kubeconfig(string @namespace, string name, string? cluster) =>
        Assert.Equal(cluster, ClusterRules.ClusterOfKubeconfigSecret(new ObjectKey(@namespace, name))?.Value);

    private static ClusterState Ready()
    {
        var state = Decide(ClusterState.Initial(new ClusterName("c")), new ClusterInput.Observed(Talos()));
        state = Decide(state, new ClusterInput.KubeconfigSeen("r1"));
        state = Decide(state, new ClusterInput.Probed("r1", Reachability.Reachable, "v1", "api-1"));
        return Decide(state, new ClusterInput.RunnerConfigSeen(Runner()));
    }

    private static ClusterState Decide(ClusterState state, ClusterInput input) => ClusterRules.Decide(state, input, Make.Now).State;

    private static KubeObject Talos(string @namespace = "seam-system", string uid = "uid", long generation = 1) => Make.Json($$"""
        {"apiVersion":"platform.ontai.dev/v1alpha1","kind":"TalosCluster","metadata":{"name":"c","namespace":"{{@namespace}}","uid":"{{uid}}","generation":{{generation}} },"spec":{"mode":"import"} }
        """);

    private static KubeObject Runner() => Make.Json($$"""
        {"apiVersion":"runner.ontai.dev/v1alpha1","kind":"RunnerConfig","metadata":{"name":"c","namespace":"ont-system","uid":"runner"},
         "status":{"capabilities":[{{string.Join(',', Capabilities.All.Select(c => $$"""{"name":"{{c.Name}}"}"""))}}]} }
        """);
}
