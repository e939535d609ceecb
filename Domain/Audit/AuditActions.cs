namespace Governor.Domain.Audit;

/// <summary>The actions of the events that are about the audit trail itself. The verifier understands these.</summary>
public static class AuditActions
{
    /// <summary>The API group of the subjects of these events.</summary>
    public const string Group = "audit.governor.ontai.dev";

    /// <summary>A record, as a subject: its name is its leaf index.</summary>
    public const string RecordKind = "AuditRecord";

    /// <summary>The log, as a subject: its name is its origin.</summary>
    public const string LogKind = "AuditLog";

    /// <summary>A human decided that the payload of a record shall be erased; the subject is the record.</summary>
    public const string ErasureApproved = "audit.erasure-approved";

    /// <summary>The payload of a record is gone; the subject is the record.</summary>
    public const string PayloadErased = "audit.payload-erased";

    /// <summary>An approved erasure was not carried out; the subject is the record, the rationale says why.</summary>
    public const string ErasureRefused = "audit.erasure-refused";

    /// <summary>The new value is a <see cref="LogKeyStatement"/>; the subject is the log.</summary>
    public const string KeyAdded = "audit.key-added";

    /// <inheritdoc cref="KeyAdded"/>
    public const string KeyRotated = "audit.key-rotated";

    /// <inheritdoc cref="KeyAdded"/>
    public const string KeyRevoked = "audit.key-revoked";

    /// <summary>A month of records was moved to an archive file; the subject is the log.</summary>
    public const string Archived = "audit.archived";

    /// <summary>A backup was restored into a scratch database and verified; the subject is the log.</summary>
    public const string RecoveryDrilled = "audit.recovery-drilled";

    public static bool IsKeyChange(string action) => action is KeyAdded or KeyRotated or KeyRevoked;

    /// <summary>
    /// Records about the trail itself keep their payloads: keys, and what was erased or archived and why, stay provable. So do those of
    /// approvals: without the plan nobody could show what was approved.
    /// </summary>
    public static bool MayBeErased(string action) =>
        !action.StartsWith("audit.", StringComparison.Ordinal) && !action.StartsWith("approval.", StringComparison.Ordinal);
}
