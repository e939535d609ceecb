using System.Text;
using System.Text.Json.Nodes;
using Governor.Domain.Admission;
using Governor.Domain.Approvals;
using Governor.Domain.Kinds;

namespace Governor.Domain.Tests.Admission;

/// <summary>People, objects and reviews that the tests of admission share.</summary>
internal static class Asking
{
    public const string Operator = "system:serviceaccount:seam-system:governor";

    public static readonly AdmissionPolicy Policy = new([Operator], ["system:masters"], new ApprovalPolicy(["governor:ai"], TimeSpan.FromDays(1)));

    public static readonly Caller Guardian = new(Operator, ["system:serviceaccounts", "system:authenticated"]);
    public static readonly Caller Admin = new("ann", ["system:masters", "system:authenticated"]);
    public static readonly Caller Developer = new("dev", ["developers", "system:authenticated"]);
    public static readonly Caller Robot = new("ann", ["system:masters", "governor:ai"]);
    public static readonly Caller Pipeline = new("system:serviceaccount:ci:deployer", ["system:masters"]);
    public static readonly Caller Collector = new("system:serviceaccount:kube-system:generic-garbage-collector", []);

    /// <summary>Not one of ours: its name only begins like one.</summary>
    public static readonly Caller Pretender = new(Operator + "-helper", ["system:serviceaccounts"]);

    public static Caller Named(string who) => who switch
    {
        "guardian" => Guardian,
        "admin" => Admin,
        "dev" => Developer,
        "ai" => Robot,
        "pipeline" => Pipeline,
        "collector" => Collector,
        "pretender" => Pretender,
        _ => throw new ArgumentOutOfRangeException(nameof(who), who, "nobody of that name"),
    };

    public static KubeObject Item(string json) => KubeObject.Parse(Encoding.UTF8.GetBytes(json));

    public static AdmissionRequest Create(KubeObject item, Caller by) => Of(AdmissionOperation.Create, by, item, null);

    public static AdmissionRequest Update(KubeObject old, KubeObject item, Caller by) => Of(AdmissionOperation.Update, by, item, old);

    public static AdmissionRequest Delete(KubeObject old, Caller by) => Of(AdmissionOperation.Delete, by, null, old);

    public static AdmissionVerdict Judge(AdmissionCheck check, AdmissionRequest request, bool isBootstrapping = false, AdmissionMode mode = AdmissionMode.Enforce) =>
        AdmissionRules.Judge(new AdmissionCall(check, mode), request, Policy, isBootstrapping);

    /// <summary>The rules that object, without their invariants.</summary>
    public static string[] Rules(AdmissionVerdict verdict) => [.. verdict.Objections.Select(objection => objection.Rule.Split(' ')[0])];

    /// <summary>A review as the API server sends it.</summary>
    public static JsonObject Review(string operation = "CREATE") => JsonNode.Parse($$"""
        {"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u-1","kind":{"group":"","version":"v1","kind":"ServiceAccount"},
         "resource":{"group":"","version":"v1","resource":"serviceaccounts"},"name":"web","namespace":"team","operation":"{{operation}}",
         "userInfo":{"username":"dev","groups":["developers"]},"object":{{(operation == "DELETE" ? "null" : Account)}},
         "oldObject":{{(operation == "CREATE" ? "null" : Account)}},"dryRun":false,"options":{"kind":"CreateOptions","apiVersion":"meta.k8s.io/v1"} } }
        """)!.AsObject();

    private const string Account = """{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"web","namespace":"team","uid":"o-1"}}""";

    private static AdmissionRequest Of(AdmissionOperation operation, Caller by, KubeObject? item, KubeObject? old)
    {
        var subject = (item ?? old)!;
        return new AdmissionRequest("u-1", subject.Gvk, "things", "", subject.Name, subject.Namespace, operation, by, item, old, false);
    }
}
