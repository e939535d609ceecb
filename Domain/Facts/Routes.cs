using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;
using Governor.Domain.Permissions;
using Governor.Domain.Signing;

namespace Governor.Domain.Facts;

/// <summary>From an object on the management cluster to the actor that follows it.</summary>
public static class Routes
{
    /// <summary>The actor, or null for an object that nobody follows. <paramref name="kind"/> is our own name of the kind, not an alias.</summary>
    public static Address? Of(GroupVersionKind kind, ObjectKey key)
    {
        if (kind == KnownKinds.Secret)
            return key == SigningKeyRules.Secret ? PackRules.SigningKeyAddress
                : ClusterRules.ClusterOfKubeconfigSecret(key) is { } cluster ? new Address(Subjects.Cluster, cluster.Value)
                : null;
        if (kind == KnownKinds.RunnerConfig)
            return key.Namespace == ClusterRules.RunnerConfigNamespace ? new Address(Subjects.Cluster, key.Name) : null;
        if (kind == KnownKinds.PermissionSnapshot)
            return SnapshotRoute(key);
        if (kind == KnownKinds.TalosCluster)
            return new Address(Subjects.Cluster, key.Name);
        return SubjectOf(kind) is { } subject ? new Address(subject, key.ToString()) : null;
    }

    /// <summary>Whether objects of this kind have actors at all.</summary>
    public static bool Follows(GroupVersionKind kind) =>
        kind == KnownKinds.RunnerConfig || kind == KnownKinds.TalosCluster || kind == KnownKinds.PermissionSnapshot || SubjectOf(kind) is not null;

    // Which cluster is the management cluster its name does not say: the Conductor there watches that snapshot itself.
    private static Address? SnapshotRoute(ObjectKey key) =>
        key.Namespace == ClusterPermissionRules.SnapshotNamespace && key.Name != PermissionSnapshot.ManagementName
        && key.Name.StartsWith(PermissionSnapshot.NamePrefix, StringComparison.Ordinal) && key.Name.Length > PermissionSnapshot.NamePrefix.Length
            ? new Address(Subjects.Permission, key.Name[PermissionSnapshot.NamePrefix.Length..])
            : null;

    private static string? SubjectOf(GroupVersionKind kind) =>
        kind == KnownKinds.ClusterPack ? Subjects.Pack
        : kind == KnownKinds.PackExecution ? Subjects.Execution
        : kind == KnownKinds.PackInstance ? Subjects.Instance
        : kind == KnownKinds.RBACPolicy ? Subjects.Policy
        : kind == KnownKinds.RBACProfile ? Subjects.Profile
        : kind == KnownKinds.PermissionSet ? Subjects.PermissionSet
        : kind == KnownKinds.IdentityProvider ? Subjects.IdentityProvider
        : kind == KnownKinds.IdentityBinding ? Subjects.IdentityBinding
        : kind == KnownKinds.SeamMembership ? Subjects.Membership
        : null;
}
