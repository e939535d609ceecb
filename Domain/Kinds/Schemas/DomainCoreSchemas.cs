using System.Collections.Immutable;
using static Governor.Domain.Kinds.Schemas.Common;
using static Governor.Domain.Kinds.Schemas.Contracts;
using static Governor.Domain.Kinds.Schemas.Field;
using static Governor.Domain.Kinds.Schemas.Schema;

namespace Governor.Domain.Kinds.Schemas;

/// <summary>The contracts of <c>core.ontai.dev</c>: what applications derive from, and never write.</summary>
internal static class DomainCoreSchemas
{
    private static Field Identity { get; } = Must("domainIdentityRef", Ref(KnownKinds.Core("DomainIdentity"), "The DomainIdentity that owns this."));

    private static Column Owner { get; } = Column.Text("Identity", ".spec.domainIdentityRef.name");

    public static ImmutableArray<Crd> All =>
        [DomainIdentity, DomainBoundary, DomainPolicy, DomainRelationship, DomainEvent, DomainWorkflow, DomainResource, DomainAudit, NameService];

    private static Crd DomainIdentity => new(
        KnownKinds.Core("DomainIdentity"),
        "A DomainIdentity is a principal to which all authority traces back.",
        Object(
            "The identity.",
            Must("name", Name("Its canonical name, e.g. guardian.")),
            Must("spiffeTrustDomain", Name("Its trust domain, e.g. spiffe://ontai.dev/guardian.")),
            Must("ontWebSubject", Name("Its subject, {name}.identity.ontai.dev.")),
            Must("operatorOwner", Name("The operator that looks after it.")),
            Must("registeredAt", Time("When it was first registered."))),
        Status(),
        Column.Text("Identity", ".spec.name"),
        Column.Text("Owner", ".spec.operatorOwner"),
        Column.Text("TrustDomain", ".spec.spiffeTrustDomain").OnlyWide());

    private static Crd DomainBoundary => new(
        KnownKinds.Core("DomainBoundary"),
        "A DomainBoundary is the outer wall: no application reaches beyond it.",
        Object(
            "The wall.",
            Identity,
            May("organizationalScope", Text("The unit that owns it.")),
            May("tenantAssignment", Text("The tenant or cluster.")),
            May("clusterPlacementAuthority", Text("Who may place things.")),
            May("environmentTier", Tier)),
        Status(),
        Owner,
        Column.Text("Tenant", ".spec.tenantAssignment"),
        Column.Text("Tier", ".spec.environmentTier"),
        Column.Text("Scope", ".spec.organizationalScope").OnlyWide());

    private static Crd DomainPolicy => new(
        KnownKinds.Core("DomainPolicy"),
        "A DomainPolicy sets ceilings that no team can raise.",
        Object(
            "The ceilings.",
            Identity,
            May("retryEnvelope", RetryEnvelope),
            May("circuitBreakerThreshold", CircuitBreaker),
            May("rateLimitRequestsPerSecond", Int64("The highest request rate.").Minimum(1)),
            May("accessControlMode", AccessControl),
            May("cardinalityCeiling", Int64("How many instances of an application at most.").Minimum(1))),
        Status(),
        Owner,
        Column.Text("AccessControl", ".spec.accessControlMode"),
        new Column("RateLimit", "integer", ".spec.rateLimitRequestsPerSecond"),
        new Column("Ceiling", "integer", ".spec.cardinalityCeiling").OnlyWide());

    private static Crd DomainRelationship => new(
        KnownKinds.Core("DomainRelationship"),
        "A DomainRelationship is a contract from one identity to another.",
        Object(
            "The contract.",
            Must("sourceIdentity", Name("Who.")),
            Must("targetIdentity", Name("To whom; * for every admitted member.")),
            Must("relationshipType", OneOf("Does what.", "signs", "provisions", "delegates", "governs", "observes", "depends-on", "extends")),
            May("protocol", Text("Over what, e.g. kubernetes-api.")),
            May("description", Text("What it means in operation.")),
            May("bindingStability", BindingStability)),
        Status(),
        Column.Text("Source", ".spec.sourceIdentity"),
        Column.Text("Type", ".spec.relationshipType"),
        Column.Text("Target", ".spec.targetIdentity"),
        Column.Text("State", ".spec.bindingStability.bindingState"),
        Column.Text("Protocol", ".spec.protocol").OnlyWide());

