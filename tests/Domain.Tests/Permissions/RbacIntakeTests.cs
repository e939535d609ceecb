using System.Collections.Immutable;
using System.Text;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;

namespace Governor.Domain.Tests.Permissions;

public sealed class RbacIntakeTests
{
    private static readonly IntakeTerms Terms = new(
        [
            new PermissionRule([""], ["configmaps", "services"], ["get", "list", "watch"], []),
            new PermissionRule([""], ["secrets"], ["get"], ["web-tls"]),
            new PermissionRule(["batch"], ["*"], ["*"], []),
        ],
        null, ["ClusterRole/view"]);

    private const string Account = """{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"web","namespace":"web"}}""";

    private static string Role(string rules, string more = "") =>
        $$"""{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"web","namespace":"web"{{more}}},"rules":[{{rules}}]}""";

    private static string ClusterRole(string content, string name = "web", string labels = "") =>
        $$"""{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"{{name}}","labels":{ {{labels}} } },{{content}} }""";

    private static string Binding(string kind, string roleKind, string role, string subject) =>
        $$"""
        {"apiVersion":"rbac.authorization.k8s.io/v1","kind":"{{kind}}","metadata":{"name":"web"{{(kind == "RoleBinding" ? ",\"namespace\":\"web\"" : "")}}},
        "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"{{roleKind}}","name":"{{role}}"},"subjects":[{{subject}}]}
        """;

    private const string Web = """{"kind":"ServiceAccount","namespace":"web","name":"web"}""";
    private const string ReadOnly = """{"apiGroups":[""],"resources":["configmaps"],"verbs":["get","list"]}""";

