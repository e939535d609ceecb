using System.Text;

namespace Governor.Domain.Audit;

/// <summary>What the events of one decision have in common: about what, by whom, in which flow.</summary>
public sealed record EventContext(EventSubject Subject, string Actor, string ActorRole, string Lineage, string Cluster, string Correlation)
{
    /// <summary>The organisational contract (layer one) or what runs under it (layer two).</summary>
    public const string LayerOne = "one", LayerTwo = "two";

    /// <summary>A change of what is running.</summary>
    public GovernanceEvent Operational(DateTimeOffset at, string action, string field, string? previous, string? next, string rationale) =>
        Make(at, ChangeType.Operational, LayerTwo, action, field, previous, next, rationale);

    /// <summary>A change of what is allowed.</summary>
    public GovernanceEvent Governance(DateTimeOffset at, string action, string field, string? previous, string? next, string rationale) =>
        Make(at, ChangeType.Governance, LayerOne, action, field, previous, next, rationale);

    /// <summary>An operator did something that changes neither.</summary>
    public GovernanceEvent Operator(DateTimeOffset at, string action, string field, string? previous, string? next, string rationale) =>
        Make(at, ChangeType.OperatorEvent, LayerTwo, action, field, previous, next, rationale);

    private GovernanceEvent Make(
        DateTimeOffset at, ChangeType type, string layer, string action, string field, string? previous, string? next, string rationale) =>
        new(
            at, Plain(Actor), ActorRole, Subject, type, action, layer, Plain(field), previous is null ? null : Plain(previous), next is null ? null : Plain(next),
            Plain(rationale), false, null, Plain(Lineage), Plain(Cluster), Plain(Correlation));

    // Much of it is what others wrote. A text that cannot be stored would keep its actor from ever committing again.
    private static string Plain(string text)
    {
        if (!text.Any(c => char.IsControl(c) || char.IsSurrogate(c)))
            return text;
        var plain = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            plain.Append(!Rune.IsControl(rune) ? rune.ToString() : Rune.IsWhiteSpace(rune) ? " " : "\uFFFD");
        return plain.ToString();
    }
}
