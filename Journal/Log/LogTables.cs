using System.Globalization;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;
using Npgsql;

namespace Governor.Journal.Log;

/// <summary>A checkpoint as stored.</summary>
internal sealed record StoredCheckpoint(long Size, TreeHash Root, string Note);

/// <summary>Why nothing is signed, by whose order and since when.</summary>
internal sealed record LogHold(string Reason, string By, DateTimeOffset Since)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"the log is on hold since {Since:u} by {By}: {Reason}");
}

/// <summary>What waited and has its place now.</summary>
/// <param name="Size">Of the log, after.</param>
/// <param name="Waited">Since when the oldest of them had waited.</param>
internal sealed record Placed(int Batches, long Size, TimeSpan Waited);

/// <summary>The statements over the order of the log and its checkpoints.</summary>
internal static class LogTables
{
    /// <summary>The notification that a checkpoint was stored; its payload is the size.</summary>
    public const string Channel = "governor_checkpoint";

    private const long LeaderLock = 0x676f7665726e6f72; // "governor"

    /// <summary>What the records of key changes are recognised by; the partial index of the events has the same condition.</summary>
    private const string IsKeyChange = $"e.action IN ('{AuditActions.KeyAdded}', '{AuditActions.KeyRotated}', '{AuditActions.KeyRevoked}')";

