using Governor.Domain.Audit;
using Governor.Grains.Interfaces.Ports;
using Governor.Domain.Transparency;

namespace Governor.Journal.Recovery;

/// <summary>What all records, one after the other, leave behind: the heads of their chains, and each grain's last transition.</summary>
internal sealed class RecordReplay
{
    private readonly Dictionary<string, ChainHead> _chains = new(StringComparer.Ordinal);
    private readonly Dictionary<GrainKey, AuditTransition> _grains = [];

    public List<JournalFinding> Findings { get; } = [];

    public void Take(byte[] bytes)
    {
        if (!AuditRecord.TryDecode(bytes, out var record, out var fault))
        {
            Find(JournalFaultClass.UnreadableRecord, AuditRecord.HashOf(bytes).ToString(), -1, fault);
            return;
        }
        var chain = record.Event.Subject.Chain;
        var head = _chains.GetValueOrDefault(chain);
        if (record.Sequence != head.Sequence + 1 || record.Previous != head.Hash)
            Find(JournalFaultClass.BrokenChain, chain, record.Sequence, $"it does not follow record {head.Sequence}");
        _chains[chain] = new ChainHead(record.Sequence, AuditRecord.HashOf(bytes));
        var grain = new GrainKey(record.Transition.Subject, record.Transition.Key);
        if (!_grains.TryGetValue(grain, out var last) || last.Version <= record.Transition.Version)
            _grains[grain] = record.Transition;
    }

    public void CompareHead(string chain, ChainHead stored)
    {
        if (!_chains.Remove(chain, out var derived))
            Find(JournalFaultClass.AlteredHead, chain, stored.Sequence, "a head without records");
        else if (derived != stored)
            Find(JournalFaultClass.AlteredHead, chain, stored.Sequence, $"the stored head is {stored.Sequence} {stored.Hash}, the records end at {derived.Sequence} {derived.Hash}");
    }

    public void HeadsEnd()
    {
        foreach (var (chain, head) in _chains.OrderBy(c => c.Key, StringComparer.Ordinal))
            Find(JournalFaultClass.AlteredHead, chain, head.Sequence, "records without a head");
    }

    /// <param name="version">May be higher than the last record's: a commit that leaves the state as it is, is not recorded.</param>
    public void CompareState(GrainKey grain, long version, TreeHash state)
    {
        if (!_grains.Remove(grain, out var last))
            Find(JournalFaultClass.UnrecordedState, grain.ToString(), version, "there is a state, and no record of how it came about");
        else if (version < last.Version)
            Find(JournalFaultClass.AlteredState, grain.ToString(), version, $"its records are at version {last.Version}");
        else if (state != last.State)
            Find(JournalFaultClass.AlteredState, grain.ToString(), version, $"it is not the state that its record of version {last.Version} commits to");
    }

    public void StatesEnd()
    {
        foreach (var (grain, last) in _grains.OrderBy(g => g.Key.ToString(), StringComparer.Ordinal))
            Find(JournalFaultClass.MissingState, grain.ToString(), last.Version, "records without a state");
    }

    private void Find(JournalFaultClass @class, string where, long index, string detail)
    {
        // Counting on costs nothing, keeping all of them might.
        if (Findings.Count < JournalCheck.MostFindings)
            Findings.Add(new JournalFinding(@class, where, index, detail));
    }
}
