using Governor.Domain.Audit;
using Governor.Domain.Transparency;
using Npgsql;
using NpgsqlTypes;

namespace Governor.Journal.Commits;

/// <summary>What the database said about one batch; commits that are not named in it were committed.</summary>
/// <param name="States">By index of the commit: the stored version, and the version under which its id is committed already.</param>
/// <param name="Heads">By index of the head move: the head that is stored instead.</param>
internal sealed record BatchAnswer(Dictionary<int, (long Stored, long? Done)> States, Dictionary<int, ChainHead> Heads)
{
    public static readonly BatchAnswer AllStand = new([], []);
}

/// <summary>
/// One connection of the writer, under one epoch. Opening it ends every batch that an earlier connection of this writer may still
/// have under way, so that what it reads afterwards is final.
/// </summary>
internal sealed class WriterSession : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly TrustingStatement _trusting;
    private readonly NpgsqlCommand _judging;
    private readonly Guid _writer;
    private readonly long _epoch;
    private readonly TimeSpan _retention;

    private WriterSession(NpgsqlConnection connection, Guid writer, long epoch, TimeSpan retention)
    {
        _retention = retention;
        _connection = connection;
        _writer = writer;
        _epoch = epoch;
        _trusting = new TrustingStatement(connection);
        _judging = new NpgsqlCommand(JudgingStatement.Text, connection);
        JudgingStatement.Declare(_judging.Parameters);
    }

    public static async Task<WriterSession> OpenAsync(JournalDatabase database, Guid writer, TimeSpan retention, CancellationToken cancellation)
    {
        var connection = await database.OpenOwnAsync(cancellation);
        try
        {
            await using var fence = new NpgsqlCommand("""
                INSERT INTO governor.journal_writer AS w (id, epoch) VALUES ($1, 1)
                ON CONFLICT (id) DO UPDATE SET epoch = w.epoch + 1, seen_at = now()
                RETURNING epoch
                """, connection);
            fence.Parameters.AddWithValue(writer);
            var epoch = (long)(await fence.ExecuteScalarAsync(cancellation))!;
            var session = new WriterSession(connection, writer, epoch, retention);
            await session._trusting.Command.PrepareAsync(cancellation);
            await session._judging.PrepareAsync(cancellation);
            return session;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// One statement, one round trip, one transaction; and one more of each for a batch in which not every commit stands.
    /// </summary>
    public async Task<BatchAnswer> CommitAsync(CommitBatch batch) =>
        await TryAllAsync(batch) ? BatchAnswer.AllStand : await JudgeAsync(batch);

    private async Task<bool> TryAllAsync(CommitBatch batch)
    {
        try
        {
            _trusting.Bind(batch, _writer, _epoch);
            await _trusting.Command.ExecuteNonQueryAsync(CancellationToken.None);
            return true;
        }
        catch (PostgresException e) when (e.SqlState is TrustingStatement.NotAsExpected or PostgresErrorCodes.UniqueViolation)
        {
            // The server undid it and says what it met; which commits met it, and which do stand, is for the other statement to find.
            return false;
        }
        finally
        {
            _trusting.Clear();
        }
    }

    private async Task<BatchAnswer> JudgeAsync(CommitBatch batch)
    {
        JudgingStatement.Bind(_judging.Parameters, batch, _writer, _epoch, _retention);
        await using var reader = await _judging.ExecuteReaderAsync(CancellationToken.None);
        var answer = new BatchAnswer([], []);
        while (await reader.ReadAsync(CancellationToken.None))
        {
            var index = reader.GetInt32(1);
            switch (reader.GetInt32(0))
            {
                case JudgingStatement.StateRow:
                    answer.States[index] = (reader.GetInt64(2), reader.IsDBNull(3) ? null : reader.GetInt64(3));
                    break;
                case JudgingStatement.HeadRow:
                    answer.Heads[index] = reader.IsDBNull(4) ? default : new ChainHead(reader.GetInt64(2), new TreeHash(reader.GetFieldValue<byte[]>(4)));
                    break;
                default:
                    throw new NpgsqlException($"writer {_writer}: another connection took over after epoch {_epoch}");
            }
        }
        return answer;
    }

    /// <summary>Which of these are committed. Final, for the reason in the summary of this class.</summary>
    public async Task<HashSet<PendingCommit>> LookUpAsync(IReadOnlyList<PendingCommit> commits, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("""
            SELECT i.n::int - 1
            FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[])
                 WITH ORDINALITY AS i (id, subject, key, expected, kind, namespace, name, n)
            WHERE governor.committed(i.id, i.subject, i.key, i.expected, i.kind, i.namespace, i.name, $8)
            """, _connection);
        command.Parameters.AddWithValue(commits.Select(c => c.Commit.Id).ToArray());
        command.Parameters.AddWithValue(commits.Select(c => c.Commit.Grain.Subject).ToArray());
        command.Parameters.AddWithValue(commits.Select(c => c.Commit.Grain.Key).ToArray());
        command.Parameters.AddWithValue(commits.Select(c => c.Commit.ExpectedVersion).ToArray());
        command.Parameters.AddWithValue(commits.Select(c => c.Witness?.Kind).ToArray());
        command.Parameters.AddWithValue(commits.Select(c => c.Witness?.Namespace).ToArray());
        command.Parameters.AddWithValue(commits.Select(c => c.Witness?.Name).ToArray());
        command.Parameters.AddWithValue(_retention);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var found = new HashSet<PendingCommit>();
        while (await reader.ReadAsync(cancellation))
            found.Add(commits[reader.GetInt32(0)]);
        return found;
    }

    public async ValueTask DisposeAsync()
    {
        await _trusting.Command.DisposeAsync();
        await _judging.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
