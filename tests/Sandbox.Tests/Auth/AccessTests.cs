namespace Governor.Sandbox.Tests.Auth;

public sealed class AccessTests : ClusterFixture
{
    private const string Rbac = "/apis/rbac.authorization.k8s.io/v1";

    private Task<Answer> GrantAsync(string name, string rules, string subject) => GrantAsync(name, rules, subject, "default");

    private async Task<Answer> GrantAsync(string name, string rules, string subject, string ns)
    {
        await Admin.PostAsync($"{Rbac}/namespaces/{ns}/roles", $$$"""{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"{{{name}}}"},"rules":[{{{rules}}}]}""");
        return await Admin.PostAsync($"{Rbac}/namespaces/{ns}/rolebindings", $$$"""
            {"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"{{{name}}}"},"subjects":[{{{subject}}}],
            "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"{{{name}}}"}}
            """);
    }

    private const string Bob = """{"kind":"User","name":"bob","apiGroup":"rbac.authorization.k8s.io"}""";

    [Fact]
    public async Task A_token_that_nobody_knows_is_401_and_no_token_is_anonymous_403()
    {
        using var stranger = new SandboxClient(Cluster, "wrong");
        using var nobody = new SandboxClient(Cluster, "");
        Assert.Equal((401, "Unauthorized"), (await stranger.GetAsync(ConfigMaps)) is var a ? (a.Code, a.Reason) : default);
        Assert.Equal(403, (await nobody.GetAsync(ConfigMaps)).Code);
        Assert.Equal(200, (await nobody.GetAsync("/version")).Code);
        Assert.Equal(401, (await stranger.GetAsync("/version")).Code);
    }

    [Fact]
    public async Task A_role_gives_what_it_says_and_no_more()
    {
        await GrantAsync("reader", """{"apiGroups":[""],"resources":["configmaps"],"verbs":["get","list"]}""", Bob);
        using var bob = new SandboxClient(Cluster, Cluster.TokenFor("bob"));
        Assert.Equal(200, (await bob.GetAsync(ConfigMaps)).Code);
        Assert.Equal(403, (await bob.GetAsync("/api/v1/configmaps")).Code);
        Assert.Equal(403, (await bob.GetAsync("/api/v1/namespaces/default/secrets")).Code);
        Assert.Equal(403, (await bob.DeleteAsync(ConfigMaps + "/x")).Code);
        Assert.Equal(200, (await bob.GetAsync("/apis")).Code);
    }

    [Fact]
    public async Task Resource_names_and_subresources_are_told_apart()
    {
        await GrantAsync("one", """{"apiGroups":["apps"],"resources":["deployments"],"resourceNames":["web"],"verbs":["get"]},{"apiGroups":["apps"],"resources":["deployments/status"],"verbs":["*"]}""", Bob);
        await CreateDeploymentAsync("web");
        await CreateDeploymentAsync("other");
        using var bob = new SandboxClient(Cluster, Cluster.TokenFor("bob"));
        Assert.Equal(200, (await bob.GetAsync(Deployments + "/web")).Code);
        Assert.Equal(403, (await bob.GetAsync(Deployments + "/other")).Code);
        Assert.Equal(200, (await bob.GetAsync(Deployments + "/other/status")).Code);
        Assert.Equal(403, (await bob.GetAsync(Deployments)).Code);
    }

    [Fact]
    public async Task Groups_of_a_token_count()
    {
        await GrantAsync("devs", """{"apiGroups":[""],"resources":["*"],"verbs":["*"]}""", """{"kind":"Group","name":"devs","apiGroup":"rbac.authorization.k8s.io"}""");
        using var dev = new SandboxClient(Cluster, Cluster.TokenFor("ann", "devs"));
        Assert.Equal(200, (await dev.GetAsync(ConfigMaps)).Code);
    }

    [Fact]
    public async Task A_service_account_token_is_the_account_until_it_is_deleted()
    {
        await GrantAsync("robot", """{"apiGroups":[""],"resources":["configmaps"],"verbs":["list"]}""", """{"kind":"ServiceAccount","name":"robot","namespace":"default"}""");
        await Admin.PostAsync("/api/v1/namespaces/default/serviceaccounts", """{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"robot"}}""");
        var made = await Admin.PostAsync("/api/v1/namespaces/default/serviceaccounts/robot/token", """{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}""");
        Assert.Equal(201, made.Code);
        using var robot = new SandboxClient(Cluster, made.Json["status"]!["token"]!.GetValue<string>());
        Assert.Equal(200, (await robot.GetAsync(ConfigMaps)).Code);
        await Admin.DeleteAsync("/api/v1/namespaces/default/serviceaccounts/robot");
        Assert.Equal(401, (await robot.GetAsync(ConfigMaps)).Code);
    }

