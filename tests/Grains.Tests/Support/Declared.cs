using Governor.Domain.Kinds;
using Governor.Grains.Interfaces;
using Governor.Manifests;

namespace Governor.Grains.Tests.Support;

/// <summary>The five declarations that give a pack's service account its rights on one cluster, as a human writes them.</summary>
internal static class Declared
{
    /// <summary>Profile, policy, ceiling, set and membership; UIDs as an API server would give them.</summary>
    public static IReadOnlyList<KubeObject> Of(string cluster) => [.. ManifestReader.Read(Text(cluster), "test").Select(item => Stored(item, cluster))];

    public static string Text(string cluster) => $"""
        apiVersion: security.ontai.dev/v1alpha1
        kind: RBACProfile
        metadata: {"{"} name: web, namespace: seam-tenant-{cluster} {"}"}
        spec:
          principalRef: system:serviceaccount:web:web
          domainIdentityRef: web
          targetClusters: [{cluster}]
          rbacPolicyRef: cluster-policy
          permissionDeclarations:
          - permissionSetRef: web-reader
            scope: namespaced
        ---
        apiVersion: security.ontai.dev/v1alpha1
        kind: RBACPolicy
        metadata: {"{"} name: cluster-policy, namespace: seam-tenant-{cluster} {"}"}
        spec:
          subjectScope: platform
          allowedClusters: [{cluster}]
          maximumPermissionSetRef: cluster-maximum
          enforcementMode: strict
        ---
        apiVersion: security.ontai.dev/v1alpha1
        kind: PermissionSet
        metadata: {"{"} name: cluster-maximum, namespace: seam-tenant-{cluster} {"}"}
        spec:
          permissions:
          - apiGroups: [""]
            resources: [configmaps, services]
            verbs: [get, list, watch]
        ---
        apiVersion: security.ontai.dev/v1alpha1
        kind: PermissionSet
        metadata: {"{"} name: web-reader, namespace: seam-tenant-{cluster} {"}"}
        spec:
          permissions:
          - apiGroups: [""]
            resources: [configmaps]
            verbs: [get, list]
        ---
        apiVersion: infrastructure.ontai.dev/v1alpha1
        kind: SeamMembership
        metadata: {"{"} name: web, namespace: seam-tenant-{cluster} {"}"}
        spec:
          appIdentityRef: web
          domainIdentityRef: web
          principalRef: system:serviceaccount:web:web
          tier: application
        """;

    public static Observation Seen(KubeObject item) => new(item.Gvk, item.Key, item.Uid, item);

    public static Observation Gone(KubeObject item) => new(item.Gvk, item.Key, item.Uid, null);

    private static KubeObject Stored(KubeObject written, string cluster)
    {
        var stored = written.ToJsonObject();
        stored["metadata"]!["uid"] = $"uid-of-{written.Kind}-{written.Name}-{cluster}";
        stored["metadata"]!["generation"] = 1;
        return KubeObject.From(stored);
    }
}
