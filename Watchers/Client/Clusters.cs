using System.Security.Cryptography;
using Governor.Domain.Clusters;
using Governor.Grains.Interfaces.Ports;
using Governor.Watchers.Kubeconfig;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Governor.Watchers.Client;

/// <summary>The clusters that this silo can talk to. There is no default: a name without a kubeconfig is no cluster.</summary>
internal sealed partial class Clusters(
    IOptions<KubernetesOptions> options, KubernetesMetrics metrics, TimeProvider time, ILogger<Clusters> logger) : IClusters, IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ClusterName, Tenant> _tenants = [];
    private Cluster? _management;

    private sealed record Tenant(byte[] Kubeconfig, Cluster Cluster);

    public ICluster Management
    {
        get
        {
            lock (_gate)
                return _management ??= new Cluster(
                    new ClusterName(options.Value.ManagementName), ReadManagement(), options.Value, metrics, time, logger);
        }
    }

    public ICluster Connect(ClusterName name, ReadOnlyMemory<byte> kubeconfig)
    {
        if (string.IsNullOrEmpty(name.Value))
            throw new KubeconfigException("expected the name of a cluster, found none");
        var digest = SHA256.HashData(kubeconfig.Span);
        lock (_gate)
        {
            var known = _tenants.GetValueOrDefault(name);
            if (known is not null && digest.AsSpan().SequenceEqual(known.Kubeconfig))
                return known.Cluster;
            var endpoint = new KubeconfigReader(options.Value, time).Read(kubeconfig, new KubeconfigSource.TenantSecret(name.Value));
            if (known is null)
                LogConnected(logger, name.Value, endpoint.Server);
            else
                LogReplaced(logger, name.Value, endpoint.Server);
            // Never the same object: who holds the old one asked for the cluster that the old kubeconfig leads to, and for no other.
            var cluster = new Cluster(name, endpoint, options.Value, metrics, time, logger);
            _tenants[name] = new Tenant(digest, cluster);
            known?.Cluster.Dispose();
            return cluster;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _management?.Dispose();
            _management = null;
            foreach (var tenant in _tenants.Values)
                tenant.Cluster.Dispose();
            _tenants.Clear();
        }
    }

    private ClusterEndpoint ReadManagement()
    {
        if (options.Value.InCluster)
            return InClusterEndpoint.Read(options.Value.ServiceAccountDirectory, Environment.GetEnvironmentVariable, time);
        var paths = options.Value.ManagementKubeconfig!.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return new KubeconfigReader(options.Value, time).Read([.. paths.Select(ReadFile)], options.Value.ManagementContext);
    }

    private static (ReadOnlyMemory<byte> Bytes, KubeconfigSource Source) ReadFile(string path)
    {
        var source = new KubeconfigSource.OperatorFile(path);
        try
        {
            return (File.ReadAllBytes(path), source);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KubeconfigException($"{source.Where}: expected a readable file, found: {e.Message}", e);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Cluster '{Cluster}' is reached at {Server}.")]
    private static partial void LogConnected(ILogger logger, string cluster, Uri server);

    [LoggerMessage(Level = LogLevel.Information, Message = "Cluster '{Cluster}' has a new kubeconfig and is reached at {Server} from now on; what is under way through the old one fails.")]
    private static partial void LogReplaced(ILogger logger, string cluster, Uri server);
}
