using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;

namespace Governor.Domain.Tests.Permissions;

public sealed class MaterialisationTests
{
    private const string Ours = "guardian";
    private static readonly ClusterName Cluster = new("ccs-dev");

    private static readonly ImmutableArray<RbacObject> Wanted = Materialisation.Desired(Of("alice", new EffectiveRule("", "", "pods", ["get"], []))).Objects;

    private static ClusterPermissions Of(string principal, params ImmutableArray<EffectiveRule> rules) => new(Cluster, [new PrincipalPermissions(principal, rules)]);

    [Theory]
    [InlineData("system:serviceaccount:a:b-c", "system:serviceaccount:a-b:c")]
    [InlineData("system:serviceaccount:a:b", "a.b")]
    [InlineData("Alice", "alice")]
    [InlineData("developers", "system:group:developers")]
    [InlineData("system:group:web.web", "system:serviceaccount:web:web")]
    [InlineData("oidc:team/one", "oidc:team:one")]
    public void No_two_principals_share_a_name(string one, string other)
    {
        Assert.NotEqual(Materialisation.NameOf(one), Materialisation.NameOf(other));
        Assert.All((string[])[one, other], principal => Assert.Matches("^seam:[a-z0-9.-]+:[0-9a-f]{32}$", Materialisation.NameOf(principal)));
    }

    [Fact]
    public void A_name_is_bounded_whoever_it_is_for() => Assert.InRange(Materialisation.NameOf(new string('x', 5000)).Length, 1, 253);

    [Fact]
    public void Rights_in_a_namespace_stay_there_and_those_of_the_whole_cluster_are_one_cluster_role()
    {
        var plan = Materialisation.Desired(Of(
            "system:serviceaccount:web:web",
            new EffectiveRule("", "", "nodes", ["get"], []), new EffectiveRule("", "", "pods", ["get"], []), new EffectiveRule("web", "apps", "deployments", ["*"], ["web"])));
        Assert.Equal(
            ["ServiceAccount web/web", "ClusterRole {0}", "ClusterRoleBinding {0}", "Role web/{0}", "RoleBinding web/{0}"],
            plan.Objects.Select(item => item.Intent.ToString().Replace(Materialisation.NameOf("system:serviceaccount:web:web"), "{0}", StringComparison.Ordinal)));
        Assert.Equal(
            """[{"apiGroups":[""],"resources":["nodes","pods"],"verbs":["get"]}]""", plan.Objects[1].Intent.Find("rules").GetRawText());
        Assert.Equal(
            """[{"apiGroups":["apps"],"resources":["deployments"],"verbs":["*"],"resourceNames":["web"]}]""", plan.Objects[3].Intent.Find("rules").GetRawText());
    }

    [Theory]
    [InlineData("developers", "User", "developers")]
    [InlineData("system:group:developers", "Group", "developers")]
    [InlineData("system:group:oidc:team/one", "Group", "oidc:team/one")]
    public void A_binding_names_what_the_principal_is(string principal, string kind, string name)
    {
        var plan = Materialisation.Desired(Of(principal, new EffectiveRule("", "", "pods", ["get"], [])));
        Assert.Equal(["ClusterRole", "ClusterRoleBinding"], plan.Objects.Select(item => item.Intent.Kind)); // and no account
        Assert.Equal($$"""[{"apiGroup":"rbac.authorization.k8s.io","kind":"{{kind}}","name":"{{name}}"}]""", plan.Objects[1].Intent.Find("subjects").GetRawText());
    }

    [Theory]
    [InlineData("system:serviceaccount:We b:web", "")]
    [InlineData("system:serviceaccount:web:../x", "")]
    [InlineData("alice", "../kube-system")]
    [InlineData("alice", "-web")]
    public void What_no_server_would_take_is_not_sent(string principal, string place)
    {
        var plan = Materialisation.Desired(Of(principal, new EffectiveRule(place, "", "pods", ["get"], [])));
        Assert.Empty(plan.Objects);
        Assert.Contains(principal, Assert.Single(plan.Impossible), StringComparison.Ordinal);
    }

