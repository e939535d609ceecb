using System.Collections.Immutable;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Packs;

public enum PackTrust
{
    /// <summary>Nobody has signed it yet.</summary>
    Unsigned,

    /// <summary>Signed by a key that this management cluster trusts, over exactly the spec that is stored.</summary>
    Signed,

    /// <summary>It must not be delivered: forged, foreign or stale signature, revoked key, altered content, invalid spec.</summary>
    Rejected,

    /// <summary>A human revoked it.</summary>
    Revoked,
}

/// <summary>A human took a pack back.</summary>
/// <param name="By">Who, as far as the object says.</param>
[GenerateSerializer, Immutable]
public sealed record Revocation(string By, string Why)
{
    public override string ToString() => $"revoked by {By}: {Why}";
}

/// <summary>Objects of one kind in one place: what a delivery has to be allowed to write.</summary>
/// <param name="Plural">The resource, where the pack itself defines the kind; otherwise "", and the target knows.</param>
/// <param name="Namespace">"" for all that have none.</param>
[GenerateSerializer, Immutable]
public sealed record PackNeed(string Group, string Version, string Kind, string Plural, string Namespace)
{
    /// <summary>Of the objects in a pack, each need once, in an order that is always the same.</summary>
    public static ImmutableArray<PackNeed> Of(IReadOnlyCollection<KubeObject> objects)
    {
        var own = objects.Where(item => item.Gvk == KnownKinds.CustomResourceDefinition)
            .Select(item => (Group: item.FindText("spec", "group"), Kind: item.FindText("spec", "names", "kind"), Plural: item.FindText("spec", "names", "plural")))
            .DistinctBy(d => (d.Group, d.Kind))
            .ToDictionary(d => (d.Group, d.Kind), d => d.Plural);
        return
        [
            .. objects.Select(item => new PackNeed(item.Gvk.Group, item.Gvk.Version, item.Kind, own.GetValueOrDefault((item.Gvk.Group, item.Kind), ""), item.Namespace))
                .Distinct()
                .OrderBy(need => need.ToString(), StringComparer.Ordinal),
        ];
    }

    public override string ToString() => $"{Kind}{(Group.Length > 0 ? $".{Group}" : "")}{(Namespace.Length > 0 ? $" in {Namespace}" : "")}";
}

/// <summary>What is known of a ClusterPack.</summary>
/// <param name="Reason">The condition reason that explains <paramref name="Trust"/>.</param>
/// <param name="Spec">Null where the pack is absent or its spec cannot be read.</param>
/// <param name="DeclaredAt">When the object was made: versions that cannot be compared are ordered by it.</param>
/// <param name="ContentDigest">Of what may not change: <see cref="PackSpec.ContentDigestOf"/>.</param>
/// <param name="Needs">What its delivery writes; null until its content was read.</param>
/// <param name="Revoked">Digests of contents under this name that were revoked, and by whom, and why; those of packs that are gone, too.</param>
[GenerateSerializer, Immutable]
public sealed record PackFact(
    ObjectKey Pack, bool Exists, string Uid, PackSpec? Spec, PackTrust Trust, string Reason, string Message, string KeyId,
    DateTimeOffset DeclaredAt = default, string ContentDigest = "", ImmutableArray<PackNeed>? Needs = null,
    ImmutableSortedDictionary<string, Revocation>? Revoked = null) : Fact
{
    /// <summary>Who took this very content back; null when nobody did.</summary>
    public Revocation? RevocationOf(string contentDigest) => Revoked?.GetValueOrDefault(contentDigest);
}
