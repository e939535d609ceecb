using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Approvals;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;
using Governor.Domain.Memberships;
using Governor.Domain.Packs;
using Governor.Domain.Permissions;
using Governor.Domain.Signing;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;

namespace Governor.Grains.Tests.Messages;

/// <summary>One of every kind of message that crosses a grain call, with something in every field.</summary>
internal static class MessageSamples
{
    private static readonly DateTimeOffset At = new(2026, 11, 21, 8, 0, 0, 123, TimeSpan.FromHours(2));
    private static readonly ObjectKey Key = new("seam-tenant-dev", "web");
    private static readonly ClusterName Cluster = new("dev");

    private static readonly SealedCausalChain Chain =
        new("ClusterPack", "web", "seam-tenant-dev", "uid-1", new CreatingOperator("wrapper", "v1"), CreationRationale.PackExecution, 3, At, "wrapper");

    private static readonly PermissionSet Set = new(
        Key, "uid-2", 4, "what it is for", [new PermissionRule(["", "apps"], ["configmaps", "*/scale"], ["get", "*"], ["a", "b"]), new PermissionRule([], ["pods"], ["list"], [])]);

    private static readonly RbacPolicy Policy = PolicyOf();

    private static readonly PackSpec Pack = new(
        "v1.0.0-r1", "127.0.0.1:5000/packs/web", Digest.Of("rbac"u8), null, Digest.Of("workload"u8), "web", ["ccs-dev", "ccs-test"]);

    private static readonly Grant Granted = new(
        "system:serviceaccount:web:web", Key, [new GrantedDeclaration(Key, DeclarationScope.Namespaced, ["web"], Set.Rules)],
        new PermissionCeiling(Key, Key, Set.Rules), new PermissionCeiling(Key, Key, []));

    private static readonly Release Past = new(
        2, Key, "uid-1", "v1.0.0-r1", Pack, Key, "uid-4", At, UpgradeDirection.Rollback, [new DeployedResource("v1", "ConfigMap", "web", "web", "uid-9", true)], Chain,
        "sha256:content", "{}", "key", 1, "uid-7", At);

    public static IReadOnlyList<Fact> Facts { get; } =
    [
        new Interest(),
        new Interest(false),
        new ConductorFact(Cluster, ConductorReadiness.Impossible, "KubeconfigUnavailable", "message", "a Secret", 3, 17, "api", Reachability.Unreachable, "no answer"),
        new TargetDoubted(Cluster, "no answer"),
        new TurnFact(Key, 4, "seam-tenant-dev/web-dev", "another", "what ends"),
        new AttemptFact(Key, "uid-4", true, AttemptStanding.Failed, 4, At, [new DeployedResource("v1", "ConfigMap", "web", "web", "uid-9", true)]),
        new ReleaseFact(Key, 2, Past, "refusal"),
        new ReleaseFact(Key, 2, null, ""),
        new PackFact(
            Key, true, "uid-1", Pack, PackTrust.Signed, "PackSigned", "signed by key x", "key", At, "sha256:content", [new PackNeed("apps", "v1", "Deployment", "deployments", "web")],
            ImmutableSortedDictionary<string, Revocation>.Empty.Add("sha256:content", new Revocation("ann", "why"))),
        new PackFact(Key, false, "", null, PackTrust.Unsigned, "PackGone", "", ""),
        new SnapshotFact(Cluster, "sha256:abc", At),
        new ProfileStanding(Key, true, "principal", "identity", true, "reason", "message") { BeyondCeiling = "beyond", Clusters = ["dev"] },
        new SnapshotIssued(Cluster, "sha256:abc", At, "key"),
        new RightsFact(Cluster, "sha256:abc", ClusterPermissions.None(Cluster), At),
        new MaterialisationFact(Cluster, true, "RBACMaterialised", "message"),
        new ReceiptFact(Cluster, SnapshotSync.DegradedSecurityState, "SnapshotReplayed", "message", new Acknowledgement("sha256:abc", At, At, "key", At)),
        new ReceiptFact(Cluster, SnapshotSync.Pending, "SnapshotPending", "message", null),
        new IdentityProviderStanding(Key, true, "oidc", false, "message"),
        new PermissionSetStanding(Key, new Reading<PermissionSet>(Set, [])),
        new PermissionSetStanding(Key, new Reading<PermissionSet>(null, [new Failure("check", "spec.x", "expected y")])),
        new PermissionSetStanding(Key, null),
        new PolicyStanding(Key, new Reading<RbacPolicy>(Policy, []), new Reading<PermissionSet>(Set, [])),
        new PolicyStanding(Key, null, null) { WasDeclared = true },
        new GrantFact(Key, Granted),
        new GrantFact(Key, null) { Withheld = "why" },
        new RosterFact([new ProfileFact(Key, "p", "i", true)], [new MembershipFact(Key, "p", "i", true, false)]),
        new RosterFact([], []),
        new MembershipStanding(Key, new MembershipFact(Key, "p", "i", true, true)),
        new MembershipStanding(Key, null),
        new RootFact(KnownKinds.ClusterPack, Key, "uid-1", 7, "human", "wrapper", true),
        new DescendantFact(Chain, KnownKinds.PackExecution, Key, "uid-3", "wrapper", "human"),
        new OutcomeFact("uid-3", OutcomeType.Drifted, At, "ref", "detail"),
        new ExecutionGone(Key, "uid-4"),
        new PlanApproved("er-1", ErasurePlan.Action, "{}", Digest.Of("plan"u8), "ann", "bob", "why", At),
        new PlanExecuted("er-1", Digest.Of("plan"u8), "fault"),
        new SigningKeyFact("key", "-----BEGIN PUBLIC KEY-----", "message", ImmutableSortedDictionary<string, string>.Empty.Add("0123456789abcdef", "ann: stolen")),
        new DeliveredFact(
            Key, "uid-4", Key, "uid-1", "v1.0.0-r1", "dev", Pack, [new DeployedResource("v1", "ConfigMap", "web", "web", "uid-9", true)], At, Chain, "sha256:content", "{}", "key"),
    ];

