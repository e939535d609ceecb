namespace Governor.Manifests;

/// <summary>What a reader accepts before it gives up, so that hostile text costs little. Beyond any of them: <see cref="ManifestException"/>.</summary>
public sealed record ManifestLimits
{
    public static readonly ManifestLimits Default = new();

    /// <summary>Characters of text.</summary>
    public int Characters { get; init; } = 64 * 1024 * 1024;

    /// <summary>Nesting of mappings and sequences in a document.</summary>
    public int Depth { get; init; } = 100;

    /// <summary>Kubernetes objects, the items of lists counted one by one.</summary>
    public int Objects { get; init; } = 20_000;

    /// <summary>Nodes plus characters that aliases and merge keys may add, over all documents: the answer to a billion laughs.</summary>
    public long Expansion { get; init; } = 4_000_000;
}
