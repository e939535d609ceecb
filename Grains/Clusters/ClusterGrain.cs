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
    private static readonly TimeSpan EnsureAgain = TimeSpan.FromMinutes(5);

    protected override ClusterState Initial() => ClusterState.Initial(new ClusterName(Key));

    protected override Decision<ClusterState> Decide(ClusterState state, ClusterInput input, DateTimeOffset now) => ClusterRules.Decide(state, input, now);

    protected override ClusterInput Receive(Fact fact) => new ClusterInput.Told(fact);

    protected override ClusterInput? Read(Observation seen) =>
        seen.Kind == KnownKinds.Secret ? new ClusterInput.KubeconfigSeen(TenantClusters.RevisionOf(seen.Object))
        : seen.Kind == KnownKinds.RunnerConfig ? new ClusterInput.RunnerConfigSeen(seen.Object)
        : seen.Object is { } cluster ? new ClusterInput.Observed(cluster)
        : new ClusterInput.Gone(seen.Key);

    protected override IEnumerable<Letter> Outbox(ClusterState state) => ClusterRules.Outbox(state);

    // A cluster that does not answer tells nobody when it comes back: it has to be asked. The slow one is the safety net of its stream.
    protected override DateTimeOffset? NextTick(ClusterState state) =>
        !state.Exists ? null : Clock.GetUtcNow() + (ClusterRules.OwesProbe(state) ? ProbeAgain : EnsureAgain);

    protected override async Task ActAsync(CancellationToken cancellation)
    {
        if (!State.Exists)
            return;
        await GrainFactory.GetGrain<IWatchGrain>(
            WatchKey.Of(Clusters.Management.Name, KnownKinds.Secret, ClusterRules.KubeconfigSecret(State.Name))).EnsureAsync();
        if (ClusterRules.DesiredRunnerConfig(State) is { } runner)
            await EnsureRunnerConfigAsync(runner, cancellation);
        if (ClusterRules.OwesProbe(State))
            await ProbeAsync(cancellation);
        if (ClusterRules.RunnerConfigStatus(State) is { } published)
            await Owned.ApplyStatusAsync(KnownKinds.RunnerConfig, new ObjectKey(ClusterRules.RunnerConfigNamespace, Key), published, FieldManagers.Conductor, cancellation);
        await Owned.ApplyStatusAsync(KnownKinds.TalosCluster, State.Key, ClusterRules.Status(State), FieldManagers.Platform, cancellation);
    }

    private async Task EnsureRunnerConfigAsync(KubeObject runner, CancellationToken cancellation)
    {
        // Somebody deleted it, or took away what the Conductor published: it is written again.
        if (!State.RunnerConfigExists || !Capabilities.Names.SetEquals(State.Published))
        {
            Owned.Forget(runner.Gvk, runner.Key);
            if (await Clusters.Management.GetAsync(runner.Gvk, runner.Key, cancellation) is { } there && ClusterRules.IsOfAnother(State, there))
                await Clusters.Management.DeleteAsync(there.Gvk, there.Key, there.Uid, cancellation);
        }
        await Owned.ApplyAsync(runner, FieldManagers.Platform, cancellation);
    }

    private async Task ProbeAsync(CancellationToken cancellation)
    {
        var revision = State.KubeconfigRevision;
        try
        {
            var tenant = await tenants.ConnectAsync(State.Name, State.ApiUid, cancellation);
            var version = await tenant.Cluster.ProbeAsync(cancellation);
            await DecideAsync(new ClusterInput.Probed(revision, Reachability.Reachable, version.GitVersion, tenant.ApiUid));
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
