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
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(250);

    private readonly JournalDatabase _database;
    private readonly LogGenesis _genesis;
    private readonly LogHealth _health;
    private readonly LogSignal _signal;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _patience;

    public AuditReader(
        JournalDatabase database, IOptions<JournalOptions> options, LogGenesis genesis, LogHealth health, LogSignal signal, TimeProvider clock)
    {
        _database = database;
        _genesis = genesis;
        _health = health;
        _signal = signal;
        _clock = clock;
        _patience = options.Value.CommitTimeout;
    }

    public VerifierKey Key => _genesis.Key;

    public Task<LogKeyring> KeysAsync(CancellationToken cancellation) =>
        _database.ReadAsync("read the log's keys", async (connection, token) =>
        {
            var last = await LogNotes.NewestAsync(connection, cosigned: false, token);
            try
            {
                return await KeyStatements.ReadAsync(connection, await _genesis.ReadAsync(connection, token), last?.Checkpoint.Size ?? 0, token);
            }
            catch (LogContradictionException e)
            {
                throw new InvalidDataException(e.Message, e);
            }
        }, cancellation);

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
        _database.ReadAsync("read the checkpoint", (connection, token) => LogNotes.NewestAsync(connection, cosigned: false, token), cancellation);

    public async Task<LogCheckpoint> WaitForCheckpointAsync(CancellationToken cancellation)
    {
        var since = _clock.GetTimestamp();
        return await _database.ReadAsync("wait for a checkpoint", async (connection, token) =>
        {
            // Listening before looking: a checkpoint in between is heard. The pool ends the listening.
            await LogTables.ListenAsync(connection, token);
            var wanted = await CommittedAsync(connection, token);
            while (true)
            {
                var (waiting, placed, signed) = await ProgressAsync(connection, wanted, token);
                if (!waiting && signed >= placed)
                    return (await LogNotes.NewestAsync(connection, cosigned: false, token))!;
                if (_clock.GetElapsedTime(since) > _patience)
                    throw new TimeoutException($"no checkpoint within {_patience}: {signed} of {placed} leaves are signed{(waiting ? " and committed events wait for their place" : "")}. {await WhyNotAsync(connection, token)}");
                _signal.WantCheckpoint();
                await connection.WaitAsync(LookAgain, token);
            }
        }, cancellation);
    }

    private async Task<string> WhyNotAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        if (await LogTables.HoldAsync(connection, cancellation) is { } hold)
            return $"{hold}";
        var health = _health.Current;
        return health.Role == LogRole.Refusing ? $"This silo does not sign: {health.Reason}" : $"Does a sequencer run? Of this silo it is known: {health.Role}";
    }

    public async Task<LogCheckpoint> ExportAsync(Stream output, long from, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        await using var connection = await _database.OpenOwnAsync(cancellation);
        // One moment: an erasure in between would be a payload that is gone, and its event not there yet.
        await using var moment = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellation);
        await using (var patience = new NpgsqlCommand("SET LOCAL idle_in_transaction_session_timeout = 0", connection))
            await patience.ExecuteNonQueryAsync(cancellation);
        var last = await LogNotes.NewestAsync(connection, cosigned: false, cancellation)
            ?? throw new InvalidOperationException("there is no checkpoint yet; wait until the sequencer has signed the first");
        await new LogExport(connection, await _genesis.ReadAsync(connection, cancellation)).WriteAsync(output, from, last, cancellation);
        return last;
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
}
