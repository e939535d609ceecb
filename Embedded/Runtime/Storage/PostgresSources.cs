using System.Collections.Concurrent;
using Npgsql;
using Orleans.Runtime;

namespace Governor.Embedded.Runtime.Storage;

/// <summary>One connection pool per connection string.</summary>
internal sealed class PostgresSources : IAsyncDisposable
{
    public const string Invariant = "Npgsql";

    private readonly ConcurrentDictionary<string, Lazy<NpgsqlDataSource>> sources = new();

    /// <exception cref="OrleansConfigurationException">Another database than PostgreSQL, or none, is named.</exception>
    public NpgsqlDataSource Open(string what, string invariant, string? connectionString)
    {
        if (invariant != Invariant)
            throw new OrleansConfigurationException($"{what}: Invariant is '{invariant}'; the embedded host serves '{Invariant}' only.");
        if (string.IsNullOrWhiteSpace(connectionString))
            throw new OrleansConfigurationException($"{what}: ConnectionString is empty; expected the connection string of a PostgreSQL database.");
        return sources.GetOrAdd(connectionString, static text => new(() => NpgsqlDataSource.Create(text))).Value;
    }

    /// <summary>Creates tables that are missing; concurrent starts take turns.</summary>
    public static async Task CreateAsync(NpgsqlDataSource source, string ddl, CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var turn = new NpgsqlCommand("select pg_advisory_xact_lock(7239185410212)", connection, transaction))
            await turn.ExecuteNonQueryAsync(cancellationToken);
        await using (var create = new NpgsqlCommand(ddl, connection, transaction))
            await create.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var source in sources.Values.Where(source => source.IsValueCreated))
            await source.Value.DisposeAsync();
    }
}
