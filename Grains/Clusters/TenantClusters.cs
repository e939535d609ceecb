using System.Collections.Concurrent;
using System.Text.Json;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Domain.Signing;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Grains.Clusters;

/// <summary>
/// The way to a tenant cluster: the kubeconfig in its Secret on the management cluster, and nothing else. There is no other cluster
/// to fall back to.
/// </summary>
public sealed class TenantClusters(IClusters clusters)
{
    private static readonly ObjectKey KubeSystem = new("", "kube-system");

    // Which kubeconfig of a tenant was seen to lead elsewhere than to the management cluster: the same bytes lead to the same place.
    private readonly ConcurrentDictionary<ClusterName, Digest> _elsewhere = new();

    /// <summary>Identity of the kubeconfig in a Secret: what changes when its content does, and says nothing about it.</summary>
    public static string RevisionOf(KubeObject? secret) =>
        secret is null || Content(secret) is not { } content ? "" : Digest.Of(content).Hex[..16];

    /// <exception cref="KubeconfigException">There is none, it cannot be used, or it leads to the management cluster.</exception>
    /// <exception cref="KubernetesException">The management cluster, or the tenant, does not answer.</exception>
    public async Task<ICluster> ConnectAsync(ClusterName name, CancellationToken cancellation)
    {
        var key = ClusterRules.KubeconfigSecret(name);
        var secret = await clusters.Management.GetAsync(KnownKinds.Secret, key, cancellation)
            ?? throw new KubeconfigException($"Secret {key}: expected the kubeconfig of cluster {name}, found no Secret");
        var content = Content(secret)
            ?? throw new KubeconfigException($"Secret {key}: expected a kubeconfig under data.value, found neither data.value nor data.kubeconfig");
        var tenant = clusters.Connect(name, content);
        var digest = Digest.Of(content);
        if (_elsewhere.TryGetValue(name, out var known) && known == digest)
            return tenant;
        if (await RefuseManagementAsync(name, key, tenant, cancellation))
            _elsewhere[name] = digest;
        return tenant;
    }

    /// <returns>Whether both clusters said who they are, so that it need not be asked again.</returns>
    private async Task<bool> RefuseManagementAsync(ClusterName name, ObjectKey secret, ICluster tenant, CancellationToken cancellation)
    {
        if (name == clusters.Management.Name)
            return true;
        var theirs = await tenant.GetAsync(KnownKinds.Namespace, KubeSystem, cancellation);
        var ours = await clusters.Management.GetAsync(KnownKinds.Namespace, KubeSystem, cancellation);
        if (theirs is not null && theirs.Uid == ours?.Uid)
            throw new KubeconfigException($"Secret {secret}: expected the kubeconfig of cluster {name}, found one that leads to the management cluster");
        return theirs is { Uid.Length: > 0 } && ours is { Uid.Length: > 0 };
    }

    private static byte[]? Content(KubeObject secret)
    {
        foreach (var field in (ReadOnlySpan<string>)["value", "kubeconfig"])
            if (secret.Find("data", field) is { ValueKind: JsonValueKind.String } found)
                return found.TryGetBytesFromBase64(out var content) ? content : [];
        return null;
    }
}
