using System.Collections.Immutable;
using Governor.Domain.Facts;
using Governor.Domain.Signing;

namespace Governor.Domain.Approvals;

public enum ErasureStage
{
    /// <summary>Nothing is to be done.</summary>
    None,

    /// <summary>A plan that names this record is approved; whether it is the record that was meant has to be looked up.</summary>
    Asked,

    /// <summary>The event that the database demands is committed: erase.</summary>
    Approved,

    /// <summary>The payload is gone.</summary>
    Erased,
}

/// <summary>On what ground a payload is erased.</summary>
/// <param name="Target">As the approved plan names it.</param>
/// <param name="Plan">The digest that was approved.</param>
public sealed record ErasureGrounds(
    string Approval, Digest Plan, ErasureTarget Target, string Reason, string RequestedBy, string ApprovedBy, string Why, DateTimeOffset ApprovedAt);

/// <summary>What an approval has to be told.</summary>
public sealed record ErasureAnswer(string Approval, Digest Plan, string Fault);

/// <summary>The erasure of one record's payload.</summary>
/// <param name="Grounds">What is being done, or was done, and why.</param>
/// <param name="Waiting">Further approvals that name this record, while one is under way.</param>
public sealed record ErasureState(
    long Leaf, ErasureStage Stage, ErasureGrounds? Grounds, ImmutableArray<ErasureGrounds> Waiting, ImmutableArray<ErasureAnswer> Answers)
{
    public static ErasureState Initial(long leaf) => new(leaf, ErasureStage.None, null, [], []);

    /// <summary>Whether this approval has been heard of.</summary>
    public bool Knows(string approval) =>
        Answers.Any(answer => answer.Approval == approval) || Waiting.Any(waiting => waiting.Approval == approval)
        || (Stage is ErasureStage.Asked or ErasureStage.Approved && Grounds!.Approval == approval);
}

public abstract record ErasureInput
{
    private ErasureInput()
    {
    }

    public sealed record Told(Fact Fact) : ErasureInput;

    /// <summary>What stands at this place of the log.</summary>
    /// <param name="Record">Null when the log is not that long.</param>
    public sealed record Found(ErasureTarget? Record) : ErasureInput;

    /// <summary>The payload is gone.</summary>
    public sealed record Erased(string Approval) : ErasureInput;

    /// <summary>The database will not do it.</summary>
    public sealed record Impossible(string Approval, string Why) : ErasureInput;
}
