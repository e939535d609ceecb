using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;
using Governor.Domain.Packs;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Grains.Packs;

/// <summary>
/// Applies single objects in the name of their owner. Nothing that somebody else owns is taken from him, with one exception: what was
/// applied by us before every owner had a field manager of its own.
/// </summary>
internal sealed class ObjectApplier(ICluster target, PackOwner owner, SealedCausalChain? lineage)
{
    /// <summary>How often somebody else may be faster than we are before that is a failure.</summary>
    private const int Attempts = 8;

    /// <summary>
    /// A resourceVersion that no object has, as the store counts from it. Applied with it, an object that is not there is made, and one
    /// that is there is a conflict: this is how apply creates and does nothing else.
    /// </summary>
    private const string NoVersion = "1";

    private readonly string _manager = owner.FieldManager;

    /// <summary>As the object would be, with nothing written.</summary>
    /// <exception cref="DeliveryException">Fields of it are somebody else's.</exception>
    /// <exception cref="KubernetesException">It is refused for any other reason.</exception>
    public Task<KubeObject> RehearseAsync(string step, KubeObject item, CancellationToken cancellation) => NegotiateAsync(
        step, item, bid => target.ApplyAsync(IntentOf(item, bid), _manager, new ApplyOptions(bid.Force, DryRun: true), cancellation), cancellation);

    /// <inheritdoc cref="RehearseAsync"/>
    /// <param name="mayBeNew">Nobody knows that the object is there.</param>
    public async Task<AppliedObject> ApplyAsync(string step, KubeObject item, bool mayBeNew, CancellationToken cancellation)
    {
        var applied = await NegotiateAsync(step, item, bid => TryAsync(item, bid, mayBeNew, cancellation), cancellation);
        return HasEntry(applied.Answer, PackOwner.FormerManager) ? applied with { Answer = await ReleaseAsync(applied.Answer, cancellation), Outcome = ApplyOutcome.Applied } : applied;
    }