    private static KubeObject Live(RbacObject wanted, Action<JsonObject>? changed = null)
    {
        var made = wanted.Intent.ToJsonObject();
        (made["metadata"]!["uid"], made["metadata"]!["resourceVersion"]) = ("u1", "7");
        changed?.Invoke(made);
        return KubeObject.From(made);
    }

    private static void Unmarked(JsonObject live) => live["metadata"]!.AsObject().Remove("annotations");

    private static void Wrapped(JsonObject live) => live["metadata"]!["annotations"]!.AsObject().Remove(RbacObject.PrincipalAnnotation);

    private static void More(JsonObject live) => live["rules"] = new JsonArray();

    private static void Aggregated(JsonObject live) => live["aggregationRule"] = new JsonObject();

    private static void Rebound(JsonObject live) => live["roleRef"]!["name"] = "cluster-admin";

    private static void Deleting(JsonObject live) => live["metadata"]!["deletionTimestamp"] = "2026-01-01T00:00:00Z";

    public static TheoryData<string, int, bool, string, Action<JsonObject>?, string> Steps() => new()
    {
        { "as it should be", 0, true, "", null, "Keep" },
        { "other rules", 0, true, "", More, "Apply" },
        { "our object without our marks", 0, true, "u1", Unmarked, "Apply" },
        { "somebody else's", 0, true, "", Unmarked, "Leave" },
        { "somebody else's, wrapped", 0, true, "", Wrapped, "Leave" },
        { "somebody else's took the place of ours", 0, true, "u0", Unmarked, "Leave" },
        { "filled by a controller", 0, true, "", Aggregated, "Replace" },
        { "bound to another role", 1, true, "", Rebound, "Replace" },
        { "on its way out", 0, true, "", Deleting, "Leave" },
        { "not wanted", 0, false, "", null, "Delete" },
        { "not wanted, our object without our marks", 0, false, "u1", Unmarked, "Delete" },
        { "not wanted, and somebody else's", 0, false, "u0", Unmarked, "Forget" },
        { "not wanted, somebody else's, wrapped", 0, false, "", Wrapped, "Forget" },
    };

    [Theory, MemberData(nameof(Steps))]
    public void What_is_there_decides_what_is_done(string what, int index, bool wanted, string uid, Action<JsonObject>? changed, string expected)
    {
        var item = Wanted[index];
        var step = RbacStep.Judge(new RbacRecord(item.Intent.Gvk, item.Intent.Key, "alice", uid), wanted ? item : null, Live(item, changed), Ours);
        Assert.True(step.GetType().Name == expected, $"{what}: expected {expected}, found {step}");
    }

    [Fact]
    public void What_became_wanted_again_while_it_was_taken_away_is_not_forgotten()
    {
        var permissions = Of("alice", new EffectiveRule("", "", "pods", ["get"], []));
        var now = DateTimeOffset.UnixEpoch;
        var state = MaterialisationRules.Decide(
            MaterialisationState.Initial(Cluster), new MaterialisationInput.Told(new RightsFact(Cluster, "v", permissions, now)), now).State;
        Assert.Equal(2, state.Inventory.Count); // before anything is written

        var after = MaterialisationRules.Decide(state, new MaterialisationInput.Looked([new RbacOutcome.Gone(Wanted[0].Id, "removed")]), now).State;

        Assert.Equal("", after.Inventory[Wanted[0].Id].Written);
        Assert.False(MaterialisationRules.Fact(after).IsDone);
    }

    [Fact]
    public void Nothing_is_done_on_a_stale_snapshot()
    {
        var now = DateTimeOffset.UnixEpoch;
        var state = MaterialisationState.Initial(Cluster) with
        {
            Rights = new RightsFact(Cluster, "v", ClusterPermissions.None(Cluster), now),
            Conductor = new ConductorFact(Cluster, ConductorReadiness.Ready, "", "", "", 17, 17, "api"),
        };
        Assert.True(MaterialisationRules.CanAct(state, now));
        Assert.False(MaterialisationRules.CanAct(state, now + TimeSpan.FromTicks(1)));
        Assert.False(MaterialisationRules.CanAct(state with { Rights = null }, now));
    }
}
