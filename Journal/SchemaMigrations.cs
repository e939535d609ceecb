using System.Reflection;
using Npgsql;

namespace Governor.Journal;

/// <summary>
/// Brings the schema up to date from the numbered scripts in this assembly: each once, in order, all of them in one transaction,
/// by one silo at a time.
/// </summary>
public static class SchemaMigrations
{
    private const string Prefix = "Governor.Journal.Migrations.";

    /// <summary>The migrations that this program knows, in order.</summary>
    public static IReadOnlyCollection<string> Names => Scripts().Keys;

    /// <summary>Applies what is missing; answers the names of what it applied.</summary>
    /// <param name="connectionString">A login that may create tables and roles.</param>
    /// <exception cref="InvalidOperationException">The database is newer than this program.</exception>
    /// <exception cref="PostgresException">A script failed; nothing of this run was applied.</exception>
    public static async Task<IReadOnlyList<string>> ApplyAsync(string connectionString, CancellationToken cancellation)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, CommandTimeout = 300, Timeout = 5 };
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await ExecuteAsync(connection, """
            SELECT pg_advisory_xact_lock(hashtextextended('governor.schema_migrations', 0));
            CREATE SCHEMA IF NOT EXISTS governor;
            CREATE TABLE IF NOT EXISTS governor.schema_migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());
            """, cancellation);

        var scripts = Scripts();
        var present = await PresentAsync(connection, cancellation);
        if (present.Except(scripts.Keys).FirstOrDefault() is { } unknown)
            throw new InvalidOperationException($"the database holds the migration '{unknown}', which this program does not know: it was migrated by a newer version; run that one");
        var applied = new List<string>();
        foreach (var (name, resource) in scripts.Where(script => !present.Contains(script.Key)))
        {
            await ExecuteAsync(connection, await ReadAsync(resource, cancellation), cancellation);
            await using var remember = new NpgsqlCommand("INSERT INTO governor.schema_migrations (name) VALUES ($1)", connection);
            remember.Parameters.AddWithValue(name);
            await remember.ExecuteNonQueryAsync(cancellation);
            applied.Add(name);
        }
        await transaction.CommitAsync(cancellation);
        return applied;
    }

    private static SortedDictionary<string, string> Scripts()
    {
        var scripts = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var resource in Assembly.GetExecutingAssembly().GetManifestResourceNames().Where(r => r.StartsWith(Prefix, StringComparison.Ordinal)))
            scripts.Add(resource[Prefix.Length..^".sql".Length], resource);
        return scripts;
    }

    private static async Task<HashSet<string>> PresentAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT name FROM governor.schema_migrations", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var present = new HashSet<string>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellation))
            present.Add(reader.GetString(0));
        return present;
    }

    private static async Task<string> ReadAsync(string resource, CancellationToken cancellation)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)!);
        return await reader.ReadToEndAsync(cancellation);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string script, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(script, connection);
        await command.ExecuteNonQueryAsync(cancellation);
    }
}