    [Fact]
    public async Task A_token_for_another_audience_is_none_here_and_reviewed_as_such()
    {
        var made = await Admin.PostAsync("/api/v1/namespaces/default/serviceaccounts/default/token",
            """{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"audiences":["governor"],"expirationSeconds":900}}""");
        var token = made.Json["status"]!["token"]!.GetValue<string>();
        using var other = new SandboxClient(Cluster, token);
        Assert.Equal(401, (await other.GetAsync("/version")).Code);
        var good = await ReviewAsync(token, "\"audiences\":[\"governor\"],");
        var bad = await ReviewAsync(token, "");
        Assert.True(good["authenticated"]!.GetValue<bool>());
        Assert.Equal("system:serviceaccount:default:default", good["user"]!["username"]!.GetValue<string>());
        Assert.Null(bad["authenticated"]);
        Assert.Contains("invalid bearer token", bad["error"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    private async Task<System.Text.Json.Nodes.JsonNode> ReviewAsync(string token, string audiences) =>
        (await Admin.PostAsync("/apis/authentication.k8s.io/v1/tokenreviews",
            $$$"""{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{{{{audiences}}}"token":"{{{token}}}"}}""")).Json["status"]!;

    [Fact]
    public async Task A_token_shorter_than_ten_minutes_is_refused()
    {
        var made = await Admin.PostAsync("/api/v1/namespaces/default/serviceaccounts/default/token",
            """{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"expirationSeconds":60}}""");
        Assert.Equal(422, made.Code);
    }

    [Fact]
    public async Task Impersonation_replaces_the_identity_and_needs_the_right()
    {
        var asBob = await Admin.SendAsync("GET", ConfigMaps, headers: [("Impersonate-User", "bob")]);
        Assert.Equal(403, asBob.Code);
        Assert.Contains("User \"bob\"", asBob.Message, StringComparison.Ordinal);
        using var bob = new SandboxClient(Cluster, Cluster.TokenFor("bob"));
        var asAdmin = await bob.SendAsync("GET", ConfigMaps, headers: [("Impersonate-User", "admin"), ("Impersonate-Group", "system:masters")]);
        Assert.Contains("cannot impersonate resource \"users\"", asAdmin.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_grants_what_he_does_not_hold()
    {
        await GrantAsync("role-writer", """{"apiGroups":["rbac.authorization.k8s.io"],"resources":["roles","rolebindings"],"verbs":["create","get","update","patch"]},{"apiGroups":[""],"resources":["configmaps"],"verbs":["get"]}""", Bob);
        using var bob = new SandboxClient(Cluster, Cluster.TokenFor("bob"));
        var own = await bob.PostAsync($"{Rbac}/namespaces/default/roles", """{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"own"},"rules":[{"apiGroups":[""],"resources":["configmaps"],"verbs":["get"]}]}""");
        var more = await bob.PostAsync($"{Rbac}/namespaces/default/roles", """{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"more"},"rules":[{"apiGroups":[""],"resources":["secrets"],"verbs":["*"]}]}""");
        var bind = await bob.PostAsync($"{Rbac}/namespaces/default/rolebindings", """
            {"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"grab"},"subjects":[],"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"view"}}
            """);
        Assert.Equal(201, own.Code);
        Assert.Equal(403, more.Code);
        Assert.EndsWith("is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"secrets\"], Verbs:[\"*\"]}", more.Message, StringComparison.Ordinal);
        Assert.Equal(403, bind.Code);
    }

    [Fact]
    public async Task Access_reviews_name_the_binding()
    {
        await GrantAsync("reader", """{"apiGroups":[""],"resources":["configmaps"],"verbs":["get"]}""", Bob);
        var review = await Admin.PostAsync("/apis/authorization.k8s.io/v1/subjectaccessreviews",
            """{"apiVersion":"authorization.k8s.io/v1","kind":"SubjectAccessReview","spec":{"user":"bob","resourceAttributes":{"namespace":"default","verb":"get","resource":"configmaps"}}}""");
        Assert.Equal(201, review.Code);
        Assert.Equal("RBAC: allowed by RoleBinding \"reader/default\" of Role \"reader\" to User \"bob\"", review.Json["status"]!["reason"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_role_reference_cannot_change()
    {
        await GrantAsync("a", """{"apiGroups":[""],"resources":["configmaps"],"verbs":["get"]}""", Bob);
        var changed = await Admin.MergeAsync($"{Rbac}/namespaces/default/rolebindings/a", """{"roleRef":{"name":"b"}}""");
        Assert.Equal(422, changed.Code);
        Assert.Contains("cannot change roleRef", changed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_aggregated_role_has_the_rules_of_those_it_selects()
    {
        const string roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
        static string Role(string name, string rest) => $$$"""{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"{{{name}}}","labels":{"to":"{{{name}}}"} },{{{rest}}} }""";
        var made = await Admin.PostAsync(roles, Role("whole", """ "aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"to":"part"} }]},"rules":[] """));
        Assert.Equal(201, made.Code);
        await Admin.PostAsync(roles, Role("part", """ "rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}] """));
        await Cluster.IdleAsync();
        Assert.Equal("pods", (await Admin.GetAsync(roles + "/whole")).Json["rules"]![0]!["resources"]![0]!.GetValue<string>());
        await Admin.DeleteAsync(roles + "/part");
        await Cluster.IdleAsync();
        Assert.Null((await Admin.GetAsync(roles + "/whole")).Json["rules"]);
    }

    [Fact]
    public async Task A_denial_names_the_role_that_a_binding_misses()
    {
        await Admin.PostAsync("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", """
            {"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":"b"},"roleRef":{"kind":"ClusterRole","name":"nosuch"},"subjects":[{"kind":"User","name":"bob"}]}
            """);
        using var bob = new SandboxClient(Cluster, Cluster.TokenFor("bob"));
        Assert.EndsWith("in the namespace \"default\": RBAC: clusterrole.rbac.authorization.k8s.io \"nosuch\" not found", (await bob.GetAsync(ConfigMaps)).Message, StringComparison.Ordinal);
    }
}
