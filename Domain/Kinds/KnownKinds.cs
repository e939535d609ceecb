namespace Governor.Domain.Kinds;

/// <summary>The kinds that code refers to by name: ours, and those of Kubernetes itself.</summary>
public static class KnownKinds
{
    public const string SecurityGroup = "security.ontai.dev";
    public const string PlatformGroup = "platform.ontai.dev";
    public const string InfraGroup = "infra.ontai.dev";
    public const string RunnerGroup = "runner.ontai.dev";
    public const string InfrastructureGroup = "infrastructure.ontai.dev";
    public const string CoreGroup = "core.ontai.dev";
    public const string AppGroup = "app.ontai.dev";

    /// <summary>The version of every kind of ours.</summary>
    public const string Version = "v1alpha1";

    public static GroupVersionKind RBACPolicy { get; } = Ours(SecurityGroup, "RBACPolicy");
    public static GroupVersionKind RBACProfile { get; } = Ours(SecurityGroup, "RBACProfile");
    public static GroupVersionKind PermissionSet { get; } = Ours(SecurityGroup, "PermissionSet");
    public static GroupVersionKind PermissionSnapshot { get; } = Ours(SecurityGroup, "PermissionSnapshot");
    public static GroupVersionKind PermissionSnapshotReceipt { get; } = Ours(SecurityGroup, "PermissionSnapshotReceipt");
    public static GroupVersionKind IdentityBinding { get; } = Ours(SecurityGroup, "IdentityBinding");
    public static GroupVersionKind IdentityProvider { get; } = Ours(SecurityGroup, "IdentityProvider");

    public static GroupVersionKind Guardian { get; } = Ours(SecurityGroup, "Guardian");

    public static GroupVersionKind TalosCluster { get; } = Ours(PlatformGroup, "TalosCluster");

    public static GroupVersionKind ClusterPack { get; } = Ours(InfraGroup, "ClusterPack");
    public static GroupVersionKind PackBuild { get; } = Ours(InfraGroup, "PackBuild");
    public static GroupVersionKind PackExecution { get; } = Ours(InfraGroup, "PackExecution");
    public static GroupVersionKind PackInstance { get; } = Ours(InfraGroup, "PackInstance");

    public static GroupVersionKind RunnerConfig { get; } = Ours(RunnerGroup, "RunnerConfig");
    public static GroupVersionKind PackReceipt { get; } = Ours(RunnerGroup, "PackReceipt");
    public static GroupVersionKind DriftSignal { get; } = Ours(RunnerGroup, "DriftSignal");

    public static GroupVersionKind InfrastructureLineageIndex { get; } = Ours(InfrastructureGroup, "InfrastructureLineageIndex");
    public static GroupVersionKind SeamMembership { get; } = Ours(InfrastructureGroup, "SeamMembership");
    public static GroupVersionKind DSNSZone { get; } = Ours(InfrastructureGroup, "DSNSZone");

    public static GroupVersionKind DomainRelationship { get; } = Ours(CoreGroup, "DomainRelationship");

    public static GroupVersionKind Namespace { get; } = new("", "v1", "Namespace");
    public static GroupVersionKind Secret { get; } = new("", "v1", "Secret");
    public static GroupVersionKind ConfigMap { get; } = new("", "v1", "ConfigMap");
    public static GroupVersionKind ServiceAccount { get; } = new("", "v1", "ServiceAccount");
    public static GroupVersionKind Service { get; } = new("", "v1", "Service");
    public static GroupVersionKind Pod { get; } = new("", "v1", "Pod");
    public static GroupVersionKind PersistentVolumeClaim { get; } = new("", "v1", "PersistentVolumeClaim");
    public static GroupVersionKind Role { get; } = new("rbac.authorization.k8s.io", "v1", "Role");
    public static GroupVersionKind RoleBinding { get; } = new("rbac.authorization.k8s.io", "v1", "RoleBinding");
    public static GroupVersionKind ClusterRole { get; } = new("rbac.authorization.k8s.io", "v1", "ClusterRole");
    public static GroupVersionKind ClusterRoleBinding { get; } = new("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding");
    public static GroupVersionKind Deployment { get; } = new("apps", "v1", "Deployment");
    public static GroupVersionKind StatefulSet { get; } = new("apps", "v1", "StatefulSet");
    public static GroupVersionKind DaemonSet { get; } = new("apps", "v1", "DaemonSet");
    public static GroupVersionKind Job { get; } = new("batch", "v1", "Job");
    public static GroupVersionKind CustomResourceDefinition { get; } = new("apiextensions.k8s.io", "v1", "CustomResourceDefinition");

    /// <summary>A kind of <c>platform.ontai.dev</c> that no actor refers to by name.</summary>
    internal static GroupVersionKind Platform(string kind) => Ours(PlatformGroup, kind);

    /// <summary>A contract of <c>core.ontai.dev</c>.</summary>
    internal static GroupVersionKind Core(string kind) => Ours(CoreGroup, kind);

    /// <summary>A contract of <c>app.ontai.dev</c>.</summary>
    internal static GroupVersionKind App(string kind) => Ours(AppGroup, kind);

    private static GroupVersionKind Ours(string group, string kind) => new(group, Version, kind);
}
