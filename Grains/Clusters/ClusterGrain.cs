using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;
using Governor.Grains.Interfaces.Ports;
using Governor.Grains.Watches;

namespace Governor.Grains.Clusters;

/// <summary>One cluster: its declaration, its kubeconfig, whether it answers, and what its Conductor can do.</summary>
public sealed class ClusterGrain(GovernedServices services, TenantClusters tenants)
    : GovernedGrain<ClusterState, ClusterInput>(services, Subjects.Cluster), IClusterGrain
{
    private static readonly TimeSpan ProbeAgain = TimeSpan.FromSeconds(15);

    // Shorter than an idle actor is kept: one that has a cluster to care for is always there.
    private static readonly TimeSpan LookAgain = TimeSpan.FromMinutes(5);

    protected override ClusterState Initial() => ClusterState.Initial(new ClusterName(Key));

    protected override Decision<ClusterState> Decide(ClusterState state, ClusterInput input, DateTimeOffset now) => ClusterRules.Decide(state, input, now);

    protected override ClusterInput Receive(Fact fact) => new ClusterInput.Told(fact);

    protected override ClusterInput? Read(Observation seen)
    {
        if (seen.Kind == KnownKinds.Secret)
            return new ClusterInput.KubeconfigSeen(TenantClusters.RevisionOf(seen.Object));
        if (seen.Kind != KnownKinds.RunnerConfig)
            return seen.Object is { } cluster ? new ClusterInput.Observed(cluster) : new ClusterInput.Gone(seen.Key, seen.Uid);
        // What is not on it any more has to be written again, although we wrote it.
        if (seen.Object is not { } runner || !ClusterRules.IsPublished(runner))
            Owned.Forget(seen.Kind, seen.Key);
        return new ClusterInput.RunnerConfigSeen(seen.Object);
    }

    protected override IEnumerable<Letter> Outbox(ClusterState state) => ClusterRules.Outbox(state);

    // A cluster that does not answer tells nobody when it comes back: it has to be asked. And a watch that has ended tells nobody either.
    protected override DateTimeOffset? NextTick(ClusterState state) =>
        !state.Exists ? null : Clock.GetUtcNow() + (ClusterRules.OwesProbe(state) ? ProbeAgain : LookAgain);

    protected override async Task ActAsync(CancellationToken cancellation)
    {
        if (!State.Exists)
            return;
        await GrainFactory.GetGrain<IWatchGrain>(
            WatchKey.Of(Clusters.Management.Name, KnownKinds.Secret, ClusterRules.KubeconfigSecret(State.Name))).EnsureAsync();
        // What is wrong with the RunnerConfig keeps nobody from asking the cluster and from saying how it is.
        var running = ApplyRunnerConfigAsync(cancellation);
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        if (ClusterRules.OwesProbe(State))
            await ProbeAsync(cancellation);
        var publishing = PublishAsync(cancellation);
        await publishing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        await Owned.ApplyStatusAsync(KnownKinds.TalosCluster, State.Key, ClusterRules.Status(State), FieldManagers.Platform, cancellation);
        foreach (var intruder in State.Intruders)
            await Owned.ApplyStatusAsync(KnownKinds.TalosCluster, intruder.Key, ClusterRules.Status(State, intruder), FieldManagers.Platform, cancellation);
        await running;
        await publishing;
    }

    private ObjectKey Runner => new(ClusterRules.RunnerConfigNamespace, Key);

    private Task ApplyRunnerConfigAsync(CancellationToken cancellation) =>
        ClusterRules.StaleRunnerConfig(State) is { } stale ? Clusters.Management.DeleteAsync(KnownKinds.RunnerConfig, Runner, stale, cancellation)
        : ClusterRules.DesiredRunnerConfig(State) is { } runner ? Owned.ApplyAsync(runner, FieldManagers.Platform, cancellation)
        : Task.CompletedTask;

    private Task PublishAsync(CancellationToken cancellation) => ClusterRules.RunnerConfigStatus(State) is { } published
        ? Owned.ApplyStatusAsync(KnownKinds.RunnerConfig, Runner, published, FieldManagers.Conductor, cancellation)
        : Task.CompletedTask;

    private async Task ProbeAsync(CancellationToken cancellation)
    {
        var revision = State.KubeconfigRevision;
        try
        {
            var found = await tenants.ConnectAsync(State.Name, State.ApiUid, cancellation);
            // The Secret may have changed since its watch told us: what is found out is found out about this content.
            revision = found.Revision;
            if (revision != State.KubeconfigRevision)
                await DecideAsync(new ClusterInput.KubeconfigSeen(revision));
            var version = await found.Cluster.ProbeAsync(cancellation);
            await DecideAsync(new ClusterInput.Probed(revision, Reachability.Reachable, version.GitVersion, found.ApiUid));
        }
        catch (KubeconfigException e)
        {
            await DecideAsync(new ClusterInput.Probed(revision, Reachability.KubeconfigUnusable, e.Message));
        }
        catch (KubernetesException e)
        {
            await DecideAsync(new ClusterInput.Probed(revision, Reachability.Unreachable, e.Message));
        }
    }
}
