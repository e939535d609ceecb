using System.Collections.Immutable;
using Governor.Domain.Transparency;
using Governor.Journal.Log;
using Npgsql;

namespace Governor.Journal.Recovery;

/// <summary>A checkpoint from outside of the database, and where it comes from.</summary>
public sealed record KnownCheckpoint(string Where, Checkpoint Checkpoint);

/// <param name="Check">The restored database, derived again from its bytes.</param>
/// <param name="Behind">Why what was restored must not be signed on: outside checkpoints that it does not contain. Empty when it may.</param>
public sealed record RestoreReport(BackupManifest Manifest, JournalCheckReport Check, ImmutableArray<OutsideFinding> Behind);

/// <summary>
/// Restores a backup into a database that has no journal yet, and believes nothing: the dump's digest, the checkpoint that it claims,
/// every record, and every checkpoint that is known from outside. A restore that is behind is held: its log is not signed.
/// </summary>
/// <param name="check">Checks the database behind a connection string.</param>
public sealed class JournalRestore(PostgresTools tools, Func<string, CancellationToken, Task<JournalCheckReport>> check)
{
    /// <param name="connectionString">A login that may create the database where it is absent, the schema, and the role.</param>
    /// <exception cref="RecoveryException">The backup or the target cannot be used. A target that has a journal is not touched.</exception>
    public async Task<RestoreReport> RunAsync(
        string folder, string connectionString, IReadOnlyList<KnownCheckpoint> outside, CancellationToken cancellation)
    {
        var manifest = await BackupManifest.ReadAsync(folder, cancellation);
        var expected = manifest.ReadCheckpoint();
        var dump = await manifest.VerifyDumpAsync(folder, cancellation);
        if (manifest.Migrations.FirstOrDefault(name => !SchemaMigrations.Names.Contains(name)) is { } unknown)
            throw new RecoveryException($"the backup holds the migration '{unknown}', which this program does not know: it was made by a newer version; restore it with that one");
        await PrepareAsync(connectionString, cancellation);
        await tools.RunAsync(
            "pg_restore", connectionString,
            ["--exit-on-error", "--single-transaction", "--no-owner", "--no-password", $"--dbname={new NpgsqlConnectionStringBuilder(connectionString).Database}", dump],
            cancellation);
        await SchemaMigrations.ApplyAsync(connectionString, cancellation);

        await using var connection = await JournalBackup.OpenAsync(connectionString, cancellation);
        var last = await LogTables.LastCheckpointAsync(connection, cancellation);
        if (last?.Size != expected?.Size || last?.Root != expected?.Root)
            throw new RecoveryException($"the manifest names a checkpoint of {expected?.Size ?? 0} leaves with root {expected?.Root}, the dump holds one of {last?.Size ?? 0} with {last?.Root}: they do not belong together");
        var checkedAgain = await check(connectionString, cancellation);
        var behind = await new OutsideComparison(connection).CompareAsync(outside, cancellation);
        if (behind.Length > 0)
            await HoldAsync(connection, string.Join("; ", behind), cancellation);
        return new RestoreReport(manifest, checkedAgain, behind);
    }

    private static async Task PrepareAsync(string connectionString, CancellationToken cancellation)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        var name = settings.Database ?? throw new RecoveryException("the connection string names no database");
        settings.Database = "postgres";
        await using (var server = await JournalBackup.OpenAsync(settings.ConnectionString, cancellation))
        {
            await using var exists = new NpgsqlCommand("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", server);
            exists.Parameters.AddWithValue(name);
            if (!(bool)(await exists.ExecuteScalarAsync(cancellation))!)
                await JournalBackup.AskAsync(server, $"CREATE DATABASE {Quote(name)}", cancellation);
        }
        await using var target = await JournalBackup.OpenAsync(connectionString, cancellation);
        if (await JournalBackup.AskAsync(target, "SELECT count(*) FROM pg_namespace WHERE nspname = 'governor'", cancellation) != "0")
            throw new RecoveryException($"the database '{name}' holds a journal already; restore into another one, and look at both before one goes");
        // The dump grants to this role, which belongs to the server and not to the database.
        await JournalBackup.AskAsync(target, """
            DO $$ BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'governor_silo') THEN CREATE ROLE governor_silo NOLOGIN; END IF;
            END $$
            """, cancellation);
    }

    private static async Task HoldAsync(NpgsqlConnection connection, string reason, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("INSERT INTO governor.log_hold (reason, by) VALUES ($1, $2)", connection);
        command.Parameters.AddWithValue($"restored behind the published log: {reason}");
        command.Parameters.AddWithValue("governor journal restore");
        await command.ExecuteNonQueryAsync(cancellation);
    }

    internal static string Quote(string identifier) => $"\"{identifier.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
