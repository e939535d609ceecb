using Governor.Domain.Kinds;
using Governor.Manifests;
using Governor.Registry;
using Governor.Domain.Signing;
namespace Governor.Tour;
public static class SamplePack
{
    public static async Task<string> BuildAsync(Landscape landscape, string input, CancellationToken cancellation)
    {
        using var client = new OciClient(new RegistryOptions());
        var pub = new PackPublisher(client);
        var repo = RepositoryName.Parse($"{landscape.Registry.Host}/packs/web");
        var rbac = await pub.PublishAsync(repo, PreparedLayer.Of(PackLayerKind.Rbac, ManifestReader.Read("""
            apiVersion: v1
            kind: ServiceAccount
            metadata: {name: web, namespace: web}
            """, "rbac")), null, cancellation);
        var work = await pub.PublishAsync(repo, PreparedLayer.Of(PackLayerKind.Workload, ManifestReader.Read("""
            apiVersion: v1
            kind: Namespace
            metadata: {name: web}
            ---
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: web, namespace: web}
            data: {a: b}
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: web, namespace: web}
            spec:
              replicas: 2
              selector: {matchLabels: {app: web}}
              template:
                metadata: {labels: {app: web}}
                spec:
                  containers: [{name: web, image: "nginx:1"}]
            """, "work")), null, cancellation);
        return $"""
            apiVersion: infra.ontai.dev/v1alpha1
            kind: ClusterPack
            metadata: {"{"}name: web, namespace: seam-tenant-ccs-dev{"}"}
            spec:
              version: v1.0.0-r1
              registryRef: {"{"}url: "{repo}", digest: "{work}"{"}"}
              rbacDigest: "{rbac}"
              workloadDigest: "{work}"
              targetClusters: [ccs-dev]
            """;
    }
}
