using Governor.Domain.Audit;
using Governor.Domain.Transparency;
using Npgsql;
using NpgsqlTypes;

namespace Governor.Journal.Commits;

/// <summary>What the database said about one batch; commits that are not named in it were committed.</summary>
/// <param name="States">By index of the commit: the stored version, and the version under which its id is committed already.</param>
/// <param name="Heads">By index of the head move: the head that is stored instead.</param>
internal sealed record BatchAnswer(Dictionary<int, (long Stored, long? Done)> States, Dictionary<int, ChainHead> Heads);

/// <summary>
/// One connection of the writer, under one epoch. Opening it ends every batch that an earlier connection of this writer may still
/// have under way, so that what it reads afterwards is final.
/// </summary>
internal sealed class WriterSession : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlCommand _commit;
    private readonly Guid _writer;
    private readonly long _epoch;

    private WriterSession(NpgsqlConnection connection, Guid writer, long epoch)
    {
        _connection = connection;
        _writer = writer;
        _epoch = epoch;
        _commit = new NpgsqlCommand(CommitStatement.Text, connection);
        CommitStatement.Declare(_commit.Parameters);
    }

    public static async Task<WriterSession> OpenAsync(JournalDatabase database, Guid writer, CancellationToken cancellation)
    {
        var connection = await database.OpenWriterAsync(cancellation);
        try
        {
            await using var fence = new NpgsqlCommand("""
                INSERT INTO governor.journal_writer AS w (id, epoch) VALUES ($1, 1)
                ON CONFLICT (id) DO UPDATE SET epoch = w.epoch + 1, seen_at = now()
                RETURNING epoch
                """, connection);
            fence.Parameters.AddWithValue(writer);
            var epoch = (long)(await fence.ExecuteScalarAsync(cancellation))!;
            var session = new WriterSession(connection, writer, epoch);
            await session._commit.PrepareAsync(cancellation);
            return session;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>One statement, one round trip, one transaction.</summary>
    public async Task<BatchAnswer> CommitAsync(CommitBatch batch)
    {
        CommitStatement.Bind(_commit.Parameters, batch, _writer, _epoch);
        await using var reader = await _commit.ExecuteReaderAsync(CancellationToken.None);
        var answer = new BatchAnswer([], []);
        while (await reader.ReadAsync(CancellationToken.None))
        {
            var index = reader.GetInt32(1);
            switch (reader.GetInt32(0))
            {
                case CommitStatement.StateRow:
                    answer.States[index] = (reader.GetInt64(2), reader.IsDBNull(3) ? null : reader.GetInt64(3));
                    break;
                case CommitStatement.HeadRow:
                    answer.Heads[index] = reader.IsDBNull(4) ? default : new ChainHead(reader.GetInt64(2), new TreeHash(reader.GetFieldValue<byte[]>(4)));
                    break;
                default:
                    throw new NpgsqlException($"writer {_writer}: another connection took over after epoch {_epoch}");
            }
        }
        return answer;
    }

    /// <summary>The versions under which these ids are committed. Final, for the reason in the summary of this class.</summary>
    public async Task<Dictionary<Guid, long>> LookUpAsync(IEnumerable<Guid> ids, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT id, version FROM governor.commit_id WHERE id = ANY($1)", _connection);
        command.Parameters.AddWithValue(ids.ToArray());
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var found = new Dictionary<Guid, long>();
        while (await reader.ReadAsync(cancellation))
            found[reader.GetGuid(0)] = reader.GetInt64(1);
        return found;
    }

    public async ValueTask DisposeAsync()
    {
        await _commit.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
