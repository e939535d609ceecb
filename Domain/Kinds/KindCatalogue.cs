using System.Collections.Immutable;
using static Governor.Domain.Kinds.KnownKinds;

namespace Governor.Domain.Kinds;

/// <summary>The rows of the kind table.</summary>
internal static class KindCatalogue
{
    public static ImmutableArray<KindDescription> All { get; } =
    [
        .. Guardian(),
        .. Clusters(),
        .. Operations(),
        .. Packs(),
        .. Runner(),
        .. SeamCore(),
        .. Contracts(),
    ];

    private static IEnumerable<KindDescription> Guardian() =>
    [
        Security(RBACPolicy, "rbacpolicies", "rp", LineageRoot.Always, watched: true),
        Security(RBACProfile, "rbacprofiles", "rbp", LineageRoot.Always, watched: true),
        Security(PermissionSet, "permissionsets", "ps", LineageRoot.Always, watched: true),
        Security(IdentityBinding, "identitybindings", "ib", LineageRoot.Always, watched: true),
        Security(IdentityProvider, "identityproviders", "idp", LineageRoot.Always, watched: true),
        Security(PermissionSnapshot, "permissionsnapshots", "psn", LineageRoot.Never, watched: true),
        Security(PermissionSnapshotReceipt, "permissionsnapshotreceipts", "psr", LineageRoot.Never, watched: false),
        Security(KnownKinds.Guardian, "guardians", "gdn", LineageRoot.Never, watched: false),
    ];

    private static IEnumerable<KindDescription> Clusters() =>
    [
        Row(TalosCluster, "talosclusters", "tc", SeamOperator.Platform, LineageRoot.Always, true,
            Renamed(AliasSets.Infrastructure, "InfrastructureTalosCluster"), Renamed(AliasSets.Seam, "TalosCluster")),
        Platform("SeamInfrastructureCluster", "seaminfrastructureclusters", "sic", Renamed(AliasSets.ClusterApi, "SeamInfrastructureCluster")),
        Platform("SeamInfrastructureMachine", "seaminfrastructuremachines", "sim", Renamed(AliasSets.ClusterApi, "SeamInfrastructureMachine")),
        Row(KnownKinds.Platform("SeamInfrastructureMachineTemplate"), "seaminfrastructuremachinetemplates", "simt", SeamOperator.Platform,
            LineageRoot.Never, false, Renamed(AliasSets.ClusterApi, "SeamInfrastructureMachineTemplate")),
        Platform("TalosControlPlane", "taloscontrolplanes", "tcpl"),
        Platform("TalosWorkerConfig", "talosworkerconfigs", "twc"),
    ];

    private static IEnumerable<KindDescription> Operations() =>
    [
        Platform("EtcdMaintenance", "etcdmaintenances", "em"),
        Platform("TalosEtcdBackupSchedule", "talosetcdbackupschedules", "etcdbs"),
        Platform("NodeMaintenance", "nodemaintenances", "nm"),
        Platform("NodeOperation", "nodeoperations", "nop"),
        Platform("PKIRotation", "pkirotations", "pkir"),
        Platform("ClusterReset", "clusterresets", "crst"),
        Platform("ClusterMaintenance", "clustermaintenances", "cmaint"),
        Platform("UpgradePolicy", "upgradepolicies", "upgp"),
        Platform("HardeningProfile", "hardeningprofiles", "hp"),
        Platform("MaintenanceBundle", "maintenancebundles", "mb"),
        Platform("TalosMachineConfigBackup", "talosmachineconfigbackups", "mcb"),
        Platform("TalosMachineConfigBackupSchedule", "talosmachineconfigbackupschedules", "mcbs"),
        Platform("TalosMachineConfigRestore", "talosmachineconfigrestores", "mcr"),
        Platform("MachineConfig", "machineconfigs", "mc"),
        Platform("MachineConfigSync", "machineconfigsyncs", "mcs"),
    ];

    private static IEnumerable<KindDescription> Packs() =>
    [
        Row(ClusterPack, "clusterpacks", "cp", SeamOperator.Wrapper, LineageRoot.Always, true,
            Renamed(AliasSets.Infrastructure, "InfrastructureClusterPack"), Renamed(AliasSets.Seam, "PackDelivery")),
        Row(PackBuild, "packbuilds", "pb", SeamOperator.Wrapper, LineageRoot.Never, false,
            Renamed(AliasSets.Infrastructure, "InfrastructurePackBuild")),
        Row(PackExecution, "packexecutions", "pe", SeamOperator.Wrapper, LineageRoot.WhenUnsealed, true,
            Renamed(AliasSets.Infrastructure, "InfrastructurePackExecution"), Renamed(AliasSets.Seam, "PackExecution")),
        Row(PackInstance, "packinstances", "pi", SeamOperator.Wrapper, LineageRoot.WhenUnsealed, true,
            Renamed(AliasSets.Infrastructure, "InfrastructurePackInstance"), Renamed(AliasSets.Seam, "PackInstalled")),
    ];

