using Orleans;

namespace Governor.Domain.Kinds;

/// <summary>Where an object lives inside its cluster and kind; the namespace of a cluster-scoped object is empty.</summary>
[GenerateSerializer, Immutable]
public readonly record struct ObjectKey(string Namespace, string Name)
{
    public static ObjectKey Parse(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? new ObjectKey("", text) : new ObjectKey(text[..slash], text[(slash + 1)..]);
    }

    public override string ToString() => Namespace.Length == 0 ? Name : $"{Namespace}/{Name}";
}
