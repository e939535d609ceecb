using System.Text;
using System.Text.Json.Nodes;
using System.Security.Cryptography;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Signing;

namespace Governor.Domain.Lineage;

/// <summary>How lineage is written onto the objects that we make, and told to the lineage index.</summary>
public static class Descent
{
    /// <summary>Holds the sealed chain on objects whose spec has no room for it.</summary>
    public const string ChainAnnotation = "infrastructure.ontai.dev/lineage";

    private const string Prefix = "infrastructure.ontai.dev/";
    private const int LongestLabelValue = 63;

    /// <summary>The name of the lineage index of a root: <c>lower(kind)-name</c>.</summary>
    public static string IndexName(string rootKind, string rootName) => $"{rootKind.ToLowerInvariant()}-{rootName}";

    /// <summary>Seals the chain into <c>spec.lineage</c> of one of our own kinds, and labels it with its root.</summary>
    public static KubeObject Seal(JsonObject item, SealedCausalChain? chain)
    {
        if (chain is null)
            return KubeObject.From(item);
        item["spec"]!["lineage"] = chain.ToJson();
        Label(item, chain);
        return KubeObject.From(item);
    }

    /// <summary>Marks an object of any kind with the chain that caused it. The same object and chain give the same bytes.</summary>
    public static KubeObject Stamp(KubeObject item, SealedCausalChain? chain)
    {
        if (chain is null)
            return item;
        var copy = item.ToJsonObject();
        Label(copy, chain);
        Child(copy["metadata"]!.AsObject(), "annotations")[ChainAnnotation] = Encoding.UTF8.GetString(CanonicalJson.Encode(chain.ToJson()));
        return KubeObject.From(copy);
    }

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

    /// <summary>A label value: names that are too long keep their beginning and get a digest, so that they stay distinct.</summary>
    public static string LabelValue(string text)
    {
        if (text.Length <= LongestLabelValue)
            return text;
        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..10];
        return $"{text[..(LongestLabelValue - 11)].TrimEnd('-', '.', '_')}-{digest}";
    }

    private static void Label(JsonObject item, SealedCausalChain chain)
    {
        var labels = Child(item["metadata"]!.AsObject(), "labels");
        labels[Prefix + "root-ili"] = LabelValue(IndexName(chain.RootKind, chain.RootName));
        labels[Prefix + "root-ili-namespace"] = chain.RootNamespace;
        labels[Prefix + "seam-operator"] = chain.OperatorName;
        labels[Prefix + "creation-rationale"] = chain.Rationale.ToString();
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
