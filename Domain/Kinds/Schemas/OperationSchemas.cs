using System.Collections.Immutable;
using static Governor.Domain.Kinds.Schemas.Common;
using static Governor.Domain.Kinds.Schemas.Field;
using static Governor.Domain.Kinds.Schemas.Schema;

namespace Governor.Domain.Kinds.Schemas;

/// <summary>The day-2 operations of <c>platform.ontai.dev</c>: each is one thing done once to one cluster.</summary>
internal static class OperationSchemas
{
    public static ImmutableArray<Crd> All => [Etcd, Node, Nodes, Pki, Reset, Upgrade, Bundle];

    private static Column Cluster { get; } = Column.Text("Cluster", ".spec.clusterRef.name");

    private static Column Operation { get; } = Column.Text("Operation", ".spec.operation");

    private static Column Job { get; } = Column.Text("Job", ".status.jobName").OnlyWide();

    private static Schema TargetNodes { get; } = Texts("The nodes; empty for all.").MaxItems(1000);

    private static Crd Etcd => Of(
        "EtcdMaintenance",
        "An EtcdMaintenance backs etcd up, restores it or defragments it.",
        [
            May("etcdBackupS3SecretRef", Reference("Credentials for the object store; without a namespace, seam-system.")),
            May("s3Destination", BackupSchemas.Destination("Where a backup goes.")),
            May("s3SnapshotPath", BackupSchemas.Destination("The snapshot to restore.")),
            May("targetNodes", TargetNodes),
            May("pvcFallbackEnabled", Flag("Without an object store, keep the backup on the cluster.")),
            May("schedule", Text("Not in use: a TalosEtcdBackupSchedule repeats backups.")),
            May("maxRetry", MaxRetry),
        ],
        spec => spec.Rule("self.operation != 'restore' || has(self.s3SnapshotPath)", "s3SnapshotPath is required when operation is restore"),
        [Cluster, Operation, Column.Condition("Ready"), Column.Reason, Job, Column.Message],
        "backup", "restore", "defrag");

    private static Crd Node => Of(
        "NodeMaintenance",
        "A NodeMaintenance patches nodes, hardens them or rotates their credentials.",
        [
            May("targetNodes", TargetNodes),
            May("patchSecretRef", Reference("The Secret that holds the patch.")),
            May("hardeningProfileRef", Reference("The HardeningProfile to apply.")),
            May("rotateServiceAccountKeys", Flag("Rotate the key that signs service account tokens.")),
            May("rotateOIDCCredentials", Flag("Rotate the credentials for OIDC.")),
            May("maxRetry", MaxRetry),
        ],
        spec => spec
            .Rule("self.operation != 'patch' || has(self.patchSecretRef)", "patchSecretRef is required when operation is patch")
            .Rule("self.operation != 'hardening-apply' || has(self.hardeningProfileRef)", "hardeningProfileRef is required when operation is hardening-apply")
            .Rule(
                "self.operation != 'credential-rotate' || (has(self.rotateServiceAccountKeys) && self.rotateServiceAccountKeys) || (has(self.rotateOIDCCredentials) && self.rotateOIDCCredentials)",
                "rotateServiceAccountKeys or rotateOIDCCredentials is required when operation is credential-rotate"),
        [Cluster, Operation, Column.Condition("Ready"), Column.Reason, Job, Column.Message],
        "patch", "hardening-apply", "credential-rotate");

    private static Crd Nodes => Of(
        "NodeOperation",
        "A NodeOperation adds nodes, takes them out, reboots them or rolls them back.",
        [
            May("targetNodes", TargetNodes),
            May("targetNodeIP", Text("Address of the one node.").AtMost(253)),
            May("nodeRole", OneOf("What the nodes are.", "controlplane", "worker")),
            May("replicaCount", Int32("How many nodes there shall be.").Minimum(0)),
            May("performWipe", Flag("Wipe the disks of a node that is taken out; needs a human's approval.")),
            May("maxRetry", MaxRetry),
        ],
        spec => spec
            .Rule("self.operation != 'scale-up' || has(self.replicaCount)", "replicaCount is required when operation is scale-up")
            .Rule(
                "self.operation != 'decommission' || (has(self.targetNodes) && size(self.targetNodes) > 0) || has(self.targetNodeIP)",
                "targetNodes or targetNodeIP is required when operation is decommission")
            .Rule("!has(self.performWipe) || !self.performWipe || self.operation == 'decommission'", "performWipe is allowed only when operation is decommission"),
        [Cluster, Operation, Column.Condition("Ready"), Column.Reason, Job, Column.Message],
        "scale-up", "decommission", "reboot", "rollback");

