using System.Collections.Immutable;
using static Governor.Domain.Kinds.Schemas.Common;
using static Governor.Domain.Kinds.Schemas.Field;
using static Governor.Domain.Kinds.Schemas.Schema;

namespace Governor.Domain.Kinds.Schemas;

/// <summary>The kinds of <c>infrastructure.ontai.dev</c>.</summary>
internal static class SeamCoreSchemas
{
    /// <summary>More entries than an object can hold within etcd's limit on its size, so that this bound is never the one that is met.</summary>
    private const int MostEntries = 20000;

    public static ImmutableArray<Crd> All => [LineageIndex, Membership, Zone];

    private static Crd LineageIndex => new(
        KnownKinds.InfrastructureLineageIndex,
        "An InfrastructureLineageIndex is the memory of one root declaration: what it caused, and what became of it.",
        Object(
            "The index.",
            Must("rootBinding", Object(
                "The root declaration. Never changes.",
                Must("rootKind", Name("Its kind.")),
                Must("rootName", Name("Its name.")),
                Must("rootNamespace", Text("Its namespace.")),
                Must("rootUID", Name("Its UID.")),
                Must("rootObservedGeneration", Int64("Its generation when it was bound.").Minimum(0)),
                May("declaringPrincipal", Text("Who declared it."))).Immutable("rootBinding")),
            May("domainRef", OneOf("The domain above.", "infrastructure.core.ontai.dev")),
            May("governingOperator", Text("The operator that owns the root's kind.")),
            May("descendantRegistry", ListBy("What was derived from the root; only ever grows.", Descendant(), "uid")
                .MaxItems(MostEntries).Rule("size(self) >= size(oldSelf)", "descendantRegistry only ever grows")),
            May("outcomeRegistry", ListBy("What became of it; the first terminal outcome stands.", Outcome(), "derivedObjectUID")
                .MaxItems(MostEntries).Rule("size(self) >= size(oldSelf)", "outcomeRegistry only ever grows")),
            May("policyBindingStatus", Object(
                "The policies that bind it.",
                May("domainPolicyRef", Text("The policy.")),
                May("domainProfileRef", Text("The profile.")),
                May("policyGenerationAtLastEvaluation", Int64("The policy's generation.")),
                May("driftDetected", Flag("Policy and declaration differ.")))),
            May("retentionPolicy", Object(
                "How long it is kept.",
                May("descendantRetentionDays", Int32("Days.").Default(30).Minimum(1)),
                May("deleteWithRoot", Flag("It goes with its root.").Default(false))))),
        Status(),
        Column.Text("RootKind", ".spec.rootBinding.rootKind"),
        Column.Text("RootName", ".spec.rootBinding.rootName"),
        Column.Text("Principal", ".spec.rootBinding.declaringPrincipal").OnlyWide(),
        Column.Text("UID", ".spec.rootBinding.rootUID").OnlyWide());

    private static Schema Descendant() => Object(
        "One derived object.",
        Must("group", Text("API group.").AtMost(253)),
        Must("version", Name("API version.").AtMost(63)),
        Must("kind", Name("Kind.").AtMost(63)),
        Must("name", Name("Name.").AtMost(253)),
        Must("namespace", Text("Namespace.").AtMost(63)),
        Must("uid", Name("UID.").AtMost(128)),
        Must("seamOperator", Name("The operator that created it.").AtMost(63)),
        Must("creationRationale", Rationale),
        Must("rootGenerationAtCreation", Int64("Generation of the root when it was created.").Minimum(0)),
        May("relationship", Text("How it came from the root, e.g. generates.")),
        May("createdAt", Time("When it was registered.")),
        May("actorRef", Text("Who declared the root.")))
        .Rule(
            "self.group == oldSelf.group && self.kind == oldSelf.kind && self.name == oldSelf.name && self.__namespace__ == oldSelf.__namespace__",
            "a registered descendant never becomes another object");

    private static Schema Outcome() => Object(
        "One terminal outcome.",
        Must("derivedObjectUID", Name("UID of the derived object.").AtMost(128)),
        Must("outcomeType", OneOf("What became of it.", "Succeeded", "Failed", "Drifted", "Superseded").AtMost(16).Immutable("outcomeType")),
        Must("outcomeTimestamp", Time("When.")),
        May("outcomeRef", Text("The evidence.")),
        May("outcomeDetail", Text("A short summary.")));

    private static Crd Membership => new(
        KnownKinds.SeamMembership,
        "A SeamMembership asks for an operator to be admitted to the family.",
        Object(
            "The membership.",
            Must("appIdentityRef", Name("The operator.")),
            Must("domainIdentityRef", Name("Its DomainIdentity; equals the profile's.")),
            Must("principalRef", Text("Its service account; equals the profile's.").Pattern("^system:serviceaccount:[^:]+:[^:]+$")),
            Must("tier", OneOf("Where it belongs.", "infrastructure", "application"))),
        Status(
            May("admitted", Flag("It is a member.")),
            May("admittedAt", Time("When it was first admitted.")),
            May("permissionSnapshotRef", Text("The snapshot that carries its rights."))),
        Column.Flag("Admitted", ".status.admitted"),
        Column.Text("Tier", ".spec.tier"),
        Column.Text("Reason", ".status.conditions[?(@.type==\"Validated\")].reason"),
        Column.Text("Message", ".status.conditions[?(@.type==\"Validated\")].message").OnlyWide());

    private static Crd Zone => new(
        KnownKinds.DSNSZone,
        "A DSNSZone is one DNS zone, made from what the control plane knows. Its records are written by the controller only.",
        Object(
            "The zone.",
            Must("origin", Name("Its apex, fully qualified.").AtMost(253).Immutable("origin")),
            May("ttl", Int32("How long an answer may be cached, in seconds.").Default(300).Minimum(1)),
            May("records", List("The records.", Object(
                "One record.",
                Must("name", Name("Its name, relative to the origin.").AtMost(253)),
                Must("type", OneOf("Its type.", "A", "TXT", "SOA", "NS")),
                Must("value", Text("Its value.")),
                May("ttl", Int32("Its own time to live, in seconds.").Minimum(1)),
                May("ownerKind", Text("Kind of the object that it follows.")),
                May("ownerName", Text("Name of that object.")),
                May("ownerNamespace", Text("Namespace of that object.")))))),
        Status(),
        Column.Text("Origin", ".spec.origin"),
        new Column("TTL", "integer", ".spec.ttl"),
        Column.Condition("Ready"));
}
