using Governor.Domain.Audit;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace Governor.Journal.Log;

/// <summary>Reads the audit trail from PostgreSQL.</summary>
public sealed class AuditReader : IAuditReader
{
    /// <summary>Leaves of one query of an export: bounds what the server sorts at once.</summary>
    private const long ExportStep = 16_384;

    /// <summary>An export carries a checkpoint at least this many leaves after the one before: each narrows down where a fault is.</summary>
    private const long CheckpointEvery = 1024;

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(250);

    private readonly JournalDatabase _database;
    private readonly ILogSigner _signer;
    private readonly LogSignal _signal;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _patience;

    public AuditReader(JournalDatabase database, IOptions<JournalOptions> options, ILogSigner signer, LogSignal signal, TimeProvider clock)
    {
        _database = database;
        _signer = signer;
        _signal = signal;
        _clock = clock;
        _patience = options.Value.CommitTimeout;
    }

    public VerifierKey Key => _signer.Key;

    public Task<IReadOnlyList<RecordedEvent>> EventsAsync(EventFilter filter, CancellationToken cancellation) =>
        _database.ReadAsync<IReadOnlyList<RecordedEvent>>("read events", async (connection, token) =>
        {
            await using var command = Select(connection, filter);
            await using var reader = await command.ExecuteReaderAsync(token);
            var events = new List<RecordedEvent>();
            while (await reader.ReadAsync(token))
                events.Add(Read(reader));
            return events;
        }, cancellation);

    public Task<long> CountAsync(CancellationToken cancellation) =>
        _database.ReadAsync("count events", async (connection, token) =>
        {
            await using var command = new NpgsqlCommand("""
                SELECT coalesce((SELECT leaf + leaves FROM governor.log_segment ORDER BY leaf DESC LIMIT 1), 0)
                     + coalesce((SELECT sum(events) FROM governor.log_pending), 0)
                """, connection);
            return (long)(await command.ExecuteScalarAsync(token))!;
        }, cancellation);

    public Task<LogCheckpoint?> CheckpointAsync(CancellationToken cancellation) =>
        _database.ReadAsync("read the checkpoint", LastAsync, cancellation);

    public async Task<LogCheckpoint> WaitForCheckpointAsync(CancellationToken cancellation)
    {
        var since = _clock.GetTimestamp();
        return await _database.ReadAsync("wait for a checkpoint", async (connection, token) =>
        {
            // Listening before looking: a checkpoint in between is heard. The pool ends the listening.
            await ListenAsync(connection, token);
            var wanted = await CommittedAsync(connection, token);
            while (true)
            {
                var (waiting, placed, signed) = await ProgressAsync(connection, wanted, token);
                if (!waiting && signed >= placed)
                    return (await LastAsync(connection, token))!;
                if (_clock.GetElapsedTime(since) > _patience)
                    throw new TimeoutException($"no checkpoint within {_patience}: {signed} of {placed} leaves are signed{(waiting ? " and committed events wait for their place" : "")}. Does a sequencer run?");
                _signal.WantCheckpoint();
                await connection.WaitAsync(LookAgain, token);
            }
        }, cancellation);
    }

    public async Task<LogCheckpoint> ExportAsync(Stream output, CancellationToken cancellation)
    {
        await using var connection = await _database.OpenOwnAsync(cancellation);
        var last = await LastAsync(connection, cancellation)
            ?? throw new InvalidOperationException("there is no checkpoint yet; wait until the sequencer has signed the first");
        var writer = new AuditExportWriter(output, Key);
        foreach (var note in await CheckpointsAsync(connection, last.Checkpoint.Size, cancellation))
        {
            var size = Parse(note).Checkpoint.Size;
            while (writer.Leaves < size)
                await LeavesAsync(connection, writer, await BorderAsync(connection, Math.Min(writer.Leaves + ExportStep, size), cancellation), cancellation);
            _ = SignedNote.TryParse(note, out var parsed);
            writer.Checkpoint(parsed!);
        }
        await writer.EndAsync(cancellation);
        return last;
    }

