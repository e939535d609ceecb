using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;

namespace Governor.Domain.Tests.Clusters;

public sealed class ClusterRulesTests
{
    private const string Revision = "0123456789abcdef";

    private static readonly DateTimeOffset Now = new(2026, 11, 21, 6, 0, 0, TimeSpan.Zero);
    private static readonly ClusterState Initial = ClusterState.Initial(new ClusterName("ccs-dev"));
    private static readonly ObjectKey Key = new("seam-system", "ccs-dev");

    private static readonly ClusterInput
        Declared = new ClusterInput.Observed(Talos()),
        Kubeconfig = new ClusterInput.KubeconfigSeen(Revision),
        Reached = new ClusterInput.Probed(Revision, Reachability.Reachable, "v1.32.3", "uid-of-kube-system"),
        Published = new ClusterInput.RunnerConfigSeen(Runner(Seal()));

    public static TheoryData<int, ConductorReadiness, string> Ladder => new()
    {
        { 0, ConductorReadiness.Awaited, "TalosCluster ccs-dev is not there" },
        { 1, ConductorReadiness.Awaited, "cluster ccs-dev has no kubeconfig" },
        { 2, ConductorReadiness.Awaited, "cluster ccs-dev has not been asked yet" },
        { 3, ConductorReadiness.Awaited, "0 of 17 capabilities are published" },
        { 4, ConductorReadiness.Ready, "17 capabilities are published and the cluster answers: v1.32.3" },
    };

    [Theory]
    [MemberData(nameof(Ladder))]
    public void A_cluster_says_the_first_thing_that_is_missing(int steps, ConductorReadiness readiness, string message)
    {
        var state = After([.. ((ClusterInput[])[Declared, Kubeconfig, Reached, Published]).Take(steps)]);

        Assert.Equal((readiness, message), (ClusterRules.Fact(state).Readiness, ClusterRules.Fact(state).Message));
        Assert.Equal(steps == 4, state.Conditions.IsTrue("Ready"));
    }

    [Theory]
    [InlineData(Reachability.Unreachable, ConductorReadiness.Awaited, true)]
    [InlineData(Reachability.KubeconfigUnusable, ConductorReadiness.Impossible, false)]
    [InlineData(Reachability.Reachable, ConductorReadiness.Ready, false)]
    public void Only_what_may_pass_by_itself_is_asked_again(Reachability result, ConductorReadiness readiness, bool again)
    {
        var state = After(Declared, Kubeconfig, Published, new ClusterInput.Probed(Revision, result, "why", result == Reachability.Reachable ? "uid" : ""));

        Assert.Equal((readiness, again), (ClusterRules.Fact(state).Readiness, ClusterRules.OwesProbe(state)));
    }

    [Fact]
    public void Another_kubeconfig_has_to_be_tried_before_the_cluster_is_ready_again()
    {
        var ready = After(Declared, Kubeconfig, Reached, Published);

        var changed = Decide(ready, new ClusterInput.KubeconfigSeen("fedcba9876543210")).State;

        Assert.True(ClusterRules.OwesProbe(changed));
        Assert.False(ClusterRules.IsReady(changed));
        Assert.Same(changed, Decide(changed, Reached).State); // an answer to the question before
        Assert.Equal("uid-of-kube-system", changed.ApiUid);
    }

    [Fact]
    public void A_kubeconfig_that_leads_to_another_cluster_than_before_is_refused()
    {
        var changed = After(Declared, Kubeconfig, Reached, Published, new ClusterInput.KubeconfigSeen("fedcba9876543210"));

        var refused = Decide(changed, new ClusterInput.Probed("fedcba9876543210", Reachability.Reachable, "v1.32.3", "uid-of-another")).State;

        Assert.Equal(Reachability.KubeconfigUnusable, refused.Reachability);
        Assert.Contains("leads to another cluster than before: expected Namespace kube-system with UID uid-of-kube-system, found uid-of-another", refused.ReachMessage, StringComparison.Ordinal);
        Assert.Equal("uid-of-kube-system", refused.ApiUid);
        Assert.True(refused.Conditions.IsTrue("KubeconfigUnavailable"));

        var repaired = Run(refused, Kubeconfig, Reached);
        Assert.True(ClusterRules.IsReady(repaired));
        Assert.Equal("uid-of-kube-system", ClusterRules.Fact(repaired).ApiUid);
    }

