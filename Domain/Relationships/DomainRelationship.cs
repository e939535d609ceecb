using System.Collections.Immutable;

namespace Governor.Domain.Relationships;

/// <summary>What a relationship binds: a fact that was established, or an assertion that is kept true.</summary>
public enum RelationshipBinding
{
    /// <summary>Trust: one forged link breaks it.</summary>
    Snapshot,

    /// <summary>Held for as long as anything holds it; less than all is degraded.</summary>
    Continuous,
}

/// <summary>A contract from one operator of the family to another, as <c>core.ontai.dev/DomainRelationship</c> declares it.</summary>
/// <param name="Target"><c>*</c> for all.</param>
/// <param name="Description">What it means in operation.</param>
public sealed record DomainRelationship(
    string Name, string Source, string Target, string Type, string Protocol, RelationshipBinding Binding, string Description)
{
    public const string GuardianSignsConductor = "guardian-signs-conductor";
    public const string ConductorSignsClusterPack = "conductor-signs-clusterpack";
    public const string PlatformCreatesRunnerConfig = "platform-creates-runnerconfig";
    public const string WrapperCreatesPackExecution = "wrapper-creates-packexecution";
    public const string GuardianProvisionsRbacProfile = "guardian-provisions-rbacprofile";
    public const string SeamCoreTracksLineage = "seam-core-tracks-lineage";

    /// <summary>The six that the family is made of, in the order in which the seed declares them.</summary>
    public static ImmutableArray<DomainRelationship> Six { get; } =
    [
        new(GuardianSignsConductor, "guardian", "conductor", "signs", "ed25519", RelationshipBinding.Snapshot,
            "A cluster acknowledges a permission snapshot after its signature is verified there, and not before."),
        new(ConductorSignsClusterPack, "conductor", "wrapper", "signs", "ed25519", RelationshipBinding.Snapshot,
            "A ClusterPack carries the management Conductor's signature over exactly its spec."),
        new(PlatformCreatesRunnerConfig, "platform", "conductor", "provisions", "kubernetes-api", RelationshipBinding.Continuous,
            "Every TalosCluster has its RunnerConfig in ont-system."),
        new(WrapperCreatesPackExecution, "wrapper", "conductor", "delegates", "kubernetes-api", RelationshipBinding.Continuous,
            "Every ClusterPack has one PackExecution for each cluster that it targets."),
        new(GuardianProvisionsRbacProfile, "guardian", "*", "governs", "kubernetes-api", RelationshipBinding.Continuous,
            "Every operator of the family has an RBACProfile that is provisioned."),
        new(SeamCoreTracksLineage, "seam-core", "*", "observes", "kubernetes-watch", RelationshipBinding.Continuous,
            "Every root that was observed has its lineage index."),
    ];
}
