using System.Diagnostics.CodeAnalysis;

namespace Governor.Domain.Audit;

/// <summary>How the events of a trail change the keys that sign it.</summary>
public static class LogKeyHistory
{
    /// <summary>Takes an event of a key change (<see cref="AuditActions.IsKeyChange"/>).</summary>
    /// <param name="keys">As they are before this leaf.</param>
    /// <param name="leaf">The event's place in the log.</param>
    /// <param name="e">The event as its record has it; the values are read from the payload.</param>
    /// <param name="payload">The payload's canonical bytes, which the record commits to.</param>
    public static bool TryTake(
        LogKeyring keys, long leaf, GovernanceEvent e, ReadOnlyMemory<byte> payload, [NotNullWhen(true)] out LogKeyring? next, [NotNullWhen(false)] out string? fault)
    {
        next = null;
        var subject = e.Subject;
        if (subject.Group != AuditActions.Group || subject.Kind != AuditActions.LogKind || subject.Name != keys.Genesis.Name)
        {
            fault = $"expected the log '{keys.Genesis.Name}' as the subject, found {subject.Chain}";
            return false;
        }
        if (!AuditPayload.TryDecode(payload, out var values, out fault))
            return false;
        if (!LogKeyStatement.TryVerify(values.NewValue ?? "", out var statement, out fault))
            return false;
        if (statement.Action != e.Action)
        {
            fault = $"the event is '{e.Action}', its statement says '{statement.Action}'";
            return false;
        }
        return keys.TryApply(leaf, statement, out next, out fault);
    }
}
