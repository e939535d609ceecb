using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;
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
        if (kind == KnownKinds.TalosCluster)
            return new Address(Subjects.Cluster, key.Name);
        return SubjectOf(kind) is { } subject ? new Address(subject, key.ToString()) : null;
    }

    /// <summary>Whether objects of this kind have actors at all.</summary>
    public static bool Follows(GroupVersionKind kind) =>
        kind == KnownKinds.RunnerConfig || kind == KnownKinds.TalosCluster || SubjectOf(kind) is not null;

    private static string? SubjectOf(GroupVersionKind kind) =>
        kind == KnownKinds.ClusterPack ? Subjects.Pack
        : kind == KnownKinds.PackExecution ? Subjects.Execution
        : kind == KnownKinds.PackInstance ? Subjects.Instance
        : kind == KnownKinds.RBACPolicy ? Subjects.Policy
        : kind == KnownKinds.RBACProfile ? Subjects.Profile
        : kind == KnownKinds.PermissionSet ? Subjects.PermissionSet
        : kind == KnownKinds.SeamMembership ? Subjects.Membership
        : null;
}