    public static IReadOnlyList<SignatureVerdict> Verdicts { get; } =
    [
        new SignatureVerdict.Valid("key"), new SignatureVerdict.Missing(), new SignatureVerdict.Malformed("problem"), new SignatureVerdict.UnknownKey("key"),
        new SignatureVerdict.Forged("key"), new SignatureVerdict.RevokedKey("key", "why"),
    ];

    public static IReadOnlyList<Observation> Observations { get; } =
    [
        new(KnownKinds.ClusterPack, Key, "uid-1", KubeObject.Parse("""{"apiVersion":"infra.ontai.dev/v1alpha1","kind":"ClusterPack","metadata":{"name":"web","namespace":"seam-tenant-dev"},"spec":{"n":1.50,"text":"\u00e4<&>","list":[null,true,{}]}}"""u8)),
        new(KnownKinds.Namespace, new ObjectKey("", "web"), "", null),
    ];

    /// <summary>The whole message as JSON; the same for the same content.</summary>
    public static string Json(object message) => message is Observation { Object: { } item } seen
        ? JsonSerializer.Serialize(seen with { Object = null }, StateJson.Options) + Encoding.UTF8.GetString(item.Json.Span)
        : JsonSerializer.Serialize(message, message.GetType(), StateJson.Options);

    public static Fact Sent(Fact fact, int version) => fact with { From = new Address(Subjects.Pack, $"{Key}"), Version = version };

    private static RbacPolicy PolicyOf() => RbacPolicy.Read(KubeObject.From(new JsonObject
    {
        ["apiVersion"] = KnownKinds.RBACPolicy.ApiVersion,
        ["kind"] = KnownKinds.RBACPolicy.Kind,
        ["metadata"] = new JsonObject { ["name"] = "policy", ["namespace"] = "seam-tenant-dev", ["uid"] = "uid-5", ["generation"] = 2 },
        ["spec"] = new JsonObject
        {
            ["subjectScope"] = "platform",
            ["allowedClusters"] = new JsonArray("dev"),
            ["maximumPermissionSetRef"] = "max",
            ["enforcementMode"] = "audit",
        },
    })).Value!;
}