    /// <summary>Becomes the one sequencer, for as long as this connection lives; answers the newest checkpoint there is, too.</summary>
    public static async Task<(bool Leads, long? Size, DateTimeOffset? SignedAt)> TryLeadAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("""
            SELECT pg_try_advisory_lock($1), c.size, c.signed_at
            FROM (VALUES (1)) one LEFT JOIN (SELECT size, signed_at FROM governor.log_checkpoint ORDER BY size DESC LIMIT 1) c ON true
            """, connection);
        command.Parameters.AddWithValue(LeaderLock);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        return (reader.GetBoolean(0), reader.IsDBNull(1) ? null : reader.GetInt64(1), reader.IsDBNull(2) ? null : reader.GetFieldValue<DateTimeOffset>(2));
    }

    public static async Task<StoredCheckpoint?> LastCheckpointAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT size, root, note FROM governor.log_checkpoint ORDER BY size DESC LIMIT 1", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        if (!await reader.ReadAsync(cancellation))
            return null;
        var (size, root) = (reader.GetInt64(0), reader.GetFieldValue<byte[]>(1));
        return root.Length == TreeHash.Size
            ? new StoredCheckpoint(size, new TreeHash(root), reader.GetString(2))
            : throw new LogContradictionException($"the stored root of {size} leaves has {root.Length} bytes: the database was altered. Nothing is signed until it is restored");
    }

    /// <summary>The key that the log began with; null before the first checkpoint.</summary>
    /// <exception cref="LogContradictionException">What is stored is not a key.</exception>
    public static async Task<VerifierKey?> GenesisAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT key FROM governor.log_genesis", connection);
        if (await command.ExecuteScalarAsync(cancellation) is not string text)
            return null;
        return VerifierKey.TryParse(text, out var key)
            ? key
            : throw new LogContradictionException($"the stored genesis key '{text}' is not a verifier key: the database was altered");
    }

    /// <summary>The oldest hold; null when nothing is held.</summary>
    public static async Task<LogHold?> HoldAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT reason, by, since FROM governor.log_hold ORDER BY since, id LIMIT 1", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation) ? new LogHold(reader.GetString(0), reader.GetString(1), reader.GetFieldValue<DateTimeOffset>(2)) : null;
    }

    /// <summary>How many leaves have their place, and how many wait for one.</summary>
    public static async Task<(long Placed, long Waiting)> ExtentAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("""
            SELECT coalesce((SELECT leaf + leaves FROM governor.log_segment ORDER BY leaf DESC LIMIT 1), 0), coalesce((SELECT sum(events) FROM governor.log_pending), 0)::bigint
            """, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        return (reader.GetInt64(0), reader.GetInt64(1));
    }

    /// <summary>
    /// Gives the waiting batches their place behind <paramref name="size"/>, for good. Ordered by batch: a batch that continues a chain
    /// started after the one it continues was committed, so that its number is larger, and whoever sees it sees that one too.
    /// </summary>
    /// <param name="batches">At most so many.</param>
    /// <param name="leaves">No further batch once there are so many leaves.</param>
    public static async Task<Placed> TakePendingAsync(NpgsqlConnection connection, long size, int batches, long leaves, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("""
            WITH first AS (
                SELECT batch, sum(events) OVER (ORDER BY batch) - events AS before
                FROM (SELECT batch, events FROM governor.log_pending ORDER BY batch LIMIT $2) p
            ), taken AS (
                DELETE FROM governor.log_pending WHERE batch IN (SELECT batch FROM first WHERE before < $3)
                RETURNING batch, events, recorded_at
            ), placed AS (
                INSERT INTO governor.log_segment (leaf, leaves, batch)
                SELECT $1 + sum(events) OVER (ORDER BY batch) - events, events, batch FROM taken
            )
            SELECT count(*)::int, $1 + coalesce(sum(events), 0)::bigint, coalesce(extract(epoch FROM clock_timestamp() - min(recorded_at)), 0)::float8 FROM taken
            """, connection);
        command.Parameters.AddWithValue(size);
        command.Parameters.AddWithValue(batches);
        command.Parameters.AddWithValue(leaves);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        return new Placed(reader.GetInt32(0), reader.GetInt64(1), TimeSpan.FromSeconds(Math.Max(0, reader.GetDouble(2))));
    }

    /// <summary>The first border between batches at or behind a leaf.</summary>
    public static async Task<long> BorderAsync(NpgsqlConnection connection, long leaf, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT leaf + leaves FROM governor.log_segment WHERE leaf < $1 ORDER BY leaf DESC LIMIT 1", connection);
        command.Parameters.AddWithValue(leaf);
        return (long)(await command.ExecuteScalarAsync(cancellation) ?? leaf);
    }

    /// <summary>The records and payloads, where they are not erased, of the leaves from <paramref name="begin"/> to <paramref name="end"/>, both at segment borders.</summary>
    public static NpgsqlCommand Leaves(NpgsqlConnection connection, long begin, long end) => Leaves(connection, "e.payload", begin, end);

    /// <summary>The same, with the payloads of key changes only.</summary>
    public static NpgsqlCommand LeavesAndKeys(NpgsqlConnection connection, long begin, long end) =>
        Leaves(connection, $"CASE WHEN {IsKeyChange} THEN e.payload END", begin, end);

    /// <summary>
    /// Leaf, record and payload of every key change; those that have no place yet come last, without leaf.
    /// </summary>
    public static NpgsqlCommand KeyChanges(NpgsqlConnection connection) => new($"""
        SELECT (SELECT s.leaf FROM governor.log_segment s WHERE s.batch = e.batch) + e.ordinal, e.record, e.payload
        FROM governor.governance_event e
        WHERE {IsKeyChange}
        ORDER BY 1 NULLS LAST, e.batch, e.ordinal
        """, connection);

    /// <summary>A payload; null when it was erased.</summary>
    public static ReadOnlyMemory<byte>? Payload(NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? default(ReadOnlyMemory<byte>?) : reader.GetFieldValue<byte[]>(column);

    private static NpgsqlCommand Leaves(NpgsqlConnection connection, string payload, long begin, long end)
    {
        var command = new NpgsqlCommand($"""
            SELECT e.record, {payload}
            FROM governor.log_segment s JOIN governor.governance_event e ON e.batch = s.batch
            WHERE s.leaf >= $1 AND s.leaf < $2
            ORDER BY s.leaf, e.ordinal
            """, connection);
        command.Parameters.AddWithValue(begin);
        command.Parameters.AddWithValue(end);
        return command;
    }

    /// <summary>From now on the connection is notified of checkpoints.</summary>
    public static async Task ListenAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"LISTEN {Channel}", connection);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>Makes the partitions ahead and forgets what is too old to be repeated.</summary>
    public static async Task TidyAsync(NpgsqlConnection connection, int partitionsAhead, TimeSpan retention, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("""
            WITH ids AS (DELETE FROM governor.commit_id WHERE committed_at < now() - $2),
                 writers AS (DELETE FROM governor.journal_writer WHERE seen_at < now() - greatest($2, interval '30 days'))
            SELECT governor.ensure_event_partitions($1)
            """, connection);
        command.Parameters.AddWithValue(partitionsAhead);
        command.Parameters.AddWithValue(retention);
        await command.ExecuteNonQueryAsync(cancellation);
    }
}
