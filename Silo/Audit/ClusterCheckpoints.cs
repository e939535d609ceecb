using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Domain.Transparency;
using Governor.Grains.Clusters;
using Governor.Grains.Interfaces.Ports;
using Microsoft.Extensions.Options;

namespace Governor.Silo.Audit;

/// <summary>
/// The checkpoints that are kept in clusters: in the management cluster, and in the managed ones that it knows and that answer. The
/// database is not asked which these are: it is the one that is doubted.
/// </summary>
internal sealed partial class ClusterCheckpoints(
    IClusters clusters, TenantClusters tenants, KindTable kinds, IOptions<AuditOptions> options, ILogger<ClusterCheckpoints> logger) : IOutsideCheckpoints
{
    private const int AtOnce = 64;

    private static readonly TimeSpan PatienceWithOne = TimeSpan.FromSeconds(5);

    // Whoever asks us waits no longer than half a minute, and signs nothing until then.
    private static readonly TimeSpan PatienceWithAll = TimeSpan.FromSeconds(20);

    private ObjectKey Posted => new(options.Value.Namespace, CheckpointMailbox.PostedName);

    private ObjectKey Answer => new(options.Value.Namespace, CheckpointMailbox.AnswerName);

    public async Task<IReadOnlyList<OutsideCheckpoint>> ReadAsync(CancellationToken cancellation)
    {
        var found = new List<OutsideCheckpoint>();
        List<ClusterName> names;
        try
        {
            using var patience = Within(PatienceWithOne, cancellation);
            Add(found, clusters.Management, Posted, CheckpointMailbox.Checkpoint, await clusters.Management.GetAsync(KnownKinds.ConfigMap, Posted, patience.Token));
            names = await NamesAsync(patience.Token);
        }
        catch (Exception e) when (e is KubernetesException or KubeconfigException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            throw new IOException($"the management cluster does not say which checkpoint it keeps in ConfigMap {Posted}: {e.Message}", e);
        }
        using var all = Within(PatienceWithAll, cancellation);
        await Parallel.ForEachAsync(names, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (name, _) =>
        {
            var kept = await ReadAsync(name, all.Token);
            lock (found)
                found.AddRange(kept);
        });
        cancellation.ThrowIfCancellationRequested();
        return found;
    }

    // One cluster that is away, or that somebody took away, must not keep the log from going on: the others remember, too.
    private async Task<IReadOnlyList<OutsideCheckpoint>> ReadAsync(ClusterName name, CancellationToken cancellation)
    {
        var found = new List<OutsideCheckpoint>();
        try
        {
            using var patience = Within(PatienceWithOne, cancellation);
            var tenant = (await tenants.ConnectAsync(name, "", patience.Token)).Cluster;
            Add(found, tenant, Posted, CheckpointMailbox.Checkpoint, await tenant.GetAsync(KnownKinds.ConfigMap, Posted, patience.Token));
            Add(found, tenant, Answer, CheckpointMailbox.Accepted, await tenant.GetAsync(KnownKinds.ConfigMap, Answer, patience.Token));
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            LogNotRead(name.Value, e.Message);
        }
        return found;
    }

    private async Task<List<ClusterName>> NamesAsync(CancellationToken cancellation)
    {
        var names = new HashSet<ClusterName>();
        foreach (var kind in kinds.Names(kinds.Get(KnownKinds.TalosCluster)))
            if (await clusters.Management.DiscoverAsync(kind, cancellation) is not null)
                names.UnionWith((await clusters.Management.ListAsync(kind, null, null, cancellation)).Select(item => new ClusterName(item.Name)));
        names.Remove(clusters.Management.Name);
        return [.. names];
    }

    private static void Add(List<OutsideCheckpoint> found, ICluster cluster, ObjectKey key, string field, KubeObject? map)
    {
        if (CheckpointMailbox.Text(map, field) is { Length: > 0 } note)
            found.Add(new OutsideCheckpoint($"cluster {cluster.Name}, ConfigMap {key}, data.{field}", note));
    }

    private static CancellationTokenSource Within(TimeSpan time, CancellationToken cancellation)
    {
        var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(time);
        return patience;
    }

    [LoggerMessage(LogLevel.Warning, "The checkpoints that cluster {Cluster} keeps were not read, and the log is not compared with them: {Reason}")]
    private partial void LogNotRead(string cluster, string reason);
}
