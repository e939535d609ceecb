using Governor.Grains.Interfaces.Ports;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Governor.Journal.Commits;

/// <summary>State and events of all governed grains in PostgreSQL.</summary>
public sealed class PostgresJournal : IJournal, IAsyncDisposable
{
    private readonly JournalDatabase _database;
    private readonly CommitWriter _writer;

    public PostgresJournal(
        JournalDatabase database, IOptions<JournalOptions> options, JournalMetrics metrics, TimeProvider clock, ILogger<PostgresJournal> log)
    {
        _database = database;
        _writer = new CommitWriter(database, options.Value, metrics, clock, log);
    }

    public Task<StoredState?> LoadAsync(GrainKey grain, CancellationToken cancellation) =>
        _database.ReadAsync($"load {grain}", async (connection, token) =>
        {
            await using var command = new NpgsqlCommand(
                "SELECT version, state, pending, committed_at FROM governor.grain_state WHERE subject = $1 AND key = $2", connection);
            command.Parameters.AddWithValue(grain.Subject);
            command.Parameters.AddWithValue(grain.Key);
            await using var reader = await command.ExecuteReaderAsync(token);
            return await reader.ReadAsync(token)
                ? new StoredState(grain, reader.GetInt64(0), reader.GetFieldValue<byte[]>(1), reader.GetBoolean(2), reader.GetFieldValue<DateTimeOffset>(3))
                : null;
        }, cancellation);

    public Task<long> VersionAsync(GrainKey grain, CancellationToken cancellation) =>
        _database.ReadAsync($"version of {grain}", async (connection, token) =>
        {
            await using var command = new NpgsqlCommand("SELECT version FROM governor.grain_state WHERE subject = $1 AND key = $2", connection);
            command.Parameters.AddWithValue(grain.Subject);
            command.Parameters.AddWithValue(grain.Key);
            return await command.ExecuteScalarAsync(token) is long version ? version : 0;
        }, cancellation);

    public Task<CommitResult> CommitAsync(Commit commit, CancellationToken cancellation) => _writer.CommitAsync(commit, cancellation);

    public Task<IReadOnlyList<StoredState>> ListAsync(string subject, CancellationToken cancellation) =>
        _database.ReadAsync<IReadOnlyList<StoredState>>($"list {subject}", async (connection, token) =>
        {
            await using var command = new NpgsqlCommand(
                "SELECT key, version, state, pending, committed_at FROM governor.grain_state WHERE subject = $1 ORDER BY key", connection);
            command.Parameters.AddWithValue(subject);
            await using var reader = await command.ExecuteReaderAsync(token);
            var states = new List<StoredState>();
            while (await reader.ReadAsync(token))
            {
                states.Add(new StoredState(
                    new GrainKey(subject, reader.GetString(0)), reader.GetInt64(1), reader.GetFieldValue<byte[]>(2), reader.GetBoolean(3),
                    reader.GetFieldValue<DateTimeOffset>(4)));
            }
            return states;
        }, cancellation);

    public Task<IReadOnlyList<GrainKey>> PendingAsync(CancellationToken cancellation) =>
        _database.ReadAsync<IReadOnlyList<GrainKey>>("list pending grains", async (connection, token) =>
        {
            await using var command = new NpgsqlCommand(
                "SELECT subject, key FROM governor.grain_state WHERE pending ORDER BY committed_at, subject, key", connection);
            await using var reader = await command.ExecuteReaderAsync(token);
            var grains = new List<GrainKey>();
            while (await reader.ReadAsync(token))
                grains.Add(new GrainKey(reader.GetString(0), reader.GetString(1)));
            return grains;
        }, cancellation);

    /// <summary>Answers the commits it has, then closes.</summary>
    public ValueTask DisposeAsync() => _writer.DisposeAsync();
}
