using Governor.Domain.Audit;

namespace Governor.Domain.Approvals;

/// <summary>The events of approvals, and what a caller must be allowed to do to cause them.</summary>
public static class ApprovalActions
{
    /// <summary>The API group of the subjects of these events, and of the resources that roles name.</summary>
    public const string Group = AuditActions.Group;

    /// <summary>An approval, as a subject: its name is its id.</summary>
    public const string Kind = "Approval";

    /// <summary>The resource that approvals are read (<c>list</c>) and decided on (<c>approve</c>) as. No such kind is served by the cluster.</summary>
    public const string Resource = "approvals";

    /// <summary>The resource that an erasure is asked for (<c>create</c>) as.</summary>
    public const string ErasureResource = "auditerasures";

    public const string Requested = "approval.requested";

    public const string Approved = "approval.approved";

    public const string Rejected = "approval.rejected";

    public const string Expired = "approval.expired";

    /// <summary>Everything that the plan says is done.</summary>
    public const string Executed = "approval.executed";

    /// <summary>A part of the plan could not be done and will not be tried again.</summary>
    public const string Failed = "approval.failed";
}
