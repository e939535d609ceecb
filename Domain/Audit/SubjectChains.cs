using Governor.Domain.Transparency;

namespace Governor.Domain.Audit;

/// <summary>The last record of a subject's chain; the default is the chain that has none.</summary>
public readonly record struct ChainHead(long Sequence, TreeHash Hash);

/// <summary>Where each subject's chain stands while a trail is read.</summary>
internal sealed class SubjectChains
{
    private readonly Dictionary<string, ChainHead> _heads = new(StringComparer.Ordinal);

    public int Count => _heads.Count;

    public ChainHead Head(string chain) => _heads.GetValueOrDefault(chain);

    public void Advance(string chain, long sequence, TreeHash hash) => _heads[chain] = new ChainHead(sequence, hash);
}
