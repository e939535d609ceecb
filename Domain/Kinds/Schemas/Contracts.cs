using static Governor.Domain.Kinds.Schemas.Common;
using static Governor.Domain.Kinds.Schemas.Field;
using static Governor.Domain.Kinds.Schemas.Schema;

namespace Governor.Domain.Kinds.Schemas;

/// <summary>The fragments that the contracts of <c>core.ontai.dev</c> and <c>app.ontai.dev</c> share: the published value objects.</summary>
internal static class Contracts
{
    private static readonly string[] PhaseNames =
    [
        "ScopeEstablishment", "IdentityRegistration", "AuthorityResolution", "StructuralWiring", "EventContractRegistration",
        "WorkflowBootstrap", "BehavioralConfiguration", "ProfileCompletion",
    ];

    public static Schema Tier { get; } = OneOf("How much is at stake.", "production", "staging", "development");

    public static Schema RetryEnvelope { get; } = Object(
        "How often something may be tried again.",
        Must("maxAttempts", Int32("How often at most.").Minimum(1)),
        Must("backoffSeconds", Int32("How long between two attempts.").Minimum(1)));

    /// <summary>The share of failures, from 0 to 1.</summary>
    public static Schema CircuitBreaker { get; } = Number("The share of failures that opens the circuit, from 0 to 1.").Minimum(0).Maximum(1);

    public static Schema AccessControl { get; } = OneOf("The access control model in force.", "rbac", "abac", "both");

    public static Schema Granularity { get; } = OneOf("How detailed events are; high is the most.", "high", "medium", "low");

    public static Schema Compute(string description) => Object(
        description, Must("cpu", Quantity("CPU.")), Must("memory", Quantity("Memory.")));

    public static Schema Storage(string description) => Object(
        description, Must("capacity", Quantity("Capacity.")), Must("storageClass", Name("Storage class.")));

    /// <summary>A reference whose type is fixed by the contract; only the name is the author's.</summary>
    public static Schema Ref(GroupVersionKind type, string description) => Object(
        description,
        Must("group", OneOf("Its group.", type.Group)),
        Must("kind", OneOf("Its kind.", type.Kind)),
        Must("version", OneOf("Its version.", type.Version)),
        Must("name", Name("Its name.").AtMost(253)));

    public static Schema DomainRef(string kind) => Ref(KnownKinds.Core(kind), $"The {kind} that this derives from.");

    public static Schema AppRef(string kind) => Ref(KnownKinds.App(kind), $"The {kind}.");

    /// <summary>The published BindingStability, with the rules that its text states and its schema cannot.</summary>
    public static Schema BindingStability { get; } = Object(
            "Whether a binding is a fact of the past or an assertion that is kept true.",
            Must("bindingType", OneOf("A fact of the past, or a live assertion.", "SnapshotBinding", "ContinuousBinding")),
            Must("bindingState", OneOf("What was observed.", "Stable", "Diverged", "Degraded", "Invalid", "Resolving")),
            May("boundAt", Time("When the snapshot was taken.")),
            May("constraintDeclaration", Object(
                    "The rule that is evaluated again and again.",
                    Must("boundaryScope", Name("The boundary.")),
                    Must("policyScope", Name("The policy.")),
                    Must("cardinalityFloor", Int32("How many at least.").Minimum(0)),
                    Must("cardinalityCeiling", Int32("How many at most.").Minimum(1)))
                .Rule("self.cardinalityFloor <= self.cardinalityCeiling", "cardinalityFloor must not exceed cardinalityCeiling")),
            May("selectionStrategy", OneOf(
                "How the active set is picked; health plays no part.",
                "Deterministic-Stable", "Deterministic-Locality", "Deterministic-Priority", "Declared-Rotation")))
        .Rule("self.bindingType != 'SnapshotBinding' || has(self.boundAt)", "boundAt is required for a SnapshotBinding")
        .Rule("self.bindingType != 'ContinuousBinding' || has(self.constraintDeclaration)", "constraintDeclaration is required for a ContinuousBinding")
        .Rule("self.bindingState != 'Diverged' || self.bindingType == 'SnapshotBinding'", "only a SnapshotBinding is ever Diverged")
        .Rule("self.bindingState != 'Degraded' || self.bindingType == 'ContinuousBinding'", "only a ContinuousBinding is ever Degraded");

    /// <summary>The published PhaseModel.</summary>
    public static Schema PhaseModel { get; } = Object(
        "The phases that an application goes through.",
        Must("phases", ListBy(
                "The phases.",
                Object(
                    "One phase.",
                    Must("name", OneOf("Its name.", PhaseNames)),
                    Must("order", Int32("Its place; low comes first.").Minimum(1)),
                    May("parallel", Flag("It may share its place with others.").Default(false)),
                    May("entryConditions", Texts("Condition types that hold before it starts.").MaxItems(64)),
                    May("exitConditions", Texts("Condition types that hold when it is complete.").MaxItems(64)),
                    May("dependsOn", Texts("Phases that finish before it.").MaxItems(8))),
                "name")
            .MinItems(1).MaxItems(PhaseNames.Length)
            .Rule("self.all(p, p.parallel || self.exists_one(q, q.order == p.order))", "only parallel phases may share an order")));

    /// <summary>A PhaseModel that leaves no phase out, as an AppProfile needs it.</summary>
    public static Schema FullPhaseModel { get; } =
        PhaseModel.Rule($"size(self.phases) == {PhaseNames.Length}", "all eight phases are declared");

    /// <summary>Status of a contract that says whether it is ready.</summary>
    public static Schema ReadyStatus(params IReadOnlyList<Field> more) => Status([May("ready", Flag("It is complete and valid.")), .. more]);
}
