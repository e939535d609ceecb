using System.Collections.Immutable;
using static Governor.Domain.Kinds.Schemas.Common;
using static Governor.Domain.Kinds.Schemas.Field;
using static Governor.Domain.Kinds.Schemas.Schema;

namespace Governor.Domain.Kinds.Schemas;

/// <summary>The kinds of <c>security.ontai.dev</c>.</summary>
internal static class GuardianSchemas
{
    public static ImmutableArray<Crd> All => [Policy, Profile, Set, Snapshot, Receipt, Binding, Provider, Singleton];

    private static Crd Policy => new(
        KnownKinds.RBACPolicy,
        "An RBACPolicy says how far the profiles that refer to it may go.",
        Object(
            "What is governed.",
            Must("subjectScope", OneOf("Whom it governs: service accounts of the platform, or tenants.", "platform", "tenant")),
            May("allowedClusters", Texts("The clusters that its profiles may target; empty for all.")),
            Must("maximumPermissionSetRef", Name("The PermissionSet, in the same namespace, that no profile may exceed.")),
            Must("enforcementMode", OneOf("What happens to a profile that targets another cluster: refused, or noted.", "strict", "audit")),
            May("lineage", SealedLineage)).Sealed("lineage"),
        Status(
            May("validationSummary", Text("The verdict in one sentence.")),
            May("profileCount", Int32("How many profiles refer to it."))),
        Column.Text("Scope", ".spec.subjectScope"),
        Column.Text("Enforcement", ".spec.enforcementMode"),
        Column.Text("Maximum", ".spec.maximumPermissionSetRef").OnlyWide(),
        Column.Condition("Ready"),
        Column.Message);

    private static Crd Profile => new(
        KnownKinds.RBACProfile,
        "An RBACProfile declares what one principal may do, where.",
        Object(
            "What is declared.",
            Must("principalRef", Text("The principal: system:serviceaccount:{namespace}:{name}, system:group:{name}, or the name of a user.")),
            Must("targetClusters", Texts("The clusters on which the principal gets rights.")),
            Must("permissionDeclarations", List("The rights.", Object(
                "One PermissionSet, and where it applies.",
                Must("permissionSetRef", Text("The PermissionSet, in the same namespace.")),
                Must("scope", OneOf("In namespaces only, or in the whole cluster.", "namespaced", "cluster")),
                May("namespaces", Texts("The namespaces of a namespaced declaration; empty for the service account's own.")),
                May("clusters", Texts("Some of the target clusters; empty for all of them."))))),
            Must("rbacPolicyRef", Text("The RBACPolicy, in the same namespace, that limits it.")),
            May("domainIdentityRef", Text("The DomainIdentity of a Seam member; set, the profile waits for its SeamMembership.")),
            May("lineage", SealedLineage)).Sealed("lineage"),
        Status(
            May("provisioned", Flag("The rights are in force.")),
            May("validationSummary", Text("The verdict in one sentence.")),
            May("epgVersion", Text("The permission snapshot that carries the rights.")),
            May("lastProvisionedAt", Time("When it last became provisioned."))),
        Column.Text("Principal", ".spec.principalRef"),
        Column.Text("Policy", ".spec.rbacPolicyRef"),
        Column.Flag("Provisioned", ".status.provisioned"),
        Column.Text("Reason", ".status.conditions[?(@.type==\"Provisioned\")].reason"),
        Column.Text("Message", ".status.conditions[?(@.type==\"Provisioned\")].message").OnlyWide());

    private static Crd Set => new(
        KnownKinds.PermissionSet,
        "A PermissionSet is a reusable list of rules: claimed by profiles, or the ceiling of a policy.",
        Object(
            "What is permitted.",
            May("description", Text("What it is for.")),
            Must("permissions", List("The rules.", Object(
                "One rule: every verb on every resource of every group, for the names given.",
                May("apiGroups", Texts("API groups; empty for the core group.")),
                Must("resources", Texts("Resources in the plural, with a subresource where one is meant.").MinItems(1)),
                Must("verbs", Verbs("What may be done.").MinItems(1)),
                May("resourceNames", Texts("Only objects of these names; empty for all."))))),
            May("lineage", SealedLineage)).Sealed("lineage"),
        Status(May("profileReferenceCount", Int32("How many profiles declare it."))),
        Column.Text("Description", ".spec.description").OnlyWide(),
        Column.Condition("Ready"),
        Column.Message);

    private static Crd Snapshot => new(
        KnownKinds.PermissionSnapshot,
        "A PermissionSnapshot is what every principal may do on one cluster, at one moment.",
        Object(
            "The snapshot.",
            Must("targetCluster", Name("The cluster it is about.")),
            Must("version", Name("Digest of the content: the same rights have the same version.")),
            Must("generatedAt", Time("When the content was last confirmed.")),
            May("snapshotTimestamp", Time("As generatedAt; read first where present.")),
            May("signingKeyFingerprint", Text("The key that signs it.")),
            May("freshnessWindowSeconds", Int32("How long after generatedAt it may be relied on.").Default(3600).Minimum(1)),
            May("subjects", List("The rights, by subject.", Subject())),
            May("principalPermissions", List("The rights, by principal.", Principal())),
            May("lineage", SealedLineage)).Sealed("lineage"),
        Status(
            May("expectedVersion", Text("The version that the cluster should have.")),
            May("lastAckedVersion", Text("The version that the cluster has verified and acknowledged.")),
            May("drift", Flag("The two differ.")),
            May("driftDetected", Flag("As drift.")),
            May("lastSeen", Time("When the cluster last acknowledged.")),
            May("signed", Flag("The snapshot carries the management signature."))),
        Column.Text("Cluster", ".spec.targetCluster"),
        Column.Text("Fresh", ".status.conditions[?(@.type==\"Fresh\")].status"),
        Column.Flag("Drift", ".status.drift"),
        Column.Text("Version", ".spec.version").OnlyWide(),
        Column.Time("Generated", ".spec.generatedAt"));

