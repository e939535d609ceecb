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

    protected override ClusterState Initial() => ClusterState.Initial(new ClusterName(Key));

    protected override Decision<ClusterState> Decide(ClusterState state, ClusterInput input, DateTimeOffset now) => ClusterRules.Decide(state, input, now);

    protected override ClusterInput Receive(Fact fact) => new ClusterInput.Told(fact);

    protected override ClusterInput? Read(Observation seen) =>
        seen.Kind == KnownKinds.Secret ? new ClusterInput.KubeconfigSeen(TenantClusters.RevisionOf(seen.Object))
        : seen.Kind == KnownKinds.RunnerConfig ? new ClusterInput.RunnerConfigSeen(seen.Object)
        : seen.Object is { } cluster ? new ClusterInput.Observed(cluster)
        : new ClusterInput.Gone();

    protected override IEnumerable<Letter> Outbox(ClusterState state) => ClusterRules.Outbox(state);

    // A cluster that does not answer tells nobody when it comes back: it has to be asked.
    protected override DateTimeOffset? NextTick(ClusterState state) => ClusterRules.OwesProbe(state) ? Clock.GetUtcNow() + ProbeAgain : null;

    protected override async Task ActAsync(CancellationToken cancellation)
    {
        if (!State.Exists)
            return;
        await GrainFactory.GetGrain<IWatchGrain>(
            WatchKey.Of(Clusters.Management.Name, KnownKinds.Secret, ClusterRules.KubeconfigSecret(State.Name))).EnsureAsync();
        if (ClusterRules.DesiredRunnerConfig(State) is { } runner)
            await Owned.ApplyAsync(runner, FieldManagers.Platform, cancellation);
        if (ClusterRules.OwesProbe(State))
            await ProbeAsync(cancellation);
        if (ClusterRules.RunnerConfigStatus(State) is { } published)
            await Owned.ApplyStatusAsync(KnownKinds.RunnerConfig, new ObjectKey(ClusterRules.RunnerConfigNamespace, Key), published, FieldManagers.Conductor, cancellation);
        await Owned.ApplyStatusAsync(KnownKinds.TalosCluster, State.Key, ClusterRules.Status(State), FieldManagers.Platform, cancellation);
    }

    private async Task ProbeAsync(CancellationToken cancellation)
    {
        var revision = State.KubeconfigRevision;
        try
        {
            var tenant = await tenants.ConnectAsync(State.Name, cancellation);
            var version = await tenant.ProbeAsync(cancellation);
            await DecideAsync(new ClusterInput.Probed(revision, Reachability.Reachable, version.GitVersion));
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
