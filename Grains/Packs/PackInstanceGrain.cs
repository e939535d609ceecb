using System.Collections.Immutable;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;
using Governor.Grains.Clusters;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Grains.Packs;

/// <summary>What one pack lineage has on one target: keeps its releases, says whose turn it is, takes away what is not wanted any more.</summary>
public sealed class PackInstanceGrain(GovernedServices services, TenantClusters tenants)
    : GovernedGrain<InstanceState, InstanceInput>(services, Subjects.Instance), IPackInstanceGrain
{
    protected override InstanceState Initial() => InstanceState.Initial with { Key = ObjectKey.Parse(Key) };

    protected override Decision<InstanceState> Decide(InstanceState state, InstanceInput input, DateTimeOffset now)
    {
        // As long as a restoration is wanted it has an execution: deleting one asks for a new attempt.
        if (input is InstanceInput.Told { Fact: ExecutionGone gone })
            Owned.Forget(KnownKinds.PackExecution, gone.Execution);
        return InstanceRules.Decide(state, input, now);
    }

    protected override InstanceInput Receive(Fact fact) => new InstanceInput.Told(fact);

    protected override InstanceInput? Read(Observation seen) =>
        seen.Object is { } instance ? new InstanceInput.Observed(instance) : new InstanceInput.Gone();

    protected override IEnumerable<Letter> Outbox(InstanceState state) => InstanceRules.Outbox(state);

    protected override async Task ActAsync(CancellationToken cancellation)
    {
        await ShowAsync(cancellation);
        if (State.Removal is { IsCancelled: true } cancelled)
            await DecideAsync(new InstanceInput.RemovalStopped(cancelled.Id));
        if (State.Conductor is not { Reachability: Reachability.Reachable } target)
            return; // whoever knows when it answers says so
        try
        {
            if (State.Removal is { Pending.IsEmpty: false, IsCancelled: false })
                await RemoveAsync(target, cancellation);
            if (State.Abandonment is { SeenAt: null } abandonment)
                await LookAsync(target, abandonment, cancellation);
            if (PackReceiptRules.IsOwed(State))
                await ReceiveAsync(target, cancellation);
        }
        catch (KubernetesException e) when (e.IsTransient && e.Code == 0)
        {
            await GrainFactory.GetGrain<IClusterGrain>(State.Cluster).TellAsync(
                new TargetDoubted(target.Cluster, e.Message) { From = new Address(Subjects.Instance, Key) });
            throw;
        }
        finally
        {
            await ShowAsync(cancellation);
        }
    }

    private async Task ShowAsync(CancellationToken cancellation)
    {
        var desired = InstanceStatus.Desired(State);
        if (desired is not null)
            await Owned.ApplyAsync(desired, FieldManagers.Wrapper, cancellation);
        if (InstanceStatus.Restoration(State) is { } restoration)
            await Owned.ApplyAsync(restoration, FieldManagers.Wrapper, cancellation);
        if (InstanceStatus.IsOver(State))
            await Clusters.Management.DeleteAsync(KnownKinds.PackInstance, State.Key, State.Uid, cancellation);
        else if (desired is not null || State.Exists)
            await Owned.ApplyStatusAsync(KnownKinds.PackInstance, State.Key, InstanceStatus.Status(State), FieldManagers.Wrapper, cancellation);
    }

    // One object after the other, each committed: whatever dies in between is taken up where it was.
    private async Task RemoveAsync(ConductorFact target, CancellationToken cancellation)
    {
        var tenant = (await ConnectAsync(target, cancellation)).Cluster;
        var removal = new PackRemoval(tenant, new PackOwner(State.Key));
        if (State.Removal is { Cause: RemovalCause.Deletion } && await tenant.DiscoverAsync(KnownKinds.PackReceipt, cancellation) is not null)
            await tenant.DeleteAsync(KnownKinds.PackReceipt, new ObjectKey(PackReceiptRules.Namespace, State.Key.Name), null, cancellation);
        while (State.Removal is { Pending: [var entry, ..], IsCancelled: false } order)
        {
            var (outcome, reason, message) = await removal.RemoveAsync(entry, order.Cause, cancellation);
            await DecideAsync(new InstanceInput.ObjectDone(order.Id, entry, outcome, reason, message));
        }
        if (State.Removal is { IsCancelled: true } cancelled)
            await DecideAsync(new InstanceInput.RemovalStopped(cancelled.Id));
    }

    // Looks and touches nothing.
    private async Task LookAsync(ConductorFact target, Abandonment abandonment, CancellationToken cancellation)
    {
        var connection = await ConnectAsync(target, cancellation);
        var found = ImmutableArray.CreateBuilder<DeployedResource>();
        foreach (var entry in abandonment.Objects)
        {
            var kind = GroupVersionKind.Of(entry.ApiVersion, entry.Kind);
            if (await connection.Cluster.DiscoverAsync(kind, cancellation) is not null
                && await connection.Cluster.GetAsync(kind, new ObjectKey(entry.Namespace, entry.Name), cancellation) is not null)
                found.Add(entry);
        }
        await DecideAsync(new InstanceInput.AbandonedSeen(connection.ApiUid, found.ToImmutable()));
    }

    private async Task ReceiveAsync(ConductorFact target, CancellationToken cancellation)
    {
        var connection = await ConnectAsync(target, cancellation);
        var receipt = new TenantReceipt(connection.Cluster, GrainFactory.GetGrain<ISigningKeyGrain>(PackRules.SigningKeyAddress.Key));
        await DecideAsync(new InstanceInput.ReceiptJudged(await receipt.WriteAsync(State, cancellation)));
    }

    private async Task<TenantConnection> ConnectAsync(ConductorFact target, CancellationToken cancellation)
    {
        try
        {
            return await tenants.ConnectAsync(target.Cluster, target.ApiUid, cancellation);
        }
        catch (KubeconfigException e)
        {
            throw new KubernetesException(0, "KubeconfigUnavailable", e.Message, e);
        }
    }
}
