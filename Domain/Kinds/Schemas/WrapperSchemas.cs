using System.Collections.Immutable;
using static Governor.Domain.Kinds.Schemas.Common;
using static Governor.Domain.Kinds.Schemas.Field;
using static Governor.Domain.Kinds.Schemas.Schema;

namespace Governor.Domain.Kinds.Schemas;

/// <summary>The kinds of <c>infra.ontai.dev</c>.</summary>
internal static class WrapperSchemas
{
    public static ImmutableArray<Crd> All => [Pack, Build, Execution, Instance];

    /// <summary>What the signature of a pack covers: never changed, added or removed once the pack exists.</summary>
    private static IReadOnlyList<Field> Content { get; } =
    [
        Must("version", Name("Version of the pack, by convention vX.Y.Z-rN.")),
        Must("registryRef", Object(
            "Where the pack lies.",
            Must("url", Name("Registry and repository.")),
            Must("digest", Name("Digest of its manifest.")))),
        May("checksum", Text("Checksum of the whole pack.")),
        May("rbacDigest", Text("Digest of the layer with RBAC; its presence selects the split delivery.")),
        May("workloadDigest", Text("Digest of the layer with the workload.")),
        May("clusterScopedDigest", Text("Digest of the layer with cluster-scoped objects.")),
        May("sourceBuildRef", Text("The build that made it.")),
        May("executionOrder", List("In which order the parts are applied.", Object(
            "One stage.",
            Must("name", OneOf("Its name.", "rbac", "storage", "stateful", "stateless")),
            May("manifests", Texts("Its manifests."))))),
        May("provenance", Object(
            "Where it comes from.",
            May("buildID", Text("The build.")),
            May("buildTimestamp", Text("When it was built.")),
            May("sourceRef", Text("The source revision.")))),
        May("basePackName", Text("What the pack is called across its versions.")),
        .. Chart,
        May("valuesFile", Text("The values that it was rendered with.")),
    ];

    private static Crd Pack => new(
        KnownKinds.ClusterPack,
        "A ClusterPack is one version of one rendered, signed application, and the clusters that shall have it.",
        Object(
                "The pack.",
                [
                    .. Content.Select(part => part with { Schema = part.Schema.Immutable(part.Name) }),
                    May("targetClusters", Texts("The clusters that shall have it.")),
                    May("lifecyclePolicies", Object(
                        "What happens at its end.",
                        May("retainOnDeletion", Flag("Keep what was delivered.").Default(true)))),
                    May("rollbackToRevision", Int64("Go back to this revision; 0 for none.").Minimum(0)),
                    May("lineage", SealedLineage),
                ])
            .Sealed([.. Content.Where(part => !part.Required).Select(part => part.Name), "lineage"]),
        Status(
            May("signed", Flag("The signature was verified.")),
            May("packSignature", Text("The signature, Ed25519, base64."))),
        Column.Text("Version", ".spec.version"),
        Column.Flag("Signed", ".status.signed"),
        Column.Condition("Ready"),
        Column.Text("Targets", ".spec.targetClusters").OnlyWide(),
        Column.Text("Digest", ".spec.registryRef.digest").OnlyWide(),
        Column.Message);

    private static Crd Build => new(
        KnownKinds.PackBuild,
        "A PackBuild says what the compiler makes a ClusterPack from. Nothing reconciles it.",
        Object(
                "The build.",
                Must("componentName", Name("What is built.")),
                Must("category", OneOf("What it is built from.", "helm", "kustomize", "raw")),
                May("helmSource", Object(
                    "For helm.",
                    Must("url", Name("Where the chart lies.")),
                    Must("chart", Name("Its name.")),
                    Must("version", Name("Its version.")),
                    May("valuesFile", Text("The values to render it with.")))),
                May("kustomizeSource", Object("For kustomize.", Must("path", Name("The folder.")))),
                May("rawSource", Object("For raw.", Must("path", Name("The folder.")))),
                May("targetClusters", Texts("The clusters that shall have it.")))
            .Rule("has(self.helmSource) == (self.category == 'helm')", "helmSource goes with category helm, and with no other")
            .Rule("has(self.kustomizeSource) == (self.category == 'kustomize')", "kustomizeSource goes with category kustomize, and with no other")
            .Rule("has(self.rawSource) == (self.category == 'raw')", "rawSource goes with category raw, and with no other"),
        Status(),
        Column.Text("Component", ".spec.componentName"),
        Column.Text("Category", ".spec.category"));

