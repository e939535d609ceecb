using System.Text.Json.Nodes;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;
using Governor.Domain.Permissions;
using Governor.Domain.Signing;
using Governor.Grains.Clusters;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;
using Governor.Grains.Interfaces.Ports;
using Orleans;

namespace Governor.Grains.Permissions;

/// <summary>
/// The Conductor of one cluster, as far as it is about permissions: it takes the published snapshot to the cluster, reads back what is
/// there, verifies that, and only then writes the receipt. Whoever changes the cluster's copy afterwards is noticed by a watch.
/// </summary>
public sealed class ReceiptGrain(GovernedServices services, TenantClusters tenants)
    : GovernedGrain<ReceiptState, ReceiptInput>(services, Subjects.Receipt), IReceiptGrain
{
    private readonly CancellationTokenSource _ending = new();
    private CancellationTokenSource? _stream;
    private ICluster? _followed;
    private Task _following = Task.CompletedTask;

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await _ending.CancelAsync();
        await _following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        await base.OnDeactivateAsync(reason, cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        _stream?.Dispose();
        _ending.Dispose();
        base.Dispose(disposing);
    }

    protected override ReceiptState Initial() => ReceiptState.Initial(new ClusterName(Key));

    protected override Decision<ReceiptState> Decide(ReceiptState state, ReceiptInput input, DateTimeOffset now) => ReceiptRules.Decide(state, input, now);

    protected override ReceiptInput Receive(Fact fact) => new ReceiptInput.Told(fact);

    protected override ReceiptInput? Read(Observation seen) => null;

    protected override IEnumerable<Letter> Outbox(ReceiptState state) => ReceiptRules.Outbox(state);

    protected override DateTimeOffset? NextTick(ReceiptState state) => ReceiptRules.NextTick(state, Clock.GetUtcNow());

    protected override ReceiptInput Tick() => new ReceiptInput.Ticked();

    protected override async Task ActAsync(CancellationToken cancellation)
    {
        if (!ReceiptRules.CanLook(State))
            return;
        var apiUid = State.Conductor!.ApiUid;
        var cluster = IsManagement ? Clusters.Management : (await tenants.ConnectAsync(State.Cluster, apiUid, cancellation)).Cluster;
        if (await HindranceAsync(cluster, cancellation) is { } hindrance)
        {
            await DecideAsync(new ReceiptInput.Hindered(hindrance));
            return;
        }
        Follow(cluster);
        var sound = IsManagement || !ReceiptRules.OwesDelivery(State, Clock.GetUtcNow()) || await DeliverAsync(cluster, apiUid, cancellation);
        if (sound)
            await DecideAsync(new ReceiptInput.Looked(await JudgeAsync(cluster, Copy, apiUid, cancellation), apiUid));
        await WriteReceiptAsync(cluster, cancellation);
    }

    private bool IsManagement => State.Cluster == Clusters.Management.Name;

    private ObjectKey Copy => ReceiptRules.CopyKey(State.Cluster, Clusters.Management.Name);

    private static async Task<string?> HindranceAsync(ICluster cluster, CancellationToken cancellation)
    {
        foreach (var kind in (GroupVersionKind[])[KnownKinds.PermissionSnapshot, KnownKinds.PermissionSnapshotReceipt])
            if (await cluster.DiscoverAsync(kind, cancellation) is null)
                return $"cluster {cluster.Name}: expected kind {kind}, found none: install its CustomResourceDefinition there";
        return null;
    }

    /// <summary>Takes the published snapshot to the cluster; one that the cluster could not accept is not even sent.</summary>
    private async Task<bool> DeliverAsync(ICluster cluster, string apiUid, CancellationToken cancellation)
    {
        var management = Clusters.Management;
        var source = ClusterPermissionRules.SnapshotKey(State.Cluster, management.Name);
        var (issued, published) = (State.Issued!, await management.GetAsync(KnownKinds.PermissionSnapshot, source, cancellation));
        var verdict = await JudgeAsync(published, apiUid);
        if (verdict is SnapshotVerdict.Genuine && SnapshotVerification.TimestampOf(published!) < issued.Timestamp)
            verdict = new SnapshotVerdict.Refused(
                SnapshotVerification.Replayed, $"expected the snapshot issued at {KubeTime.FormatExact(issued.Timestamp)}, found an older one");
        if (verdict is SnapshotVerdict.Refused refused)
        {
            await DecideAsync(new ReceiptInput.Looked(refused with { Message = $"PermissionSnapshot {source} on the management cluster: {refused.Message}" }, apiUid));
            return false;
        }
        await ExactObject.ApplyAsync(cluster, Mirrored(published!), FieldManagers.Conductor, cancellation);
        return true;
    }

    private KubeObject Mirrored(KubeObject published) => KubeObject.From(new JsonObject
    {
        ["apiVersion"] = published.ApiVersion,
        ["kind"] = published.Kind,
        ["metadata"] = new JsonObject
        {
            ["name"] = Copy.Name,
            ["namespace"] = Copy.Namespace,
            ["labels"] = new JsonObject { ["ontai.dev/managed-by"] = "guardian", ["ontai.dev/snapshot-type"] = "mirrored" },
            ["annotations"] = new JsonObject
            {
                [SignaturePurpose.PermissionSnapshot.Annotation] = published.Annotations.GetValueOrDefault(SignaturePurpose.PermissionSnapshot.Annotation, ""),
                [ClusterPermissionRules.HashAnnotation] = published.Annotations.GetValueOrDefault(ClusterPermissionRules.HashAnnotation, ""),
            },
        },
        ["spec"] = published.ToJsonObject()["spec"]!.DeepClone(),
    });

    private async Task<SnapshotVerdict> JudgeAsync(ICluster cluster, ObjectKey key, string apiUid, CancellationToken cancellation) =>
        await JudgeAsync(await cluster.GetAsync(KnownKinds.PermissionSnapshot, key, cancellation), apiUid);

    private async Task<SnapshotVerdict> JudgeAsync(KubeObject? snapshot, string apiUid)
    {
        var signature = snapshot is null
            ? new SignatureVerdict.Missing()
            : await GrainFactory.GetGrain<ISigningKeyGrain>(PackRules.SigningKeyAddress.Key).VerifyAsync(snapshot);
        return SnapshotVerification.Judge(State.Cluster, snapshot, signature, ReceiptRules.AcknowledgedBy(State, apiUid), Clock.GetUtcNow());
    }

    private async Task WriteReceiptAsync(ICluster cluster, CancellationToken cancellation)
    {
        if (ReceiptRules.DesiredReceipt(State) is not { } receipt)
            return;
        await cluster.ApplyAsync(receipt, FieldManagers.Conductor, new ApplyOptions(Force: true), cancellation);
        await cluster.ApplyStatusAsync(receipt.Gvk, receipt.Key, ReceiptRules.ReceiptStatus(State), FieldManagers.Conductor, cancellation);
    }

    // One stream per connection: another kubeconfig is another connection.
    private void Follow(ICluster cluster)
    {
        if (ReferenceEquals(_followed, cluster) && !_following.IsCompleted)
            return;
        _stream?.Cancel();
        _stream?.Dispose();
        _stream = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token);
        _followed = cluster;
        _following = FollowAsync(cluster, Copy, _stream.Token);
    }

    // What a stream shows may be old by the time it is told: it says that there is something to look at, not what.
    private async Task FollowAsync(ICluster cluster, ObjectKey copy, CancellationToken cancellation)
    {
        await Task.Yield();
        try
        {
            await foreach (var seen in cluster.WatchAsync(new WatchRequest(KnownKinds.PermissionSnapshot, copy.Namespace, copy.Name), cancellation))
                if (seen.Type is WatchEventType.Present or WatchEventType.Gone)
                    await ResumeAsync();
        }
        catch (Exception e) when (e is OperationCanceledException or KubernetesException)
        {
            // The cluster is reached another way by now, or the actor ends: the next look follows again.
        }
    }
}
