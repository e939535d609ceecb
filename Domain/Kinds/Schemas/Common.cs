using System.Text.Json.Nodes;
using static Governor.Domain.Kinds.Schemas.Field;
using static Governor.Domain.Kinds.Schemas.Schema;

namespace Governor.Domain.Kinds.Schemas;

/// <summary>The fragments that several kinds share.</summary>
internal static class Common
{
    private static readonly string[] RootForm =
        ["rootKind", "rootName", "rootNamespace", "rootUID", "creatingOperator", "rootGenerationAtCreation"];

    private static readonly string[] OriginForm = ["originKind", "originName", "originNamespace", "sealedAt", "sealedBy"];

    public static Schema ObservedGeneration { get; } = Int64("The generation that this status describes.").Minimum(0);

    /// <summary>KEP-1623 conditions, keyed by type so that every writer owns its own.</summary>
    public static Schema Conditions { get; } = ListBy(
        "What is currently true of this object, and why.",
        Object(
            "One condition.",
            Must("type", Text("The condition's name, in CamelCase.").With("maxLength", 316)),
            Must("status", OneOf("Whether it holds.", "True", "False", "Unknown")),
            May("observedGeneration", Int64("The generation that the condition was decided on.").Minimum(0)),
            Must("lastTransitionTime", Time("When the status last changed.")),
            Must("reason", Text("The machine-readable reason, in CamelCase.").With("minLength", 1).With("maxLength", 1024)),
            Must("message", Text("What a human needs to know.").With("maxLength", 32768))),
        "type");

    public static Schema Rationale { get; } = OneOf(
        "Why the object was created.",
        "ClusterProvision", "ClusterDecommission", "SecurityEnforcement", "PackExecution", "VirtualizationFulfillment",
        "ConductorAssignment", "VortexBinding");

    /// <summary>The sealed causal chain: the operators' form (root*) or the published schema's form (origin*, sealed*), or both.</summary>
    public static Schema SealedLineage { get; } = Object(
            "The sealed causal chain: which declaration caused this object. Never changes.",
            May("rootKind", Name("Kind of the root declaration.")),
            May("rootName", Name("Name of the root declaration.")),
            May("rootNamespace", Text("Namespace of the root declaration.")),
            May("rootUID", Name("UID of the root declaration.")),
            May("creatingOperator", Object(
                "The operator that created this object.",
                Must("name", Name("Its name.")),
                Must("version", Text("Its version.")))),
            Must("creationRationale", Rationale),
            May("rootGenerationAtCreation", Int64("Generation of the root when this object was created.").Minimum(0)),
            May("originKind", Name("Kind of the root declaration, as the published schema names it.")),
            May("originName", Name("Name of the root declaration, as the published schema names it.")),
            May("originNamespace", Text("Namespace of the root declaration, as the published schema names it.")),
            May("sealedAt", Time("When the chain was sealed.")),
            May("sealedBy", Name("The service account that sealed it.")))
        .With("anyOf", new JsonArray(Requiring(RootForm), Requiring(OriginForm)))
        .Immutable("lineage");

    public static Schema DeployedResources { get; } = List(
        "The objects that were delivered.",
        Object(
            "One delivered object.",
            Must("apiVersion", Name("Its apiVersion.")),
            Must("kind", Name("Its kind.")),
            Must("name", Name("Its name.")),
            May("namespace", Text("Its namespace; empty when it is cluster-scoped."))));

    public static IReadOnlyList<Field> Chart { get; } =
    [
        May("chartVersion", Text("Version of the Helm chart that the pack was rendered from.")),
        May("chartURL", Text("Where that chart came from.")),
        May("chartName", Text("Name of that chart.")),
        May("helmVersion", Text("Version of Helm that rendered it.")),
    ];

    /// <summary>Another object by name; without a namespace the referring object's own is meant.</summary>
    public static Schema Reference(string description) => Object(
        description,
        Must("name", Name("Its name.")),
        May("namespace", Text("Its namespace.")));

    public static Schema ClusterRef { get; } = Reference("The TalosCluster; without a namespace, the one in this object's own.");

    public static Schema MaxRetry { get; } = Int32("How often a failed Job is tried again.").Default(3).Minimum(1);

    public static Schema Patches { get; } = Texts("Patches to the Talos machine configuration.").MaxItems(256);

    /// <summary>The status of a kind that one Job after the other works on.</summary>
    public static Schema JobStatus(params IReadOnlyList<Field> fields) => Status(
    [
        May("jobName", Text("The Job that works on it.")),
        May("operationResult", Text("How the Job ended.")),
        May("retryCount", Int32("How many Jobs failed so far.").Minimum(0)),
        .. fields,
    ]);

    public static Schema Status(params IReadOnlyList<Field> fields) => Object(
        "What was observed; written by the operator only.",
        [May("observedGeneration", ObservedGeneration), .. fields, May("conditions", Conditions)]);

    public static Schema Verbs(string description) => List(
        description,
        OneOf("A verb.", "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"));

    private static JsonObject Requiring(string[] names) => new() { ["required"] = new JsonArray([.. names.Select(name => JsonValue.Create(name))]) };
}
