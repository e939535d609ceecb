using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;
using Governor.Domain.Memberships;
using Governor.Domain.Packs;
using Governor.Domain.Permissions;
using Governor.Domain.Relationships;
using Governor.Domain.Tests.Packs;

namespace Governor.Domain.Tests.Relationships;

/// <summary>What is said of the six relationships, case by case.</summary>
public sealed class RelationshipTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly ObservedPlatform Nothing = new([], [], [], [], null, []);

    [Fact]
    public void Where_nothing_has_happened_nothing_is_asserted()
    {
        var reports = RelationshipRules.Observe(Nothing);

        Assert.Equal(DomainRelationship.Six.Select(one => one.Name), reports.Select(report => report.Relationship.Name));
        Assert.All(reports, report => Assert.Equal((RelationshipState.Unobserved, 0), (report.State, report.Links)));
    }

    // One word per cluster: acknowledged, pending, unsigned, tampered.
    [Theory]
    [InlineData("acknowledged", RelationshipState.Holds, 1, "")]
    [InlineData("acknowledged acknowledged", RelationshipState.Holds, 2, "")]
    [InlineData("acknowledged pending", RelationshipState.Degraded, 1, "SnapshotPending")]
    [InlineData("unsigned acknowledged", RelationshipState.Degraded, 1, "SnapshotUnsigned")]
    [InlineData("acknowledged tampered pending", RelationshipState.Broken, 1, "SnapshotSignatureInvalid,SnapshotPending")]
    [InlineData("pending", RelationshipState.Degraded, 0, "SnapshotPending")]
    public void Guardian_signs_conductor_holds_where_a_verified_snapshot_is_acknowledged(string clusters, RelationshipState state, int holding, string against) => Assert.Equal(
        (state, holding, against), Found(DomainRelationship.GuardianSignsConductor, Nothing with { Receipts = [.. clusters.Split(' ').Select(ReceiptOf)] }));

    [Theory]
    [InlineData("Signed", RelationshipState.Holds, 1, "")]
    [InlineData("Unannounced", RelationshipState.Degraded, 0, "SignaturePending")]
    [InlineData("Signed Unsigned", RelationshipState.Degraded, 1, "SignaturePending")]
    [InlineData("Signed Rejected Unsigned", RelationshipState.Broken, 1, "SignatureInvalid,SignaturePending")]
    [InlineData("Signed Revoked", RelationshipState.Holds, 1, "")] // a human's doing, and nobody delivers it
    [InlineData("Revoked", RelationshipState.Unobserved, 0, "")]
    public void Conductor_signs_clusterpack_holds_where_the_pack_carries_the_signature(string packs, RelationshipState state, int holding, string against) => Assert.Equal(
        (state, holding, against), Found(DomainRelationship.ConductorSignsClusterPack, Nothing with { Packs = [.. packs.Split(' ').Select(PackOf)] }));

    [Theory]
    [InlineData("yes", RelationshipState.Holds, 1, "")]
    [InlineData("yes no", RelationshipState.Degraded, 1, "RunnerConfigMissing")]
    [InlineData("no no", RelationshipState.Broken, 0, "RunnerConfigMissing,RunnerConfigMissing")]
    [InlineData("gone", RelationshipState.Unobserved, 0, "")]
    public void Platform_creates_runnerconfig_holds_where_a_cluster_has_one(string clusters, RelationshipState state, int holding, string against) => Assert.Equal(
        (state, holding, against), Found(DomainRelationship.PlatformCreatesRunnerConfig, Nothing with { Clusters = [.. clusters.Split(' ').Select(ClusterOf)] }));

    [Fact]
    public void Wrapper_creates_packexecution_wants_one_for_each_target_and_says_who_refuses_it()
    {
        var pack = Pack();
        var execution = ExecutionRules.Decide(ExecutionState.Initial(new ObjectKey("seam-tenant-ccs-dev", "web-ccs-dev")), new ExecutionInput.Observed(PackRules.Executions(pack).Single()), Make.Now).State;
        var refused = pack with { Refused = pack.Refused.Add("web-ccs-dev", "quota") };

        Assert.Equal((RelationshipState.Holds, 1, ""), Found(DomainRelationship.WrapperCreatesPackExecution, Nothing with { Packs = [pack], Executions = [execution] }));
        Assert.Equal((RelationshipState.Broken, 0, "PackExecutionMissing"), Found(DomainRelationship.WrapperCreatesPackExecution, Nothing with { Packs = [pack] }));
        Assert.Contains("quota", Report(DomainRelationship.WrapperCreatesPackExecution, Nothing with { Packs = [refused] }).Against.Single().Message, StringComparison.Ordinal);
        Assert.Equal((RelationshipState.Unobserved, 0, ""), Found(DomainRelationship.WrapperCreatesPackExecution, Nothing with { Packs = [pack with { Trust = PackTrust.Revoked }] }));
    }

    [Theory]
    [InlineData("yes yes", RelationshipState.Holds, 2, "")]
    [InlineData("yes no", RelationshipState.Degraded, 1, "PolicyNotFound")]
    [InlineData("no", RelationshipState.Broken, 0, "PolicyNotFound")]
    [InlineData("gone", RelationshipState.Unobserved, 0, "")]
    public void Guardian_provisions_rbacprofile_holds_where_every_operator_s_is_provisioned(string profiles, RelationshipState state, int holding, string against)
    {
        var family = profiles.Split(' ').Select((word, i) => new ProfileStanding(
            new ObjectKey("seam-system", $"p{i}"), word != "gone", "", "", word == "yes", word == "yes" ? "ProvisioningComplete" : "PolicyNotFound", ""));
        var roster = family.Aggregate(RosterState.Initial, (known, profile) => RosterRules.Decide(known, profile).State);

        Assert.Equal((state, holding, against), Found(DomainRelationship.GuardianProvisionsRbacProfile, Nothing with { Family = roster }));
    }

    [Fact]
    public void Seam_core_tracks_lineage_holds_where_every_root_has_its_index_and_says_what_descends_from_nobody()
    {
        var cluster = ClusterOf("yes", 0);
        var tracked = LineageRules.Decide(LineageState.Initial(cluster.Uid), Descent.Root(KnownKinds.TalosCluster, cluster.Key, cluster.Uid, 1, "ann", "platform", true).Select(letter => letter.Fact).OfType<RootFact>().Single(), Noon).State;
        var orphaned = LineageState.Initial("nobody") with { Early = [new DescendantFact(null!, KnownKinds.RunnerConfig, default, "u", "platform", "")] };

        Assert.Equal((RelationshipState.Holds, 1, ""), Found(DomainRelationship.SeamCoreTracksLineage, Nothing with { Clusters = [cluster], Lineages = [tracked] }));
        Assert.Equal((RelationshipState.Broken, 0, "LineageIndexMissing"), Found(DomainRelationship.SeamCoreTracksLineage, Nothing with { Clusters = [cluster] }));
        Assert.Equal((RelationshipState.Degraded, 1, "RootNotObserved"), Found(DomainRelationship.SeamCoreTracksLineage, Nothing with { Clusters = [cluster], Lineages = [tracked, orphaned] }));
    }

    [Fact]
    public void What_is_named_is_bounded_and_the_worst_comes_first()
    {
        var report = Report(DomainRelationship.GuardianSignsConductor, Nothing with { Receipts = [.. Enumerable.Range(0, 100).Select(i => ReceiptOf(i == 99 ? "tampered" : "pending", i))] });

        Assert.Equal((0, 100, RelationshipReport.MostNamed), (report.Holding, report.Links, report.Against.Length));
        Assert.Equal("PermissionSnapshot of c99", report.Against[0].Subject);
    }

    private static (RelationshipState State, int Holding, string Against) Found(string name, ObservedPlatform platform)
    {
        var report = Report(name, platform);
        return (report.State, report.Holding, string.Join(',', report.Against.Select(link => link.Reason)));
    }

    private static RelationshipReport Report(string name, ObservedPlatform platform) => RelationshipRules.Observe(platform).Single(report => report.Relationship.Name == name);

    private static ReceiptState ReceiptOf(string word, int i)
    {
        var cluster = new ClusterName($"c{i}");
        var issued = new SnapshotIssued(cluster, "sha256:2", Noon, word == "unsigned" ? "" : "key");
        return ReceiptState.Initial(cluster) with
        {
            Issued = issued,
            Acknowledged = new Acknowledgement(word == "acknowledged" ? "sha256:2" : "sha256:1", Noon, Noon, "key", Noon),
            Fault = word == "tampered" ? new SnapshotFault("SnapshotSignatureInvalid", "not ours", Noon, issued) : null,
        };
    }

    private static PackState Pack() => PackRules.Decide(PackState.Initial(new ObjectKey("seam-tenant-ccs-dev", "web")), new PackInput.Observed(Make.ClusterPack()), Make.Now).State;

    private static PackState PackOf(string word, int i) => Pack() with
    {
        Key = new ObjectKey("seam-tenant-ccs-dev", $"pack-{i}"),
        Trust = word == "Unannounced" ? PackTrust.Signed : Enum.Parse<PackTrust>(word),
        Reason = word switch { "Rejected" => "SignatureInvalid", "Unsigned" => "SignaturePending", _ => "PackSigned" },
        Signature = "ours",
        Carried = word == "Signed" ? "ours" : "",
    };

    private static ClusterState ClusterOf(string word, int i) => ClusterState.Initial(new ClusterName($"c{i}")) with
    {
        Exists = word != "gone", Key = new ObjectKey("seam-system", $"c{i}"), Uid = $"uid-{i}", RunnerConfigExists = word == "yes",
    };
}
