using System.Collections.Concurrent;
using System.Collections.Immutable;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;
using Governor.Domain.Packs;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Grains.Packs;

/// <summary>In whose name a delivery is made, and how.</summary>
/// <param name="Profile">The RBACProfile that the pack comes under.</param>
/// <param name="Lineage">The chain that every object is marked with.</param>
/// <param name="Parallel">How many objects are under way at a time, at least one.</param>
public sealed record DeliveryTerms(PackOwner Owner, ObjectKey Profile, SealedCausalChain? Lineage, int Parallel);

/// <summary>
/// What is done on the target cluster: find out what it knows, rehearse, apply in stages, wait until it is ready. One instance is one
/// attempt; another one begins wherever this one ended, and finds what was done.
/// </summary>
public sealed class PackDelivery(ICluster target, DeliveryTerms terms, IRbacIntake intake, TimeProvider clock)
{
    private readonly ObjectApplier _applier = new(target, terms.Owner, terms.Lineage);
    private readonly ObjectWatch _watch = new(target, clock);

    /// <summary>Whether it was there before the first write; without an entry nobody has looked.</summary>
    private readonly ConcurrentDictionary<(GroupVersionKind, ObjectKey), bool> _before = [];

    /// <summary>The newest that is known of each object.</summary>
    private readonly ConcurrentDictionary<(GroupVersionKind, ObjectKey), KubeObject> _seen = [];

    /// <summary>Works out everything that will be written, before anything is.</summary>
    /// <param name="isTaken">The RBAC of the pack stands already: what is lowered later takes nothing back from a delivery.</param>
    /// <exception cref="DeliveryException">There is no such plan; every fault is listed.</exception>
    /// <exception cref="IntakeUndecidedException">What its RBAC is judged by is not known.</exception>
    public async Task<DeliveryPlan> PlanAsync(ImmutableArray<(PackLayer Layer, KubeObject Object)> content, bool isTaken, CancellationToken cancellation)
    {
        var served = await Task.WhenAll(DeliveryPlan.KindsToDiscover(content).Select(kind => target.DiscoverAsync(kind, cancellation)));
        var (plan, failures) = DeliveryPlan.Build(content, served.OfType<ResourceDescription>().ToDictionary(found => found.Kind, found => found.Namespaced));
        if (plan is null)
            throw DeliveryException.Of(failures);
        if (plan.Stages.Single(stage => stage.Step == DeliverySteps.Rbac) is var rbac && rbac.Objects.Any() && !isTaken
            && await intake.JudgeAsync(new RbacClaim(target.Name, terms.Owner, terms.Profile, [.. rbac.Objects]), cancellation) is { IsEmpty: false } refused)
            throw DeliveryException.Of(refused);
        return plan;
    }

    /// <summary>Has the target refuse before the first write what it would refuse in the middle: objects and fields of others, and what is invalid.</summary>
    /// <returns>How many of the objects exist.</returns>
    /// <exception cref="DeliveryException">It refuses; every refusal is listed.</exception>
    public async Task<int> RehearseAsync(DeliveryPlan plan, CancellationToken cancellation)
    {
        var grounds = plan.Stages.Single(stage => stage.Step == DeliverySteps.Namespaces);
        var own = plan.Objects.Where(item => item.Gvk == KnownKinds.CustomResourceDefinition).SelectMany(DeliveryPlan.KindsOf).ToHashSet();
        var webhooks = Preflight.WebhooksOf(plan);
        await ForEachAsync(DeliverySteps.Verify, [.. grounds.Objects], item => LookAsync(item, own, webhooks, cancellation), cancellation);

        // In a namespace that is not there yet, there is nothing.
        var fresh = grounds.Objects.Where(item => item.Gvk == KnownKinds.Namespace && _before.TryGetValue((item.Gvk, item.Key), out var isThere) && !isThere).Select(item => item.Name).ToHashSet();
        var rest = plan.Stages.Where(stage => stage != grounds).SelectMany(stage => stage.Objects).ToLookup(item => fresh.Contains(item.Namespace));
        foreach (var item in rest[true])
            _before[(item.Gvk, item.Key)] = false;
        await ForEachAsync(DeliverySteps.Verify, [.. rest[false]], item => LookAsync(item, own, webhooks, cancellation), cancellation);
        return _before.Count(entry => entry.Value);
    }

