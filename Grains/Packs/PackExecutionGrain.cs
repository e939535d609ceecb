using System.Collections.Immutable;
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
/// server-side apply of the same bytes, so doing a step again changes nothing.
/// </remarks>
public sealed class PackExecutionGrain(
    GovernedServices services, TenantClusters tenants, IPackSource source, IOptions<DeliveryOptions> options)
    : GovernedGrain<ExecutionState, ExecutionInput>(services, Subjects.Execution), IPackExecutionGrain
{
    private DateTimeOffset? _faultySince;
    private Task _showing = Task.CompletedTask;
    private bool _unshown;

    protected override ExecutionState Initial() => ExecutionState.Initial(ObjectKey.Parse(Key));

    protected override Decision<ExecutionState> Decide(ExecutionState state, ExecutionInput input, DateTimeOffset now) => ExecutionRules.Decide(state, input, now);

    protected override ExecutionInput Receive(Fact fact) => new ExecutionInput.Told(fact);

    protected override ExecutionInput? Read(Observation seen) =>
        seen.Object is { } execution ? new ExecutionInput.Observed(execution) : new ExecutionInput.Gone();

    protected override IEnumerable<Letter> Outbox(ExecutionState state) => ExecutionRules.Outbox(state);

    protected override DateTimeOffset? NextTick(ExecutionState state) => ExecutionRules.NextTick(state) + TimeSpan.FromMilliseconds(1);

    protected override ExecutionInput Tick() => new ExecutionInput.Ticked();

    protected override async Task ActAsync(CancellationToken cancellation)
    {
        try
        {
            if (State is { Exists: true, Phase: ExecutionPhase.Verifying or ExecutionPhase.Delivering })
                await DeliverAsync(cancellation);
        }
        finally
        {
            // What could not be shown on the way is shown below, or tried again.
            await _showing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
        await ShowStateAsync(cancellation);
    }

    private async Task DeliverAsync(CancellationToken cancellation)
    {
        var uid = State.Uid;
        var step = DeliverySteps.Verify;
        try
        {
            var connecting = tenants.ConnectAsync(State.Spec!.Cluster, cancellation);
            var verifying = VerifyAsync(cancellation);
            await Task.WhenAll(connecting, verifying); // a fault of the way there is named before one of the pack
            var delivery = new PackDelivery(await connecting, State.Lineage, options.Value.ReadinessDeadline, Clock);
            var plan = await delivery.PlanAsync(await verifying, cancellation);
            await DoneAsync(uid, step, $"{plan.Objects.Count()} objects verified", []);
            foreach (var stage in plan.Stages)
            {
                step = stage.Step;
                if (State.HasDone(step))
                    continue;
                if (State is not { Exists: true, Phase: ExecutionPhase.Delivering })
                    return;
                var applied = await delivery.ApplyAsync(stage, cancellation);
                await DoneAsync(uid, step, $"{applied.Length} objects applied", applied);
            }
            step = DeliverySteps.WaitReady;
            await delivery.WaitReadyAsync(plan, cancellation);
            await DoneAsync(uid, step, "all objects are ready", []);
            _faultySince = null;
        }
        catch (DeliveryException e)
        {
            await DecideAsync(new ExecutionInput.Stopped(uid, e.Failure));
        }
        catch (KubeconfigException e)
        {
            await StopAsync(uid, step, $"Secret {Domain.Clusters.ClusterRules.KubeconfigSecret(State.Spec!.Cluster)}", "KubeconfigUnavailable", e.Message);
        }
        catch (PackSourceException e) when (!e.IsTransient || IsOutOfPatience())
        {
            await StopAsync(uid, step, $"ClusterPack {State.Spec!.Pack}", e.Reason, e.Message);
        }
        catch (KubernetesException e) when (!e.IsTransient || IsOutOfPatience())
        {
            await StopAsync(uid, step, $"cluster {State.Spec!.Cluster}", e.Reason, e.Message);
        }
    }

    private async Task<ImmutableArray<(PackLayer, KubeObject)>> VerifyAsync(CancellationToken cancellation)
    {
        var pack = await Clusters.Management.GetAsync(KnownKinds.ClusterPack, State.Spec!.Pack, cancellation)
            ?? throw DeliveryException.Of(DeliverySteps.Verify, $"ClusterPack {State.Spec.Pack}", "PackGone", "expected the ClusterPack, found none");
        var signer = GrainFactory.GetGrain<ISigningKeyGrain>(PackRules.SigningKeyAddress.Key);
        if (await signer.VerifyAsync(pack) is var verdict and not SignatureVerdict.Valid)
            throw DeliveryException.Of(DeliverySteps.Verify, $"ClusterPack {State.Spec.Pack}", "SignatureVerifyFailed", $"annotation {PackSignature.Annotation}: expected a valid signature by the management FieldManagers.Conductor, found {verdict}");
        if (pack.Annotations.TryGetValue(PackRules.RevokedAnnotation, out var revocation))
            throw DeliveryException.Of(DeliverySteps.Verify, $"ClusterPack {State.Spec.Pack}", "ClusterPackRevoked", revocation);
        var (spec, failures) = PackSpec.Read(pack);
        if (spec is null)
            throw DeliveryException.Of(DeliverySteps.Verify, $"ClusterPack {State.Spec.Pack}", "InvalidSpec", string.Join("; ", failures));
        if (spec.Version != State.Spec.PackVersion)
            throw DeliveryException.Of(DeliverySteps.Verify, $"ClusterPack {State.Spec.Pack}", "VersionConflict", $"expected version {State.Spec.PackVersion}, found {spec.Version}");

        var layers = await Task.WhenAll(spec.Layers().Select(
            async named => (named.Layer, Objects: await source.PullLayerAsync(spec.Repository, named.Digest, cancellation))));
        return [.. layers.SelectMany(layer => layer.Objects.Select(item => (layer.Layer, item)))];
    }

    private async Task DoneAsync(string uid, string step, string message, ImmutableArray<DeployedResource> objects)
    {
        if (State.HasDone(step))
            return;
        await DecideAsync(new ExecutionInput.StepDone(uid, step, message, objects));
        // The delivery does not wait for what is only shown: one write at a time, always of the newest state.
        _unshown = true;
        if (_showing.IsCompleted)
            _showing = ShowAsync();
    }

    private async Task ShowAsync()
    {
        while (_unshown)
        {
            _unshown = false;
            await ShowStateAsync(CancellationToken.None);
        }
    }

    private Task ShowStateAsync(CancellationToken cancellation) => State.Exists
        ? Owned.ApplyStatusAsync(KnownKinds.PackExecution, State.Key, ExecutionStatus.Render(State), FieldManagers.Wrapper, cancellation)
        : Task.CompletedTask;

    private Task StopAsync(string uid, string step, string item, string reason, string message) =>
        DecideAsync(new ExecutionInput.Stopped(uid, new DeliveryFailure(step, item, reason, message)));

    private bool IsOutOfPatience()
    {
        var now = Clock.GetUtcNow();
        _faultySince ??= now;
        return now - _faultySince > options.Value.RetryBudget;
    }
}
