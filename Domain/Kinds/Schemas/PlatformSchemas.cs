using System.Collections.Immutable;
using static Governor.Domain.Kinds.Schemas.Common;
using static Governor.Domain.Kinds.Schemas.Field;
using static Governor.Domain.Kinds.Schemas.Schema;

namespace Governor.Domain.Kinds.Schemas;

/// <summary>The kinds of <c>platform.ontai.dev</c>.</summary>
internal static class PlatformSchemas
{
    public static ImmutableArray<Crd> All => [Cluster];

    private static Crd Cluster => new(
        KnownKinds.TalosCluster,
        "A TalosCluster is one governed cluster, made from nothing or taken in.",
        Object(
                "The cluster as wanted.",
                Must("mode", OneOf("Make it, or take in one that runs.", "bootstrap", "import")),
                May("role", OneOf("What it is for.", "management", "tenant")),
                May("talosVersion", Text("Talos version, e.g. v1.9.3.")),
                May("kubernetesVersion", Text("Kubernetes version without v, e.g. 1.32.1.")),
                May("versionUpgrade", Flag("Ask for an upgrade to the versions above.")),
                May("clusterEndpoint", Text("Address of the Kubernetes API.")),
                May("nodeAddresses", Texts("Addresses of the nodes.")),
                May("infrastructureProvider", OneOf("Who provides machines.", "native", "capi", "screen").Default("native")),
                May("kubeconfigSecretRef", Text("The Secret that holds the kubeconfig.")),
                May("talosconfigSecretRef", Text("The Secret that holds the talosconfig.")),
                May("capi", ClusterApi()),
                May("pkiRotationThresholdDays", Int32("Rotate certificates that live shorter than this.").Default(30).Minimum(1)),
                May("hardeningProfileRef", Reference("The HardeningProfile to apply.")),
                May("lineage", SealedLineage))
            .Rule("self.mode != 'import' || (has(self.role) && self.role != '')", "role is required when mode is import")
            .Sealed("lineage"),
        Status(
            May("origin", OneOf("How it came to be.", "bootstrapped", "imported")),
            May("observedTalosVersion", Text("The Talos version that runs.")),
            May("observedKubernetesVersion", Text("The Kubernetes version that runs.")),
            May("capiClusterRef", Reference("The Cluster API object.")),
            May("pkiExpiryDate", Time("When the first certificate expires.")),
            May("deletionStage", Text("How far the decommission is."))),
        Column.Text("Mode", ".spec.mode"),
        Column.Text("Role", ".spec.role"),
        Column.Text("Talos", ".spec.talosVersion").OnlyWide(),
        Column.Text("Kubernetes", ".spec.kubernetesVersion").OnlyWide(),
        Column.Condition("Ready"),
        Column.Reason,
        Column.Message);

    private static Schema ClusterApi() => Object(
        "Settings for Cluster API.",
        Must("enabled", Flag("Use it.")),
        May("talosVersion", Text("Talos version of new machines.")),
        May("kubernetesVersion", Text("Kubernetes version of new machines.")),
        May("controlPlane", Object("The control plane.", May("replicas", Int32("How many machines.").Minimum(0)))),
        May("workers", List("Worker pools.", Object(
            "One pool.",
            Must("name", Name("Its name.")),
            May("replicas", Int32("How many machines.").Minimum(0)),
            May("seamInfrastructureMachineNames", Texts("The machines to take."))))),
        May("ciliumPackRef", Object(
            "The pack that brings the network.",
            Must("name", Name("Its name.")),
            Must("version", Name("Its version.")))));
}
