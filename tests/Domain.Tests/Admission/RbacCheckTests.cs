using Governor.Domain.Admission;
using Governor.Domain.Kinds;
using static Governor.Domain.Tests.Admission.Asking;

namespace Governor.Domain.Tests.Admission;

public sealed class RbacCheckTests
{
    private static KubeObject Role(string owner = "guardian", string rules = """{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}""", string more = "") => Item($$"""
        {"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"r","namespace":"team"{{(owner.Length > 0 ? $$""","annotations":{"ontai.dev/rbac-owner":"{{owner}}"}""" : "")}}{{more}}},"rules":[{{rules}}]}
        """);

    [Theory]
    [InlineData("guardian", "", "")]
    [InlineData("guardian", "guardian", "")]
    [InlineData("admin", "", "rbac.ownership")]
    [InlineData("admin", "guardian", "")]
    [InlineData("admin", "Guardian", "rbac.ownership")]
    [InlineData("dev", "", "rbac.ownership")]
    [InlineData("dev", "guardian", "rbac.claim")]
    [InlineData("pipeline", "guardian", "rbac.claim")]
    [InlineData("pretender", "guardian", "rbac.claim")]
    [InlineData("collector", "", "")]
    [InlineData("ai", "guardian", "boundary.ai")]
    public void Who_may_create_RBAC(string who, string owner, string rule)
    {
        var verdict = Judge(AdmissionCheck.Rbac, Create(Role(owner), Named(who)));

        Assert.Equal(rule.Length == 0 ? [] : [rule], Rules(verdict));
        Assert.Equal(rule.Length == 0, verdict.Allowed);
    }

    [Theory]
    [InlineData("guardian", "guardian", "guardian", "")]
    [InlineData("admin", "", "guardian", "")]
    [InlineData("admin", "guardian", "", "rbac.ownership")]
    [InlineData("dev", "guardian", "guardian", "rbac.claim")]
    [InlineData("dev", "guardian", "", "rbac.ownership")]
    [InlineData("dev", "", "", "rbac.ownership")]
    public void Who_may_change_RBAC(string who, string before, string after, string rule) =>
        Assert.Equal(rule.Length == 0 ? [] : [rule], Rules(Judge(AdmissionCheck.Rbac, Update(Role(before), Role(after), Named(who)))));

    [Theory]
    [InlineData("guardian", "guardian", true)]
    [InlineData("admin", "guardian", true)]
    [InlineData("dev", "guardian", false)]
    [InlineData("pipeline", "guardian", false)]
    [InlineData("collector", "guardian", true)]
    [InlineData("dev", "", true)]
    [InlineData("ai", "", false)]
    public void Who_may_delete_RBAC(string who, string owner, bool allowed) =>
        Assert.Equal(allowed, Judge(AdmissionCheck.Rbac, Delete(Role(owner), Named(who))).Allowed);

    [Fact]
    public void What_is_being_deleted_may_lose_its_finalizers_and_nothing_else_of_it_may_change()
    {
        var before = Role(more: ""","deletionTimestamp":"2026-11-28T00:00:00Z","finalizers":["x/y"]""");

        Assert.True(Judge(AdmissionCheck.Rbac, Update(before, Role(more: ""","deletionTimestamp":"2026-11-28T00:00:00Z" """), Developer)).Allowed);
        Assert.False(Judge(AdmissionCheck.Rbac, Update(before, Role(rules: """{"apiGroups":["*"],"resources":["*"],"verbs":["get"]}"""), Developer)).Allowed);
    }

    [Theory]
    [InlineData("""{"apiGroups":["rbac.authorization.k8s.io"],"resources":["clusterroles"],"verbs":["bind"]}""", "bind clusterroles")]
    [InlineData("""{"apiGroups":["rbac.authorization.k8s.io"],"resources":["roles"],"verbs":["escalate"],"resourceNames":["a","b"]}""", "escalate roles a, escalate roles b")]
    [InlineData("""{"apiGroups":[""],"resources":["users","pods"],"verbs":["impersonate","get"]}""", "impersonate users")]
    [InlineData("""{"apiGroups":["authentication.k8s.io"],"resources":["userextras/scopes"],"verbs":["impersonate"]}""", "impersonate userextras")]
    [InlineData("""{"apiGroups":[""],"resources":["*"],"verbs":["*"]}""", "impersonate groups, impersonate serviceaccounts, impersonate users")]
    [InlineData("""{"apiGroups":["apps"],"resources":["*"],"verbs":["*"]}""", "")]
    [InlineData("""{"apiGroups":["rbac.authorization.k8s.io"],"resources":["rolebindings"],"verbs":["*"]}""", "")]
    [InlineData("""{"nonResourceURLs":["*"],"verbs":["*"]}""", "")]
    public void Nobody_grants_what_leads_to_more(string rules, string dangers)
    {
        Assert.Equal(dangers, string.Join(", ", Escalations.In(Role(rules: rules))));
        foreach (var who in (string[])["guardian", "admin"])
            Assert.Equal(dangers.Length == 0, Judge(AdmissionCheck.Rbac, Create(Role(rules: rules), Named(who))).Allowed);
    }

