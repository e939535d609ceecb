using System.Text.Json.Nodes;

namespace Governor.Sandbox.Tests.Workloads;

public sealed class WorkloadTests : ClusterFixture
{
    [Fact]
    public async Task A_deployment_becomes_available_through_a_modified_event()
    {
        using var watch = await Admin.WatchAsync($"{Deployments}?resourceVersion={Cluster.ResourceVersion}");
        await CreateDeploymentAsync("web", 3);
        Assert.Equal("ADDED web", await watch.NextTextAsync());
        Assert.Equal("MODIFIED web", await watch.NextTextAsync());
        var o = await Admin.GetAsync(Deployments + "/web");
        Assert.Equal("True", Condition(o, "Available"));
        Assert.Equal(3, o.Json["status"]!["readyReplicas"]!.GetValue<int>());
        Assert.Equal(1, o.Json["status"]!["observedGeneration"]!.GetValue<int>());
    }

    [Fact]
    public async Task A_changed_deployment_is_observed_again()
    {
        await CreateDeploymentAsync("web");
        await Cluster.IdleAsync();
        await Admin.MergeAsync(Deployments + "/web", """{"spec":{"replicas":5}}""");
        await Cluster.IdleAsync();
        var status = (await Admin.GetAsync(Deployments + "/web")).Json["status"]!;
        Assert.Equal((2, 5), (status["observedGeneration"]!.GetValue<int>(), status["availableReplicas"]!.GetValue<int>()));
    }

    [Theory]
    [InlineData("fail", "False", "False")]
    [InlineData("never", "False", "True")]
    [InlineData("ready", "True", "True")]
    public async Task The_annotation_says_what_becomes_of_a_deployment(string behaviour, string available, string progressing)
    {
        await CreateDeploymentAsync("web", annotations: $"\"sandbox.governor.dev/behaviour\":\"{behaviour}\"");
        await Cluster.IdleAsync();
        var o = await Admin.GetAsync(Deployments + "/web");
        Assert.Equal((available, progressing), (Condition(o, "Available"), Condition(o, "Progressing")));
    }

    [Fact]
    public async Task The_cluster_says_what_becomes_of_the_others()
    {
        Cluster.SetBehaviour(WorkloadBehaviour.Never);
        await CreateDeploymentAsync("web");
        await Cluster.IdleAsync();
        Assert.Equal("False", Condition(await Admin.GetAsync(Deployments + "/web"), "Available"));
    }

    [Fact]
    public async Task A_switch_reaches_the_workloads_that_exist()
    {
        await CreateDeploymentAsync("web");
        await Cluster.IdleAsync();
        var uid = (await Admin.GetAsync(Deployments + "/web")).Uid;
        Cluster.SetBehaviour(WorkloadBehaviour.Fail);
        await Cluster.IdleAsync();
        var failed = await Admin.GetAsync(Deployments + "/web");
        Assert.Equal(("False", "False"), (Condition(failed, "Available"), Condition(failed, "Progressing")));
        Cluster.SetBehaviour(WorkloadBehaviour.Ready);
        await Cluster.IdleAsync();
        var ready = await Admin.GetAsync(Deployments + "/web");
        Assert.Equal(("True", uid), (Condition(ready, "Available"), ready.Uid));
    }

    [Theory]
    [InlineData("ready", true, true)]
    [InlineData("fail", true, false)]
    [InlineData("never", false, false)]
    public async Task Cron_jobs_run_once_and_well_or_not(string behaviour, bool runs, bool well)
    {
        await Admin.PostAsync("/apis/batch/v1/namespaces/default/cronjobs", $$$"""
            {"apiVersion":"batch/v1","kind":"CronJob","metadata":{"name":"c","annotations":{"sandbox.governor.dev/behaviour":"{{{behaviour}}}"}},"spec":{"schedule":"@daily",
            "jobTemplate":{"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"a","image":"example.test/a:1"}]} } } } } }
            """);
        await Cluster.IdleAsync();
        var status = (await Admin.GetAsync("/apis/batch/v1/namespaces/default/cronjobs/c")).Json["status"]?.AsObject();
        Assert.Equal((runs, well), (status?["lastScheduleTime"] is not null, status?["lastSuccessfulTime"] is not null));
    }

