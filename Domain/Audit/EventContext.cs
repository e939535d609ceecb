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
        new(at, Actor, ActorRole, Subject, type, action, layer, field, previous, next, rationale, false, null, Lineage, Cluster, Correlation);
}
