using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;
using Governor.Domain.Packs;
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

    private readonly string _manager = owner.FieldManager;

    /// <summary>As the object would be, with nothing written.</summary>
    /// <exception cref="DeliveryException">Fields of it are somebody else's.</exception>
    /// <exception cref="KubernetesException">It is refused for any other reason.</exception>
    public Task<KubeObject> RehearseAsync(string step, KubeObject item, CancellationToken cancellation) => ApplyAsync(step, item, dryRun: true, cancellation);

    /// <inheritdoc cref="RehearseAsync"/>
    public async Task<KubeObject> ApplyAsync(string step, KubeObject item, CancellationToken cancellation)
    {
        var answer = await ApplyAsync(step, item, dryRun: false, cancellation);
        return HasEntry(answer, PackOwner.FormerManager) ? await ReleaseAsync(answer, cancellation) : answer;
    }

    private async Task<KubeObject> ApplyAsync(string step, KubeObject item, bool dryRun, CancellationToken cancellation)
    {
        var whole = owner.Mark(Descent.Stamp(item, lineage));
        var intent = whole;
        var options = new ApplyOptions(DryRun: dryRun);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await target.ApplyAsync(intent, _manager, options, cancellation);
            }
            catch (KubernetesException e) when (e.Code == 409 && attempt < Attempts)
            {
                if (e.Owners.IsEmpty)
                    (intent, options) = (whole, options with { Force = false }); // somebody was faster: from the beginning
                else if (IsShared(item, e.Owners))
                    (whole, intent) = (item, item);
                else if (!e.Owners.Keys.All(manager => manager == PackOwner.FormerManager))
                    throw Conflict(step, item, e);
                else if (ReferenceEquals(intent, whole))
                    intent = await PinAsync(whole, cancellation);
                else
                    options = options with { Force = true };
            }
        }
    }

    // A namespace belongs to the pack that marked it first. Others may live in it, and own what they declare of it.
    private static bool IsShared(KubeObject item, ImmutableDictionary<string, ImmutableArray<string>> owners) =>
        item.Gvk == KnownKinds.Namespace && owners.All(conflict => PackOwner.IsPack(conflict.Key) && conflict.Value.All(PackOwner.IsMark));

    // Force would take everybody's fields. Bound to the state in which all conflicting fields were ours it takes only these.
    private async Task<KubeObject> PinAsync(KubeObject intent, CancellationToken cancellation)
    {
        if (await target.GetAsync(intent.Gvk, intent.Key, cancellation) is not { } live)
            return intent;
        var pinned = intent.ToJsonObject();
        pinned["metadata"]!["resourceVersion"] = live.ResourceVersion;
        return KubeObject.From(pinned);
    }

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
}
