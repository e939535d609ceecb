using System.Text.Json.Serialization;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Lineage;

/// <summary>A root declaration exists (or is gone): its lineage index follows it.</summary>
[GenerateSerializer, Immutable]
public sealed record RootFact(GroupVersionKind Kind, ObjectKey Key, string Uid, long Generation, string Declarer, string Operator, bool Exists) : Fact;

/// <summary>An object was made because of a root declaration.</summary>
[GenerateSerializer, Immutable]
public sealed record DescendantFact(SealedCausalChain Chain, GroupVersionKind Kind, ObjectKey Key, string Uid, string Operator, string ActorRef) : Fact
{
    [JsonIgnore]
    public override string Topic => $"descendant {Uid}";
}

/// <summary>A descendant reached its end.</summary>
[GenerateSerializer, Immutable]
public sealed record OutcomeFact(string Uid, OutcomeType Type, DateTimeOffset At, string Reference, string Detail) : Fact
{
    [JsonIgnore]
    public override string Topic => $"outcome {Uid}";
}
