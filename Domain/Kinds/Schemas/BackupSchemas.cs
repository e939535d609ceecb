using System.Collections.Immutable;
using static Governor.Domain.Kinds.Schemas.Common;
using static Governor.Domain.Kinds.Schemas.Field;
using static Governor.Domain.Kinds.Schemas.Schema;

namespace Governor.Domain.Kinds.Schemas;

/// <summary>The kinds of <c>platform.ontai.dev</c> that copy machine configurations and etcd elsewhere, once or on a schedule.</summary>
internal static class BackupSchemas
{
    public static ImmutableArray<Crd> All =>
    [
        Backup,
        Restore,
        Schedule("TalosEtcdBackupSchedule", "A TalosEtcdBackupSchedule backs etcd up again and again.", "etcdBackupS3SecretRef"),
        Schedule("TalosMachineConfigBackupSchedule", "A TalosMachineConfigBackupSchedule backs machine configurations up again and again.", "s3BackupSecretRef"),
    ];

    private static Crd Backup => new(
        KnownKinds.Platform("TalosMachineConfigBackup"),
        "A TalosMachineConfigBackup copies the machine configurations of a cluster to an object store.",
        Object(
            "The backup.",
            Must("clusterRef", ClusterRef.Immutable("clusterRef")),
            Must("s3Destination", Destination("Where it goes.", "bucket")),
            May("s3BackupSecretRef", Reference("Credentials for the object store.")),
            May("lineage", SealedLineage)).Sealed("lineage"),
        JobStatus(),
        Column.Text("Cluster", ".spec.clusterRef.name"),
        Column.Text("Bucket", ".spec.s3Destination.bucket"),
        Column.Condition("Ready"),
        Column.Reason,
        Column.Message);

    private static Crd Restore => new(
        KnownKinds.Platform("TalosMachineConfigRestore"),
        "A TalosMachineConfigRestore brings machine configurations back from an object store.",
        Object(
            "The restore.",
            Must("clusterRef", ClusterRef.Immutable("clusterRef")),
            Must("backupTimestamp", Name("Which backup.").Immutable("backupTimestamp")),
            Must("s3SourceBucket", Name("The bucket that has it.").Immutable("s3SourceBucket")),
            May("targetNodes", Texts("The nodes; empty for all.").MaxItems(1000)),
            May("s3BackupSecretRef", Reference("Credentials for the object store.")),
            May("lineage", SealedLineage)).Sealed("lineage"),
        JobStatus(
            May("phase", OneOf("How it stands.", "Pending", "Running", "Succeeded", "Failed", "PartiallyFailed")),
            May("restoredNodes", Texts("The nodes that have their configuration back."))),
        Column.Text("Cluster", ".spec.clusterRef.name"),
        Column.Text("Backup", ".spec.backupTimestamp"),
        Column.Text("Phase", ".status.phase"),
        Column.Condition("Ready"),
        Column.Message);

    private static Crd Schedule(string kind, string description, string secretRef) => new(
        KnownKinds.Platform(kind),
        description,
        Object(
            "The schedule.",
            Must("clusterRef", ClusterRef),
            Must("schedule", Text("The time between two backups, e.g. 24h or 1h30m.").AtMost(64).Pattern(@"^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$")),
            Must("s3Destination", Destination("Where the backups go.", "bucket")),
            May(secretRef, Reference("Credentials for the object store.")),
            May("lineage", SealedLineage)).Sealed("lineage"),
        Status(
            May("lastRunAt", Time("When a backup was last begun.")),
            May("nextRunAt", Time("When the next one is due.")),
            May("lastBackupName", Text("The last backup."))),
        Column.Text("Cluster", ".spec.clusterRef.name"),
        Column.Text("Schedule", ".spec.schedule"),
        Column.Condition("Active"),
        Column.Time("Last", ".status.lastRunAt"),
        Column.Text("Backup", ".status.lastBackupName").OnlyWide());

    /// <summary>A place in an object store.</summary>
    public static Schema Destination(string description, params ReadOnlySpan<string> required)
    {
        var bucket = Name("The bucket.");
        return Object(
            description,
            required.Contains("bucket") ? Must("bucket", bucket) : May("bucket", bucket),
            May("key", Text("The key, or the prefix of keys.")),
            May("credentialsSecretRef", Reference("Credentials for it.")));
    }
}