    private static Crd Pki => Of(
        "PKIRotation",
        "A PKIRotation renews the certificates of a cluster.",
        [],
        spec => spec,
        [Cluster, Column.Condition("Ready"), Column.Reason, Job, Column.Message]);

    private static Crd Reset => Of(
        "ClusterReset",
        "A ClusterReset destroys a cluster. It waits for a human's approval.",
        [
            May("drainGracePeriodSeconds", Int32("How long pods have to end.").Default(300).Minimum(0)),
            May("wipeDisks", Flag("Wipe the disks.").Default(false)),
        ],
        spec => spec
            .Rule("self.drainGracePeriodSeconds == oldSelf.drainGracePeriodSeconds", "drainGracePeriodSeconds is immutable: an approval is for this reset and no other")
            .Rule("self.wipeDisks == oldSelf.wipeDisks", "wipeDisks is immutable: an approval is for this reset and no other"),
        [Cluster, Column.Flag("Wipe", ".spec.wipeDisks"), Column.Condition("PendingApproval"), Column.Condition("Ready"), Column.Reason, Job, Column.Message]);

    private static Crd Upgrade => new(
        KnownKinds.Platform("UpgradePolicy"),
        "An UpgradePolicy brings a cluster to a version of Talos, of Kubernetes, or of both.",
        Object(
                "The upgrade.",
                Must("clusterRef", ClusterRef),
                Must("upgradeType", OneOf("What is upgraded; stack is both.", "talos", "kubernetes", "stack")),
                May("targetTalosVersion", Text("Talos version, e.g. v1.9.3.").AtMost(64)),
                May("targetKubernetesVersion", Text("Kubernetes version without v, e.g. 1.32.1.").AtMost(64)),
                May("rollingStrategy", OneOf("Node after node, or several at once.", "sequential", "parallel").Default("sequential")),
                May("healthGateConditions", Texts("Conditions that must hold between two nodes.").MaxItems(64)),
                May("maxRetry", MaxRetry),
                May("lineage", SealedLineage))
            .Rule("self.upgradeType == 'kubernetes' || has(self.targetTalosVersion)", "targetTalosVersion is required when upgradeType is talos or stack")
            .Rule("self.upgradeType == 'talos' || has(self.targetKubernetesVersion)", "targetKubernetesVersion is required when upgradeType is kubernetes or stack")
            .Sealed("lineage"),
        JobStatus(May("progress", Object(
            "How far the upgrade is.",
            May("completedNodes", Texts("The nodes that are done.")),
            May("currentNode", Text("The node that is being upgraded.")),
            May("failedNode", Text("The node where it failed.")),
            May("phase", OneOf("Whether it goes on.", "upgrading", "complete"))))),
        Cluster,
        Column.Text("Type", ".spec.upgradeType"),
        Column.Text("Talos", ".spec.targetTalosVersion"),
        Column.Text("Kubernetes", ".spec.targetKubernetesVersion"),
        Column.Condition("Ready"),
        Column.Reason,
        Column.Text("Node", ".status.progress.currentNode").OnlyWide(),
        Job,
        Column.Message);

    private static Crd Bundle => Of(
        "MaintenanceBundle",
        "A MaintenanceBundle is an operation whose targets were resolved beforehand, by the compiler.",
        [
            May("maintenanceTargetNodes", Texts("The nodes.").MaxItems(1000)),
            May("operatorLeaderNode", Text("The node of the leading operator, which the operation must not run on.").AtMost(253)),
            May("s3ConfigSecretRef", Reference("Credentials for the object store.")),
        ],
        spec => spec.Rule("self.operation != 'etcd-backup' || has(self.s3ConfigSecretRef)", "s3ConfigSecretRef is required when operation is etcd-backup"),
        [Cluster, Operation, Column.Condition("Ready"), Column.Reason, Job, Column.Message],
        "drain", "upgrade", "etcd-backup", "machineconfig-rotation");

    /// <summary>What an operation does, and to which cluster, never changes: another one is another object.</summary>
    private static Crd Of(
        string kind, string description, IReadOnlyList<Field> fields, Func<Schema, Schema> rules, IReadOnlyList<Column> columns, params string[] operations)
    {
        IReadOnlyList<Field> operation = operations.Length == 0 ? [] : [Must("operation", OneOf("What is done.", operations).Immutable("operation"))];
        var spec = Object("The operation.", [Must("clusterRef", ClusterRef.Immutable("clusterRef")), .. operation, .. fields, May("lineage", SealedLineage)]);
        return new Crd(KnownKinds.Platform(kind), description, rules(spec).Sealed("lineage"), JobStatus(), columns);
    }
}