    [Fact]
    public void A_TalosCluster_that_is_declared_again_may_mean_another_cluster()
    {
        var ready = After(Declared, Kubeconfig, Reached, Published);

        var again = Run(ready, new ClusterInput.Gone(Key, "talos-uid"), new ClusterInput.Observed(Talos(uid: "second-uid")));

        Assert.Equal(("", Reachability.Unknown), (again.ApiUid, again.Reachability));
        Assert.Equal("uid-of-another", Decide(again, new ClusterInput.Probed(Revision, Reachability.Reachable, "v1.32.3", "uid-of-another")).State.ApiUid);
    }

    [Fact]
    public void A_cluster_that_was_reached_by_an_older_version_is_asked_who_it_is()
    {
        Assert.True(ClusterRules.OwesProbe(After(Declared, Kubeconfig, Reached) with { ApiUid = "" }));
    }

    [Fact]
    public void A_TalosCluster_of_the_same_name_elsewhere_has_no_say()
    {
        var ready = After(Declared, Kubeconfig, Reached, Published);
        var elsewhere = new ObjectKey("attacker", "ccs-dev");

        var seen = Decide(ready, new ClusterInput.Observed(Talos("attacker", "intruder-uid", 3)));
        var gone = Decide(seen.State, new ClusterInput.Gone(elsewhere, "intruder-uid"));

        Assert.Equal("cluster.name-taken", Assert.Single(seen.Events).Action);
        Assert.Equal(ready, seen.State with { Intruders = ready.Intruders });
        Assert.Contains("NameTaken", ClusterRules.Status(seen.State, Assert.Single(seen.State.Intruders)).ToJsonString(), StringComparison.Ordinal);
        Assert.Same(seen.State, Decide(seen.State, new ClusterInput.Observed(Talos("attacker", "intruder-uid", 3))).State);
        Assert.True(ClusterRules.IsReady(gone.State));
        Assert.Empty(gone.State.Intruders);
        Assert.Empty(gone.Events);
    }

    [Fact]
    public void Only_the_end_of_the_present_TalosCluster_ends_the_cluster()
    {
        var state = After(Declared);

        Assert.True(Decide(state, new ClusterInput.Gone(Key, "an-earlier-uid")).State.Exists);
        Assert.False(Decide(state, new ClusterInput.Gone(Key, "talos-uid")).State.Exists);
        Assert.False(Decide(state, new ClusterInput.Gone(Key, "")).State.Exists);
    }

    [Fact]
    public void The_RunnerConfig_is_sealed_once_whatever_is_edited_later()
    {
        var first = After(Declared);
        var edited = Run(first, new ClusterInput.Observed(Talos(generation: 7)));
        var seenAndEdited = Run(first, Published, new ClusterInput.Observed(Talos(generation: 8)));

        foreach (var state in (ClusterState[])[first, edited, seenAndEdited])
            Assert.True(SealedCausalChain.VerifyChange(Runner(Seal()), ClusterRules.DesiredRunnerConfig(state)!).Allowed);
    }

    [Fact]
    public void A_RunnerConfig_that_is_there_keeps_the_seal_that_it_has()
    {
        var older = Seal();
        older["creatingOperator"]!["version"] = "0.0.9";
        older["rootGenerationAtCreation"] = 5;
        older["unknown"] = "of a later version";
        var there = Runner(older);

        Assert.True(SealedCausalChain.VerifyChange(there, ClusterRules.DesiredRunnerConfig(After(Declared, new ClusterInput.RunnerConfigSeen(there)))!).Allowed);
        Assert.True(SealedCausalChain.VerifyChange(there, ClusterRules.DesiredRunnerConfig(After(new ClusterInput.RunnerConfigSeen(there), Declared))!).Allowed);

        var unsealed = Runner(null);
        Assert.True(SealedCausalChain.VerifyChange(unsealed, ClusterRules.DesiredRunnerConfig(After(Declared, new ClusterInput.RunnerConfigSeen(unsealed)))!).Allowed);
    }

    [Fact]
    public void The_RunnerConfig_of_a_former_TalosCluster_goes_before_the_next_is_made()
    {
        var again = After(
            Declared, Kubeconfig, Reached, Published, new ClusterInput.Gone(Key, "talos-uid"), new ClusterInput.Observed(Talos(uid: "second-uid")), Reached);

        Assert.Equal("runner-uid", ClusterRules.StaleRunnerConfig(again));
        Assert.Null(ClusterRules.DesiredRunnerConfig(again));
        Assert.Null(ClusterRules.RunnerConfigStatus(again));
        Assert.DoesNotContain(ClusterRules.Outbox(again), letter => letter.Fact is DescendantFact);

        var gone = Run(again, new ClusterInput.RunnerConfigSeen(null));
        Assert.Null(ClusterRules.StaleRunnerConfig(gone));
        Assert.Equal("second-uid", ClusterRules.DesiredRunnerConfig(gone)!.FindText("spec", "lineage", "rootUID"));
    }

