using Governor.Domain.Audit;

namespace Governor.Journal.Commits;

/// <summary>
/// The chain heads that the writer believes in. Only a hint: every batch compares them with the stored ones, and a wrong one costs
/// a repetition, never a wrong chain. Two generations bound its size: what is not used moves to the old one and falls out with it.
/// </summary>
internal sealed class ChainHeads(int generation = 50_000)
{
    private Dictionary<string, ChainHead> _young = new(StringComparer.Ordinal);
    private Dictionary<string, ChainHead> _old = new(StringComparer.Ordinal);

    /// <summary>The head, or the default, which is right for a chain that does not exist yet.</summary>
    public ChainHead Get(string chain)
    {
        if (_young.TryGetValue(chain, out var head))
            return head;
        if (_old.TryGetValue(chain, out head))
            Set(chain, head);
        return head;
    }

    public void Set(string chain, ChainHead head)
    {
        if (_young.Count >= generation && !_young.ContainsKey(chain))
            (_old, _young) = (_young, new Dictionary<string, ChainHead>(StringComparer.Ordinal));
        _young[chain] = head;
    }
}
