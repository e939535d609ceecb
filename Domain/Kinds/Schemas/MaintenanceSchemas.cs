using System.Collections.Immutable;
using static Governor.Domain.Kinds.Schemas.Common;
using static Governor.Domain.Kinds.Schemas.Field;
using static Governor.Domain.Kinds.Schemas.Schema;

namespace Governor.Domain.Kinds.Schemas;

/// <summary>The kinds of <c>platform.ontai.dev</c> that stay: when a cluster may be worked on, and what its machines are configured with.</summary>
internal static class MaintenanceSchemas
{
    public static ImmutableArray<Crd> All => [Windows, Hardening, Config, Sync];

    private static Crd Windows => new(
        KnownKinds.Platform("ClusterMaintenance"),
        "A ClusterMaintenance says when a cluster may be worked on.",
        Object(
            "The windows.",
            Must("clusterRef", ClusterRef),
            May("windows", List("When work may begin.", Object(
                "One window.",
                May("name", Text("Its name.").AtMost(63)),
                Must("start", Name("When it opens, as a cron expression.").AtMost(253)),
                Must("durationMinutes", Int32("How long it stays open.").Minimum(1)),
                May("timezone", Text("The time zone of start.").AtMost(64).Default("UTC")))).MaxItems(100)),
            May("blockOutsideWindows", Flag("Nothing begins outside of the windows.")),
            May("lineage", SealedLineage)).Sealed("lineage"),
        Status(),
        Column.Text("Cluster", ".spec.clusterRef.name"),
        Column.Condition("WindowActive"),
        Column.Condition("Paused"),
        Column.Flag("Blocks", ".spec.blockOutsideWindows").OnlyWide());

    private static Crd Hardening => new(
        KnownKinds.Platform("HardeningProfile"),
        "A HardeningProfile is a set of patches and kernel parameters that clusters refer to.",
        Object(
            "The profile.",
            May("clusterRef", Reference("The cluster that it was written for; none for any.")),
            May("machineConfigPatches", Patches),
            May("sysctlParams", Map("Kernel parameters.", Text("A value."))),
            May("description", Text("What it is for.")),
            May("lineage", SealedLineage)).Sealed("lineage"),
        Status(),
        Column.Condition("Valid"),
        Column.Text("Reason", ".status.conditions[?(@.type==\"Valid\")].reason"),
        Column.Text("Description", ".spec.description").OnlyWide());

    private static Crd Config => new(
        KnownKinds.Platform("MachineConfig"),
        "A MachineConfig is the configuration of one node: what it should be, whatever the node says.",
        Object(
            "The configuration.",
            Must("clusterRef", ClusterRef),
            Must("role", OneOf("What the node is.", "init", "controlplane", "worker")),
            May("order", Int32("Its place in the order of work: init 0, then the control plane, then workers.").Minimum(0)),
            May("nodeIP", Text("Address of the node.").AtMost(253)),
            May("nodeHostname", Text("Host name of the node.").AtMost(253)),
            May("machine", Opaque("The machine section of the Talos configuration.")),
            May("cluster", Opaque("The cluster section of the Talos configuration.")),
            May("lineage", SealedLineage)).Sealed("lineage"),
        Status(
            May("syncedVersion", Text("The version that the node has.")),
            May("lastSyncedAt", Time("When it took it over."))),
        Column.Text("Cluster", ".spec.clusterRef.name"),
        Column.Text("Role", ".spec.role"),
        Column.Text("Node", ".spec.nodeHostname"),
        Column.Text("Address", ".spec.nodeIP").OnlyWide(),
        Column.Time("Synced", ".status.lastSyncedAt"));

    private static Crd Sync => new(
        KnownKinds.Platform("MachineConfigSync"),
        "A MachineConfigSync brings a MachineConfig to its node, once.",
        Object(
            "The synchronisation.",
            Must("clusterRef", ClusterRef.Immutable("clusterRef")),
            Must("nodeClass", Name("The MachineConfig, by host name or class.").AtMost(253).Immutable("nodeClass")),
            May("nodeRef", Text("Address of the one node.").AtMost(253)),
            May("maxRetry", MaxRetry),
            May("forceApply", Flag("Apply even if nothing changed.")),
            May("reason", Text("Why it was asked for.")),
            May("lineage", SealedLineage)).Sealed("lineage"),
        JobStatus(May("observedHash", Text("Digest of the configuration that the node has."))),
        Column.Text("Cluster", ".spec.clusterRef.name"),
        Column.Text("Class", ".spec.nodeClass"),
        Column.Text("Node", ".spec.nodeRef"),
        Column.Condition("Ready"),
        Column.Reason,
        Column.Message);
}
