using System.Collections.Immutable;
using static Governor.Domain.Kinds.Schemas.Common;
using static Governor.Domain.Kinds.Schemas.Contracts;
using static Governor.Domain.Kinds.Schemas.Field;
using static Governor.Domain.Kinds.Schemas.Schema;

namespace Governor.Domain.Kinds.Schemas;

/// <summary>The contracts of <c>app.ontai.dev</c>: each narrows one of <c>core.ontai.dev</c> down to one service.</summary>
internal static class AppCoreSchemas
{
    private static Field Identity { get; } = Must("appIdentityRef", AppRef("AppIdentity"));

    private static Column Owner { get; } = Column.Text("Identity", ".spec.appIdentityRef.name");

    public static ImmutableArray<Crd> All =>
        [AppBoundary, AppIdentity, AppPolicy, AppTopology, AppEventSchema, AppWorkflow, AppResourceProfile, AppAuditPolicy, AppProfile];

    private static Crd AppBoundary => new(
        KnownKinds.App("AppBoundary"),
        "An AppBoundary says where an application runs; it never reaches beyond its DomainBoundary.",
        Object(
            "The boundary.",
            Must("domainBoundaryRef", DomainRef("DomainBoundary")),
            May("namespace", Text("The namespace.").AtMost(63)),
            May("clusterAssignment", Text("The TalosCluster.").AtMost(253)),
            May("environmentTier", Tier)),
        ReadyStatus(),
        Column.Text("Boundary", ".spec.domainBoundaryRef.name"),
        Column.Text("Cluster", ".spec.clusterAssignment"),
        Column.Text("Tier", ".spec.environmentTier"),
        Column.Flag("Ready", ".status.ready"),
        Column.Message);

    private static Crd AppIdentity => new(
        KnownKinds.App("AppIdentity"),
        "An AppIdentity is the root of an application: everything else of it refers here.",
        Object(
            "The identity.",
            Must("domainIdentityRef", DomainRef("DomainIdentity")),
            Must("appBoundaryRef", AppRef("AppBoundary")),
            Must("serviceName", Name("What the service is called, in DNS too.")),
            Must("version", Name("Its version.")),
            Must("operatorOwner", Name("The operator that looks after it."))),
        ReadyStatus(May("spiffeId", Text("Its SPIFFE id."))),
        Column.Text("Service", ".spec.serviceName"),
        Column.Text("Version", ".spec.version"),
        Column.Text("Owner", ".spec.operatorOwner"),
        Column.Flag("Ready", ".status.ready"),
        Column.Text("SpiffeID", ".status.spiffeId").OnlyWide());

    private static Crd AppPolicy => new(
        KnownKinds.App("AppPolicy"),
        "An AppPolicy holds the values of one service, each within the ceilings of its DomainPolicy.",
        Object(
            "The values.",
            Identity,
            Must("domainPolicyRef", DomainRef("DomainPolicy")),
            May("retryEnvelope", RetryEnvelope),
            May("circuitBreakerThreshold", CircuitBreaker),
            May("rateLimitRequestsPerSecond", Int64("The highest request rate.").Minimum(1)),
            May("accessControlMode", AccessControl)),
        Status(),
        Owner,
        Column.Text("Policy", ".spec.domainPolicyRef.name"),
        Column.Condition("Ready"),
        Column.Message);

    private static Crd AppTopology => new(
        KnownKinds.App("AppTopology"),
        "An AppTopology says what a service is connected to, and by which DomainRelationship.",
        Object(
            "The connections.",
            Identity,
            May("wirings", ListBy("The connections.", Object(
                "One connection.",
                Must("name", Name("Its name.").AtMost(63)),
                Must("domainRelationshipRef", DomainRef("DomainRelationship")),
                Must("counterpartRef", Object(
                    "The other end.",
                    Must("kind", Name("Its kind.")),
                    Must("name", Name("Its name.")),
                    Must("namespace", Name("Its namespace.")))),
                May("bindingStability", BindingStability),
                May("interfaceVersion", Text("Version of the interface.")),
                May("purpose", Text("What it is for."))), "name").MaxItems(256))),
        Status(),
        Owner,
        Column.Condition("Ready"),
        Column.Message);

