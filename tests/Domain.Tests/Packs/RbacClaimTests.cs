using System.Collections.Immutable;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;
using Governor.Domain.Permissions;

namespace Governor.Domain.Tests.Packs;

public sealed class RbacClaimTests
{
    private const string Ns = "seam-tenant-ccs-dev";

    private static readonly ClusterName Cluster = new("ccs-dev");
    private static readonly ObjectKey Profile = new(Ns, "web");
    private static readonly PermissionRule Reading = new([""], ["configmaps"], ["get", "list"], []);

    private static readonly PolicyStanding NoPlatform = new(PlatformCeiling.Policy, null, null);

    private static readonly PolicyStanding LostPlatform = NoPlatform with { WasDeclared = true };

    public static TheoryData<string, PermissionState?, string[]?> Cases => new()
    {
        { "nothing is known of the cluster", null, null },
        { "the platform's ceiling has not been heard of", Known(null, Grant(Reading)), null },
        { "the profile has not been heard of", Known(NoPlatform), null },
        { "the profile is not in force", Known(NoPlatform, new GrantFact(Profile, null) { Withheld = "it was deleted" }), null },
        { "another profile's ceiling is none of ours", Known(NoPlatform, Grant(Reading) with { Profile = new ObjectKey(Ns, "other") }), null },
        { "within the ceiling", Known(NoPlatform, Grant(Reading)), [] },
        { "beyond the ceiling", Known(NoPlatform, Grant(Reading with { Verbs = ["list"] })), ["Role web/web: CeilingExceeded"] },
        { "within the cluster's, and the platform's was lost", Known(LostPlatform, Grant(Reading)), ["Role web/web: CeilingExceeded"] },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_pack_gets_what_the_ceilings_allow_and_nothing_while_they_are_not_known(string situation, PermissionState? known, string[]? expected)
    {
        var role = Make.Json("""
            {"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"web","namespace":"web"},"rules":[{"apiGroups":[""],"resources":["configmaps"],"verbs":["get"]}]}
            """);

        var refused = new RbacClaim(Cluster, new PackOwner(Make.Instance), Profile, [role]).Judge(known, out var unknown);

        Assert.Equal(expected is null, unknown.Length > 0);
        Assert.True(expected is null == refused is null, situation);
        if (expected is not null)
            Assert.Equal(expected, refused!.Value.Select(failure => $"{failure.Object}: {failure.Reason}"));
    }

    private static PermissionState Known(PolicyStanding? platform, params GrantFact[] grants) => PermissionState.Initial(Cluster) with
    {
        Platform = platform,
        Grants = grants.ToImmutableSortedDictionary(fact => fact.Profile.ToString(), fact => fact),
    };

    private static GrantFact Grant(PermissionRule ceiling) => new(
        Profile, new Grant("system:serviceaccount:web:web", Profile, [], new PermissionCeiling(new ObjectKey(Ns, "policy"), new ObjectKey(Ns, "maximum"), [ceiling])));
}
