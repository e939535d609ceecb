using System.Collections.Immutable;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;
using Governor.Domain.Packs;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Grains.Packs;

/// <summary>A delivery cannot go on.</summary>
public sealed class DeliveryException(DeliveryFailure failure) : Exception($"{failure.Step}: {failure.Object}: {failure.Message}")
{
    public DeliveryFailure Failure { get; } = failure;

    public static DeliveryException Of(string step, string item, string reason, string message) => new(new DeliveryFailure(step, item, reason, message));
}

/// <summary>What is done on the target cluster: find out what it knows, apply in stages, wait until it is ready.</summary>
public sealed class PackDelivery(ICluster target, SealedCausalChain? lineage, TimeProvider clock)
{
    private const string FieldManager = "conductor-pack-deploy";

    /// <summary>Works out everything that will be written, before anything is.</summary>
    public async Task<DeliveryPlan> PlanAsync(ImmutableArray<(PackLayer Layer, KubeObject Object)> content, CancellationToken cancellation)
    {
        var discovered = new Dictionary<GroupVersionKind, bool>();
        foreach (var kind in DeliveryPlan.KindsToDiscover(content))
            if (await target.DiscoverAsync(kind, cancellation) is { } resource)
                discovered[kind] = resource.Namespaced;
        var (plan, failures) = DeliveryPlan.Build(content, discovered);
        if (plan is not null)
            return plan;
        const int Listed = 20;
        var others = failures.Length > 1 ? $" (and {failures.Length - 1} more: {string.Join("; ", failures.Skip(1).Take(Listed).Select(f => $"{f.Object}: {f.Message}"))})" : "";
        throw new DeliveryException(failures[0] with { Message = failures[0].Message + others });
    }

    /// <param name="deadline">Until when what the stage defines has to be served.</param>
    public async Task<ImmutableArray<DeployedResource>> ApplyAsync(DeliveryStage stage, DateTimeOffset deadline, CancellationToken cancellation)
    {
        var applied = ImmutableArray.CreateBuilder<DeployedResource>();
        foreach (var item in stage.Objects)
        {
            try
            {
                var isNew = await target.GetAsync(item.Gvk, item.Key, cancellation) is null;
                var stored = await target.ApplyAsync(Descent.Stamp(item, lineage), FieldManager, default, cancellation);
                applied.Add(new DeployedResource(item.ApiVersion, item.Kind, item.Namespace, item.Name, stored.Uid, isNew));
            }
            catch (KubernetesException e) when (!e.IsTransient)
            {
                throw DeliveryException.Of(stage.Step, $"{item.Kind} {item.Key}", e.Reason, e.Message);
            }
        }
        // What comes after a definition may be of its kind.
        foreach (var definition in stage.Objects.Where(o => o.Gvk == KnownKinds.CustomResourceDefinition))
            await WaitAsync(stage.Step, definition, deadline, cancellation);
        return applied.ToImmutable();
    }

    /// <returns>How many objects are ready: all.</returns>
    public async Task<int> WaitReadyAsync(DeliveryPlan plan, DateTimeOffset deadline, CancellationToken cancellation)
    {
        foreach (var item in plan.Objects)
            await WaitAsync(DeliverySteps.WaitReady, item, deadline, cancellation);
        return plan.Objects.Count();
    }

    // Watches the one object until it says that it is ready. The deadline covers an object that never says anything.
    private async Task WaitAsync(string step, KubeObject item, DateTimeOffset deadline, CancellationToken cancellation)
    {
        var current = await target.GetAsync(item.Gvk, item.Key, cancellation);
        if (current is not null && Judge(step, item, current))
            return;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var alarm = clock.CreateTimer(_ => patience.Cancel(), null, Positive(deadline - clock.GetUtcNow()), Timeout.InfiniteTimeSpan);
        var last = "it is not there";
        try
        {
            var watched = new WatchRequest(item.Gvk, item.Namespace.Length > 0 ? item.Namespace : null, item.Name);
            await foreach (var seen in target.WatchAsync(watched, patience.Token))
            {
                if (seen.Type == WatchEventType.Interrupted)
                {
                    last = seen.Fault ?? last;
                    await target.GetAsync(item.Gvk, item.Key, patience.Token); // says when this connection is not the cluster's any more
                }
                if (seen.Object is not { } now || seen.Type != WatchEventType.Present)
                    continue;
                if (Judge(step, item, now))
                    return;
                last = Readiness.Of(now).Message;
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw DeliveryException.Of(step, $"{item.Kind} {item.Key}", "ReadinessDeadlineExceeded", $"expected it to become ready until {deadline:O}, found: {last}");
        }
    }

    private static bool Judge(string step, KubeObject item, KubeObject current)
    {
        var readiness = Readiness.Of(current);
        return readiness.Level == ReadinessLevel.Failed
            ? throw DeliveryException.Of(step, $"{item.Kind} {item.Key}", "NotReady", readiness.Message)
            : readiness.Level == ReadinessLevel.Ready;
    }

    private static TimeSpan Positive(TimeSpan span) => span > TimeSpan.Zero ? span : TimeSpan.FromMilliseconds(1);
}
