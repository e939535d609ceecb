using System.Collections.Immutable;
using Governor.Domain.Kinds;

namespace Governor.Domain.Packs;

/// <summary>What a pack lineage has on its target, object by object, in the order in which it was put there.</summary>
public static class Inventory
{
    /// <summary>Which object an entry is: the version of its group plays no part.</summary>
    public static (string Group, string Kind, ObjectKey Key) IdentityOf(DeployedResource entry) =>
        (GroupVersionKind.Of(entry.ApiVersion, entry.Kind).Group, entry.Kind, new ObjectKey(entry.Namespace, entry.Name));

    public static string Describe(DeployedResource entry) => $"{entry.Kind} {new ObjectKey(entry.Namespace, entry.Name)}";

    /// <summary>
    /// The entries, and what was put there after them: an object once, as it was seen last. That we made it stays true for as long as
    /// it is the same object.
    /// </summary>
    public static ImmutableArray<DeployedResource> Merge(ImmutableArray<DeployedResource> entries, IReadOnlyCollection<DeployedResource> later)
    {
        if (later.Count == 0)
            return entries;
        var merged = entries.ToBuilder();
        var places = entries.Select((entry, at) => (Identity: IdentityOf(entry), at)).ToDictionary(place => place.Identity, place => place.at);
        foreach (var entry in later)
        {
            if (places.TryGetValue(IdentityOf(entry), out var at))
            {
                merged[at] = Inherit(merged[at], entry);
                continue;
            }
            places[IdentityOf(entry)] = merged.Count;
            merged.Add(entry);
        }
        return merged.ToImmutable();
    }

    /// <summary>The later of two entries for one object, with what is known from the earlier one. One without a UID only says that the object is meant to be there.</summary>
    public static DeployedResource Inherit(DeployedResource earlier, DeployedResource later) => later.Uid.Length == 0
        ? later with { Uid = earlier.Uid, Created = earlier.Created || later.Created }
        : later with { Created = later.Created || (earlier.Created && earlier.Uid == later.Uid) };

    /// <summary>What is in the first and in none of the others.</summary>
    public static ImmutableArray<DeployedResource> Without(IEnumerable<DeployedResource> entries, params ReadOnlySpan<ImmutableArray<DeployedResource>> others)
    {
        var known = new HashSet<(string, string, ObjectKey)>();
        foreach (var other in others)
            known.UnionWith(other.Select(IdentityOf));
        return [.. entries.Where(entry => known.Add(IdentityOf(entry)))];
    }
}