    private static Crd DomainEvent => new(
        KnownKinds.Core("DomainEvent"),
        "A DomainEvent is the contract of one type of event.",
        Object(
            "The contract.",
            Identity,
            Must("eventType", Name("Its type, e.g. ClusterProvisioned.")),
            Must("producerAuthority", Name("The only one who may produce it.")),
            May("schemaVersion", Text("Version of its payload.")),
            May("consumerEligibilityRules", Texts("Who may consume it.")),
            May("retentionPolicy", Object("How long it is kept.", Must("durationDays", Int32("In days.").Minimum(1))))),
        Status(),
        Column.Text("Event", ".spec.eventType"),
        Column.Text("Producer", ".spec.producerAuthority"),
        Column.Text("Schema", ".spec.schemaVersion"),
        Owner.OnlyWide());

    private static Crd DomainWorkflow => new(
        KnownKinds.Core("DomainWorkflow"),
        "A DomainWorkflow is a sequence of phases.",
        Object(
            "The sequence.",
            Identity,
            May("phases", Texts("The phases, in their order.")),
            May("entryConditions", Map("What holds before a phase is entered, by phase.", Texts("Condition types."))),
            May("terminalStates", Texts("The phases that end it; only a person starts it again.")),
            May("transitionAuthority", Text("Who may go on to the next phase."))),
        Status(),
        Owner,
        Column.Text("Authority", ".spec.transitionAuthority"),
        Column.Text("Phases", ".spec.phases").OnlyWide());

    private static Crd DomainResource => new(
        KnownKinds.Core("DomainResource"),
        "A DomainResource is the envelope of what an application may use.",
        Object(
            "The envelope.",
            Identity,
            May("computeCeiling", Compute("The largest claim of compute.")),
            May("storageCeiling", Storage("The largest volume, and its class.")),
            May("kueueResourceFlavors", Texts("The flavors that may be used.")),
            May("cardinalityCeiling", Int64("How many pods or jobs at once.").Minimum(1))),
        Status(),
        Owner,
        Column.Text("CPU", ".spec.computeCeiling.cpu"),
        Column.Text("Memory", ".spec.computeCeiling.memory"),
        Column.Text("Storage", ".spec.storageCeiling.capacity"));

    private static Crd DomainAudit => new(
        KnownKinds.Core("DomainAudit"),
        "A DomainAudit is the floor of what is recorded.",
        Object(
            "The floor.",
            Identity,
            Must("minimumEventGranularity", Granularity),
            Must("retentionRequirementDays", Int32("How long events are kept at least, in days.").Minimum(1)),
            May("transportPath", OneOf("The way events take.", "conductor-federation", "direct", "none")),
            May("mandatoryEventTypes", Texts("Events that every application emits."))),
        Status(),
        Owner,
        Column.Text("Granularity", ".spec.minimumEventGranularity"),
        new Column("RetentionDays", "integer", ".spec.retentionRequirementDays"));

    private static Crd NameService => new(
        KnownKinds.Core("DomainSemanticNameService"),
        "A DomainSemanticNameService is the contract of name resolution.",
        Object(
            "The contract.",
            Identity,
            Must("zone", Name("Apex of the zone.")),
            May("recordTypes", List("Records that it carries.", OneOf("A type.", "A", "TXT", "SOA", "NS", "CNAME"))),
            May("resolutionTiers", List("What names mean, in this order.", OneOf("A tier.", "identity", "boundary", "relationship", "semantic-role"))),
            May("nsGlueRecord", Text("The glue of the delegation."))),
        Status(),
        Column.Text("Zone", ".spec.zone"),
        Owner);
}