    [Fact]
    public async Task Jobs_complete_or_fail()
    {
        await Admin.PostAsync("/apis/batch/v1/namespaces/default/jobs", Job("good", "ready"));
        await Admin.PostAsync("/apis/batch/v1/namespaces/default/jobs", Job("bad", "fail"));
        await Cluster.IdleAsync();
        Assert.Equal("True", Condition(await Admin.GetAsync("/apis/batch/v1/namespaces/default/jobs/good"), "Complete"));
        Assert.Equal("True", Condition(await Admin.GetAsync("/apis/batch/v1/namespaces/default/jobs/bad"), "Failed"));
    }

    [Fact]
    public async Task Claims_are_bound_and_budgets_observed()
    {
        await Admin.PostAsync("/api/v1/namespaces/default/persistentvolumeclaims",
            """{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"c"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}""");
        await Admin.PostAsync("/apis/policy/v1/namespaces/default/poddisruptionbudgets",
            """{"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"name":"b"},"spec":{"minAvailable":1}}""");
        await Cluster.IdleAsync();
        var claim = (await Admin.GetAsync("/api/v1/namespaces/default/persistentvolumeclaims/c")).Json;
        Assert.Equal("Bound", claim["status"]!["phase"]!.GetValue<string>());
        var volume = (await Admin.GetAsync($"/api/v1/persistentvolumes/{claim["spec"]!["volumeName"]}")).Json;
        Assert.Equal(claim["metadata"]!["uid"]!.GetValue<string>(), volume["spec"]!["claimRef"]!["uid"]!.GetValue<string>());
        var budget = (await Admin.GetAsync("/apis/policy/v1/namespaces/default/poddisruptionbudgets/b")).Json;
        Assert.Equal(1, budget["status"]!["observedGeneration"]!.GetValue<int>());
    }

    [Fact]
    public async Task Stateful_and_daemon_sets_become_ready()
    {
        foreach (var (kind, plural) in ((string, string)[])[("StatefulSet", "statefulsets"), ("DaemonSet", "daemonsets")])
        {
            var o = JsonNode.Parse(Deployment("set", 1))!.AsObject();
            o["kind"] = kind;
            if (kind == "DaemonSet")
                o["spec"]!.AsObject().Remove("replicas");
            var made = await Admin.PostAsync($"/apis/apps/v1/namespaces/default/{plural}", o.ToJsonString());
            Assert.Equal(201, made.Code);
        }
        await Cluster.IdleAsync();
        Assert.Equal(1, (await Admin.GetAsync("/apis/apps/v1/namespaces/default/statefulsets/set")).Json["status"]!["readyReplicas"]!.GetValue<int>());
        Assert.Equal(1, (await Admin.GetAsync("/apis/apps/v1/namespaces/default/daemonsets/set")).Json["status"]!["numberReady"]!.GetValue<int>());
    }

    [Theory]
    [InlineData("fail", "Lost")]
    [InlineData("never", "Pending")]
    [InlineData("ready", "Bound")]
    public async Task The_annotation_says_what_becomes_of_a_claim(string behaviour, string phase)
    {
        await Admin.PostAsync(Claims, Claim("c", annotations: $"\"sandbox.governor.dev/behaviour\":\"{behaviour}\""));
        await Cluster.IdleAsync();
        Assert.Equal(phase, await PhaseAsync("c"));
    }

    [Theory]
    [InlineData("fail")]
    [InlineData("never")]
    public async Task Stateful_and_daemon_sets_that_do_not_get_ready_say_how_many_are_not(string behaviour)
    {
        foreach (var (kind, plural) in ((string, string)[])[("StatefulSet", "statefulsets"), ("DaemonSet", "daemonsets")])
        {
            var o = JsonNode.Parse(Deployment("set", 1, $"\"sandbox.governor.dev/behaviour\":\"{behaviour}\""))!.AsObject();
            o["kind"] = kind;
            if (kind == "DaemonSet")
                o["spec"]!.AsObject().Remove("replicas");
            Assert.Equal(201, (await Admin.PostAsync($"/apis/apps/v1/namespaces/default/{plural}", o.ToJsonString())).Code);
        }
        await Cluster.IdleAsync();
        var stateful = (await Admin.GetAsync("/apis/apps/v1/namespaces/default/statefulsets/set")).Json["status"]!;
        Assert.Equal((1, null, 1), (stateful["replicas"]!.GetValue<int>(), stateful["readyReplicas"]?.GetValue<int>(), stateful["observedGeneration"]!.GetValue<int>()));
        var daemons = (await Admin.GetAsync("/apis/apps/v1/namespaces/default/daemonsets/set")).Json["status"]!;
        Assert.Equal((1, 0, 1), (daemons["desiredNumberScheduled"]!.GetValue<int>(), daemons["numberReady"]!.GetValue<int>(), daemons["numberUnavailable"]!.GetValue<int>()));
    }

