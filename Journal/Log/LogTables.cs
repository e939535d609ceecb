using Governor.Domain.Audit;
using Governor.Domain.Transparency;
using Npgsql;

namespace Governor.Journal.Log;

/// <summary>A checkpoint as stored: with the frontier that the next one starts from.</summary>
internal sealed record StoredCheckpoint(long Size, TreeHash Root, byte[] Frontier, string Note);

/// <summary>The statements over the log's tables.</summary>
internal static class LogTables
{
    /// <summary>The notification that a checkpoint was stored; its payload is the size.</summary>
    public const string Channel = "governor_checkpoint";

    private const long LeaderLock = 0x676f7665726e6f72; // "governor"

    /// <summary>Becomes the one sequencer, for as long as this connection lives.</summary>
    public static async Task<bool> TryLeadAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT pg_try_advisory_lock($1)", connection);
        command.Parameters.AddWithValue(LeaderLock);
        return (bool)(await command.ExecuteScalarAsync(cancellation))!;
    }

    public static async Task<StoredCheckpoint?> LastCheckpointAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT size, root, frontier, note FROM governor.log_checkpoint ORDER BY size DESC LIMIT 1", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation)
            ? new StoredCheckpoint(reader.GetInt64(0), new TreeHash(reader.GetFieldValue<byte[]>(1)), reader.GetFieldValue<byte[]>(2), reader.GetString(3))
            : null;
    }

    /// <summary>How many leaves have their place.</summary>
    public static async Task<long> SizeAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT coalesce((SELECT leaf + leaves FROM governor.log_segment ORDER BY leaf DESC LIMIT 1), 0)", connection);
        return (long)(await command.ExecuteScalarAsync(cancellation))!;
    }

    /// <summary>
    /// Gives the waiting batches their place behind <paramref name="size"/>, for good. Ordered by batch: a batch that continues a chain
    /// started after the one it continues was committed, so that its number is larger, and whoever sees it sees that one too.
    /// </summary>
    /// <returns>The size after, and since when the oldest of them had waited.</returns>
    public static async Task<(long Size, TimeSpan Waited)> TakePendingAsync(NpgsqlConnection connection, long size, int batches, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("""
            WITH taken AS (
                DELETE FROM governor.log_pending WHERE batch IN (SELECT batch FROM governor.log_pending ORDER BY batch LIMIT $2)
                RETURNING batch, events, recorded_at
            ), placed AS (
                INSERT INTO governor.log_segment (leaf, leaves, batch)
                SELECT $1 + sum(events) OVER (ORDER BY batch) - events, events, batch FROM taken
            )
            SELECT $1 + coalesce(sum(events), 0)::bigint, coalesce(extract(epoch FROM clock_timestamp() - min(recorded_at)), 0)::float8 FROM taken
            """, connection);
        command.Parameters.AddWithValue(size);
        command.Parameters.AddWithValue(batches);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        return (reader.GetInt64(0), TimeSpan.FromSeconds(Math.Max(0, reader.GetDouble(1))));
    }

    /// <summary>The records, and payloads where they are not erased, of the leaves from <paramref name="begin"/> to <paramref name="end"/>, both at segment borders.</summary>
    public static NpgsqlCommand Leaves(NpgsqlConnection connection, long begin, long end, bool payloads)
    {
        var command = new NpgsqlCommand($"""
            SELECT e.record{(payloads ? ", e.payload" : "")}
            FROM governor.log_segment s JOIN governor.governance_event e ON e.batch = s.batch
            WHERE s.leaf >= $1 AND s.leaf < $2
            ORDER BY s.leaf, e.ordinal
            """, connection);
        command.Parameters.AddWithValue(begin);
        command.Parameters.AddWithValue(end);
        return command;
    }

    public static async Task StoreCheckpointAsync(NpgsqlConnection connection, StoredCheckpoint checkpoint, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"""
            WITH stored AS (INSERT INTO governor.log_checkpoint (size, root, frontier, note) VALUES ($1, $2, $3, $4))
            SELECT pg_notify('{Channel}', $1::text)
            """, connection);
        command.Parameters.AddWithValue(checkpoint.Size);
        command.Parameters.AddWithValue(checkpoint.Root.ToArray());
        command.Parameters.AddWithValue(checkpoint.Frontier);
        command.Parameters.AddWithValue(checkpoint.Note);
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
