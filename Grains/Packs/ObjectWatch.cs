using System.Collections.Concurrent;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Grains.Packs;

/// <summary>
/// Waits for objects of a target: one watch for all objects of a kind in a namespace, for as long as any of them keeps us waiting. The
/// deadline covers objects that never say anything.
/// </summary>
internal sealed class ObjectWatch(ICluster target, TimeProvider clock)
{
    private static readonly GroupVersionKind StorageClass = new("storage.k8s.io", "v1", "StorageClass");

    private readonly ConcurrentDictionary<string, VolumeBinding> _bindings = [];

    /// <summary>Waits until all objects are ready.</summary>
    /// <param name="seen">What is known of them already; what is ready there is not asked for.</param>
    /// <exception cref="DeliveryException">One of them has failed, or the deadline is over; every object that is not ready is named.</exception>
    public async Task UntilReadyAsync(
        string step, IEnumerable<KubeObject> items, IReadOnlyDictionary<(GroupVersionKind, ObjectKey), KubeObject> seen, DateTimeOffset deadline, CancellationToken cancellation)
    {
        var waiting = new List<(KubeObject Item, string Message)>();
        foreach (var item in items)
            if (!seen.TryGetValue((item.Gvk, item.Key), out var known))
                waiting.Add((item, "it is not there"));
            else if (await JudgeAsync(step, item, known, cancellation) is { Level: not ReadinessLevel.Ready } readiness)
                waiting.Add((item, readiness.Message));
        if (waiting.Count == 0)
            return;
        var pending = new ConcurrentDictionary<(GroupVersionKind, ObjectKey), string>(waiting.Select(w => KeyValuePair.Create((w.Item.Gvk, w.Item.Key), w.Message)));
        await WithinAsync(
            deadline,
            patience => InGroupsAsync(waiting.Select(w => w.Item), (group, stop) => FollowAsync(step, group, pending, stop), patience),
            () => DeliveryException.Of(
            [
                .. waiting.Where(w => pending.ContainsKey((w.Item.Gvk, w.Item.Key))).Select(w => new DeliveryFailure(
                    step, $"{w.Item.Kind} {w.Item.Key}", "ReadinessDeadlineExceeded", $"expected it to become ready until {deadline:O}, found: {pending[(w.Item.Gvk, w.Item.Key)]}")),
            ]),
            cancellation);
    }

    /// <summary>Waits until an object that is being deleted is gone.</summary>
    public Task UntilGoneAsync(string step, KubeObject live, DateTimeOffset deadline, CancellationToken cancellation) => WithinAsync(
        deadline,
        async patience =>
        {
            var request = Request(live.Gvk, [live]) with { Known = new Dictionary<ObjectKey, string> { [live.Key] = live.Uid } };
            await foreach (var seen in target.WatchAsync(request, patience))
                if (seen.Key == live.Key && (seen.Type == WatchEventType.Gone || (seen.Type == WatchEventType.Present && seen.Uid != live.Uid)))
                    return;
        },
        () => DeliveryException.Of(
            step, $"{live.Kind} {live.Key}", "StillBeingDeleted",
            $"expected it to be gone until {deadline:O}, so that it can be made anew; found it being deleted with finalizers {live.Find("metadata", "finalizers")}"),
        cancellation);

    /// <summary>Waits until a kind is served.</summary>
    public async Task UntilServedAsync(string step, GroupVersionKind kind, KubeObject definition, DateTimeOffset deadline, CancellationToken cancellation)
    {
        if (await target.DiscoverAsync(kind, cancellation) is not null)
            return;
        await WithinAsync(
            deadline,
            async patience =>
            {
                await foreach (var seen in target.WatchAsync(new WatchRequest(kind), patience))
                    if (seen.Type != WatchEventType.Interrupted)
                        return;
            },
            () => DeliveryException.Of(step, $"{definition.Kind} {definition.Key}", "KindNotServed", $"expected the cluster to serve {kind} until {deadline:O}, found that it does not"),
            cancellation);
    }