    private static Schema Subject() => Object(
        "One subject.",
        Must("subjectName", Name("Its name.")),
        Must("subjectKind", OneOf("Its kind.", "ServiceAccount", "User", "Group")),
        May("namespace", Text("Its namespace, for a service account.")),
        May("permissions", List("Its rights.", Object(
            "One rule.",
            May("apiGroups", Texts("API groups.")),
            May("resources", Texts("Resources.")),
            May("verbs", Texts("Verbs.")),
            May("resourceNames", Texts("Names; empty for all."))))));

    private static Schema Principal() => Object(
        "One principal.",
        Must("principalRef", Name("The principal.")),
        May("allowedOperations", List("Its rights.", Object(
            "One right.",
            May("apiGroup", Text("API group; empty for the core group, * for all.")),
            Must("resource", Name("Resource; * for all.")),
            Must("verbs", Texts("Verbs; * for all.")),
            May("resourceNames", Texts("Only objects of these names; empty for all.")),
            May("namespaces", Texts("Only in these namespaces; empty for the whole cluster.")),
            May("clusters", Texts("The clusters it holds on; empty for the target cluster."))))));

    private static Crd Binding => new(
        KnownKinds.IdentityBinding,
        "An IdentityBinding says how a principal proves who it is.",
        Object(
            "The binding.",
            Must("identityType", OneOf("What the principal presents.", "oidc", "serviceAccount", "certificate")),
            Must("principalName", Text("The principal.")),
            Must("trustMethod", OneOf("How it is trusted.", "mtls", "token")),
            May("oidcConfig", Object(
                "For type oidc.",
                Must("issuer", Text("Issuer URL.")),
                Must("clientID", Text("Client id.")),
                May("groupsClaim", Text("The claim that carries groups.")))),
            May("serviceAccountConfig", Object(
                "For type serviceAccount.",
                May("name", Text("Its name.")),
                May("namespace", Text("Its namespace.")))),
            May("certificateConfig", Object(
                "For type certificate.",
                May("commonName", Text("Its common name.")),
                May("organization", Text("Its organization.")))),
            May("tokenMaxTTLSeconds", Int32("The longest life of a token; at most 900.")),
            May("identityProviderRef", Text("The IdentityProvider that vouches.")),
            May("lineage", SealedLineage)).Sealed("lineage"),
        Status(May("validationSummary", Text("The verdict in one sentence."))),
        Column.Text("Type", ".spec.identityType"),
        Column.Text("Principal", ".spec.principalName"),
        Column.Condition("Ready"),
        Column.Message);

    private static Crd Provider => new(
        KnownKinds.IdentityProvider,
        "An IdentityProvider is an anchor of trust.",
        Object(
            "The provider.",
            Must("type", OneOf("What it is.", "oidc", "pki", "token")),
            May("issuerURL", Text("For oidc: the issuer.")),
            May("caBundle", Text("For pki: the certificates, PEM.")),
            May("tokenSigningKey", Text("For token: the public key.")),
            May("allowedAudiences", Texts("Audiences that tokens may carry.")),
            May("validationRules", Texts("Rules on claims.")),
            May("lineage", SealedLineage)).Sealed("lineage"),
        Status(),
        Column.Text("Type", ".spec.type"),
        Column.Condition("Ready"),
        Column.Message);

    private static Crd Receipt => new(
        KnownKinds.PermissionSnapshotReceipt,
        "A PermissionSnapshotReceipt is a cluster's own record of the permission snapshot that it enforces.",
        Object(
            "The receipt.",
            Must("clusterName", Name("The cluster.")),
            Must("snapshotVersion", Name("Version of the snapshot that it has.")),
            Must("acknowledgedAt", Time("When it took the snapshot over."))),
        Status(
            May("acknowledged", Flag("The signature was verified, and the snapshot is in force.")),
            May("localProvisioningStatus", Text("How far the rights are provisioned.")),
            May("localArtifacts", Texts("The RBAC objects that carry the rights.")),
            May("syncStatus", OneOf("Whether the cluster has what it should have.", "InSync", "OutOfSync", "DegradedSecurityState")),
            May("degradedSecurityState", Flag("The newest snapshot failed its verification; the one before stays in force.")),
            May("degradedReason", Text("Why it failed."))),
        Column.Text("Cluster", ".spec.clusterName"),
        Column.Text("Sync", ".status.syncStatus"),
        Column.Flag("Degraded", ".status.degradedSecurityState"),
        Column.Time("Acknowledged", ".spec.acknowledgedAt"),
        Column.Text("Version", ".spec.snapshotVersion").OnlyWide());

    private static Crd Singleton => new(
        KnownKinds.Guardian,
        "The Guardian object shows how far RBAC admission is in force on this cluster. There is one, named guardian.",
        Object("Nothing to declare."),
        Status(
            May("webhookMode", OneOf("How strict the webhook is.", "Initialising", "ObserveOnly", "Enforcing")),
            May("namespaceEnforcements", Map("Whether a namespace is enforced.", Flag("It is."))),
            May("discoveredAPIGroups", Texts("The API groups that the cluster serves."))),
        Column.Text("Mode", ".status.webhookMode"),
        Column.Condition("Ready"))
    {
        SpecIsOptional = true,
    };
}
