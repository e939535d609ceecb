namespace Governor.Domain.Facts;

/// <summary>The subjects of the actors: the first half of an <see cref="Address"/>, and the name of their rows in the journal.</summary>
public static class Subjects
{
    public const string Approval = "approval";
    public const string Bootstrap = "bootstrap";
    public const string Cluster = "cluster";
    public const string Erasure = "erasure";
    public const string Instance = "packinstance";
    public const string Execution = "packexecution";
    public const string IdentityBinding = "identitybinding";
    public const string IdentityProvider = "identityprovider";
    public const string Lineage = "lineage";
    public const string Membership = "membership";
    public const string Pack = "pack";
    public const string Permission = "permission";
    public const string PermissionSet = "permissionset";
    public const string Policy = "policy";
    public const string Profile = "profile";
    public const string Rbac = "rbac";
    public const string Receipt = "snapshotreceipt";
    public const string Refusals = "refusals";
    public const string Roster = "roster";
    public const string SigningKey = "signingkey";
}