    [Fact]
    public void Capabilities_that_somebody_takes_away_are_published_again()
    {
        var ready = After(Declared, Kubeconfig, Reached, Published);
        var blank = Runner(Seal(), capabilities: 3);

        var seen = Decide(ready, new ClusterInput.RunnerConfigSeen(blank)).State;

        Assert.False(ClusterRules.IsPublished(blank));
        Assert.True(ClusterRules.IsPublished(Runner(Seal())));
        Assert.False(ClusterRules.IsReady(seen));
        Assert.Equal(Capabilities.All.Length, ClusterRules.RunnerConfigStatus(seen)!["capabilities"]!.AsArray().Count);
        Assert.True(ClusterRules.IsReady(Run(seen, Published)));
    }

    [Fact]
    public void Hearing_the_same_again_changes_nothing()
    {
        var ready = After(Declared, Kubeconfig, Reached, Published);

        foreach (var input in (ClusterInput[])[Declared, Kubeconfig, Reached, Published])
        {
            var again = Decide(ready, input);
            Assert.Same(ready, again.State);
            Assert.Empty(again.Events);
        }
    }

    [Fact]
    public void A_state_that_an_older_version_wrote_can_be_read()
    {
        var json = JsonSerializer.SerializeToNode(After(Declared, Kubeconfig, Reached, Published), JsonSerializerOptions.Web)!.AsObject();
        foreach (var added in (string[])["apiUid", "chain", "runnerLineage", "runnerSeal", "intruders"])
            Assert.True(json.Remove(added), added);

        var read = json.Deserialize<ClusterState>(JsonSerializerOptions.Web)!;

        Assert.Equal(("", false), (read.ApiUid, read.Intruders.IsDefault));
        Assert.NotNull(ClusterRules.DesiredRunnerConfig(read));
        Assert.NotEmpty(ClusterRules.Outbox(read));
    }

    [Theory]
    [InlineData("seam-tenant-c", "seam-mc-c-kubeconfig", "c")]
    [InlineData("seam-tenant-other", "seam-mc-c-kubeconfig", null)]
    [InlineData("seam-tenant-c", "seam-mc-c-talosconfig", null)]
    [InlineData("default", "whatever", null)]
    public void Only_the_secret_in_the_tenants_own_namespace_is_its_kubeconfig(string @namespace, string name, string? cluster) =>
        Assert.Equal(cluster, ClusterRules.ClusterOfKubeconfigSecret(new ObjectKey(@namespace, name))?.Value);

    private static ClusterState After(params ClusterInput[] inputs) => Run(Initial, inputs);

    private static ClusterState Run(ClusterState state, params ClusterInput[] inputs) => inputs.Aggregate(state, (s, input) => Decide(s, input).State);

    private static Decision<ClusterState> Decide(ClusterState state, ClusterInput input) => ClusterRules.Decide(state, input, Now);

    private static KubeObject Talos(string @namespace = "seam-system", string uid = "talos-uid", long generation = 1) => KubeObject.From(new JsonObject
    {
        ["apiVersion"] = KnownKinds.TalosCluster.ApiVersion,
        ["kind"] = KnownKinds.TalosCluster.Kind,
        ["metadata"] = new JsonObject { ["name"] = "ccs-dev", ["namespace"] = @namespace, ["uid"] = uid, ["generation"] = generation },
        ["spec"] = new JsonObject { ["mode"] = "import" },
    });

    private static JsonObject Seal() => JsonNode.Parse(ClusterRules.DesiredRunnerConfig(After(Declared))!.Find("spec", "lineage").GetRawText())!.AsObject();

    private static KubeObject Runner(JsonObject? lineage, int capabilities = 17)
    {
        var spec = new JsonObject { ["clusterRef"] = "ccs-dev" };
        if (lineage is not null)
            spec["lineage"] = lineage;
        return KubeObject.From(new JsonObject
        {
            ["apiVersion"] = KnownKinds.RunnerConfig.ApiVersion,
            ["kind"] = KnownKinds.RunnerConfig.Kind,
            ["metadata"] = new JsonObject { ["name"] = "ccs-dev", ["namespace"] = "ont-system", ["uid"] = "runner-uid" },
            ["spec"] = spec,
            ["status"] = new JsonObject
            {
                ["capabilities"] = new JsonArray([.. Capabilities.All.Take(capabilities).Select(c => (JsonNode)new JsonObject { ["name"] = c.Name })]),
            },
        });
    }
}
