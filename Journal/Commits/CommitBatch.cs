using Governor.Domain.Audit;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Journal.Commits;

/// <summary>A move of one chain by one commit: the head it builds on, the head it leaves.</summary>
internal readonly record struct HeadMove(int Commit, string Chain, ChainHead Before, ChainHead After);

/// <summary>
/// Commits that go to the database together. No two of them share a grain or a chain, so that each succeeds or fails alone. Sorted,
/// so that two silos that meet lock in the same order.
/// </summary>
internal sealed class CommitBatch
{
    private CommitBatch(List<PendingCommit> commits)
    {
        Commits = commits;
    }

    public List<PendingCommit> Commits { get; }

    public List<HeadMove> Heads { get; } = [];

    /// <summary>The events with the index of their commit; their records carry their place in the chain.</summary>
    public List<(int Commit, EncodedEvent Event, long Sequence)> Events { get; } = [];

    /// <summary>Places every event behind the heads that the writer believes in.</summary>
    public static CommitBatch Compose(List<PendingCommit> commits, ChainHeads heads)
    {
        commits.Sort(static (a, b) =>
        {
            var bySubject = string.CompareOrdinal(a.Commit.Grain.Subject, b.Commit.Grain.Subject);
            return bySubject != 0 ? bySubject : string.CompareOrdinal(a.Commit.Grain.Key, b.Commit.Grain.Key);
        });
        var batch = new CommitBatch(commits);
        for (var i = 0; i < commits.Count; i++)
            batch.Place(i, heads);
        batch.Heads.Sort(static (a, b) => string.CompareOrdinal(a.Chain, b.Chain));
        return batch;
    }

    private void Place(int index, ChainHeads heads)
    {
        var commit = Commits[index];
        foreach (var chain in commit.Chains)
        {
            var before = heads.Get(chain);
            var head = before;
            foreach (var e in commit.Events)
            {
                if (e.Chain != chain)
                    continue;
                AuditRecord.Place(e.Record, head.Sequence + 1, head.Hash);
                head = new ChainHead(head.Sequence + 1, AuditRecord.HashOf(e.Record));
                Events.Add((index, e, head.Sequence));
            }
            Heads.Add(new HeadMove(index, chain, before, head));
        }
    }
}

/// <summary>Picks from the waiting commits those that can go together; the others keep their order and their turn.</summary>
internal sealed class BatchSelection(int limit)
{
    /// <summary>More than this goes in one message only when a single commit is that large.</summary>
    private const int MaximumBytes = 16 << 20;

    private readonly HashSet<GrainKey> _grains = [];
    private readonly HashSet<string> _chains = new(StringComparer.Ordinal);
    private long _bytes;

    public List<PendingCommit> Chosen { get; } = [];

    public List<PendingCommit> Left { get; } = [];

    public bool IsFull => Chosen.Count >= limit || _bytes >= MaximumBytes;

    public void Offer(PendingCommit commit)
    {
        // A commit that stays blocks its grain and chains for those behind it: nobody overtakes within a grain or a chain.
        var free = _grains.Add(commit.Commit.Grain);
        foreach (var chain in commit.Chains)
            free &= _chains.Add(chain);
        if (!free || IsFull)
            Left.Add(commit);
        else if (commit.TrySend())
        {
            Chosen.Add(commit);
            _bytes += commit.Bytes;
        }
    }
}
