using System.Collections.Concurrent;
using System.Text.Json;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Domain.Signing;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Grains.Clusters;

/// <param name="Revision">Identity of the content of the kubeconfig that leads there.</param>
/// <param name="ApiUid">Which API server it is: the UID of its namespace kube-system.</param>
public sealed record TenantConnection(ICluster Cluster, string Revision, string ApiUid);

/// <summary>
/// The way to a tenant cluster: the kubeconfig in its Secret on the management cluster, and nothing else. There is no other cluster
/// to fall back to.
/// </summary>
public sealed class TenantClusters(IClusters clusters)
{
    private const int MostRemembered = 4096;

    private static readonly ObjectKey KubeSystem = new("", "kube-system");

    private readonly ConcurrentDictionary<ClusterName, (Digest Kubeconfig, string ApiUid)> _identities = new();
    private string? _management;

    /// <summary>Identity of the kubeconfig in a Secret: what changes when its content does, and says nothing about it.</summary>
    public static string RevisionOf(KubeObject? secret) =>
        secret is null || Content(secret) is not { } content ? "" : RevisionOf(Digest.Of(content));

    /// <param name="expected">The identity that the cluster has been known by; "" when it is reached for the first time.</param>
    /// <exception cref="KubeconfigException">There is none, it cannot be used, or it leads to the management or to another cluster.</exception>
    /// <exception cref="KubernetesException">The management cluster, or the tenant, does not answer.</exception>
    public async Task<TenantConnection> ConnectAsync(ClusterName name, string expected, CancellationToken cancellation)
    {
        var key = ClusterRules.KubeconfigSecret(name);
        var secret = await clusters.Management.GetAsync(KnownKinds.Secret, key, cancellation)
            ?? throw new KubeconfigException($"Secret {key}: expected the kubeconfig of cluster {name}, found no Secret");
        var content = Content(secret)
            ?? throw new KubeconfigException($"Secret {key}: expected a kubeconfig under data.value, found neither data.value nor data.kubeconfig");
        var tenant = clusters.Connect(name, content);
        var digest = Digest.Of(content);
        var uid = await IdentifyAsync(name, digest, tenant, cancellation);
        if (name != clusters.Management.Name && uid == await ManagementUidAsync(cancellation))
            throw new KubeconfigException($"Secret {key}: expected the kubeconfig of cluster {name}, found one that leads to the management cluster");
        if (expected.Length > 0 && uid != expected)
            throw new KubeconfigException(ClusterRules.LeadsElsewhere(name, expected, uid));
        return new TenantConnection(tenant, RevisionOf(digest), uid);
    }

    // The same bytes lead to the same place: it is asked once who is there.
    private async Task<string> IdentifyAsync(ClusterName name, Digest kubeconfig, ICluster tenant, CancellationToken cancellation)
    {
        if (_identities.TryGetValue(name, out var known) && known.Kubeconfig == kubeconfig)
            return known.ApiUid;
        var uid = (await tenant.GetAsync(KnownKinds.Namespace, KubeSystem, cancellation))?.Uid ?? "";
        if (uid.Length == 0)
            throw new KubernetesException(0, "Unidentified", $"cluster '{name}': expected a namespace kube-system, found none: it may still be starting");
        // Forgetting costs one question: which one goes does not matter.
        if (_identities.Count >= MostRemembered && !_identities.ContainsKey(name))
            foreach (var any in _identities.Take(1))
                _identities.TryRemove(any);
        _identities[name] = (kubeconfig, uid);
        return uid;
    }

    private async Task<string> ManagementUidAsync(CancellationToken cancellation) =>
        _management ??= (await clusters.Management.GetAsync(KnownKinds.Namespace, KubeSystem, cancellation))?.Uid is { Length: > 0 } uid
            ? uid
            : throw new KubernetesException(0, "Unidentified", "the management cluster: expected a namespace kube-system, found none");

    private static string RevisionOf(Digest content) => content.Hex[..16];

    private static byte[]? Content(KubeObject secret)
    {
        foreach (var field in (ReadOnlySpan<string>)["value", "kubeconfig"])
            if (secret.Find("data", field) is { ValueKind: JsonValueKind.String } found)
                return found.TryGetBytesFromBase64(out var content) ? content : [];
        return null;
    }
}
