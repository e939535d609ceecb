using Governor.Domain.Kinds;
using Governor.Domain.Packs;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Grains.Governing;

/// <summary>Writes an object whose spec is signed: it has to be there to the letter, or not at all.</summary>
internal static class ExactObject
{
    /// <summary>
    /// Server-side apply takes back what others changed, and leaves what they added. An object with something added is another one than
    /// was signed: it goes, and is made anew.
    /// </summary>
    public static async Task ApplyAsync(ICluster cluster, KubeObject intent, string fieldManager, CancellationToken cancellation)
    {
        var wanted = PackSpec.DigestOf(intent);
        var made = await cluster.ApplyAsync(intent, fieldManager, new ApplyOptions(Force: true), cancellation);
        if (PackSpec.DigestOf(made) == wanted)
            return;
        await cluster.DeleteAsync(intent.Gvk, intent.Key, made.Uid, cancellation);
        made = await cluster.ApplyAsync(intent, fieldManager, new ApplyOptions(Force: true), cancellation);
        if (PackSpec.DigestOf(made) is var found && found != wanted)
            throw new KubernetesException(
                422, "Altered", $"{intent} on cluster {cluster.Name}: expected a spec with digest {wanted}, found {found}: the API server changes it; is its CustomResourceDefinition ours?");
    }
}
