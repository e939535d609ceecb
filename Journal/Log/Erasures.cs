using Governor.Domain.Approvals;
using Governor.Domain.Audit;
using Governor.Grains.Interfaces.Ports;
using Npgsql;

namespace Governor.Journal.Log;

/// <summary>Erases payloads through the one function of the database that can; the silo's role may call it and may not update anything.</summary>
public sealed class Erasures(JournalDatabase database) : IErasures
{
    /// <summary>The class of the errors with which the function refuses.</summary>
    private const string RefusalClass = "UE";

    public Task<ErasureTarget?> FindAsync(long leaf, CancellationToken cancellation) =>
        database.ReadAsync($"read leaf {leaf}", async (connection, token) =>
        {
            await using var command = new NpgsqlCommand("""
                SELECT e.record
                FROM (SELECT leaf, leaves, batch FROM governor.log_segment WHERE leaf <= $1 ORDER BY leaf DESC LIMIT 1) s
                JOIN governor.governance_event e ON e.batch = s.batch AND e.ordinal = $1 - s.leaf
                WHERE $1 < s.leaf + s.leaves
                """, connection);
            command.Parameters.AddWithValue(leaf);
            return await command.ExecuteScalarAsync(token) is byte[] record ? Read(leaf, record) : null;
        }, cancellation);

    // Called again when the connection was lost: it erases what is there, and nothing when nothing is.
    public Task EraseAsync(long leaf, Guid approval, CancellationToken cancellation) =>
        database.ReadAsync($"erase the payload of leaf {leaf}", async (connection, token) =>
        {
            await using var command = new NpgsqlCommand("SELECT governor.erase_payload($1, $2)", connection);
            command.Parameters.AddWithValue(leaf);
            command.Parameters.AddWithValue(approval);
            try
            {
                return (bool)(await command.ExecuteScalarAsync(token))!;
            }
            catch (PostgresException e) when (e.SqlState.StartsWith(RefusalClass, StringComparison.Ordinal))
            {
                throw new ErasureRefusedException(e.MessageText, e);
            }
        }, cancellation);

    private static ErasureTarget Read(long leaf, byte[] bytes) => AuditRecord.TryDecode(bytes, out var record, out var fault)
        ? new ErasureTarget(leaf, AuditRecord.HashOf(bytes).ToString(), record.Event.Subject.Chain, record.Event.Action)
        : throw new InvalidDataException($"leaf {leaf}: the stored record cannot be read: {fault}; verify an export");
}
