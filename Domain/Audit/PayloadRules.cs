namespace Governor.Domain.Audit;

/// <summary>What must be true of a record's payload, wherever the two are together.</summary>
internal static class PayloadRules
{
    /// <param name="payload">Null when it was erased.</param>
    public static Finding? Judge(AuditRecord record, ReadOnlyMemory<byte>? payload) =>
        payload is { } present ? Present(record, present.Span) : Missing(record);

    public static Finding? Present(AuditRecord record, ReadOnlySpan<byte> payload) =>
        AuditPayload.CommitmentOf(payload) == record.Payload
            ? null
            : new Finding(AuditFaultClass.AlteredRecord, "values or rationale are not those that the record commits to");

    /// <summary>Whether it may be missing at all.</summary>
    public static Finding? Missing(AuditRecord record) =>
        AuditActions.MayBeErased(record.Event.Action) ? null
        : new Finding(
            AuditActions.IsKeyChange(record.Event.Action) ? AuditFaultClass.BadKeyStatement : AuditFaultClass.UnexplainedErasure,
            $"the payload of '{record.Event.Action}' is missing: what happens to the trail itself is never erased");
}
