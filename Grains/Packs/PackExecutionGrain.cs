using System.Collections.Immutable;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;
using Governor.Domain.Signing;
using Governor.Grains.Clusters;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;
using Governor.Grains.Interfaces.Ports;
using Microsoft.Extensions.Options;

namespace Governor.Grains.Packs;

/// <summary>One delivery: waits at its gates, then verifies, applies in stages and waits until everything is ready.</summary>
/// <remarks>
/// A step is committed when it is done, so a delivery that was interrupted goes on with the step it was in. Applying is
/// server-side apply of the same bytes, so doing a step again changes nothing. What was verified before the first write is
/// committed, too: a delivery never goes on with another pack than it began with.
/// </remarks>
public sealed class PackExecutionGrain(
    GovernedServices services, TenantClusters tenants, TenantRights rights, IPackSource source, IRbacIntake intake, IOptions<DeliveryOptions> options)
    : GovernedGrain<ExecutionState, ExecutionInput>(services, Subjects.Execution), IPackExecutionGrain
{
    private DateTimeOffset? _faultySince;
    private CancellationTokenSource? _delivering;
    private Task _showing = Task.CompletedTask;
    private bool _unshown;

    protected override ExecutionState Initial() => ExecutionState.Initial(ObjectKey.Parse(Key));

    protected override Decision<ExecutionState> Decide(ExecutionState state, ExecutionInput input, DateTimeOffset now)
    {
        var decision = ExecutionRules.Decide(state, input, now);
        if (decision.State.Uid != state.Uid || decision.State.Exists != state.Exists)
        {
            // Nobody waits for this object's delivery any more.
            _delivering?.Cancel();
            _faultySince = null;
        }
        // A gate that closes before the first write stops what is under way, whatever it waits for.
        if (state.Phase == ExecutionPhase.Verifying && decision.State.Phase is ExecutionPhase.Gated or ExecutionPhase.Superseded)
            _delivering?.Cancel();
        return decision;
    }

    protected override ExecutionInput Receive(Fact fact) => new ExecutionInput.Told(fact);

    protected override ExecutionInput? Read(Observation seen) =>
        seen.Object is { } execution ? new ExecutionInput.Observed(execution) : new ExecutionInput.Gone();

    protected override IEnumerable<Letter> Outbox(ExecutionState state) => ExecutionRules.Outbox(state);

    protected override DateTimeOffset? NextTick(ExecutionState state) => ExecutionRules.NextTick(state) + TimeSpan.FromMilliseconds(1);

    protected override ExecutionInput Tick() => new ExecutionInput.Ticked();

    protected override async Task ActAsync(CancellationToken cancellation)
    {
        if (ExecutionRules.OwedReview(State, Clock.GetUtcNow()) is { } needs)
            await ReviewAsync(needs, cancellation);
        if (State is { Exists: true, Phase: ExecutionPhase.Verifying or ExecutionPhase.Delivering })
            await DeliverAsync(cancellation);
        await WriteStatusAsync(cancellation);
    }

    // What it answers opens or closes a gate. When it does not answer, another gate has to say so.
    private async Task ReviewAsync(ImmutableArray<PackNeed> needs, CancellationToken cancellation)
    {
        var (uid, conductor) = (State.Uid, State.Facts.Conductor!);
        try
        {
            var target = await tenants.ConnectAsync(conductor.Cluster, conductor.ApiUid, cancellation);
            await DecideAsync(new ExecutionInput.RightsReviewed(uid, await rights.ReviewAsync(target, needs, cancellation)));
        }
        catch (Exception e) when (e is KubeconfigException or KubernetesException)
        {
            await DoubtAsync(e.Message);
            await WriteStatusAsync(cancellation);
            throw;
        }
    }

    private Task DoubtAsync(string why) => GrainFactory.GetGrain<IClusterGrain>(State.Spec!.Cluster.Value).TellAsync(
        new TargetDoubted(State.Spec.Cluster, why) { From = new Address(Subjects.Execution, Key) });

    private async Task DeliverAsync(CancellationToken cancellation)
    {
        var uid = State.Uid;
        using var delivering = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _delivering = delivering;
        try
        {
            await DeliverAsync(uid, delivering.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested && (State.Uid != uid || State is { Exists: false } or { Phase: ExecutionPhase.Gated or ExecutionPhase.Superseded or ExecutionPhase.Failed }))
        {
            // The object is gone, or another is in its place, or it may not go on.
        }
        catch (DeliveryException e)
        {
            await StopAsync(uid, e);
        }
        finally
        {
            _delivering = null;
            // What could not be shown on the way is shown by the caller, or tried again.
            await _showing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }

    private async Task DeliverAsync(string uid, CancellationToken cancellation)
    {
        var cluster = State.Spec!.Cluster;
        var connecting = OnTargetAsync(DeliverySteps.Verify, () => tenants.ConnectAsync(cluster, State.Facts.Conductor?.ApiUid ?? "", cancellation));
        var fetching = FetchAsync(cancellation);
        await Task.WhenAll(connecting, fetching); // a fault of the way there is named before one of the pack
        var (target, content) = (await connecting, await fetching);
        var owner = new PackOwner(InstanceRules.KeyOf(State.Spec!.Pack, content.Pack.Spec, cluster.Value));
        var delivery = new PackDelivery(target.Cluster, new DeliveryTerms(owner, State.Spec!.Profile, ExecutionRules.LineageOf(State), options.Value.MaxParallel), intake, Clock);
        var plan = await OnTargetAsync(DeliverySteps.Verify, () => delivery.PlanAsync(content.Objects, State.HasDone(DeliverySteps.Rbac), cancellation));
        var message = $"{plan.Objects.Count()} objects verified";
        if (State.Verified is null)
            message += $", {await OnTargetAsync(DeliverySteps.Verify, () => delivery.RehearseAsync(plan, cancellation))} of them are there already";
        await DecideAsync(new ExecutionInput.Verified(uid, content.Pack, message) { Planned = plan.ToDeployed() });
        Show();

        foreach (var stage in plan.Stages)
        {
            if (!IsDelivering(uid))
                return;
            if (State.HasDone(stage.Step))
                continue;
            var applied = await OnTargetAsync(stage.Step, () => delivery.PerformAsync(plan, stage, Deadline(), cancellation));
            var done = stage.Step == DeliverySteps.WaitReady ? "all objects are ready" : AppliedObject.Describe(applied);
            await DoneAsync(uid, stage.Step, done, [.. applied.Select(item => item.ToDeployed())]);
        }
    }

    private bool IsDelivering(string uid) => State is { Exists: true, Phase: ExecutionPhase.Delivering } && State.Uid == uid;

    // The time for a step begins with the one before it, however often it is taken up again.
    private DateTimeOffset Deadline() => State.Steps[^1].At + options.Value.ReadinessDeadline;

    // Everything that is decided on comes from one reading of the pack: its signature, its spec, its content.
    private async Task<(VerifiedPack Pack, ImmutableArray<(PackLayer, KubeObject)> Objects)> FetchAsync(CancellationToken cancellation)
    {
        var name = $"ClusterPack {State.Spec!.Pack}";
        var pack = State.Spec.Restores is { } restores ? Retained(restores)
            : await Clusters.Management.GetAsync(KnownKinds.ClusterPack, State.Spec.Pack, cancellation) ?? throw Refuse(name, "PackGone", "expected the ClusterPack, found none");
        var signer = GrainFactory.GetGrain<ISigningKeyGrain>(PackRules.SigningKeyAddress.Key);
        if (await signer.VerifyAsync(pack) is not SignatureVerdict.Valid valid)
            throw Refuse(name, "SignatureVerifyFailed", $"annotation {PackSignature.Annotation}: expected a valid signature by the management Conductor, found {await signer.VerifyAsync(pack)}");
        if (PackRevocation.CarriedBy(pack) is { } revocation)
            throw Refuse(name, "ClusterPackRevoked", revocation.ToString());
        var (spec, failures) = PackSpec.Read(pack);
        if (spec is null)
            throw Refuse(name, "InvalidSpec", string.Join("; ", failures));
        if (spec.Version != State.Spec.PackVersion)
            throw Refuse(name, "VersionConflict", $"expected version {State.Spec.PackVersion}, found {spec.Version}");
        if (!spec.TargetClusters.Contains(State.Spec.Cluster.Value))
            throw Refuse(name, "ClusterNotTargeted", $"expected cluster {State.Spec.Cluster} among the targets, found {string.Join(", ", spec.TargetClusters)}");

        try
        {
            var layers = await Task.WhenAll(spec.Layers().Select(
                async named => (named.Layer, Objects: await source.PullLayerAsync(spec.Repository, named.Digest, cancellation))));
            var owner = new PackOwner(State.Spec.Restores?.Instance ?? InstanceRules.KeyOf(State.Spec.Pack, spec, State.Spec.Cluster.Value));
            return (
                new VerifiedPack(pack.Uid, PackSpec.DigestOf(pack), spec, PackSpec.ContentDigestOf(pack), PackDocument.Of(pack), valid.KeyId),
                [.. layers.SelectMany(layer => layer.Objects.Select(item => (layer.Layer, owner.Mark(item))))]);
        }
        catch (PackSourceException e) when (!e.IsTransient || IsOutOfPatience())
        {
            throw Refuse(name, e.Reason, e.Message);
        }
    }

    private KubeObject Retained(ReleaseRef restores) => State.Facts.Release?.Release is { Document.Length: > 0 } release
        ? PackDocument.Read(release.Document)
        : throw Refuse($"PackInstance {restores.Instance}", "RevisionNotRetained", $"expected revision {restores.Revision} in its history, found none");

    // Faults of the target end the delivery when they will not pass. Faults of the management cluster never do.
    private async Task<T> OnTargetAsync<T>(string step, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (KubeconfigException e)
        {
            throw DeliveryException.Of(step, $"Secret {ClusterRules.KubeconfigSecret(State.Spec!.Cluster)}", "KubeconfigUnavailable", e.Message);
        }
        catch (IntakeUndecidedException e) when (IsOutOfPatience())
        {
            throw DeliveryException.Of(step, $"RBACProfile {State.Spec!.Profile}", "IntakeUndecided", e.Message);
        }
        catch (KubernetesException e) when (e.Code == 0 && !IsOutOfPatience())
        {
            await DoubtAsync(e.Message);
            throw;
        }
        catch (KubernetesException e) when (!e.IsTransient || IsOutOfPatience())
        {
            throw DeliveryException.Of(step, $"cluster {State.Spec!.Cluster}", e.Reason, e.Message);
        }
    }

    private async Task DoneAsync(string uid, string step, string message, ImmutableArray<DeployedResource> objects)
    {
        _faultySince = null;
        await DecideAsync(new ExecutionInput.StepDone(uid, step, message, objects));
        Show();
    }

    // The delivery does not wait for what is only shown: one write at a time, always of the newest state.
    private void Show()
    {
        _unshown = true;
        if (_showing.IsCompleted)
            _showing = ShowAsync();
    }

    private async Task ShowAsync()
    {
        while (_unshown)
        {
            _unshown = false;
            await WriteStatusAsync(CancellationToken.None);
        }
    }

    private Task StopAsync(string uid, DeliveryException e)
    {
        _faultySince = null;
        return DecideAsync(new ExecutionInput.Stopped(uid, e.Failure) { Objects = [.. e.Applied.Select(item => item.ToDeployed())] });
    }

    private Task WriteStatusAsync(CancellationToken cancellation) => !State.Exists
        ? Task.CompletedTask
        : Owned.ApplyStatusAsync(KnownKinds.PackExecution, State.Key, ExecutionStatus.Render(State), FieldManagers.Wrapper, cancellation);

    private static DeliveryException Refuse(string item, string reason, string message) => DeliveryException.Of(DeliverySteps.Verify, item, reason, message);

    private bool IsOutOfPatience()
    {
        var now = Clock.GetUtcNow();
        _faultySince ??= now;
        return now - _faultySince > options.Value.RetryBudget;
    }
}