    /// <summary>Asks until the answer is yes, or no for good. What stands in the way decides how is asked next.</summary>
    private async Task<T> NegotiateAsync<T>(string step, KubeObject item, Func<Bid, Task<T>> ask, CancellationToken cancellation)
    {
        var bid = new Bid(IsMarked: true, null, Force: false);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await ask(bid);
            }
            catch (KubernetesException e) when (e.Code == 409 && attempt < Attempts)
            {
                if (e.Owners.IsEmpty)
                    bid = bid with { Pinned = null, Force = false }; // somebody was faster: from the beginning
                else if (IsShared(item, e.Owners))
                    bid = bid with { IsMarked = false };
                else if (!e.Owners.Keys.All(manager => manager == PackOwner.FormerManager))
                    throw Conflict(step, item, e);
                else if (bid.Pinned is null)
                    bid = bid with { Pinned = await target.GetAsync(item.Gvk, item.Key, cancellation) };
                else
                    bid = bid with { Force = true };
            }
        }
    }

    // What may not be there is made by a request that can do nothing else, with the mark that we made it. What is there is applied to as
    // the very object that was looked at: the mark is kept where it is true and comes to nothing that somebody else made.
    private async Task<AppliedObject> TryAsync(KubeObject item, Bid bid, bool mayBeNew, CancellationToken cancellation)
    {
        if (bid.Pinned is null && mayBeNew && await TryCreateAsync(item, cancellation) is { } made)
            return new AppliedObject(made, ApplyOutcome.Created, true);
        var live = bid.Pinned ?? await target.GetAsync(item.Gvk, item.Key, cancellation);
        if (live is null)
            return await TryCreateAsync(item, cancellation) is { } anew
                ? new AppliedObject(anew, ApplyOutcome.Created, true)
                : throw new KubernetesException(409, "Conflict", $"{item.Kind} {item.Key} was made, and gone, and made again while it was looked at");
        var isAhead = bid.IsMarked && !owner.HasCreated(live) && PackOwner.Of(live) is null && PackOwner.IsGuardianAhead(live, FieldManagers.Rbac);
        var isOurs = bid.IsMarked && (isAhead || owner.HasCreated(live));
        var intent = IntentOf(item, bid);
        try
        {
            var answer = await target.ApplyAsync(Bound(isOurs ? owner.MarkCreated(intent) : intent, "uid", live.Uid), _manager, new ApplyOptions(bid.Force), cancellation);
            return new AppliedObject(answer, isAhead ? ApplyOutcome.Created : answer.ResourceVersion == live.ResourceVersion ? ApplyOutcome.Unchanged : ApplyOutcome.Applied, isOurs);
        }
        catch (KubernetesException e) when (e.Code == 422)
        {
            if (await target.GetAsync(item.Gvk, item.Key, cancellation) is { } now && now.Uid == live.Uid)
                throw;
            throw new KubernetesException(409, "Conflict", $"{item.Kind} {item.Key} was made anew while it was looked at: {e.Message}", e);
        }
    }

    private async Task<KubeObject?> TryCreateAsync(KubeObject item, CancellationToken cancellation)
    {
        try
        {
            return await target.ApplyAsync(Bound(owner.MarkCreated(MarkedOf(item)), "resourceVersion", NoVersion), _manager, default, cancellation);
        }
        catch (KubernetesException e) when (e.Code == 409)
        {
            return null; // it is there
        }
    }

    private KubeObject MarkedOf(KubeObject item) => owner.Mark(Descent.Stamp(item, lineage));

    // Force would take everybody's fields. Bound to the state in which all conflicting fields were ours it takes only these.
    private KubeObject IntentOf(KubeObject item, Bid bid)
    {
        var intent = bid.IsMarked ? MarkedOf(item) : item;
        return bid.Pinned is { } pinned ? Bound(intent, "resourceVersion", pinned.ResourceVersion) : intent;
    }

    private static KubeObject Bound(KubeObject intent, string to, string value)
    {
        var bound = intent.ToJsonObject();
        bound["metadata"]![to] = value;
        return KubeObject.From(bound);
    }

    // A namespace belongs to the pack that marked it first. Others may live in it, and own what they declare of it.
    private static bool IsShared(KubeObject item, ImmutableDictionary<string, ImmutableArray<string>> owners) =>
        item.Gvk == KnownKinds.Namespace && owners.All(conflict => PackOwner.IsPack(conflict.Key) && conflict.Value.All(PackOwner.IsMark));

    // An applied configuration without fields gives up those that the new manager owns as well, and removes those that nobody asks for any more.
    private Task<KubeObject> ReleaseAsync(KubeObject applied, CancellationToken cancellation)
    {
        var metadata = new JsonObject { ["name"] = applied.Name, ["uid"] = applied.Uid };
        if (applied.Namespace.Length > 0)
            metadata["namespace"] = applied.Namespace;
        var nothing = new JsonObject { ["apiVersion"] = applied.ApiVersion, ["kind"] = applied.Kind, ["metadata"] = metadata };
        return target.ApplyAsync(KubeObject.From(nothing), PackOwner.FormerManager, default, cancellation);
    }

    private static bool HasEntry(KubeObject live, string manager) =>
        live.Find("metadata", "managedFields") is { ValueKind: JsonValueKind.Array } entries
        && entries.EnumerateArray().Any(entry => entry.GetProperty("manager").ValueEquals(manager) && entry.GetProperty("operation").ValueEquals("Apply"));

    private static DeliveryException Conflict(string step, KubeObject item, KubernetesException e)
    {
        var owners = e.Owners.OrderBy(conflict => conflict.Key, StringComparer.Ordinal).ToList();
        var found = string.Join("; ", owners.Select(conflict => $"{PackOwner.Describe(conflict.Key)} owns {string.Join(", ", conflict.Value.Order(StringComparer.Ordinal))}"));
        return owners.Find(conflict => conflict.Value.Any(PackOwner.IsMark)) is { Key.Length: > 0 } other
            ? DeliveryException.Of(
                step, $"{item.Kind} {item.Key}", "ObjectOwned", $"expected an object of this pack's own, found one of {PackOwner.Describe(other.Key)}: one object belongs to one pack ({found})")
            : DeliveryException.Of(
                step, $"{item.Kind} {item.Key}", "FieldConflict", $"expected fields that nobody else owns, found: {found}; leave them out of the pack, or have their owner give them up");
    }

    /// <summary>How is asked for an object.</summary>
    /// <param name="IsMarked">With our marks, as our own.</param>
    /// <param name="Pinned">Only in the state in which it was seen to be so.</param>
    private sealed record Bid(bool IsMarked, KubeObject? Pinned, bool Force);
}