    /// <summary>Does one step of a plan. The last one waits for all that came before, and then applies what could have stood in its way.</summary>
    /// <param name="deadline">Until when what is waited for has to be ready.</param>
    /// <returns>What was applied, in order.</returns>
    /// <exception cref="DeliveryException">The step cannot be done; it carries what was applied by then.</exception>
    public async Task<ImmutableArray<AppliedObject>> PerformAsync(DeliveryPlan plan, DeliveryStage stage, DateTimeOffset deadline, CancellationToken cancellation)
    {
        var applied = new ConcurrentDictionary<KubeObject, AppliedObject>(ReferenceEqualityComparer.Instance);
        try
        {
            if (stage.Step == DeliverySteps.WaitReady)
                await _watch.UntilReadyAsync(stage.Step, plan.Objects.Except(stage.Objects), _seen, deadline, cancellation);
            foreach (var batch in stage.Batches)
            {
                await ForEachAsync(
                    stage.Step, batch.Objects, async item => applied[item] = await ApplyAsync(stage.Step, item, deadline, cancellation), cancellation);
                if (batch.HasToBeServed)
                    await UntilServedAsync(stage.Step, batch, deadline, cancellation);
            }
            if (stage.Step == DeliverySteps.WaitReady)
                await _watch.UntilReadyAsync(stage.Step, stage.Objects, _seen, deadline, cancellation);
        }
        catch (DeliveryException e)
        {
            throw new DeliveryException(e.Failure) { Applied = InOrder() };
        }
        return InOrder();

        ImmutableArray<AppliedObject> InOrder() => [.. stage.Objects.Where(applied.ContainsKey).Select(item => applied[item])];
    }

    private async Task UntilServedAsync(string step, DeliveryBatch definitions, DateTimeOffset deadline, CancellationToken cancellation)
    {
        await _watch.UntilReadyAsync(step, definitions.Objects, _seen, deadline, cancellation);
        foreach (var definition in definitions.Objects)
            foreach (var kind in DeliveryPlan.KindsOf(definition))
                await _watch.UntilServedAsync(step, kind, definition, deadline, cancellation);
    }

    private async Task<AppliedObject> ApplyAsync(string step, KubeObject item, DateTimeOffset deadline, CancellationToken cancellation)
    {
        var key = (item.Gvk, item.Key);
        var applied = await _applier.ApplyAsync(step, item, mayBeNew: !_before.GetValueOrDefault(key), cancellation);
        while (applied.Answer.IsBeingDeleted)
        {
            // What is on its way out takes along what was applied to it.
            await _watch.UntilGoneAsync(step, applied.Answer, deadline, cancellation);
            applied = await _applier.ApplyAsync(step, item, mayBeNew: true, cancellation);
        }
        _seen[key] = applied.Answer;
        return applied;
    }

    private async Task LookAsync(KubeObject item, HashSet<GroupVersionKind> own, ImmutableHashSet<string> webhooks, CancellationToken cancellation)
    {
        const string Step = DeliverySteps.Verify;
        if (Preflight.MayBeRehearsed(item.Gvk, own.Contains(item.Gvk)))
            try
            {
                var rehearsed = await _applier.RehearseAsync(Step, item, cancellation);
                _before[(item.Gvk, item.Key)] = rehearsed.ResourceVersion.Length > 0;
                return;
            }
            catch (KubernetesException e) when (Preflight.MayPassLater(e.Code, e.Message, webhooks))
            {
                // The performance will show. Whose the object is can be seen all the same.
            }
        if (own.Contains(item.Gvk) && await target.DiscoverAsync(item.Gvk, cancellation) is null)
        {
            _before[(item.Gvk, item.Key)] = false;
            return;
        }
        var live = await target.GetAsync(item.Gvk, item.Key, cancellation);
        if (live is not null && PackOwner.Of(live) is { } other && other != terms.Owner)
            throw DeliveryException.Of(
                Step, $"{item.Kind} {item.Key}", "ObjectOwned", $"expected an object of this pack's own, found one of pack instance {other.Instance}: one object belongs to one pack");
        _before[(item.Gvk, item.Key)] = live is not null;
    }

    /// <summary>Side by side, so many at a time. All are tried, so that whoever has to mend something learns everything at once.</summary>
    private async Task ForEachAsync(string step, ImmutableArray<KubeObject> items, Func<KubeObject, Task> act, CancellationToken cancellation)
    {
        using var turns = new SemaphoreSlim(terms.Parallel);
        var outcomes = await Task.WhenAll(items.Select(TryAsync));
        var refused = outcomes.OfType<DeliveryFailure>().ToImmutableArray();
        if (!refused.IsEmpty)
            throw DeliveryException.Of(refused);

        async Task<DeliveryFailure?> TryAsync(KubeObject item)
        {
            await turns.WaitAsync(cancellation);
            try
            {
                await act(item);
                return null;
            }
            catch (DeliveryException e)
            {
                return e.Failure;
            }
            catch (KubernetesException e) when (!e.IsTransient)
            {
                return new DeliveryFailure(step, $"{item.Kind} {item.Key}", e.Reason, e.Message);
            }
            finally
            {
                turns.Release();
            }
        }
    }
}
