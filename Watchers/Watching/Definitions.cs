using Governor.Domain.Kinds;
using Governor.Watchers.Client;

namespace Governor.Watchers.Watching;

/// <summary>Whether a kind that is not served has a definition all the same: then objects of it may exist.</summary>
internal sealed class Definitions(Session session, KubernetesOptions options)
{
    /// <exception cref="Governor.Grains.Interfaces.Ports.KubernetesException">The cluster does not say.</exception>
    public async Task<bool> DefineAsync(GroupVersionKind kind, CancellationToken cancellation)
    {
        var resource = await session.FindAsync(KnownKinds.CustomResourceDefinition, cancellation);
        var list = new ListPager(session, resource, null, null, null, options.PageSize);
        while (!list.IsDone)
            foreach (var item in (await list.NextAsync(cancellation)).Items)
                if (item.Object is not { } definition || Defines(definition, kind)) // one that cannot be read may be this one
                    return true;
        return false;
    }

    private static bool Defines(KubeObject definition, GroupVersionKind kind) =>
        definition.FindText("spec", "group") == kind.Group && definition.FindText("spec", "names", "kind") == kind.Kind;
}