    [Theory]
    [InlineData("ClusterRole", "cluster-admin", "User", "bob", "bind cluster-admin")]
    [InlineData("Role", "cluster-admin", "User", "bob", "")]
    [InlineData("ClusterRole", "view", "Group", "system:unauthenticated", "bind-to system:unauthenticated")]
    [InlineData("ClusterRole", "view", "User", "system:anonymous", "bind-to system:anonymous")]
    [InlineData("ClusterRole", "view", "Group", "developers", "")]
    public void Nobody_binds_everything_or_to_everybody(string kind, string role, string subjectKind, string subject, string danger) => Assert.Equal(danger, string.Join(", ", Escalations.In(Item($$"""
        {"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":"b"},"roleRef":{"kind":"{{kind}}","name":"{{role}}"},"subjects":[{"kind":"{{subjectKind}}","name":"{{subject}}"}]}
        """))));

    [Fact]
    public void A_foreign_role_can_be_adopted_as_it_is_but_not_widened()
    {
        const string Bind = """{"apiGroups":["rbac.authorization.k8s.io"],"resources":["clusterroles"],"verbs":["bind"]}""";
        const string Narrow = """{"apiGroups":["rbac.authorization.k8s.io"],"resources":["clusterroles"],"verbs":["bind"],"resourceNames":["view"]}""";

        Assert.True(Judge(AdmissionCheck.Rbac, Update(Role("", Bind), Role("guardian", Bind), Admin)).Allowed);
        Assert.True(Judge(AdmissionCheck.Rbac, Update(Role("", Bind), Role("guardian", Narrow), Admin)).Allowed);
        Assert.Equal(["rbac.escalation"], Rules(Judge(AdmissionCheck.Rbac, Update(Role("", Narrow), Role("guardian", Bind), Admin))));
    }

    [Fact]
    public void Every_objection_is_said_and_says_what_where_expected_found_and_who_can_help()
    {
        var verdict = Judge(AdmissionCheck.Rbac, Create(Role("", """{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}"""), Developer));

        Assert.Equal(["rbac.ownership", "rbac.escalation"], Rules(verdict));
        foreach (var said in (string[])["Role team/r", "metadata.annotations['ontai.dev/rbac-owner']", "expected 'guardian', found none", "CS-INV-001", "declare an RBACProfile", "an administrator"])
            Assert.Contains(said, verdict.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_observed_namespace_warns_and_an_open_window_says_nothing_but_an_AI_is_denied_in_both()
    {
        var role = Create(Role(""), Developer);
        var drafted = Create(Role(), Robot);

        Assert.Equal((true, 1), (Judge(AdmissionCheck.Rbac, role, mode: AdmissionMode.Observe).Allowed, Judge(AdmissionCheck.Rbac, role, mode: AdmissionMode.Observe).Objections.Length));
        Assert.Empty(Judge(AdmissionCheck.Rbac, role, isBootstrapping: true).Objections);
        Assert.False(Judge(AdmissionCheck.Rbac, drafted, mode: AdmissionMode.Observe).Allowed);
        Assert.False(Judge(AdmissionCheck.Rbac, drafted, isBootstrapping: true).Allowed);
        Assert.True(Judge(AdmissionCheck.Rbac, drafted with { IsDryRun = true }).Allowed);
    }

    [Theory]
    [InlineData("""[{"permissionSetRef":"management-maximum"}]""", true)]
    [InlineData("""[]""", true)]
    [InlineData("""[{"permissionSetRef":"management-maximum"},{"permissionSetRef":"cluster-maximum"}]""", false)]
    [InlineData("""[{}]""", false)]
    public void Profiles_of_the_familys_operators_stand_under_one_ceiling(string declarations, bool allowed)
    {
        foreach (var group in (string[])["security.ontai.dev", "guardian.ontai.dev"])
        {
            var profile = Item($$"""
                {"apiVersion":"{{group}}/v1alpha1","kind":"RBACProfile","metadata":{"name":"p","namespace":"seam-system","labels":{"ontai.dev/rbac-profile-type":"seam-operator"} },"spec":{"permissionDeclarations":{{declarations}} } }
                """);
            Assert.Equal(allowed, Judge(AdmissionCheck.Rbac, Create(profile, Admin)).Allowed);
        }
    }

    [Theory]
    [InlineData("dev", "", "exempt", false)]
    [InlineData("dev", "enforce", "observe", false)]
    [InlineData("dev", "observe", "", true)]
    [InlineData("dev", "exempt", "observe", true)]
    [InlineData("dev", "observe", "Exempt", true)]
    [InlineData("pipeline", "", "observe", false)]
    [InlineData("admin", "", "exempt", true)]
    [InlineData("guardian", "", "exempt", true)]
    public void Nobody_talks_his_namespace_out_of_it(string who, string before, string after, bool allowed)
    {
        Assert.Equal(allowed, Judge(AdmissionCheck.Rbac, Update(Namespace(before), Namespace(after), Named(who)) with { Subresource = "status" }).Allowed);
        Assert.Equal(allowed || before.Length > 0, before.Length > 0 || Judge(AdmissionCheck.Rbac, Create(Namespace(after), Named(who))).Allowed);

        static KubeObject Namespace(string mode) => Item($$"""
            {"apiVersion":"v1","kind":"Namespace","metadata":{"name":"team","labels":{"seam.ontai.dev/webhook-mode":"{{mode}}"} } }
            """);
    }

    [Fact]
    public void Other_kinds_and_subresources_are_not_its_business()
    {
        var map = Item("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m","namespace":"team"}}""");

        Assert.True(Judge(AdmissionCheck.Rbac, Create(map, Developer)).Allowed);
        Assert.True(Judge(AdmissionCheck.Rbac, Create(Role(""), Developer) with { Subresource = "token" }).Allowed);
    }
}
