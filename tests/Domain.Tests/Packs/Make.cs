using System.Collections.Immutable;
using System.Text;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;
using Governor.Domain.Permissions;
using Governor.Domain.Signing;

namespace Governor.Domain.Tests.Packs;

/// <summary>Objects and facts for the tables of the pack tests.</summary>
internal static class Make
{
    public static readonly DateTimeOffset Now = new(2026, 11, 21, 6, 0, 0, TimeSpan.Zero);

    public static readonly Digest SomeDigest = Digest.Of("layer"u8);

    public static readonly PackSpec Spec = new("v1.0.0-r1", "127.0.0.1:5000/packs/web", SomeDigest, SomeDigest, SomeDigest, "", ["ccs-dev"]);

    public static readonly ExecutionSpec ExecutionSpec = new(
        new ObjectKey("seam-tenant-ccs-dev", "web"), "v1.0.0-r1", new ClusterName("ccs-dev"), new ObjectKey("seam-tenant-ccs-dev", "web"));

    public static readonly VerifiedPack Verified = new("pack-uid", "sha256:spec", Spec);

    public static ConductorFact Conductor(ConductorReadiness readiness = ConductorReadiness.Ready, long version = 1, Reachability reach = Reachability.Reachable) =>
        new(new ClusterName("ccs-dev"), readiness, readiness == ConductorReadiness.Ready ? "ConductorReady" : "AwaitingConductorReady", "message", "TalosCluster ccs-dev", 17, 17, "api-uid", reach, "v1.32.3")
        {
            From = new Address(Subjects.Cluster, "ccs-dev"),
            Version = version,
        };

    public static PackFact Pack(PackTrust trust = PackTrust.Signed, PackSpec? spec = null, bool exists = true, long version = 1, string reason = "reason") =>
        new(ExecutionSpec.Pack, exists, "pack-uid", spec ?? Spec, trust, reason, "message", "0123456789abcdef", Now, Content, Needs)
        {
            From = new Address(Subjects.Pack, "seam-tenant-ccs-dev/web"),
            Version = version,
        };

    public static SnapshotFact Snapshot(DateTimeOffset? until = null, long version = 1, string content = "sha256:1") =>
        new(new ClusterName("ccs-dev"), content, until ?? Now.AddHours(1)) { From = new Address(Subjects.Permission, "ccs-dev"), Version = version };

    public static ProfileStanding Profile(bool provisioned = true, bool exists = true, long version = 1) =>
        new(ExecutionSpec.Profile, exists, "system:serviceaccount:web:web", "web", provisioned, "MembershipNotValidated", "waits for a SeamMembership")
        {
            From = new Address(Subjects.Profile, "seam-tenant-ccs-dev/web"),
            Version = version,
        };

    public const string Content = "sha256:content";

    public static readonly ObjectKey Instance = new("seam-tenant-ccs-dev", "web-ccs-dev");

    public static readonly ImmutableArray<PackNeed> Needs = [new PackNeed("", "v1", "ConfigMap", "", "web")];

    public static RunnerRights Rights(params string[] missing) => new("api-uid", Needs, [.. missing], Now);

    public static TurnFact Turn(string holder = "seam-tenant-ccs-dev/web-ccs-dev", string supersededBy = "", long version = 1) =>
        new(Instance, version, holder, supersededBy, "") { From = InstanceRules.AddressOf(Instance), Version = version };

    public static GateFacts AllOpen => new(Conductor(), Pack(), Snapshot(), Profile(), Rights(), Turn());

    public static KubeObject Execution(string uid = "exec-uid", string name = "web-ccs-dev", string? lineage = null, string owner = "pack-uid") => Json($$"""
        {"apiVersion":"infra.ontai.dev/v1alpha1","kind":"PackExecution",
         "metadata":{"name":"{{name}}","namespace":"seam-tenant-ccs-dev","uid":"{{uid}}","generation":1,"ownerReferences":[{"uid":"{{owner}}"}]},
         "spec":{"clusterPackRef":{"name":"web","version":"v1.0.0-r1"},"targetClusterRef":"ccs-dev"{{(lineage is null ? "" : ",\"lineage\":" + lineage)}} } }
        """);

    public static KubeObject ClusterPack(string uid = "pack-uid", string version = "v1.0.0-r1", string annotations = "{}", string? workload = null) => Json($$"""
        {"apiVersion":"infra.ontai.dev/v1alpha1","kind":"ClusterPack",
         "metadata":{"name":"web","namespace":"seam-tenant-ccs-dev","uid":"{{uid}}","generation":1,"annotations":{{annotations}}},
         "spec":{"version":"{{version}}","registryRef":{"url":"127.0.0.1:5000/packs/web","digest":"{{SomeDigest}}"},
                 "workloadDigest":"{{workload ?? SomeDigest.Value}}","targetClusters":["ccs-dev"]} }
        """);

    public static KubeObject Json(string text) => KubeObject.Parse(Encoding.UTF8.GetBytes(text));

    public static KubeObject Item(string apiVersion, string kind, string name, string? @namespace = null, string more = "") => Json($$"""
        {"apiVersion":"{{apiVersion}}","kind":"{{kind}}","metadata":{"name":"{{name}}"{{(@namespace is null ? "" : $",\"namespace\":\"{@namespace}\"")}} }{{more}} }
        """);

    /// <summary>An execution that has seen its object and these facts.</summary>
    public static ExecutionState Observed(GateFacts? facts = null)
    {
        var state = ExecutionRules.Decide(ExecutionState.Initial(new ObjectKey("seam-tenant-ccs-dev", "web-ccs-dev")), new ExecutionInput.Observed(Execution()), Now).State;
        foreach (var fact in (ImmutableArray<Fact?>)[facts?.Conductor, facts?.Pack, facts?.Snapshot, facts?.Profile, facts?.Turn])
            if (fact is not null)
                state = ExecutionRules.Decide(state, new ExecutionInput.Told(fact), Now).State;
        if (facts?.Rights is { } rights)
            state = ExecutionRules.Decide(state, new ExecutionInput.RightsReviewed("exec-uid", rights), Now).State;
        return state;
    }
}