    private static Task InGroupsAsync(IEnumerable<KubeObject> items, Func<List<KubeObject>, CancellationToken, Task> follow, CancellationToken cancellation) =>
        AllOrFirstFaultAsync([.. items.GroupBy(item => (item.Gvk, item.Namespace)).Select(group => group.ToList())], follow, cancellation);

    // The first that fails decides: there is nothing to wait for with the others.
    private static async Task AllOrFirstFaultAsync(List<List<KubeObject>> groups, Func<List<KubeObject>, CancellationToken, Task> follow, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var running = groups.ConvertAll(group => follow(group, stop.Token));
        try
        {
            var left = running.ToList();
            while (left.Count > 0)
            {
                var done = await Task.WhenAny(left);
                left.Remove(done);
                await done;
            }
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }

    private async Task FollowAsync(string step, List<KubeObject> items, ConcurrentDictionary<(GroupVersionKind, ObjectKey), string> pending, CancellationToken cancellation)
    {
        var kind = items[0].Gvk;
        var left = items.ToDictionary(item => item.Key);
        await foreach (var seen in target.WatchAsync(Request(kind, items), cancellation))
        {
            if (seen.Type == WatchEventType.Interrupted)
                foreach (var key in left.Keys)
                    pending[(kind, key)] = seen.Fault ?? pending[(kind, key)];
            if (seen.Type is not (WatchEventType.Present or WatchEventType.Gone) || !left.TryGetValue(seen.Key, out var item))
                continue;
            // What is gone when it is done (a job with a time to live) was as it should be.
            var readiness = seen.Object is { } now ? await JudgeAsync(step, item, now, cancellation) : null;
            if (readiness is { Level: ReadinessLevel.Ready } && (seen.Type == WatchEventType.Present || kind == KnownKinds.Job))
            {
                left.Remove(seen.Key);
                pending.TryRemove((kind, seen.Key), out _);
                if (left.Count == 0)
                    return;
                continue;
            }
            pending[(kind, seen.Key)] = seen.Type == WatchEventType.Gone ? "it is not there any more" : readiness!.Message;
        }
    }

    private static WatchRequest Request(GroupVersionKind kind, List<KubeObject> items) =>
        new(kind, items[0].Namespace.Length > 0 ? items[0].Namespace : null, items.Count == 1 ? items[0].Name : null);

    private async Task<Readiness> JudgeAsync(string step, KubeObject item, KubeObject current, CancellationToken cancellation)
    {
        var readiness = Readiness.Of(current, await BindingAsync(current, cancellation));
        return readiness.Level == ReadinessLevel.Failed
            ? throw DeliveryException.Of(step, $"{item.Kind} {item.Key}", "NotReady", readiness.Message)
            : readiness;
    }

    private async Task<VolumeBinding> BindingAsync(KubeObject claim, CancellationToken cancellation)
    {
        if (claim.Gvk != KnownKinds.PersistentVolumeClaim || claim.FindText("status", "phase") is "Bound" or "Lost")
            return VolumeBinding.Unknown;
        var name = claim.FindText("spec", "storageClassName");
        if (name.Length == 0)
            return VolumeBinding.Immediate;
        if (_bindings.TryGetValue(name, out var known))
            return known;
        var binding = VolumeBinding.Unknown;
        try
        {
            var found = await target.GetAsync(StorageClass, new ObjectKey("", name), cancellation);
            binding = found?.FindText("volumeBindingMode") == "WaitForFirstConsumer" ? VolumeBinding.FirstConsumer : VolumeBinding.Immediate;
        }
        catch (KubernetesException e) when (e.Code is 401 or 403)
        {
            // Whoever may not read storage classes cannot know; what uses the claim is waited for in any case.
        }
        return _bindings[name] = binding;
    }

    private async Task WithinAsync(DateTimeOffset deadline, Func<CancellationToken, Task> wait, Func<DeliveryException> late, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var left = deadline - clock.GetUtcNow();
        await using var alarm = clock.CreateTimer(_ => patience.Cancel(), null, left > TimeSpan.Zero ? left : TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
        try
        {
            await wait(patience.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw late();
        }
    }
}
