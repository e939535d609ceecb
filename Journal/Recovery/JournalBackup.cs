using System.Globalization;
using Governor.Journal.Log;
using Npgsql;

namespace Governor.Journal.Recovery;

/// <summary>
/// Dumps the journal's schema with pg_dump, and beside it the checkpoint of the very same moment: both read one snapshot. The log's
/// private keys are not part of it.
/// </summary>
public sealed class JournalBackup(PostgresTools tools, TimeProvider clock)
{
    private const string DumpName = "journal.dump";

    /// <param name="connectionString">A login that may read everything in the schema.</param>
    /// <param name="folder">Where to; a new folder is made in it.</param>
    /// <returns>The folder of this backup, and its manifest.</returns>
    /// <exception cref="RecoveryException">There is no journal, or pg_dump failed.</exception>
    public async Task<(string Folder, BackupManifest Manifest)> RunAsync(string connectionString, string folder, CancellationToken cancellation)
    {
        var takenAt = clock.GetUtcNow();
        var place = Path.Combine(folder, takenAt.ToString("'journal-'yyyyMMdd'T'HHmmssfff'Z'", CultureInfo.InvariantCulture));
        MakePrivate(place);
        var dump = Path.Combine(place, DumpName);

        await using var connection = await OpenAsync(connectionString, cancellation);
        await using var moment = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellation);
        var migrations = await MigrationsAsync(connection, cancellation);
        var last = await LogTables.LastCheckpointAsync(connection, cancellation);
        var snapshot = await AskAsync(connection, "SELECT pg_export_snapshot()", cancellation);
        await tools.RunAsync("pg_dump", connectionString, ["--format=custom", "--schema=governor", $"--snapshot={snapshot}", $"--file={dump}", "--no-password"], cancellation);
        await moment.CommitAsync(cancellation);

        Flush(dump);
        var (sha256, bytes) = await BackupManifest.DigestAsync(dump, cancellation);
        var manifest = new BackupManifest(
            BackupManifest.CurrentFormat, takenAt, connection.PostgreSqlVersion.ToString(), migrations, last?.Note, last?.Size ?? 0, DumpName, sha256, bytes);
        await manifest.WriteAsync(place, cancellation);
        return (place, manifest);
    }

    internal static async Task<NpgsqlConnection> OpenAsync(string connectionString, CancellationToken cancellation)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, CommandTimeout = 0 }.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellation);
            return connection;
        }
        catch (NpgsqlException e)
        {
            await connection.DisposeAsync();
            throw new RecoveryException($"cannot open the database '{connection.Database}' on {connection.Host}: {JournalDatabase.Describe(e)}", e);
        }
    }

    internal static async Task<string> AskAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return Convert.ToString(await command.ExecuteScalarAsync(cancellation), CultureInfo.InvariantCulture) ?? "";
    }

    private static async Task<IReadOnlyList<string>> MigrationsAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        try
        {
            await using var command = new NpgsqlCommand("SELECT name FROM governor.schema_migrations ORDER BY name", connection);
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            var names = new List<string>();
            while (await reader.ReadAsync(cancellation))
                names.Add(reader.GetString(0));
            return names;
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName)
        {
            throw new RecoveryException($"the database '{connection.Database}' on {connection.Host} holds no journal", e);
        }
    }

    // Values that a payload holds are as secret here as they are in the database.
    private static void MakePrivate(string folder)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static void Flush(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Flush(flushToDisk: true);
    }
}
