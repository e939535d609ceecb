using System.Collections.Immutable;
using Governor.Domain.Facts;
using Governor.Domain.Signing;

namespace Governor.Domain.Approvals;

public enum ApprovalPhase
{
    /// <summary>Nobody has asked yet.</summary>
    None,
    Requested,
    Approved,
    Rejected,
    Expired,

    /// <summary>Approved, and done.</summary>
    Executed,

    /// <summary>Approved, and not all of it could be done.</summary>
    Failed,
}

/// <param name="Plan">Canonical JSON; <paramref name="Digest"/> is the SHA-256 of its UTF-8 bytes.</param>
/// <param name="Executors">Who carries it out; follows from the plan.</param>
public sealed record ApprovalRequest(
    string Action, string Plan, Digest Digest, string RequestedBy, string RequesterRole, string Why, DateTimeOffset At, DateTimeOffset Expires,
    ImmutableArray<Address> Executors);

/// <summary>The approval record: who, why, bound to the digest of the exact plan.</summary>
public sealed record ApprovalRecord(ApprovalVerdict Verdict, string By, string Why, Digest Plan, DateTimeOffset At);

/// <param name="Fault">Empty when it did its part.</param>
public sealed record PlanOutcome(Address Executor, string Fault);

/// <summary>One request for one human decision.</summary>
public sealed record ApprovalState(string Id, ApprovalPhase Phase, ApprovalRequest? Request, ApprovalRecord? Record, ImmutableArray<PlanOutcome> Outcomes)
{
    public static ApprovalState Initial(string id) => new(id, ApprovalPhase.None, null, null, []);

    /// <summary>The phase at a moment: a request that nobody touched since its time ran out is expired, although no event says so yet.</summary>
    public ApprovalPhase PhaseAt(DateTimeOffset now) => Phase == ApprovalPhase.Requested && now >= Request!.Expires ? ApprovalPhase.Expired : Phase;
}

public abstract record ApprovalInput
{
    private ApprovalInput()
    {
    }

    public sealed record Drafted(ApprovalDraft Draft) : ApprovalInput;

    public sealed record Ruled(ApprovalRuling Ruling) : ApprovalInput;

    public sealed record Told(Fact Fact) : ApprovalInput;

    public sealed record Ticked : ApprovalInput;
}
