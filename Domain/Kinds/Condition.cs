using System.Text.Json.Serialization;
using Orleans;

namespace Governor.Domain.Kinds;

/// <summary>The three values of a condition's status (KEP-1623).</summary>
public enum ConditionStatus
{
    Unknown,
    True,
    False,
}

/// <summary>One entry of <c>status.conditions</c> (KEP-1623). The transition time moves only when the status changes.</summary>
[GenerateSerializer, Immutable]
public sealed record Condition(
    string Type,
    [property: JsonConverter(typeof(JsonStringEnumConverter<ConditionStatus>))] ConditionStatus Status,
    string Reason,
    string Message,
    DateTimeOffset LastTransitionTime,
    long ObservedGeneration = 0);