    private static async Task LeavesAsync(NpgsqlConnection connection, AuditExportWriter writer, long end, CancellationToken cancellation)
    {
        var before = writer.Leaves;
        await using var command = LogTables.Leaves(connection, before, end, payloads: true);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            var payload = reader.IsDBNull(1) ? default(ReadOnlyMemory<byte>?) : reader.GetFieldValue<byte[]>(1);
            await writer.LeafAsync(reader.GetFieldValue<byte[]>(0), payload, cancellation);
        }
        if (writer.Leaves != end)
            throw new InvalidOperationException($"the log has {end} leaves at this place, {writer.Leaves} events are there: the database was altered. What was written so far shows where");
    }

    /// <summary>The first segment border at or behind a leaf.</summary>
    private static async Task<long> BorderAsync(NpgsqlConnection connection, long leaf, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT leaf + leaves FROM governor.log_segment WHERE leaf < $1 ORDER BY leaf DESC LIMIT 1", connection);
        command.Parameters.AddWithValue(leaf);
        return (long)(await command.ExecuteScalarAsync(cancellation) ?? leaf);
    }

    /// <summary>The notes to put into an export, oldest first, not too dense; the last one always.</summary>
    private static async Task<List<string>> CheckpointsAsync(NpgsqlConnection connection, long size, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT size, note FROM governor.log_checkpoint WHERE size <= $1 ORDER BY size", connection);
        command.Parameters.AddWithValue(size);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var notes = new List<string>();
        var next = CheckpointEvery;
        while (await reader.ReadAsync(cancellation))
        {
            var at = reader.GetInt64(0);
            if (at < next && at != size)
                continue;
            notes.Add(reader.GetString(1));
            next = at + CheckpointEvery;
        }
        return notes;
    }

    private static NpgsqlCommand Select(NpgsqlConnection connection, EventFilter filter)
    {
        var command = new NpgsqlCommand { Connection = connection };
        var where = new List<string>();
        void Add(string condition, object? value, NpgsqlDbType type)
        {
            if (value is null)
                return;
            command.Parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = type });
            where.Add($"e.{condition} ${command.Parameters.Count}");
        }
        Add("api_group =", filter.Group, NpgsqlDbType.Text);
        Add("kind =", filter.Kind, NpgsqlDbType.Text);
        Add("namespace =", filter.Namespace, NpgsqlDbType.Text);
        Add("name =", filter.Name, NpgsqlDbType.Text);
        Add("action =", filter.Action, NpgsqlDbType.Text);
        Add("cluster =", filter.Cluster, NpgsqlDbType.Text);
        Add("correlation =", filter.Correlation, NpgsqlDbType.Text);
        Add("at >=", filter.Since?.ToUniversalTime(), NpgsqlDbType.TimestampTz);
        command.Parameters.Add(new NpgsqlParameter { Value = Math.Clamp(filter.Limit, 0, 100_000), NpgsqlDbType = NpgsqlDbType.Integer });
        command.CommandText = $"""
            SELECT s.leaf + e.ordinal, e.sequence, e.commit_id, e.recorded_at, e.record, e.payload
            FROM governor.governance_event e LEFT JOIN governor.log_segment s ON s.batch = e.batch
            {(where.Count == 0 ? "" : $"WHERE {string.Join(" AND ", where)}")}
            ORDER BY e.batch DESC, e.ordinal DESC LIMIT ${command.Parameters.Count}
            """;
        return command;
    }

    private static RecordedEvent Read(NpgsqlDataReader reader)
    {
        if (!AuditRecord.TryDecode(reader.GetFieldValue<byte[]>(4), out var record, out var fault))
            throw new InvalidDataException($"event {reader.GetGuid(2)}: the stored record cannot be read: {fault}; verify an export");
        AuditPayload? payload = null;
        if (!reader.IsDBNull(5) && !AuditPayload.TryDecode(reader.GetFieldValue<byte[]>(5), out payload, out fault))
            throw new InvalidDataException($"event {reader.GetGuid(2)}: the stored payload cannot be read: {fault}; verify an export");
        return new RecordedEvent(
            reader.IsDBNull(0) ? null : reader.GetInt64(0), reader.GetInt64(1), reader.GetGuid(2), reader.GetFieldValue<DateTimeOffset>(3),
            payload is null, payload is null ? record.Event : record.With(payload));
    }

    private static async Task<LogCheckpoint?> LastAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        await LogTables.LastCheckpointAsync(connection, cancellation) is { } last ? Parse(last.Note) : null;

    private static LogCheckpoint Parse(string note) =>
        SignedNote.TryParse(note, out var parsed) && Checkpoint.TryParse(parsed.Text, out var checkpoint)
            ? new LogCheckpoint(checkpoint, note)
            : throw new InvalidDataException("the stored checkpoint is not a signed note: the database was altered");

    private static async Task<long> CommittedAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT coalesce(max(batch), 0) FROM governor.log_pending", connection);
        return (long)(await command.ExecuteScalarAsync(cancellation))!;
    }

    private static async Task<(bool Waiting, long Placed, long Signed)> ProgressAsync(NpgsqlConnection connection, long batch, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("""
            SELECT EXISTS (SELECT FROM governor.log_pending WHERE batch <= $1),
                   coalesce((SELECT leaf + leaves FROM governor.log_segment ORDER BY leaf DESC LIMIT 1), 0),
                   coalesce((SELECT size FROM governor.log_checkpoint ORDER BY size DESC LIMIT 1), -1)
            """, connection);
        command.Parameters.AddWithValue(batch);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        return (reader.GetBoolean(0), reader.GetInt64(1), reader.GetInt64(2));
    }

    private static async Task ListenAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"LISTEN {LogTables.Channel}", connection);
        await command.ExecuteNonQueryAsync(cancellation);
    }
}