    private static Crd AppEventSchema => new(
        KnownKinds.App("AppEventSchema"),
        "An AppEventSchema says which event a service produces or consumes.",
        Object(
            "The event.",
            Identity,
            Must("domainEventRef", DomainRef("DomainEvent")),
            Must("role", OneOf("What the service does with it.", "producer", "consumer", "both")),
            May("brokerRef", Object(
                "The broker.",
                Must("kind", Name("Its kind.")),
                Must("name", Name("Its name.")))),
            Must("topicName", Name("The channel.")),
            Must("schemaVersion", Name("Version of the payload; compatible with the DomainEvent's."))),
        Status(),
        Owner,
        Column.Text("Event", ".spec.domainEventRef.name"),
        Column.Text("Role", ".spec.role"),
        Column.Text("Topic", ".spec.topicName"),
        Column.Condition("Ready"));

    private static Crd AppWorkflow => new(
        KnownKinds.App("AppWorkflow"),
        "An AppWorkflow is what a service does in the phases of its DomainWorkflow.",
        Object(
            "The phases.",
            Identity,
            Must("domainWorkflowRef", DomainRef("DomainWorkflow")),
            May("phases", ListBy("The phases.", Object(
                "One phase.",
                Must("name", Name("Its name in the DomainWorkflow.").AtMost(253)),
                May("kueueJobRef", Object("The Job that works on it; set by the controller.", May("name", Text("Its name.")), May("namespace", Text("Its namespace.")))),
                May("entryConditions", Texts("What holds before it starts.")),
                May("terminalStates", Texts("What ends it.")),
                May("temporalRelationships", ListBy("Connections that last as long as the phase.", Object(
                    "One connection.",
                    Must("name", Name("Its name.").AtMost(253)),
                    Must("counterpartRef", Object("The other end.", May("kind", Text("Its kind.")), May("name", Text("Its name.")))),
                    May("duration", Text("How long at most, e.g. 30m."))), "name").MaxItems(64))), "name").MaxItems(64))),
        Status(),
        Owner,
        Column.Text("Workflow", ".spec.domainWorkflowRef.name"),
        Column.Condition("Ready"),
        Column.Message);

    private static Crd AppResourceProfile => new(
        KnownKinds.App("AppResourceProfile"),
        "An AppResourceProfile is what a service claims, within the envelope of its DomainResource.",
        Object(
            "The claims.",
            Identity,
            Must("domainResourceRef", DomainRef("DomainResource")),
            May("computeClaim", Compute("The claim of compute.")),
            May("storageClaim", Storage("The claim of storage.")),
            May("kueueResourceFlavor", Text("The flavor."))),
        Status(),
        Owner,
        Column.Text("CPU", ".spec.computeClaim.cpu"),
        Column.Text("Memory", ".spec.computeClaim.memory"),
        Column.Text("Storage", ".spec.storageClaim.capacity"),
        Column.Condition("Ready"));

    private static Crd AppAuditPolicy => new(
        KnownKinds.App("AppAuditPolicy"),
        "An AppAuditPolicy says what a service records, no less than its DomainAudit asks for.",
        Object(
            "What is recorded.",
            Identity,
            Must("domainAuditRef", DomainRef("DomainAudit")),
            Must("emittedEventTypes", Texts("The events that it emits.").MinItems(1)),
            Must("granularity", Granularity),
            Must("transportPath", OneOf("The way events take.", "conductor-federation", "direct")),
            May("retentionDays", Int32("How long events are kept, in days.").Minimum(1))),
        Status(),
        Owner,
        Column.Text("Granularity", ".spec.granularity"),
        Column.Text("Transport", ".spec.transportPath"),
        Column.Condition("Ready"));

    private static Crd AppProfile => new(
        KnownKinds.App("AppProfile"),
        "An AppProfile is an application as a whole: ready when all of its parts are, and all phases are done.",
        Object(
            "The parts.",
            Must("appBoundaryRef", AppRef("AppBoundary")),
            Must("appIdentityRef", AppRef("AppIdentity")),
            May("appPolicyRef", AppRef("AppPolicy")),
            May("appTopologyRef", AppRef("AppTopology")),
            May("appEventSchemaRef", AppRef("AppEventSchema")),
            May("appWorkflowRef", AppRef("AppWorkflow")),
            May("appResourceProfileRef", AppRef("AppResourceProfile")),
            May("appAuditPolicyRef", AppRef("AppAuditPolicy")),
            May("phaseModel", FullPhaseModel)),
        ReadyStatus(May("currentPhase", Text("The phase that it is in."))),
        Owner,
        Column.Text("Phase", ".status.currentPhase"),
        Column.Flag("Ready", ".status.ready"),
        Column.Message);
}
