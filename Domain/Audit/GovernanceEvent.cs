using Orleans;

namespace Governor.Domain.Audit;

/// <summary>The class of a change, as in the GovernanceEvent schema.</summary>
public enum ChangeType
{
    Governance,
    Operational,
    BindingState,
    OperatorEvent,
}

/// <summary>The object that an event is about: the reference that the GovernanceEvent schema lacks.</summary>
[GenerateSerializer, Immutable]
public sealed record EventSubject(string Group, string Kind, string Namespace, string Name, string Uid, long Generation)
{
    /// <summary>The identity under which events are chained: group, kind, namespace and name; a recreated object goes on with the chain.</summary>
    public string Chain => $"{Group}/{Kind}/{Namespace}/{Name}";
}

/// <summary>
/// One record of the audit trail (GovernanceEvent schema, with the object reference): what changed, from what to what, by whom,
/// in which role, why, and on which evidence. Written in the same transaction as the state it explains.
/// </summary>
/// <param name="At">When the decision was made, by the silo's clock; UTC.</param>
/// <param name="Actor">The principal: a Kubernetes user name, a service account, or <c>system:governor:&lt;grain&gt;</c>.</param>
/// <param name="ActorRole">The principal's role at that moment, e.g. <c>wrapper</c>, <c>guardian</c>, <c>human</c>.</param>
/// <param name="Action">The dotted name of what happened, e.g. <c>packexecution.gate-cleared</c>.</param>
/// <param name="Layer"><c>one</c> (organisational contract) or <c>two</c> (runtime).</param>
/// <param name="FieldChanged">JSONPath-like path of the field that changed.</param>
/// <param name="Lineage">UID of the root declaration, or "".</param>
/// <param name="Correlation">Joins the events of one flow, e.g. one delivery.</param>
/// <param name="Reviewer">The second principal who reviewed or approved the change, where there was one.</param>
[GenerateSerializer, Immutable]
public sealed record GovernanceEvent(
    DateTimeOffset At,
    string Actor,
    string ActorRole,
    EventSubject Subject,
    ChangeType ChangeType,
    string Action,
    string Layer,
    string FieldChanged,
    string? PreviousValue,
    string? NewValue,
    string? Rationale,
    bool RegulatoryImplication,
    string? GitRef,
    string Lineage,
    string Cluster,
    string Correlation,
    string? Reviewer = null);
