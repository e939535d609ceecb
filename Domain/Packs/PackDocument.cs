using System.Text;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Domain.Signing;

namespace Governor.Domain.Packs;

/// <summary>
/// A ClusterPack as far as its signature goes: name, spec, signature. Canonical, so that whoever holds the text can verify it long after
/// the object is gone.
/// </summary>
public static class PackDocument
{
    public static string Of(KubeObject pack) => Encoding.UTF8.GetString(CanonicalJson.Encode(new JsonObject
    {
        ["apiVersion"] = KnownKinds.ClusterPack.ApiVersion,
        ["kind"] = KnownKinds.ClusterPack.Kind,
        ["metadata"] = new JsonObject
        {
            ["name"] = pack.Name,
            ["namespace"] = pack.Namespace,
            ["uid"] = pack.Uid,
            ["annotations"] = new JsonObject { [PackSignature.Annotation] = pack.Annotations.GetValueOrDefault(PackSignature.Annotation, "") },
        },
        ["spec"] = JsonNode.Parse(pack.Spec.GetRawText()),
    }));

    /// <exception cref="FormatException">It is no document of a pack.</exception>
    public static KubeObject Read(string document)
    {
        var pack = KubeObject.Parse(Encoding.UTF8.GetBytes(document));
        return pack.Gvk == KnownKinds.ClusterPack ? pack : throw new FormatException($"expected the document of a ClusterPack, found {pack.Gvk}");
    }
}
