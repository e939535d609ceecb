using Governor.Domain.Audit;
using Governor.Domain.Transparency;
using Npgsql;

namespace Governor.Journal.Log;

/// <summary>Follows the keys of the log through its records.</summary>
internal static class KeyStatements
{
    private static ReadOnlySpan<byte> Trace => "audit.key-"u8;

    /// <summary>
    /// Whether a record has to be looked at: it names such an action, wherever. Asked of every leaf, and of the bytes that are
    /// hashed: the columns beside them could be altered without a trace.
    /// </summary>
    public static bool MayBeIn(ReadOnlySpan<byte> record) => record.IndexOf(Trace) >= 0;

    /// <summary>The keys after a record.</summary>
    /// <exception cref="LogContradictionException">The record changes keys, and has not the statement that a change needs.</exception>
    public static LogKeyring Follow(LogKeyring keys, long leaf, ReadOnlyMemory<byte> record, ReadOnlyMemory<byte>? payload)
    {
        if (!AuditRecord.TryDecode(record.Span, out var decoded, out var fault))
            throw Contradiction(leaf, $"the record cannot be read: {fault}");
        if (!AuditActions.IsKeyChange(decoded.Event.Action))
            return keys;
        if (payload is not { } bytes || AuditPayload.CommitmentOf(bytes.Span) != decoded.Payload)
            throw Contradiction(leaf, "its payload is not the one that the record commits to");
        if (!AuditPayload.TryDecode(bytes, out var values, out fault) || !LogKeyStatement.TryVerify(values.NewValue ?? "", out var statement, out fault))
            throw Contradiction(leaf, fault!);
        if (statement.Action != decoded.Event.Action)
            throw Contradiction(leaf, $"the event is '{decoded.Event.Action}', the statement in it '{statement.Action}'");
        return keys.TryApply(leaf, statement, out var next, out fault) ? next : throw Contradiction(leaf, fault);
    }

    /// <summary>The keys of the log up to a size, or with everything that is committed.</summary>
    /// <param name="size">Of the tree; null for all, those that have no place yet included.</param>
    /// <exception cref="LogContradictionException">A record changes keys, and has not the statement that a change needs.</exception>
    public static async Task<LogKeyring> ReadAsync(NpgsqlConnection connection, VerifierKey genesis, long? size, CancellationToken cancellation)
    {
        await using var command = LogTables.KeyChanges(connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var keys = LogKeyring.Of(genesis);
        var next = 0L;
        while (await reader.ReadAsync(cancellation))
        {
            // What has no place yet will come behind everything that has one.
            var leaf = reader.IsDBNull(0) ? next : reader.GetInt64(0);
            if (size is { } limit && (reader.IsDBNull(0) || leaf >= limit))
                break;
            keys = Follow(keys, leaf, reader.GetFieldValue<byte[]>(1), LogTables.Payload(reader, 2));
            next = leaf + 1;
        }
        return keys;
    }

    private static LogContradictionException Contradiction(long leaf, string fault) =>
        new($"leaf {leaf} changes the keys of the log, and is not followed: {fault}. Nothing is signed until the log is restored to where it was before");
}
