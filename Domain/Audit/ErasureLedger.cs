using System.Globalization;

namespace Governor.Domain.Audit;

/// <summary>
/// Which payloads are missing, and which of these the trail itself explains: by a later event that says that it was erased.
/// </summary>
internal sealed class ErasureLedger
{
    private readonly SortedDictionary<long, State> _missing = [];

    private enum State
    {
        Unexplained,
        Approved,
    }

    /// <summary>How many payloads are missing, explained or not.</summary>
    public long Count { get; private set; }

    /// <summary>The payload of this leaf is missing.</summary>
    public void Miss(long leaf)
    {
        Count++;
        _missing.Add(leaf, State.Unexplained);
    }

    /// <summary>Takes an event as it passes. It explains earlier leaves only: what is not there yet cannot have been erased.</summary>
    public void Take(GovernanceEvent e)
    {
        if (e.Action is not (AuditActions.PayloadErased or AuditActions.ErasureApproved) || LeafOf(e.Subject) is not { } leaf || !_missing.ContainsKey(leaf))
            return;
        if (e.Action == AuditActions.PayloadErased)
            _missing.Remove(leaf);
        else
            _missing[leaf] = State.Approved;
    }

    /// <summary>The first leaf that nothing explains.</summary>
    public long? FirstUnexplained => First(State.Unexplained);

    /// <summary>The first leaf whose erasure was approved, but is not in the trail yet: the trail was read in between.</summary>
    public long? FirstUnrecorded => First(State.Approved);

    private long? First(State state)
    {
        foreach (var (leaf, found) in _missing)
        {
            if (found == state)
                return leaf;
        }
        return null;
    }

    private static long? LeafOf(EventSubject subject) =>
        subject.Group == AuditActions.Group && subject.Kind == AuditActions.RecordKind
        && long.TryParse(subject.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var leaf)
        && subject.Name == leaf.ToString(CultureInfo.InvariantCulture)
            ? leaf
            : null;
}
