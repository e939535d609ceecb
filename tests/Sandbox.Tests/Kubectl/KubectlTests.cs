namespace Governor.Sandbox.Tests.Kubectl;

public sealed class KubectlTests : KubectlSession
{
    [Fact]
    public async Task Apply_creates_then_finds_nothing_to_do_then_configures()
    {
        Assert.Equal("deployment.apps/web created\nservice/web created\nconfigmap/web created", await OkAsync("apply -f -", Web));
        Assert.Equal("deployment.apps/web unchanged\nservice/web unchanged\nconfigmap/web unchanged", await OkAsync("apply -f -", Web));
        Assert.Equal("deployment.apps/web unchanged\nservice/web unchanged\nconfigmap/web configured", await OkAsync("apply -f -", Web.Replace("v1}", "v2}", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Apply_server_side_conflicts_and_can_be_forced()
    {
        await ServeWidgetsAsync();
        Assert.Equal("widget.fixtures.governor.dev/w serverside-applied", await OkAsync("apply --server-side --field-manager=one -f -", Widget));
        var changed = Widget.Replace("size: 3", "size: 4", StringComparison.Ordinal);
        var refused = await FailAsync("apply --server-side -f -", changed);
        Assert.Contains("conflict with \"one\": .spec.size", refused.Error, StringComparison.Ordinal);
        await OkAsync("apply --server-side --force-conflicts -f -", changed);
        Assert.Equal("4", await OkAsync("get widget w -o jsonpath={.spec.size}"));
    }

    [Fact]
    public async Task Apply_reports_an_unknown_field()
    {
        await ServeWidgetsAsync();
        var refused = await FailAsync("apply -f -", Widget.Replace("steps", "stepz", StringComparison.Ordinal));
        Assert.Contains("strict decoding error: unknown field \"spec.stepz\"", refused.Error, StringComparison.Ordinal);
        var builtin = await FailAsync("apply -f -", Web.Replace("replicas", "replicaz", StringComparison.Ordinal));
        Assert.Contains("unknown field \"spec.replicaz\"", builtin.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_prints_the_columns_of_the_definition()
    {
        await ServeWidgetsAsync();
        await OkAsync("apply -f -", Widget);
        Assert.Matches(@"^NAME +SIZE +COLOR +READY +AGE\nw +3 +red +\d+s$", await OkAsync("get wd"));
        Assert.Matches(@"^NAME +SIZE +COLOR +READY +NOTE +AGE\nw +3 +red +none +\d+s$", await OkAsync("get widgets -o wide"));
        Assert.Matches(@"NAMESPACE +NAME", await OkAsync("get fixtures -A"));
    }

    [Fact]
    public async Task Get_watches()
    {
        using var kubectl = new Kubectl(Cluster.Kubeconfig);
        using var process = kubectl.Start("get configmaps -w --output-watch-events");
        try
        {
            Assert.StartsWith("EVENT", await process.StandardOutput.ReadLineAsync(), StringComparison.Ordinal);
            Assert.Matches("^ADDED +kube-root-ca.crt", await process.StandardOutput.ReadLineAsync());
            await CreateConfigMapAsync("a");
            Assert.Matches("^ADDED +a ", await process.StandardOutput.ReadLineAsync());
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task Wait_returns_when_the_condition_comes()
    {
        Cluster.SetBehaviour(WorkloadBehaviour.Never);
        await OkAsync("apply -f -", Web);
        var wait = OkAsync("wait --for=condition=Available deploy/web --timeout=30s");
        Cluster.SetBehaviour(WorkloadBehaviour.Ready);
        Assert.Equal("deployment.apps/web condition met", await wait);
        Assert.Equal("deployment \"web\" successfully rolled out", await OkAsync("rollout status deploy/web --timeout=30s"));
    }

    [Fact]
    public async Task Describe_shows_the_object_and_its_events()
    {
        await OkAsync("apply -f -", Web);
        var uid = (await Admin.GetAsync(ConfigMaps + "/web")).Uid;
        await Admin.PostAsync("/api/v1/namespaces/default/events", $$"""
            {"apiVersion":"v1","kind":"Event","metadata":{"name":"e"},"involvedObject":{"kind":"ConfigMap","namespace":"default","name":"web","uid":"{{uid}}"},"reason":"Seen","message":"was seen","type":"Normal"}
            """);
        Assert.Contains("Image:", await OkAsync("describe deploy web"), StringComparison.Ordinal);
        Assert.Contains("was seen", await OkAsync("describe configmap web"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Delete_waits_until_the_object_is_gone()
    {
        await OkAsync("apply -f -", Web);
        Assert.Contains("\"web\" deleted", await OkAsync("delete deploy,svc,cm web"), StringComparison.Ordinal);
        Assert.Equal(404, (await Admin.GetAsync(Deployments + "/web")).Code);
        await OkAsync("create namespace short");
        Assert.Equal("namespace \"short\" deleted", await OkAsync("delete namespace short"));
    }

    [Fact]
    public async Task Auth_can_i_answers_for_oneself_and_for_others()
    {
        Assert.Equal("yes", await OkAsync("auth can-i create pods"));
        Assert.Equal("no", (await FailAsync("auth can-i create pods --as nobody")).Output);
        Assert.Contains("selfsubjectaccessreviews.authorization.k8s.io", await OkAsync("auth can-i --list --as nobody"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_token_makes_a_token_that_works()
    {
        using var account = new SandboxClient(Cluster, await OkAsync("create token default --duration=10m"));
        var answer = await account.GetAsync(ConfigMaps);
        Assert.Contains("system:serviceaccount:default:default", answer.Message, StringComparison.Ordinal);
        Assert.Contains("serviceaccounts \"nosuch\" not found", (await FailAsync("create token nosuch")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_reads_the_schema()
    {
        await ServeWidgetsAsync();
        Assert.Contains("How big it is.", await OkAsync("explain widget.spec.size"), StringComparison.Ordinal);
        Assert.Contains("imagePullPolicy", await OkAsync("explain deployment.spec.template.spec.containers"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Diff_shows_a_dry_run_and_changes_nothing()
    {
        await ServeWidgetsAsync();
        await OkAsync("apply -f -", Widget);
        Assert.Equal("", await OkAsync("diff -f -", Widget));
        var diff = await FailAsync("diff -f -", Widget.Replace("size: 3", "size: 5", StringComparison.Ordinal));
        Assert.Equal(1, diff.ExitCode);
        Assert.Contains("+  size: 5", diff.Output, StringComparison.Ordinal);
        Assert.Equal("3", await OkAsync("get widget w -o jsonpath={.spec.size}"));
    }

    [Fact]
    public async Task Label_scale_and_patch_change_the_object()
    {
        await ServeWidgetsAsync();
        await OkAsync("apply -f -", Widget);
        await OkAsync("label widget w a=b");
        await OkAsync("scale widget w --replicas=4");
        await OkAsync("patch widget w --type=merge --subresource=status -p {\\\"status\\\":{\\\"phase\\\":\\\"Ready\\\"}}");
        Assert.Equal("b 4 Ready", await OkAsync("get widget w -o \"jsonpath={.metadata.labels.a} {.spec.replicas} {.status.phase}\""));
        await OkAsync("apply -f -", Web);
        await OkAsync("set image deploy/web web=example.test/web:2");
        Assert.Equal("example.test/web:2", await OkAsync("get deploy web -o jsonpath={.spec.template.spec.containers[0].image}"));
    }

    [Fact]
    public async Task A_kubeconfig_for_a_user_has_the_rights_of_that_user()
    {
        using var kubectl = new Kubectl(Cluster.KubeconfigFor("bob"));
        var refused = await kubectl.RunAsync("get configmaps");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("User \"bob\" cannot list resource \"configmaps\"", refused.Error, StringComparison.Ordinal);
    }
}
