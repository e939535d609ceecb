using System.Text;
using Governor.Domain.Admission;
using Governor.Domain.Kinds;
using static Governor.Domain.Tests.Admission.Asking;

namespace Governor.Domain.Tests.Admission;

public sealed class GovernedCheckTests
{
    private const string Chain = """{"rootKind":"ClusterPack","rootName":"web"}""";
    private const string SameChain = """{"rootName":"web","rootKind":"ClusterPack"}""";

    private static KubeObject Pack(string? lineage = null, string? principal = "ann") => Item($$"""
        {"apiVersion":"infra.ontai.dev/v1alpha1","kind":"ClusterPack","metadata":{"name":"web","namespace":"team"{{(principal is null ? "" : $$""","annotations":{"infrastructure.ontai.dev/declaring-principal":"{{principal}}"}""")}} },"spec":{"version":"1"{{(lineage is null ? "" : $",\"lineage\":{lineage}")}} } }
        """);

    [Theory]
    [InlineData(null, null, "")]
    [InlineData(null, "null", "")]
    [InlineData(Chain, SameChain, "")]
    [InlineData(null, Chain, "lineage.LineageAdded")]
    [InlineData(Chain, null, "lineage.LineageRemoved")]
    [InlineData(Chain, """{"rootKind":"ClusterPack","rootName":"other"}""", "lineage.LineageChanged")]
    public void What_is_sealed_stays_sealed_whoever_asks(string? before, string? after, string rule)
    {
        foreach (var who in (string[])["guardian", "admin", "dev", "collector"])
            Assert.Equal(rule.Length == 0 ? [] : [rule], Rules(Judge(AdmissionCheck.Lineage, Update(Pack(before), Pack(after), Named(who)))));
    }

    [Theory]
    [InlineData("ann", "ann", true)]
    [InlineData("ann", "bob", false)]
    [InlineData("ann", null, false)]
    [InlineData(null, "ann", false)]
    public void Who_declared_an_object_is_not_rewritten(string? before, string? after, bool allowed) =>
        Assert.Equal(allowed, Judge(AdmissionCheck.Lineage, Update(Pack(principal: before), Pack(principal: after), Admin)).Allowed);

    [Fact]
    public void A_kind_is_governed_under_every_name_and_what_is_not_ours_is_not()
    {
        foreach (var (version, kind, allowed) in ((string, string, bool)[])
            [("infrastructure.ontai.dev/v1alpha1", "InfrastructureClusterPack", false), ("infra.ontai.dev/v1", "ClusterPack", false), ("example.dev/v1", "ClusterPack", true)])
        {
            var before = Item($$$"""{"apiVersion":"{{{version}}}","kind":"{{{kind}}}","metadata":{"name":"x","namespace":"team"},"spec":{"lineage":{{{Chain}}}}}""");
            var after = Item($$"""{"apiVersion":"{{version}}","kind":"{{kind}}","metadata":{"name":"x","namespace":"team"},"spec":{} }""");
            Assert.Equal(allowed, Judge(AdmissionCheck.Lineage, Update(before, after, Admin)).Allowed);
        }
    }

    private static KubeObject Index(string root = "web", string descendants = "", string domain = "infrastructure.core.ontai.dev") => Item($$"""
        {"apiVersion":"infrastructure.ontai.dev/v1alpha1","kind":"InfrastructureLineageIndex","metadata":{"name":"i","namespace":"team"},"spec":{"rootBinding":{"rootName":"{{root}}"},"domainRef":"{{domain}}","descendantRegistry":[{{descendants}}]} }
        """);

    [Fact]
    public void An_index_is_written_by_operators_only_and_outlives_whoever_would_delete_it()
    {
        foreach (var (who, allowed) in ((string, bool)[])[("guardian", true), ("collector", true), ("admin", false), ("dev", false), ("pretender", false)])
        {
            Assert.Equal(allowed, Judge(AdmissionCheck.Lineage, Create(Index(), Named(who))).Allowed);
            Assert.Equal(allowed, Judge(AdmissionCheck.Lineage, Update(Index(), Index(), Named(who))).Allowed);
            Assert.Equal(allowed, Judge(AdmissionCheck.Lineage, Delete(Index(), Named(who))).Allowed);
        }
    }

    [Theory]
    [InlineData("web", """{"uid":"1","name":"a"},{"uid":"2","name":"b"}""", "")]
    [InlineData("web", """{"uid":"0","name":"n"},{"name":"a","uid":"1"}""", "")]
    [InlineData("web", """{"uid":"2","name":"b"}""", "lineage.append-only")]
    [InlineData("web", """{"uid":"1","name":"z"}""", "lineage.append-only")]
    [InlineData("other", """{"uid":"1","name":"a"}""", "lineage.root-binding")]
    public void An_index_only_grows(string root, string descendants, string rule) =>
        Assert.Equal(rule.Length == 0 ? [] : [rule], Rules(Judge(AdmissionCheck.Lineage, Update(Index(descendants: """{"uid":"1","name":"a"}"""), Index(root, descendants), Guardian))));

    [Fact]
    public void There_is_one_domain() => Assert.Equal(["lineage.domain"], Rules(Judge(AdmissionCheck.Lineage, Create(Index(domain: "elsewhere"), Guardian))));

