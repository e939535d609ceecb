using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Grains.Clusters;
using Governor.Grains.Interfaces.Ports;
using Governor.Journal.Log;
using Governor.Silo.Api;
using Governor.Silo.Hosting;
using Microsoft.Extensions.Options;

namespace Governor.Silo.Audit;

/// <summary>
/// Shows every new checkpoint to the world outside the database: the management cluster, the managed clusters with their witnesses, and
/// the witnesses that are configured. Only the silo that signs the log does so. Which clusters there are is looked up with every
/// checkpoint: a cluster that comes or goes is an event, and so there is a new one.
/// </summary>
internal sealed partial class CheckpointPublisher(
    ITransparencyLog log, LogHealth health, CommittedStates states, IClusters clusters, TenantClusters tenants, WitnessRequests requests, WitnessBoard board,
    IOptions<AuditOptions> options, IOptions<SiloOptions> silo, TimeProvider clock, ILogger<CheckpointPublisher> logger) : BackgroundService
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    private readonly Newest<LogCheckpoint> _signed = new();
    private readonly Newest<LogCheckpoint> _newest = new();
    private readonly Dictionary<ClusterName, Post> _posts = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var http = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5), AllowAutoRedirect = false })
        {
            MaxResponseContentBufferSize = 64 << 10,
        };
        var standing = new List<Task> { new ManagementCourier(clusters, _newest, board, options.Value, clock).RunAsync(stoppingToken) };
        standing.AddRange(options.Value.Witnesses.Select(
            witness => new HttpCourier(witness, http, requests, _newest, board, options.Value, clock).RunAsync(stoppingToken)));
        try
        {
            var first = await Task.WhenAny(FollowAsync(stoppingToken), PublishAsync(stoppingToken), CallOnClustersForEverAsync(stoppingToken));
            await first;
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
        finally
        {
            await Task.WhenAll([.. standing, .. _posts.Values.Select(post => post.EndAsync())]);
        }
    }

    private async Task FollowAsync(CancellationToken stopping)
    {
        await foreach (var checkpoint in log.FollowAsync(stopping))
            _signed.Set(checkpoint);
    }

    // Whoever does not lead has others who show the log; whoever refuses to sign has nothing to show.
    private async Task PublishAsync(CancellationToken stopping)
    {
        while (true)
        {
            var changed = _signed.Changed;
            while (health.Current.Role is not (LogRole.Leading or LogRole.Held))
                await Task.Delay(LookAgain, clock, stopping);
            if (_signed.Value is { } checkpoint && checkpoint != _newest.Value)
                _newest.Set(checkpoint);
            await changed.WaitAsync(stopping);
        }
    }

    private async Task CallOnClustersForEverAsync(CancellationToken stopping)
    {
        while (true)
        {
            var changed = _newest.Changed;
            if (_newest.Value is not null)
            {
                await CallOnClustersAsync(stopping);
                await Task.Delay(options.Value.PublishInterval, clock, stopping);
            }
            await changed.WaitAsync(stopping);
        }
    }

    private async Task CallOnClustersAsync(CancellationToken stopping)
    {
        IReadOnlyList<ClusterState> known;
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            patience.CancelAfter(Patience);
            known = await states.ListAsync<ClusterState>(Subjects.Cluster, patience.Token);
        }
        catch (Exception e) when (e is not OutOfMemoryException && !stopping.IsCancellationRequested)
        {
            LogClustersUnknown(e);
            return;
        }
        // Who it is has to be known before anything is sent there.
        var reachable = known.Where(c => c is { Exists: true, KubeconfigRevision.Length: > 0, ApiUid.Length: > 0 } && c.Name.Value != silo.Value.ManagementCluster).ToDictionary(c => c.Name);
        foreach (var gone in _posts.Keys.Where(name => !reachable.ContainsKey(name)).ToList())
        {
            await _posts[gone].EndAsync();
            _posts.Remove(gone);
            board.Forget($"cluster {gone}");
        }
        foreach (var (name, state) in reachable)
        {
            if (_posts.TryGetValue(name, out var post))
                post.Courier.ApiUid = state.ApiUid;
            else
                _posts[name] = new Post(new ClusterCourier(name, tenants, requests, _newest, board, options.Value, clock) { ApiUid = state.ApiUid }, stopping);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Which clusters there are could not be read; the next checkpoint asks again")]
    private partial void LogClustersUnknown(Exception exception);

    /// <summary>A courier that is under way.</summary>
    private sealed class Post
    {
        private readonly CancellationTokenSource _end;
        private readonly Task _running;

        public Post(ClusterCourier courier, CancellationToken stopping)
        {
            Courier = courier;
            _end = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            _running = Task.Run(() => courier.RunAsync(_end.Token), CancellationToken.None);
        }

        public ClusterCourier Courier { get; }

        public async Task EndAsync()
        {
            await _end.CancelAsync();
            await _running;
            _end.Dispose();
        }
    }
}
