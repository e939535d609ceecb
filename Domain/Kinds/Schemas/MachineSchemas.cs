using System.Collections.Immutable;
using static Governor.Domain.Kinds.Schemas.Common;
using static Governor.Domain.Kinds.Schemas.Field;
using static Governor.Domain.Kinds.Schemas.Schema;

namespace Governor.Domain.Kinds.Schemas;

/// <summary>The kinds of <c>platform.ontai.dev</c> that describe machines: those of Cluster API, and those of Talos.</summary>
internal static class MachineSchemas
{
    public static ImmutableArray<Crd> All => [Cluster, Machine, Template, ControlPlane, Workers];

    private static IReadOnlyList<Field> Node { get; } =
    [
        Must("address", Name("Address of the machine.").AtMost(253)),
        May("port", Int32("Port of the Talos API.").Default(50000).Minimum(1).Maximum(65535)),
        Must("talosConfigSecretRef", Reference("The Secret that holds the talosconfig.")),
        Must("nodeRole", OneOf("What the machine becomes.", "controlplane", "worker")),
    ];

    private static Crd Cluster => new(
        KnownKinds.Platform("SeamInfrastructureCluster"),
        "A SeamInfrastructureCluster is the infrastructure that Cluster API asks for a cluster.",
        Object(
            "The infrastructure.",
            May("controlPlaneEndpoint", Object(
                "Where the Kubernetes API answers.",
                Must("host", Text("Address.").AtMost(253)),
                May("port", Int32("Port.").Default(6443).Minimum(1).Maximum(65535)))),
            May("lineage", SealedLineage)).Sealed("lineage"),
        Status(May("ready", Flag("Every machine of the control plane is ready."))),
        Column.Text("Endpoint", ".spec.controlPlaneEndpoint.host"),
        Column.Flag("Ready", ".status.ready"),
        Column.Text("Reason", ".status.conditions[?(@.type==\"InfrastructureReady\")].reason"),
        Column.Text("Message", ".status.conditions[?(@.type==\"InfrastructureReady\")].message").OnlyWide());

    private static Crd Machine => new(
        KnownKinds.Platform("SeamInfrastructureMachine"),
        "A SeamInfrastructureMachine is one machine that Cluster API may take.",
        Object("The machine.", [.. Node, May("lineage", SealedLineage)]).Sealed("lineage"),
        Status(
            May("ready", Flag("It runs as a node.")),
            May("machineConfigApplied", Flag("Its configuration was accepted.")),
            May("applyAttempts", Int32("How often the configuration was offered in vain.").Minimum(0)),
            May("providerID", Text("Its name for Kubernetes, talos://{cluster}/{address}."))),
        Column.Text("Address", ".spec.address"),
        Column.Text("Role", ".spec.nodeRole"),
        Column.Flag("Ready", ".status.ready"),
        Column.Text("Reason", ".status.conditions[?(@.type==\"MachineReady\")].reason"),
        Column.Text("ProviderID", ".status.providerID").OnlyWide());

    private static Crd Template => new(
        KnownKinds.Platform("SeamInfrastructureMachineTemplate"),
        "A SeamInfrastructureMachineTemplate is what Cluster API makes SeamInfrastructureMachines from.",
        Object(
            "The template.",
            Must("template", Object(
                "What a machine is made from.",
                May("metadata", Object(
                    "Labels and annotations of the machines.",
                    May("labels", Map("Labels.", Text("A value."))),
                    May("annotations", Map("Annotations.", Text("A value."))))),
                Must("spec", Object("The machine.", Node))))),
        Status(),
        Column.Text("Role", ".spec.template.spec.nodeRole"));

    private static Crd ControlPlane => new(
        KnownKinds.Platform("TalosControlPlane"),
        "A TalosControlPlane says what the control plane of a cluster is made of.",
        Object(
            "The control plane.",
            May("replicas", Int32("How many machines.").Default(1).Minimum(0).Maximum(1000)),
            May("talosVersion", Text("Talos version, e.g. v1.9.3.")),
            May("kubernetesVersion", Text("Kubernetes version without v, e.g. 1.32.1.")),
            May("machineConfigPatches", Patches),
            May("hardeningProfileRef", Reference("The HardeningProfile to apply.")),
            May("endpointVIP", Text("Virtual address of the Kubernetes API.").AtMost(253)),
            May("installerImage", Text("The image that installs Talos.")),
            May("lineage", SealedLineage)).Sealed("lineage"),
        Status(
            May("replicas", Int32("How many machines there are.").Minimum(0)),
            May("readyReplicas", Int32("How many of them are ready.").Minimum(0))),
        Column.Text("Talos", ".spec.talosVersion"),
        Column.Text("Kubernetes", ".spec.kubernetesVersion"),
        new Column("Replicas", "integer", ".spec.replicas"),
        new Column("Available", "integer", ".status.readyReplicas"),
        Column.Condition("Ready"),
        Column.Text("VIP", ".spec.endpointVIP").OnlyWide())
    {
        Scales = true,
    };

    /// <summary>Counts per pool, so that there is no one number to scale.</summary>
    private static Crd Workers => new(
        KnownKinds.Platform("TalosWorkerConfig"),
        "A TalosWorkerConfig says what the worker pools of a cluster are made of.",
        Object(
            "The workers.",
            May("pools", ListBy("The pools.", Object(
                "One pool.",
                Must("name", Name("Its name.").AtMost(63)),
                May("replicas", Int32("How many machines.").Default(1).Minimum(0).Maximum(10000)),
                May("machineConfigPatches", Patches),
                May("nodeLabels", Map("Labels of its nodes.", Text("A value.").AtMost(63))),
                May("nodeTaints", List("Taints of its nodes.", Object(
                    "One taint.",
                    Must("key", Name("Its key.")),
                    May("value", Text("Its value.")),
                    Must("effect", OneOf("What it does.", "NoSchedule", "PreferNoSchedule", "NoExecute"))))
                    .MaxItems(64))), "name").MaxItems(100)),
            May("talosVersion", Text("Talos version, e.g. v1.9.3.")),
            May("installerImage", Text("The image that installs Talos.")),
            May("hardeningProfileRef", Reference("The HardeningProfile to apply.")),
            May("lineage", SealedLineage)).Sealed("lineage"),
        Status(May("pools", ListBy("How the pools stand.", Object(
            "One pool.",
            Must("name", Name("Its name.")),
            May("replicas", Int32("How many machines there are.").Minimum(0)),
            May("readyReplicas", Int32("How many of them are ready.").Minimum(0))), "name"))),
        Column.Text("Talos", ".spec.talosVersion"),
        Column.Condition("Ready"),
        Column.Message);
}
