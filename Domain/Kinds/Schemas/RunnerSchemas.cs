using System.Collections.Immutable;
using static Governor.Domain.Kinds.Schemas.Common;
using static Governor.Domain.Kinds.Schemas.Field;
using static Governor.Domain.Kinds.Schemas.Schema;

namespace Governor.Domain.Kinds.Schemas;

/// <summary>The kinds of <c>runner.ontai.dev</c>.</summary>
internal static class RunnerSchemas
{
    public static ImmutableArray<Crd> All => [Config, Receipt, Drift];

    private static Crd Config => new(
        KnownKinds.RunnerConfig,
        "A RunnerConfig says what executes operations on one cluster, and what that can do. Never written by hand.",
        Object(
            "The runner.",
            Must("clusterRef", Name("The cluster.")),
            Must("runnerImage", Name("The image that executes.")),
            May("phases", List("Phases.", Object(
                "One phase.",
                Must("name", Name("Its name.")),
                May("parameters", Map("Its parameters.", Text("A value.")))))),
            May("steps", List("Steps.", Object(
                "One step.",
                Must("name", Name("Its name.")),
                Must("capability", Name("The capability it needs.")),
                May("parameters", Map("Its parameters.", Text("A value."))),
                May("dependsOn", Text("The step before it.")),
                May("haltOnFailure", Flag("Nothing follows when it fails."))))),
            May("operationalHistory", List("What was changed at run time.", Object(
                "One change.",
                Must("appliedAt", Time("When.")),
                Must("concern", Name("What.")),
                May("previousValue", Text("From.")),
                Must("newValue", Text("To.")),
                Must("appliedBy", Name("By whom."))))),
            May("maintenanceTargetNodes", Texts("Nodes under maintenance.")),
            May("operatorLeaderNode", Text("The node of the leading operator.")),
            May("selfOperation", Flag("It operates on the cluster that it runs on.")),
            May("lineage", SealedLineage)).Sealed("lineage"),
        Status(
            May("capabilities", ListBy("What it can do.", Object(
                "One capability.",
                Must("name", Name("Its name.")),
                Must("version", Name("Its version.")),
                May("description", Text("What it does."))), "name")),
            May("agentVersion", Text("Version of the agent.")),
            May("agentLeader", Text("The agent that leads.")),
            May("phase", Text("Empty while it runs; Completed or Failed afterwards.")),
            May("failedStep", Text("The step that failed.")),
            May("stepResults", List("How the steps went.", Object(
                "One result.",
                Must("name", Name("The step.")),
                Must("status", OneOf("How it ended.", "Succeeded", "Failed", "Skipped")),
                May("startedAt", Time("When it began.")),
                May("completedAt", Time("When it ended.")),
                May("message", Text("What happened.")))))),
        Column.Text("Cluster", ".spec.clusterRef"),
        Column.Text("Agent", ".status.agentVersion"),
        Column.Text("Image", ".spec.runnerImage").OnlyWide(),
        Column.Condition("Ready"),
        Column.Message);

    private static Crd Receipt => new(
        KnownKinds.PackReceipt,
        "A PackReceipt is a tenant's own record of what it was given.",
        Object(
            "The receipt.",
            [
                Must("clusterPackRef", Name("The pack.")),
                Must("targetClusterRef", Name("The cluster.")),
                May("packInstanceRef", Text("The instance.")),
                May("signatureRef", Text("The Secret that carries the signature.")),
                May("rbacDigest", Text("Digest of the layer with RBAC.")),
                May("workloadDigest", Text("Digest of the layer with the workload.")),
                .. Chart,
                May("deployedResources", DeployedResources),
            ]),
        Status(
            May("verified", Flag("The signature was verified by the tenant.")),
            May("signature", Text("The signature.")),
            May("verificationFailedReason", Text("Why not."))),
        Column.Text("Pack", ".spec.clusterPackRef"),
        Column.Flag("Verified", ".status.verified"),
        Column.Message);

    private static Crd Drift => new(
        KnownKinds.DriftSignal,
        "A DriftSignal tells the management cluster that something on a tenant is not as it was delivered.",
        Object(
            "The signal.",
            Must("state", OneOf("How far it got; only ever forward.", "pending", "delivered", "queued", "confirmed")),
            Must("correlationID", Name("Joins its records.")),
            Must("observedAt", Time("When the drift was seen.")),
            Must("affectedCRRef", Object(
                "What drifted.",
                Must("group", Text("API group.")),
                Must("kind", Name("Kind.")),
                Must("name", Name("Name.")),
                May("namespace", Text("Namespace.")))),
            Must("driftReason", Name("What differs.")),
            May("correctionJobRef", Text("The operation that corrects it.")),
            May("escalationCounter", Int32("How often it was sent without effect.").Minimum(0)))
            .Rule(
                $"{Rank("self")} >= {Rank("oldSelf")} || {Attempts("self")} > {Attempts("oldSelf")}",
                "state goes forward only, unless the signal is raised again with a higher escalationCounter"),
        Status(),
        Column.Text("State", ".spec.state"),
        Column.Text("CorrelationID", ".spec.correlationID"),
        Column.Text("Reason", ".spec.driftReason").OnlyWide());

    private static string Rank(string of) => $"{{'pending': 0, 'delivered': 1, 'queued': 2, 'confirmed': 3}}[{of}.state]";

    private static string Attempts(string of) => $"(has({of}.escalationCounter) ? {of}.escalationCounter : 0)";
}
