using Npgsql;

namespace Governor.Bench;

/// <summary>The peer: one row, one transaction, one connection per caller, prepared.</summary>
internal sealed class RawCommits : IAsyncDisposable
{
    private readonly NpgsqlDataSource _source;
    private readonly byte[] _row = new byte[512];

    private RawCommits(NpgsqlDataSource source)
    {
        _source = source;
    }

    public static async Task<RawCommits> StartAsync(string connectionString, CancellationToken cancellation)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = 300, MaxAutoPrepare = 2, AutoPrepareMinUsages = 1, NoResetOnClose = true };
        var raw = new RawCommits(NpgsqlDataSource.Create(settings));
        await using var command = raw._source.CreateCommand("CREATE TABLE raw (caller int, n bigint, row bytea, PRIMARY KEY (caller, n))");
        await command.ExecuteNonQueryAsync(cancellation);
        return raw;
    }

    public async Task CommitAsync(int caller, long n)
    {
        await using var connection = await _source.OpenConnectionAsync();
        await using var command = new NpgsqlCommand("INSERT INTO raw VALUES ($1, $2, $3) ON CONFLICT (caller, n) DO UPDATE SET row = excluded.row", connection);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = caller });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = n });
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = _row });
        await command.ExecuteNonQueryAsync();
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();
}