    public static TheoryData<string, string[], string[]> Cases() => new()
    {
        { "nothing", [], [] },
        { "a role within the ceiling, bound to an account of the pack", [Account, Role(ReadOnly), Binding("RoleBinding", "Role", "web", Web)], [] },
        { "a cluster role, bound in one namespace and everywhere",
            [Account, ClusterRole($"\"rules\":[{ReadOnly}]"), Binding("RoleBinding", "ClusterRole", "web", Web), Binding("ClusterRoleBinding", "ClusterRole", "web", Web)], [] },
        { "a role that is allowed by name", [Account, Binding("RoleBinding", "ClusterRole", "view", Web)], [] },
        { "names within the ceiling's", [Role("""{"apiGroups":[""],"resources":["secrets"],"resourceNames":["web-tls"],"verbs":["get"]}""")], [] },
        { "a role without rules", [ClusterRole("\"rules\":null")], [] },
        { "another kind", ["""{"apiVersion":"v1","kind":"Secret","metadata":{"name":"web","namespace":"web"}}"""], [RbacIntake.KindNotAllowed] },
        { "another version of a kind", [Role(ReadOnly).Replace("/v1\"", "/v1beta1\"", StringComparison.Ordinal)], [RbacIntake.KindNotAllowed] },
        { "a verb beyond the ceiling", [Role("""{"apiGroups":[""],"resources":["configmaps"],"verbs":["get","delete"]}""")], [RbacIntake.CeilingExceeded] },
        { "all names where the ceiling has one", [Role("""{"apiGroups":[""],"resources":["secrets"],"verbs":["get"]}""")], [RbacIntake.CeilingExceeded] },
        { "one name too many", [Role("""{"apiGroups":[""],"resources":["secrets"],"resourceNames":["web-tls","other"],"verbs":["get"]}""")], [RbacIntake.CeilingExceeded] },
        { "a wildcard over a narrower ceiling", [Role("""{"apiGroups":[""],"resources":["*"],"verbs":["get"]}""")], [RbacIntake.CeilingExceeded] },
        { "each resource of a rule by itself", [Role("""{"apiGroups":[""],"resources":["configmaps","pods","nodes"],"verbs":["get"]}""")], [RbacIntake.CeilingExceeded, RbacIntake.CeilingExceeded] },
        { "all verbs, though the ceiling has them", [Role("""{"apiGroups":["batch"],"resources":["jobs"],"verbs":["*"]}""")], [RbacIntake.VerbRefused] },
        { "escalate", [Role("""{"apiGroups":["batch"],"resources":["jobs"],"verbs":["escalate"]}""")], [RbacIntake.VerbRefused] },
        { "bind", [Role("""{"apiGroups":["batch"],"resources":["jobs"],"verbs":["bind"]}""")], [RbacIntake.VerbRefused] },
        { "impersonate", [Role("""{"apiGroups":["batch"],"resources":["jobs"],"verbs":["get","impersonate"]}""")], [RbacIntake.VerbRefused] },
        { "a verb that nobody knows", [Role("""{"apiGroups":["batch"],"resources":["jobs"],"verbs":["frobnicate"]}""")], [RbacIntake.CeilingExceeded] },
        { "an aggregation rule", [ClusterRole("\"aggregationRule\":{\"clusterRoleSelectors\":[]}")], [RbacIntake.AggregationRefused] },
        { "rules for others' roles", [ClusterRole($"\"rules\":[{ReadOnly}]", labels: "\"rbac.authorization.k8s.io/aggregate-to-view\":\"true\"")], [RbacIntake.AggregationRefused] },
        { "URLs", [ClusterRole("""  "rules":[{"nonResourceURLs":["/metrics"],"verbs":["get"]}]""")], [RbacIntake.NonResourceUrlsRefused] },
        { "no group", [Role("""{"resources":["configmaps"],"verbs":["get"]}""")], [RbacIntake.Malformed] },
        { "rules that are no list", [ClusterRole("\"rules\":{}")], [RbacIntake.Malformed] },
        { "a rule that is no object", [Role("7")], [RbacIntake.Malformed] },
        { "verbs that are no texts", [Role("""{"apiGroups":[""],"resources":["configmaps"],"verbs":[1]}""")], [RbacIntake.Malformed] },
        { "a role that is not in the pack", [Account, Binding("ClusterRoleBinding", "ClusterRole", "cluster-admin", Web)], [RbacIntake.RoleNotInPack] },
        { "a role of another namespace", [Account, Role(ReadOnly).Replace("\"namespace\":\"web\"", "\"namespace\":\"other\"", StringComparison.Ordinal), Binding("RoleBinding", "Role", "web", Web)], [RbacIntake.RoleNotInPack] },
        { "a role that a cluster binding cannot refer to", [Account, Role(ReadOnly), Binding("ClusterRoleBinding", "Role", "web", Web)], [RbacIntake.Malformed] },
        { "a group", [Role(ReadOnly), Binding("RoleBinding", "Role", "web", """{"kind":"Group","name":"system:authenticated"}""")], [RbacIntake.SubjectNotInPack] },
        { "an account of somebody else", [Role(ReadOnly), Binding("RoleBinding", "Role", "web", Web)], [RbacIntake.SubjectNotInPack] },
        { "a name of the server's", [ClusterRole($"\"rules\":[{ReadOnly}]", name: "system:node")], [RbacIntake.ReservedName] },
        { "a name of ours", [ClusterRole($"\"rules\":[{ReadOnly}]", name: Materialisation.NameOf("alice"))], [RbacIntake.ReservedName] },
        { "everything at once", [Role("""{"apiGroups":[""],"resources":["pods"],"verbs":["bind"]}"""), Binding("RoleBinding", "ClusterRole", "admin", Web)],
            [RbacIntake.VerbRefused, RbacIntake.CeilingExceeded, RbacIntake.RoleNotInPack, RbacIntake.SubjectNotInPack] },
    };

    [Theory, MemberData(nameof(Cases))]
    public void Refuses_what_goes_too_far(string what, string[] objects, string[] expected)
    {
        var refusals = RbacIntake.Judge([.. objects.Select(json => KubeObject.Parse(Encoding.UTF8.GetBytes(json)))], Terms);
        Assert.True(expected.SequenceEqual(refusals.Select(refusal => refusal.Rule)), $"{what}: {string.Join("; ", refusals)}");
    }

    [Fact]
    public void The_platform_s_ceiling_holds_as_well()
    {
        var role = KubeObject.Parse(Encoding.UTF8.GetBytes(Role(ReadOnly)));
        var refusal = Assert.Single(RbacIntake.Judge([role], Terms with { PlatformCeiling = [new PermissionRule([""], ["configmaps"], ["get"], [])] }));
        Assert.Equal(("Role web/web", "rules[0]: list core/configmaps exceeds the ceiling"), (refusal.Object, refusal.Exceeds));
    }
}
