namespace Governor.Sandbox.Tests.Kubectl;

public sealed class KubectlVerbTests : KubectlSession
{
    private async Task<string> ConfigMapNamesAsync() => await OkAsync("get configmaps -o jsonpath={.items[*].metadata.name}");

    private async Task MakeOwnerAsync(bool blocks = true)
    {
        var owner = await CreateConfigMapAsync("owner");
        Assert.Equal(201, (await CreateConfigMapAsync("dependent", Owner("owner", owner.Uid, blocks))).Code);
    }

    [Fact]
    public async Task A_server_side_conflict_names_the_fields_and_the_ways_out()
    {
        await ServeWidgetsAsync();
        await OkAsync("apply --server-side --field-manager=one -f -", Widget);
        var refused = await FailAsync("apply --server-side -f -", Widget.Replace("size: 3", "size: 4", StringComparison.Ordinal).Replace("[a, b]", "[c]", StringComparison.Ordinal));
        Assert.Equal(1, refused.ExitCode);
        Assert.StartsWith("error: Apply failed with 2 conflicts: conflicts with \"one\":\n- .spec.size\n- .spec.steps\n", refused.Error, StringComparison.Ordinal);
        Assert.Contains("please re-run the apply\n  command with the `--force-conflicts` flag", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_side_diff_changes_nothing()
    {
        await ServeWidgetsAsync();
        await OkAsync("apply --server-side -f -", Widget);
        var diff = await FailAsync("diff --server-side -f -", Widget.Replace("size: 3", "size: 5", StringComparison.Ordinal));
        Assert.Equal(1, diff.ExitCode);
        Assert.Contains("-  size: 3", diff.Output, StringComparison.Ordinal);
        Assert.Equal("3", await OkAsync("get widget w -o jsonpath={.spec.size}"));
    }

    [Fact]
    public async Task Background_deletion_takes_the_dependents_along()
    {
        await MakeOwnerAsync();
        Assert.Equal("configmap \"owner\" deleted", await OkAsync("delete configmap owner --cascade=background"));
        await Cluster.IdleAsync();
        Assert.Equal("kube-root-ca.crt", await ConfigMapNamesAsync());
    }

    [Fact]
    public async Task Foreground_deletion_waits_for_the_dependents()
    {
        await MakeOwnerAsync();
        Assert.Equal("configmap \"owner\" deleted", await OkAsync("delete configmap owner --cascade=foreground"));
        Assert.Equal("kube-root-ca.crt", await ConfigMapNamesAsync());
    }

    [Fact]
    public async Task Orphans_stay()
    {
        await MakeOwnerAsync();
        await OkAsync("delete configmap owner --cascade=orphan");
        await Cluster.IdleAsync();
        Assert.Equal("dependent kube-root-ca.crt", await ConfigMapNamesAsync());
        Assert.Equal("", await OkAsync("get configmap dependent -o jsonpath={.metadata.ownerReferences}"));
    }

    [Fact]
    public async Task Wait_sees_a_field_come_and_an_object_go()
    {
        await ServeWidgetsAsync();
        await OkAsync("apply -f -", Widget);
        using var kubectl = new Kubectl(Cluster.Kubeconfig);
        var field = kubectl.RunAsync("wait widget/w --for=jsonpath={.status.phase}=Ready --timeout=50s");
        await Admin.MergeAsync(Widgets + "/w/status", """{"status":{"phase":"Ready"}}""");
        Assert.Equal("widget.fixtures.governor.dev/w condition met", (await field).Output);
        var gone = kubectl.RunAsync("wait widget/w --for=delete --timeout=50s");
        await Admin.DeleteAsync(Widgets + "/w");
        Assert.Equal(0, (await gone).ExitCode);
        var late = await FailAsync("wait configmap/kube-root-ca.crt --for=condition=Ready --timeout=1s");
        Assert.Contains("timed out waiting for the condition on configmaps/kube-root-ca.crt", late.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replace_label_annotate_and_patches_change_what_they_name()
    {
        await ServeWidgetsAsync();
        Assert.Equal("widget.fixtures.governor.dev/w created", await OkAsync("create -f -", Widget));
        Assert.Equal("widget.fixtures.governor.dev/w replaced", await OkAsync("replace -f -", Widget.Replace("size: 3", "size: 7", StringComparison.Ordinal)));
        Assert.Equal("widget.fixtures.governor.dev/w labeled", await OkAsync("label widget w a=b"));
        Assert.Equal("widget.fixtures.governor.dev/w annotated", await OkAsync("annotate widget w c=d"));
        Assert.Equal("widget.fixtures.governor.dev/w patched", await OkAsync("patch widget w --type=json -p [{\\\"op\\\":\\\"add\\\",\\\"path\\\":\\\"/spec/steps/0\\\",\\\"value\\\":\\\"x\\\"}]"));
        Assert.Equal("7 b d x", await OkAsync("get widget w -o \"jsonpath={.spec.size} {.metadata.labels.a} {.metadata.annotations.c} {.spec.steps[0]}\""));
        Assert.Equal("widget.fixtures.governor.dev/w unlabeled", await OkAsync("label widget w a-"));
        Assert.Contains("is not supported", (await FailAsync("patch widget w -p {\\\"spec\\\":{\\\"size\\\":1}}")).Error, StringComparison.Ordinal);
        Assert.Contains("AlreadyExists", (await FailAsync("create -f -", Widget)).Error, StringComparison.Ordinal);
        Assert.Contains("object has been modified", (await FailAsync("replace -f -", Widget.Replace("{name: w}", "{name: w, resourceVersion: \"7\"}", StringComparison.Ordinal))).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Edit_puts_back_what_the_editor_made_of_it()
    {
        await CreateConfigMapAsync("a");
        using var kubectl = new Kubectl(Cluster.Kubeconfig);
        kubectl.Environment["KUBE_EDITOR"] = "sed -i s/v$/edited/";
        var edited = await kubectl.RunAsync("edit configmap a");
        Assert.True(edited.ExitCode == 0, edited.Error);
        Assert.Equal("edited", (await Admin.GetAsync(ConfigMaps + "/a")).Json["data"]!["k"]!.GetValue<string>());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Api_resources_lists_built_in_and_custom_kinds(bool aggregated)
    {
        await using var cluster = await SandboxCluster.StartAsync(new SandboxOptions("discovered", AggregatedDiscovery: aggregated));
        using var admin = new SandboxClient(cluster);
        foreach (var exchange in Fixtures.FixtureFile.Read("02-crd-test-kinds"))
            await admin.PostAsync(Definitions, exchange.RequestBody);
        await cluster.IdleAsync();
        using var kubectl = new Kubectl(cluster.Kubeconfig);
        var listed = (await kubectl.RunAsync("api-resources -o wide")).Output;
        Assert.Matches(@"deployments +deploy +apps/v1 +true +Deployment +create,delete,deletecollection,get,list,patch,update,watch +all", listed);
        Assert.Matches(@"widgets +wd\S* +fixtures.governor.dev/v1 +true +Widget", listed);
        Assert.True(aggregated == !cluster.Requests.ContainsKey("get /apis/apps/v1"), string.Join(", ", cluster.Requests.Keys));
        Assert.Contains("fixtures.governor.dev/v1alpha1", (await kubectl.RunAsync("api-versions")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_makes_built_in_objects_though_it_sends_protobuf()
    {
        foreach (var command in (string[])["configmap a --from-literal=a=b", "secret generic a --from-literal=a=b", "serviceaccount a", "role a --verb=get --resource=pods",
            "rolebinding a --role=a --serviceaccount=default:a", "clusterrole a --verb=get --resource=pods", "clusterrolebinding a --clusterrole=a --user=bob",
            "deployment a --image=example.test/a:1 --replicas=3 --port=80", "job a --image=example.test/a:1", "cronjob a --image=example.test/a:1 --schedule=@daily",
            "service clusterip a --tcp=80:8080", "ingress a --rule=a.test/x=a:80", "poddisruptionbudget a --selector=a=b --min-available=30%", "priorityclass a --value=3", "namespace a"])
            Assert.EndsWith("created", await OkAsync("create " + command), StringComparison.Ordinal);
        await Cluster.IdleAsync();
        Assert.Equal("3 example.test/a:1 80", await OkAsync("get deployment a -o \"jsonpath={.spec.replicas} {.spec.template.spec.containers[0].image} {.spec.template.spec.containers[0].ports[0].containerPort}\""));
        Assert.Equal("8080 80 30% 80", $"{await OkAsync("get service a -o \"jsonpath={.spec.ports[0].targetPort} {.spec.ports[0].port}\"")} {await OkAsync("get pdb a -o jsonpath={.spec.minAvailable}")} {await OkAsync("get ingress a -o jsonpath={.spec.rules[0].http.paths[0].backend.service.port.number}")}");
        Assert.Equal("yes", await OkAsync("auth can-i get pods --as system:serviceaccount:default:a"));
        Assert.Equal("deployment \"a\" successfully rolled out", await OkAsync("rollout status deployment/a --timeout=30s"));
    }

    [Fact]
    public async Task Rollout_status_tells_a_failure_from_a_success()
    {
        Cluster.SetBehaviour(WorkloadBehaviour.Fail);
        await OkAsync("apply -f -", Web);
        await Cluster.IdleAsync();
        Assert.Contains("exceeded its progress deadline", (await FailAsync("rollout status deploy/web --timeout=30s")).Error, StringComparison.Ordinal);
        Cluster.SetBehaviour(WorkloadBehaviour.Ready);
        await Cluster.IdleAsync();
        await OkAsync("rollout restart deploy/web");
        Assert.Equal("deployment \"web\" successfully rolled out", (await OkAsync("rollout status deploy/web --timeout=30s")).Split('\n')[^1]);
    }

    [Fact]
    public async Task Get_watches_a_custom_resource_as_a_table()
    {
        await ServeWidgetsAsync();
        using var kubectl = new Kubectl(Cluster.Kubeconfig);
        using var process = kubectl.Start("get widgets -w --output-watch-events");
        try
        {
            await OkAsync("apply -f -", Widget);
            Assert.Matches("^EVENT +NAME +SIZE", await process.StandardOutput.ReadLineAsync());
            Assert.Matches("^ADDED +w +3 +red", await process.StandardOutput.ReadLineAsync());
            await OkAsync("delete widget w --wait=false");
            Assert.Matches("^DELETED +w", await process.StandardOutput.ReadLineAsync());
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task Faults_are_switched_by_raw_requests()
    {
        Assert.Contains("\"id\":1", await OkAsync("create --raw /sandbox/faults -f -", """{"effect":"fail","code":409,"reason":"Conflict","on":{"verb":"create","resource":"configmaps"} }"""), StringComparison.Ordinal);
        Assert.Contains("injected fault 409", (await FailAsync("create configmap c")).Error, StringComparison.Ordinal);
        Assert.Contains("\"hits\":1", await OkAsync("get --raw /sandbox/faults"), StringComparison.Ordinal);
        await OkAsync("delete --raw /sandbox/faults");
        await OkAsync("create configmap c");
    }
}
