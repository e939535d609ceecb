using System.Text;
using System.Text.Json.Nodes;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Signing;

namespace Governor.Domain.Lineage;

/// <summary>How lineage is written onto the objects that we make, and told to the lineage index.</summary>
public static class Descent
{
    /// <summary>Holds the sealed chain on objects whose spec has no room for it.</summary>
    public const string ChainAnnotation = "infrastructure.ontai.dev/lineage";

    /// <summary>
    /// On every object that a pack puts onto a cluster, sealed or not: what streams of such clusters select by. The key is the one that
    /// Guardian marks its snapshots with. It selects and proves nothing: whoever may change the object may take it away.
    /// </summary>
    public const string ManagedByLabel = "ontai.dev/managed-by";

    internal const string Governor = "governor";

    /// <summary>Selects the objects that packs have put onto a cluster.</summary>
    public const string DeliveredSelector = ManagedByLabel + "=" + Governor;

    /// <summary>Whether an object carries the label by which delivered objects are selected.</summary>
    public static bool IsDelivered(KubeObject item) => item.FindText("metadata", "labels", ManagedByLabel) == Governor;

    /// <summary>Seals the chain into <c>spec.lineage</c> of one of our own kinds, and labels it with its root.</summary>
    public static KubeObject Seal(JsonObject item, SealedCausalChain? chain)
    {
        if (chain is null)
            return KubeObject.From(item);
        item["spec"]!["lineage"] = chain.ToJson();
        Label(item, chain);
        return KubeObject.From(item);
    }

    /// <summary>Marks an object of a pack as delivered, and with the chain that caused it. The same object and chain give the same bytes.</summary>
    public static KubeObject Stamp(KubeObject item, SealedCausalChain? chain)
    {
        var copy = item.ToJsonObject();
        Child(copy["metadata"]!.AsObject(), "labels")[ManagedByLabel] = Governor;
        if (chain is null)
            return KubeObject.From(copy);
        Label(copy, chain);
        Child(copy["metadata"]!.AsObject(), "annotations")[ChainAnnotation] = Encoding.UTF8.GetString(CanonicalJson.Encode(chain.ToJson()));
        return KubeObject.From(copy);
    }

    /// <summary>
    /// The chain of an object that its root really made: an owner reference to the root stands beside it. A chain that somebody only
    /// wrote down does not count; such an object is its own root.
    /// </summary>
    public static SealedCausalChain? Owned(KubeObject item) =>
        SealedCausalChain.Read(item)?.Value is { } chain
        && item.Find("metadata", "ownerReferences") is { ValueKind: System.Text.Json.JsonValueKind.Array } owners
        && owners.EnumerateArray().Any(owner => owner.TryGetProperty("uid", out var uid) && uid.ValueEquals(chain.RootUid))
            ? chain
            : null;

    /// <summary>Who declared an object, as admission stamped it.</summary>
    public static string DeclarerOf(KubeObject item) =>
        item.Annotations.GetValueOrDefault(LineageNames.DeclaringPrincipal) is { Length: > 0 } declarer ? declarer : LineageNames.UnknownPrincipal;

    /// <summary>What the lineage index has to be told of something that a human declared.</summary>
    public static IEnumerable<Letter> Root(GroupVersionKind kind, ObjectKey key, string uid, long generation, string declarer, string operatorName, bool exists) =>
        Letters(null, kind, key, uid, generation, declarer, operatorName, exists);

    /// <summary>What the lineage index has to be told of an object: that it descends from a root, or that it is one.</summary>
    public static IEnumerable<Letter> Letters(
        SealedCausalChain? chain, GroupVersionKind kind, ObjectKey key, string uid, long generation, string declarer, string operatorName, bool exists)
    {
        if (uid.Length == 0)
            yield break;
        yield return chain is null
            ? new Letter(new Address(Subjects.Lineage, uid), new RootFact(kind, key, uid, generation, declarer, operatorName, exists))
            : new Letter(new Address(Subjects.Lineage, chain.RootUid), new DescendantFact(chain, kind, key, uid, operatorName, declarer));
    }

    private static void Label(JsonObject item, SealedCausalChain chain)
    {
        var labels = Child(item["metadata"]!.AsObject(), "labels");
        labels[LineageNames.RootIli] = LineageNames.LabelValue(LineageNames.Index(chain.RootKind, chain.RootName));
        labels[LineageNames.RootIliNamespace] = LineageNames.LabelValue(chain.RootNamespace);
        labels[LineageNames.SeamOperator] = LineageNames.LabelValue(chain.CreatingOperator.Name);
        labels[LineageNames.CreationRationale] = chain.CreationRationale.ToString();
    }

    private static JsonObject Child(JsonObject parent, string name)
    {
        if (parent[name] is JsonObject child)
            return child;
        var made = new JsonObject();
        parent[name] = made;
        return made;
    }
}
