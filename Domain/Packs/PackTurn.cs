using System.Collections.Immutable;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Packs;

/// <summary>
/// From a PackInstance to the attempts of its lineage: whose turn it is. One of them at a time may write to the target, and one that a
/// newer declaration made pointless steps aside.
/// </summary>
/// <param name="Number">Grows with every change; the attempt says the number back, so that it is known what it has heard.</param>
/// <param name="Holder">The PackExecution that may write, as <c>namespace/name</c>; "" while nobody may.</param>
/// <param name="SupersededBy">What came in place of the receiver; "" when nothing did.</param>
/// <param name="WaitsFor">What has to end first, when it is not the receiver's turn.</param>
[GenerateSerializer, Immutable]
public sealed record TurnFact(ObjectKey Instance, long Number, string Holder, string SupersededBy, string WaitsFor) : Fact;

public enum AttemptStanding
{
    /// <summary>It has written nothing, and may begin when it is its turn.</summary>
    Waiting,

    /// <summary>It writes.</summary>
    Writing,

    Succeeded,

    Failed,

    /// <summary>It stepped aside before its first write.</summary>
    Superseded,
}

/// <summary>From an attempt to its PackInstance.</summary>
/// <param name="Heard">Number of the last turn that it was told.</param>
/// <param name="Inventory">What it has put on the target without succeeding.</param>
[GenerateSerializer, Immutable]
public sealed record AttemptFact(
    ObjectKey Execution, string Uid, bool Exists, AttemptStanding Standing, long Heard, DateTimeOffset? FinishedAt, ImmutableArray<DeployedResource> Inventory) : Fact;

/// <summary>From a PackInstance to the execution that restores one of its releases: what that release was.</summary>
/// <param name="Release">Null when it is not retained any more.</param>
/// <param name="Refusal">Why its signature does not count any more; "" when it does.</param>
[GenerateSerializer, Immutable]
public sealed record ReleaseFact(ObjectKey Instance, int Revision, Release? Release, string Refusal) : Fact;