    private static IEnumerable<KindDescription> Runner() =>
    [
        Row(RunnerConfig, "runnerconfigs", "rc rcfg", SeamOperator.Conductor, LineageRoot.WhenUnsealed, true,
            Renamed(AliasSets.Infrastructure, "InfrastructureRunnerConfig"), Renamed(AliasSets.Seam, "RunnerConfig")),
        Row(PackReceipt, "packreceipts", "pr", SeamOperator.Conductor, LineageRoot.Never, false,
            Renamed(AliasSets.Infrastructure, "InfrastructurePackReceipt")),
        Row(DriftSignal, "driftsignals", "ds drift", SeamOperator.Conductor, LineageRoot.Never, false,
            Renamed(AliasSets.Infrastructure, "DriftSignal"), Renamed(AliasSets.Seam, "DriftSignal")),
    ];

    private static IEnumerable<KindDescription> SeamCore() =>
    [
        Row(InfrastructureLineageIndex, "infrastructurelineageindices", "ili", SeamOperator.SeamCore, LineageRoot.Never, false,
            Renamed(AliasSets.Seam, "LineageRecord")),
        Row(SeamMembership, "seammemberships", "sm", SeamOperator.Guardian, LineageRoot.Never, true,
            Renamed(AliasSets.Seam, "SeamMembership")),
        Row(DSNSZone, "dsnszones", "dz", SeamOperator.SeamCore, LineageRoot.Never, false),
    ];

    private static IEnumerable<KindDescription> Contracts() =>
    [
        Contract(CoreGroup, "DomainIdentity", "domainidentities", "did"),
        Contract(CoreGroup, "DomainBoundary", "domainboundaries", "dbd"),
        Contract(CoreGroup, "DomainPolicy", "domainpolicies", "dpol"),
        Contract(CoreGroup, "DomainRelationship", "domainrelationships", "drel"),
        Contract(CoreGroup, "DomainEvent", "domainevents", "devt"),
        Contract(CoreGroup, "DomainWorkflow", "domainworkflows", "dwf"),
        Contract(CoreGroup, "DomainResource", "domainresources", "dres"),
        Contract(CoreGroup, "DomainAudit", "domainaudits", "daud"),
        Contract(CoreGroup, "DomainSemanticNameService", "domainsemanticnameservices", "dsns"),
        Contract(AppGroup, "AppBoundary", "appboundaries", "abd"),
        Contract(AppGroup, "AppIdentity", "appidentities", "aid"),
        Contract(AppGroup, "AppPolicy", "apppolicies", "apol"),
        Contract(AppGroup, "AppTopology", "apptopologies", "atop"),
        Contract(AppGroup, "AppEventSchema", "appeventschemas", "aevt"),
        Contract(AppGroup, "AppWorkflow", "appworkflows", "awf"),
        Contract(AppGroup, "AppResourceProfile", "appresourceprofiles", "arp"),
        Contract(AppGroup, "AppAuditPolicy", "appauditpolicies", "aap"),
        Contract(AppGroup, "AppProfile", "appprofiles", "aprof"),
    ];

    private static KindDescription Security(GroupVersionKind gvk, string plural, string shortName, LineageRoot root, bool watched) =>
        Row(gvk, plural, shortName, SeamOperator.Guardian, root, watched, Renamed(AliasSets.Guardian, gvk.Kind));

    private static KindDescription Platform(string kind, string plural, string shortName, params ReadOnlySpan<KindAlias> aliases) =>
        Row(KnownKinds.Platform(kind), plural, shortName, SeamOperator.Platform, LineageRoot.WhenUnsealed, watched: false, aliases);

    private static KindDescription Contract(string group, string kind, string plural, string shortName) =>
        Row(new GroupVersionKind(group, KnownKinds.Version, kind), plural, shortName, SeamOperator.SeamCore, LineageRoot.Never, watched: false);

    private static KindAlias Renamed(string set, string kind) => new(set, new GroupVersionKind(set, KnownKinds.Version, kind));

    /// <param name="shortNames">Separated by spaces; the reference implementation's first. A second one is there where a built-in kind of Kubernetes takes the first.</param>
    private static KindDescription Row(
        GroupVersionKind gvk, string plural, string shortNames, SeamOperator owner, LineageRoot root, bool watched, params ReadOnlySpan<KindAlias> aliases) =>
        new(gvk.Group, gvk.Version, gvk.Kind, plural, gvk.Kind.ToLowerInvariant(), [.. shortNames.Split(' ')],
            KindScope.Namespaced, owner, root, [.. aliases], watched);
}
