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
    ];

    private static IEnumerable<KindDescription> Clusters() =>
    [
        Row(TalosCluster, "talosclusters", "tc", SeamOperator.Platform, LineageRoot.Always, true,
            Renamed(AliasSets.Infrastructure, "InfrastructureTalosCluster"), Renamed(AliasSets.Seam, "TalosCluster")),
        Platform("SeamInfrastructureCluster", "seaminfrastructureclusters", "sic"),
        Platform("SeamInfrastructureMachine", "seaminfrastructuremachines", "sim"),
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
            Renamed(AliasSets.Infrastructure, "InfrastructureClusterPack")),
        Row(PackExecution, "packexecutions", "pe", SeamOperator.Wrapper, LineageRoot.WhenUnsealed, true,
            Renamed(AliasSets.Infrastructure, "InfrastructurePackExecution")),
        Row(PackInstance, "packinstances", "pi", SeamOperator.Wrapper, LineageRoot.WhenUnsealed, true,
            Renamed(AliasSets.Infrastructure, "InfrastructurePackInstance")),
    ];

    private static IEnumerable<KindDescription> Runner() =>
    [
        Row(RunnerConfig, "runnerconfigs", "rc", SeamOperator.Conductor, LineageRoot.WhenUnsealed, true,
            Renamed(AliasSets.Infrastructure, "InfrastructureRunnerConfig"), Renamed(AliasSets.Seam, "RunnerConfig")),
        Row(PackReceipt, "packreceipts", "pr", SeamOperator.Conductor, LineageRoot.Never, false,
            Renamed(AliasSets.Infrastructure, "InfrastructurePackReceipt")),
        Row(DriftSignal, "driftsignals", "ds", SeamOperator.Conductor, LineageRoot.Never, false,
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
        Contract(CoreGroup, "DomainIdentity", "domainidentities"),
        Contract(CoreGroup, "DomainBoundary", "domainboundaries"),
        Contract(CoreGroup, "DomainPolicy", "domainpolicies"),
        Contract(CoreGroup, "DomainRelationship", "domainrelationships"),
        Contract(CoreGroup, "DomainEvent", "domainevents"),
        Contract(CoreGroup, "DomainWorkflow", "domainworkflows"),
        Contract(CoreGroup, "DomainResource", "domainresources"),
        Contract(CoreGroup, "DomainAudit", "domainaudits"),
        Contract(CoreGroup, "DomainSemanticNameService", "domainsemanticnameservices"),
        Contract(AppGroup, "AppBoundary", "appboundaries"),
        Contract(AppGroup, "AppIdentity", "appidentities"),
        Contract(AppGroup, "AppPolicy", "apppolicies"),
        Contract(AppGroup, "AppTopology", "apptopologies"),
        Contract(AppGroup, "AppEventSchema", "appeventschemas"),
        Contract(AppGroup, "AppWorkflow", "appworkflows"),
        Contract(AppGroup, "AppResourceProfile", "appresourceprofiles"),
        Contract(AppGroup, "AppAuditPolicy", "appauditpolicies"),
        Contract(AppGroup, "AppProfile", "appprofiles"),
    ];

    private static KindDescription Security(GroupVersionKind gvk, string plural, string shortName, LineageRoot root, bool watched) =>
        Row(gvk, plural, shortName, SeamOperator.Guardian, root, watched, Renamed(AliasSets.Guardian, gvk.Kind));

    private static KindDescription Platform(string kind, string plural, string shortName) =>
        Row(new GroupVersionKind(PlatformGroup, KnownKinds.Version, kind), plural, shortName, SeamOperator.Platform, LineageRoot.WhenUnsealed, watched: false);

    private static KindDescription Contract(string group, string kind, string plural) =>
        Row(new GroupVersionKind(group, KnownKinds.Version, kind), plural, "", SeamOperator.SeamCore, LineageRoot.Never, watched: false);

    private static KindAlias Renamed(string set, string kind) => new(set, new GroupVersionKind(set, KnownKinds.Version, kind));

    private static KindDescription Row(
        GroupVersionKind gvk, string plural, string shortName, SeamOperator owner, LineageRoot root, bool watched, params ReadOnlySpan<KindAlias> aliases) =>
        new(gvk.Group, gvk.Version, gvk.Kind, plural, gvk.Kind.ToLowerInvariant(), shortName.Length == 0 ? [] : [shortName],
            KindScope.Namespaced, owner, root, [.. aliases], watched);
}
