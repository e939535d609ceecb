using System.Collections.Immutable;
using Governor.Domain.Kinds;

namespace Governor.Domain.Lineage;

/// <summary>
/// Reads a terminal outcome from conditions. Only what is True is terminal: Ready=False means "not yet" as often as "never", and a
/// sealed outcome cannot be taken back.
/// </summary>
public static class OutcomeClassification
{
    private static readonly ImmutableArray<(string Condition, OutcomeType Outcome)> Terminal =
    [
        ("Failed", OutcomeType.Failed),
        ("Superseded", OutcomeType.Superseded),
        ("Drifted", OutcomeType.Drifted),
        ("Succeeded", OutcomeType.Succeeded),
        (Conditions.Ready, OutcomeType.Succeeded),
    ];

    /// <summary>The outcome, or null while there is none.</summary>
    public static Outcome? Classify(string uid, ImmutableArray<Condition> conditions, DateTimeOffset now)
    {
        foreach (var (type, outcome) in Terminal)
            if (conditions.Find(type) is { Status: ConditionStatus.True } holding)
                return new Outcome(uid, outcome, now, holding.Reason, holding.Message);
        return null;
    }
}
