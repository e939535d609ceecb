using System.Text.Json.Serialization;
using Governor.Domain.Facts;
using Governor.Domain.Signing;
using Orleans;

namespace Governor.Domain.Approvals;

/// <summary>Somebody asks that something be done. Anybody may draft, also an AI.</summary>
/// <param name="Action">What kind of plan it is; one that <see cref="Plans"/> knows.</param>
/// <param name="Plan">Exactly what shall be done, in canonical JSON. Its digest is what is approved.</param>
/// <param name="Why">Must not be empty.</param>
[GenerateSerializer, Immutable]
public sealed record ApprovalDraft(string Action, string Plan, Caller By, string Why);

[JsonConverter(typeof(JsonStringEnumConverter<ApprovalVerdict>))]
public enum ApprovalVerdict
{
    Approve,
    Reject,
}

/// <summary>Somebody decides on a request.</summary>
/// <param name="Plan">The digest of the plan that they have read.</param>
/// <param name="Why">Must not be empty.</param>
[GenerateSerializer, Immutable]
public sealed record ApprovalRuling(ApprovalVerdict Verdict, Caller By, string Why, Digest Plan);

public enum RefusalReason
{
    /// <summary>There is no such request.</summary>
    Unknown,

    /// <summary>What was sent cannot be taken.</summary>
    Malformed,

    /// <summary>Only a human decides.</summary>
    NotHuman,

    /// <summary>Whoever asks does not decide.</summary>
    SamePerson,

    /// <summary>The decision is about another plan.</summary>
    OtherPlan,

    /// <summary>There was no decision in time.</summary>
    Expired,

    /// <summary>It was decided already, otherwise or by somebody else.</summary>
    Decided,

    /// <summary>Another request has this id.</summary>
    Taken,
}

/// <summary>Why something was not accepted.</summary>
[GenerateSerializer, Immutable]
public sealed record ApprovalRefusal(RefusalReason Reason, string What, string Expected, string Found)
{
    public override string ToString() => $"{What}: expected {Expected}, found {Found}";
}

/// <summary>A human has approved this plan: told to those who carry it out, until each has answered.</summary>
[GenerateSerializer, Immutable]
public sealed record PlanApproved(
    string Approval, string Action, string Plan, Digest Digest, string RequestedBy, string ApprovedBy, string Why, DateTimeOffset ApprovedAt) : Fact
{
    [JsonIgnore]
    public override string Topic => $"{nameof(PlanApproved)} {Approval}";
}

/// <summary>What one of those who carry it out has done.</summary>
/// <param name="Fault">Why it cannot be done; empty when it is done.</param>
[GenerateSerializer, Immutable]
public sealed record PlanExecuted(string Approval, Digest Digest, string Fault) : Fact
{
    [JsonIgnore]
    public override string Topic => $"{nameof(PlanExecuted)} {Approval}";
}
