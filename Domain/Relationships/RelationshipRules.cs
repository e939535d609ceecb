using System.Collections.Immutable;
using Governor.Domain.Clusters;
using Governor.Domain.Lineage;
using Governor.Domain.Memberships;
using Governor.Domain.Packs;
using Governor.Domain.Permissions;

namespace Governor.Domain.Relationships;

/// <summary>What the actors have committed about the platform at one moment: the relationships are read off it, not asserted.</summary>
/// <param name="Family">The roster of <c>seam-system</c>; null while nothing is known of it.</param>
public sealed record ObservedPlatform(
    IReadOnlyList<ClusterState> Clusters, IReadOnlyList<PackState> Packs, IReadOnlyList<ExecutionState> Executions, IReadOnlyList<ReceiptState> Receipts,
    RosterState? Family, IReadOnlyList<LineageState> Lineages);

/// <summary>How the six relationships stand, from what actually happened. Pure.</summary>
public static class RelationshipRules
{
    public static ImmutableArray<RelationshipReport> Observe(ObservedPlatform platform) =>
        [.. DomainRelationship.Six.Select(relationship => RelationshipReport.Of(relationship, EvidenceOf(relationship.Name, platform)))];

    private static IEnumerable<RelationshipEvidence> EvidenceOf(string relationship, ObservedPlatform platform) => relationship switch
    {
        DomainRelationship.GuardianSignsConductor => platform.Receipts.Where(receipt => receipt.Issued is not null).Select(Snapshot),
        DomainRelationship.ConductorSignsClusterPack => platform.Packs.Where(pack => pack.Exists && pack.Trust != PackTrust.Revoked).Select(Signature),
        DomainRelationship.PlatformCreatesRunnerConfig => platform.Clusters.Where(cluster => cluster.Exists).Select(Runner),
        DomainRelationship.WrapperCreatesPackExecution => Executions(platform),
        DomainRelationship.GuardianProvisionsRbacProfile => (platform.Family?.Profiles.Values ?? []).Where(profile => profile.Exists).Select(Profile),
        DomainRelationship.SeamCoreTracksLineage => Lineages(platform),
        _ => throw new ArgumentOutOfRangeException(nameof(relationship), relationship, "expected one of the six"),
    };

    private static RelationshipEvidence Snapshot(ReceiptState receipt)
    {
        var subject = $"PermissionSnapshot of {receipt.Cluster}";
        return receipt switch
        {
            { Fault: { } fault } => new(subject, RelationshipState.Broken, fault.Reason, fault.Message),
            { Issued.KeyId.Length: 0 } => new(subject, RelationshipState.Degraded, "SnapshotUnsigned", "there was no key to sign it with"),
            _ when receipt.Acknowledged?.Version == receipt.Issued!.SnapshotVersion =>
                Holds(subject, "SnapshotAcknowledged", $"verified under key {receipt.Acknowledged.KeyId}"),
            _ => new(subject, RelationshipState.Degraded, "SnapshotPending", receipt.Hindrance.Length > 0 ? receipt.Hindrance : "the newest one has not been acknowledged yet"),
        };
    }

    private static RelationshipEvidence Signature(PackState pack)
    {
        var subject = $"ClusterPack {pack.Key}";
        return pack.Trust switch
        {
            PackTrust.Rejected => new(subject, RelationshipState.Broken, pack.Reason, pack.Message),
            PackTrust.Signed when pack.IsAnnounced => Holds(subject, pack.Reason, pack.Message),
            _ => new(subject, RelationshipState.Degraded, pack.Fact().Reason, pack.Fact().Message),
        };
    }

    private static RelationshipEvidence Runner(ClusterState cluster) => cluster.RunnerConfigExists
        ? Holds($"TalosCluster {cluster.Key}", "RunnerConfigPresent", "")
        : new($"TalosCluster {cluster.Key}", RelationshipState.Degraded, "RunnerConfigMissing", $"expected RunnerConfig {ClusterRules.RunnerConfigNamespace}/{cluster.Name}, found none");

    private static IEnumerable<RelationshipEvidence> Executions(ObservedPlatform platform)
    {
        var there = platform.Executions.Where(execution => execution.Exists && execution.Spec is not null).Select(execution => execution.Key).ToHashSet();
        foreach (var pack in platform.Packs)
            foreach (var wanted in PackRules.Executions(pack))
                yield return there.Contains(wanted.Key)
                    ? Holds($"PackExecution {wanted.Key}", "PackExecutionPresent", "")
                    : new($"PackExecution {wanted.Key}", RelationshipState.Degraded, "PackExecutionMissing",
                        pack.Refused.GetValueOrDefault(wanted.Name) is { } refusal ? $"the API server refuses it: {refusal}" : $"ClusterPack {pack.Key} targets {wanted.FindText("spec", "targetClusterRef")}, found none");
    }

    private static RelationshipEvidence Profile(ProfileStanding profile) => new(
        $"RBACProfile {profile.Profile}", profile.Provisioned ? RelationshipState.Holds : RelationshipState.Degraded, profile.Reason, profile.Message);

    private static IEnumerable<RelationshipEvidence> Lineages(ObservedPlatform platform)
    {
        var tracked = platform.Lineages.Where(lineage => lineage.Index is not null).Select(lineage => lineage.RootUid).ToHashSet(StringComparer.Ordinal);
        var roots = platform.Clusters.Where(cluster => cluster.Exists).Select(cluster => ($"TalosCluster {cluster.Key}", cluster.Uid))
            .Concat(platform.Packs.Where(pack => pack.Exists).Select(pack => ($"ClusterPack {pack.Key}", pack.Uid)));
        foreach (var (root, uid) in roots)
            yield return tracked.Contains(uid)
                ? Holds(root, "LineageIndexPresent", "")
                : new(root, RelationshipState.Degraded, "LineageIndexMissing", $"expected a lineage index of {uid}, found none");
        // What descends from a root that nobody has seen.
        foreach (var lineage in platform.Lineages.Where(lineage => lineage is { Index: null, Early.IsEmpty: false }))
            yield return new($"root {lineage.RootUid}", RelationshipState.Degraded, "RootNotObserved", $"{lineage.Early.Length} objects descend from it");
    }

    private static RelationshipEvidence Holds(string subject, string reason, string message) => new(subject, RelationshipState.Holds, reason, message);
}
