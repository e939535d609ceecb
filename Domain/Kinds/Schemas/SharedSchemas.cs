using System.Collections.Immutable;
using static Governor.Domain.Kinds.Schemas.Field;
using static Governor.Domain.Kinds.Schemas.Schema;

namespace Governor.Domain.Kinds.Schemas;

/// <summary>The value objects of the shared layer.</summary>
internal static class SharedSchemas
{
    public const string Metadata = "KubernetesMetadata";

    public static ImmutableArray<(string Kind, Schema Schema)> All =>
    [
        (Metadata, KubernetesMetadata),
        ("SealedCausalChain", SealedCausalChain),
        ("BindingStability", Contracts.BindingStability),
        ("PhaseModel", Contracts.PhaseModel),
        ("RationaleField", RationaleField),
        ("GovernanceEvent", GovernanceEvent),
    ];

    private static Schema KubernetesMetadata => Object(
        "Metadata as Kubernetes has it; whatever else is there is Kubernetes' own.",
        May("name", Text("Unique per namespace and kind.")),
        May("namespace", Text("The namespace.")),
        May("uid", Text("Unique in time and space.")),
        May("resourceVersion", Text("The version that was read.")),
        May("labels", Map("Labels.", Text("A value."))),
        May("annotations", Map("Annotations.", Text("A value."))),
        May("generation", Int64("Revision of the spec.")),
        May("creationTimestamp", Time("When it was created.")),
        May("deletionTimestamp", Time("When its deletion was asked for.")),
        May("finalizers", Texts("Empty before it goes.")),
        May("ownerReferences", List("Its owners.", Object(
            "One owner.",
            Must("apiVersion", Text("Its apiVersion.")),
            Must("kind", Text("Its kind.")),
            Must("name", Text("Its name.")),
            Must("uid", Text("Its UID.")),
            May("controller", Flag("It manages the object.")),
            May("blockOwnerDeletion", Flag("It stays until the object is gone."))))));

    /// <summary>The published form; the operators' own form is accepted besides it, see <see cref="Common.SealedLineage"/>.</summary>
    private static Schema SealedCausalChain => Object(
        "Which declaration caused an object. Never changes.",
        Must("originKind", Name("Kind of the root declaration.")),
        Must("originName", Name("Its name.")),
        Must("originNamespace", Text("Its namespace.")),
        Must("creationRationale", Common.Rationale),
        Must("sealedAt", Time("When the chain was sealed.")),
        Must("sealedBy", Name("The service account that sealed it.")));

    private static Schema RationaleField => Object(
        "Why a decision was made. Within a GovernanceEvent only.",
        Must("text", Text("The reason.").With("minLength", 10).AtMost(2000)),
        May("decisionAuthority", Text("The role that is entitled to decide.")),
        May("alternativesConsidered", Texts("What else was thought of.")),
        May("regulatoryReference", Text("The obligation behind it.")));

    private static Schema GovernanceEvent => Object(
        "One change, and who made it, when, and why.",
        Must("timestamp", Time("When.")),
        Must("actor", Name("Who.")),
        May("actorRole", Text("The role at that moment.")),
        Must("changeType", OneOf("What class of change.", "governance", "operational", "binding-state", "operator-event")),
        Must("layer", OneOf("Which layer it touched.", "one", "two")),
        Must("fieldChanged", Name("Path of what changed.")),
        May("previousValue", Text("What was there before.")),
        May("newValue", Text("What is there now.")),
        May("rationale", RationaleField),
        May("regulatoryImplication", Flag("It is kept for auditors.").Default(false)),
        May("gitRef", Text("Commit or tag.")),
        May("auditEventId", Text("Joins it with other records.")));
}