    [Theory]
    [InlineData("never")]
    [InlineData("ready")]
    public async Task Of_no_replicas_none_is_missing(string behaviour)
    {
        await CreateDeploymentAsync("web", 0, $"\"sandbox.governor.dev/behaviour\":\"{behaviour}\"");
        await Cluster.IdleAsync();
        var o = await Admin.GetAsync(Deployments + "/web");
        Assert.Equal(("True", null), (Condition(o, "Available"), o.Json["status"]!["replicas"]?.GetValue<int>()));
    }

    [Fact]
    public async Task A_job_that_never_ends_stays_active_and_one_that_is_suspended_does_not_begin()
    {
        await Admin.PostAsync("/apis/batch/v1/namespaces/default/jobs", Job("endless", "never"));
        await Admin.PostAsync("/apis/batch/v1/namespaces/default/jobs", Job("later", "ready").Replace("\"spec\":{\"template\"", "\"spec\":{\"suspend\":true,\"template\"", StringComparison.Ordinal));
        await Cluster.IdleAsync();
        var endless = await Admin.GetAsync("/apis/batch/v1/namespaces/default/jobs/endless");
        Assert.Equal((1, null, null), (endless.Json["status"]!["active"]!.GetValue<int>(), Condition(endless, "Complete"), Condition(endless, "Failed")));
        Assert.Null(Condition(await Admin.GetAsync("/apis/batch/v1/namespaces/default/jobs/later"), "Complete"));
        await Admin.MergeAsync("/apis/batch/v1/namespaces/default/jobs/later", """{"spec":{"suspend":false}}""");
        await Cluster.IdleAsync();
        Assert.Equal("True", Condition(await Admin.GetAsync("/apis/batch/v1/namespaces/default/jobs/later"), "Complete"));
    }

    [Fact]
    public async Task A_claim_that_waits_for_its_first_consumer_is_bound_when_one_comes()
    {
        await Admin.PostAsync("/apis/storage.k8s.io/v1/storageclasses",
            """{"apiVersion":"storage.k8s.io/v1","kind":"StorageClass","metadata":{"name":"late"},"provisioner":"example.test/p","volumeBindingMode":"WaitForFirstConsumer"}""");
        await Admin.PostAsync(Claims, Claim("c", storageClass: "late"));
        await Cluster.IdleAsync();
        Assert.Equal("Pending", await PhaseAsync("c"));

        var user = JsonNode.Parse(Deployment("web"))!.AsObject();
        user["spec"]!["template"]!["spec"]!["volumes"] = JsonNode.Parse("""[{"name":"v","persistentVolumeClaim":{"claimName":"c"}}]""");
        Assert.Equal(201, (await Admin.PostAsync(Deployments, user.ToJsonString())).Code);
        await Cluster.IdleAsync();
        Assert.Equal("Bound", await PhaseAsync("c"));
    }

    private const string Claims = "/api/v1/namespaces/default/persistentvolumeclaims";

    private static string Claim(string name, string annotations = "", string storageClass = "standard") => $$$"""
        {"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"{{{name}}}","annotations":{ {{{annotations}}} }},
        "spec":{"storageClassName":"{{{storageClass}}}","accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"} } } }
        """;

    private async Task<string> PhaseAsync(string claim) => (await Admin.GetAsync($"{Claims}/{claim}")).Json["status"]!["phase"]!.GetValue<string>();

    private static string Job(string name, string behaviour) => $$$"""
        {"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"{{{name}}}","annotations":{"sandbox.governor.dev/behaviour":"{{{behaviour}}}"}},
        "spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"a","image":"example.test/a:1"}]} } } }
        """;
}