    private static Crd Execution => new(
        KnownKinds.PackExecution,
        "A PackExecution is one delivery of one pack to one cluster, through its gates.",
        Object(
            "The delivery.",
            [
                Must("clusterPackRef", Object(
                    "The pack.",
                    Must("name", Name("Its name.")),
                    Must("version", Name("Its version.")))),
                Must("targetClusterRef", Name("The cluster.")),
                May("admissionProfileRef", Text("The RBACProfile that admits it.")),
                May("packInstanceRef", Text("The PackInstance whose release is restored.")),
                May("rollbackToRevision", Int64("The retained revision that is restored instead of what the pack says.").Minimum(1)),
                .. Chart,
                May("lineage", SealedLineage),
            ]).Sealed("lineage"),
        Status(
            May("phase", Text("What it is doing, or waiting for, in one word.")),
            May("jobName", Text("The Job that executes it.")),
            May("operationResultRef", Text("Where the result lies.")),
            May("gates", ListBy("The gates in their order.", Gate(), "gate")),
            May("steps", ListBy("The steps of the delivery in their order.", Step(), "name"))),
        Column.Text("Pack", ".spec.clusterPackRef.name"),
        Column.Text("Cluster", ".spec.targetClusterRef"),
        Column.Text("Phase", ".status.phase"),
        Column.Reason,
        Column.Condition("Ready"),
        Column.Text("Version", ".spec.clusterPackRef.version").OnlyWide(),
        Column.Message);

    private static Schema Gate() => Object(
        "One gate and its verdict.",
        Must("gate", Int32("Its number.").Minimum(0)),
        Must("name", Name("Its name.")),
        Must("verdict", OneOf("The verdict.", "Allow", "Deny", "Defer")),
        May("reason", Text("Why, machine-readable.")),
        May("message", Text("Why, for a human.")),
        May("waitsFor", Text("What it waits for.")),
        May("since", Time("Since when this is its verdict.")));

    private static Schema Step() => Object(
        "One step.",
        Must("name", Name("Its name.")),
        Must("status", Name("How it stands.")),
        May("message", Text("What happened.")));

    private static Schema Release() => Object(
        "One release.",
        Must("revision", Int64("Its number.").Minimum(1)),
        Must("clusterPackRef", Name("Its pack.")),
        Must("version", Name("Its version.")),
        Must("direction", OneOf("What it was.", "Initial", "Upgrade", "Rollback", "Redeploy")),
        Must("deliveredAt", Time("When it was delivered.")),
        May("restoredFrom", Int64("The revision that it brought back; 0 for none.").Minimum(0)),
        May("objects", Int32("How many objects it has.").Minimum(0)));

    private static Schema Kept() => Object(
        "One object that was left.",
        Must("apiVersion", Name("Its apiVersion.")),
        Must("kind", Name("Its kind.")),
        Must("name", Name("Its name.")),
        May("namespace", Text("Its namespace; empty when it is cluster-scoped.")),
        Must("reason", Name("Why, machine-readable.")),
        May("message", Text("Why, for a human.")));

    private static Crd Instance => new(
        KnownKinds.PackInstance,
        "A PackInstance is one pack as it stands on one cluster.",
        Object(
            "The instance.",
            [
                Must("clusterPackRef", Name("The pack that was delivered.")),
                Must("version", Name("Its version.")),
                Must("targetClusterRef", Name("The cluster.")),
                May("dependsOn", Texts("PackInstances, in the same namespace, that it needs.")),
                May("dependencyPolicy", Object(
                    "What drift of a dependency means.",
                    May("onDrift", OneOf("Block, warn or ignore.", "Block", "Warn", "Ignore").Default("Warn")))),
                .. Chart,
                May("lineage", SealedLineage),
            ]).Sealed("lineage"),
        Status(
            May("deliveredAt", Time("When this version was delivered.")),
            May("driftSummary", Text("What differs from what was delivered.")),
            May("upgradeDirection", OneOf("What the last delivery was.", "Initial", "Upgrade", "Rollback", "Redeploy")),
            May("revision", Int64("The revision that stands.").Minimum(0)),
            May("standing", OneOf("How it stands to what it has on the cluster.", "Standing", "Retained", "Removing", "Removed", "Abandoned")),
            May("deployedResources", DeployedResources),
            May("releases", ListBy("The retained releases, newest first.", Release(), "revision")),
            May("keptResources", List("What is not wanted any more and was left on the cluster.", Kept()))),
        Column.Text("Pack", ".spec.clusterPackRef"),
        Column.Text("Version", ".spec.version"),
        Column.Text("Cluster", ".spec.targetClusterRef"),
        Column.Condition("Ready"),
        Column.Reason with { Wide = true },
        Column.Time("Delivered", ".status.deliveredAt").OnlyWide(),
        Column.Message);
}