    [Theory]
    [InlineData("PackInstance", "infra.ontai.dev", "CREATE", true)]
    [InlineData("PackInstance", "infra.ontai.dev", "UPDATE", false)]
    [InlineData("PackExecution", "infra.ontai.dev", "CREATE", true)]
    [InlineData("PackExecution", "infra.ontai.dev", "UPDATE", false)]
    [InlineData("RunnerConfig", "runner.ontai.dev", "CREATE", false)]
    [InlineData("RunnerConfig", "seam.ontai.dev", "UPDATE", false)]
    [InlineData("PermissionSnapshot", "security.ontai.dev", "CREATE", false)]
    [InlineData("PermissionSnapshot", "guardian.ontai.dev", "UPDATE", false)]
    [InlineData("PermissionSnapshot", "security.ontai.dev", "DELETE", true)]
    [InlineData("ClusterPack", "infra.ontai.dev", "UPDATE", true)]
    public void What_operators_write_is_not_edited_by_hand(string kind, string group, string operation, bool allowed)
    {
        foreach (var (who, may) in ((string, bool)[])[("admin", allowed), ("dev", allowed), ("pretender", allowed), ("guardian", true), ("collector", true)])
            Assert.Equal(may, Judge(AdmissionCheck.OperatorObject, Ask(who)).Allowed);
        Assert.True(Judge(AdmissionCheck.OperatorObject, Ask("admin"), isBootstrapping: true).Allowed);

        AdmissionRequest Ask(string who)
        {
            var item = Item($$"""{"apiVersion":"{{group}}/v1alpha1","kind":"{{kind}}","metadata":{"name":"x","namespace":"team"},"spec":{"a":1} }""");
            return operation switch { "CREATE" => Create(item, Named(who)), "UPDATE" => Update(item, item, Named(who)), _ => Delete(item, Named(who)) };
        }
    }

    [Fact]
    public void A_status_is_its_operators()
    {
        var update = Update(Pack(), Pack(), Admin) with { Subresource = "status" };

        Assert.Equal(["operator.status"], Rules(Judge(AdmissionCheck.OperatorObject, update)));
        Assert.True(Judge(AdmissionCheck.OperatorObject, update with { By = Guardian }).Allowed);
        Assert.True(Judge(AdmissionCheck.OperatorObject, update with { Subresource = "scale" }).Allowed);
    }

    private static KubeObject Membership(string tier = "application", string principal = "system:serviceaccount:web:web", string identity = "web") => Item($$"""
        {"apiVersion":"infrastructure.ontai.dev/v1alpha1","kind":"SeamMembership","metadata":{"name":"m","namespace":"team"},"spec":{"appIdentityRef":"{{identity}}","domainIdentityRef":"d","principalRef":"{{principal}}","tier":"{{tier}}"} }
        """);

    [Theory]
    [InlineData("dev", "application", "")]
    [InlineData("dev", "infrastructure", "membership.tier")]
    [InlineData("pipeline", "infrastructure", "membership.tier")]
    [InlineData("admin", "infrastructure", "")]
    [InlineData("guardian", "infrastructure", "")]
    public void Members_of_the_infrastructure_are_made_by_whoever_answers_for_it(string who, string tier, string rule) =>
        Assert.Equal(rule.Length == 0 ? [] : [rule], Rules(Judge(AdmissionCheck.Membership, Create(Membership(tier), Named(who)))));

    [Fact]
    public void A_membership_is_well_formed_and_stays_one_principals()
    {
        Assert.Equal(["membership.AppIdentityRefNotEmpty", "membership.PrincipalRefValid"], Rules(Judge(AdmissionCheck.Membership, Create(Membership(principal: "bob", identity: ""), Developer))));
        Assert.Equal(["membership.identity"], Rules(Judge(AdmissionCheck.Membership, Update(Membership(), Membership(principal: "system:serviceaccount:web:other"), Admin))));
        Assert.True(Judge(AdmissionCheck.Membership, Delete(Membership(), Developer)).Allowed);
    }

    [Fact]
    public void Whoever_creates_a_root_is_stamped_on_it_whatever_he_wrote_himself()
    {
        Assert.Equal("""[{"op":"add","path":"/metadata/annotations/infrastructure.ontai.dev~1declaring-principal","value":"dev"}]""", Patch(Create(Pack(principal: "ann"), Developer)));
        Assert.Equal("""[{"op":"add","path":"/metadata/annotations","value":{"infrastructure.ontai.dev/declaring-principal":"dev"}}]""", Patch(Create(Pack(principal: null), Developer)));
        Assert.Null(Patch(Create(Pack(principal: "dev"), Developer))); // reinvoked
        Assert.Null(Patch(Update(Pack(), Pack(), Developer)));
        Assert.Null(Patch(Create(Pack(), new Domain.Approvals.Caller("", []))));
        Assert.Null(Patch(Create(Membership(), Developer)));
        Assert.Null(Judge(AdmissionCheck.DeclaringPrincipal, Create(Pack(principal: null), Developer), isBootstrapping: true).Patch);

        static string? Patch(AdmissionRequest request) => Judge(AdmissionCheck.DeclaringPrincipal, request).Patch?.ToJsonString();
    }

    [Fact]
    public void The_answer_carries_the_patch_in_base64()
    {
        var response = System.Text.Json.JsonElement.Parse(ReviewWriter.Write("u", Judge(AdmissionCheck.DeclaringPrincipal, Create(Pack(), Developer)))).GetProperty("response");

        Assert.Equal("JSONPatch", response.GetProperty("patchType").GetString());
        Assert.StartsWith("[{\"op\":\"add\"", Encoding.UTF8.GetString(response.GetProperty("patch").GetBytesFromBase64()), StringComparison.Ordinal);
    }
}
