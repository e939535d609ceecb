using Governor.Journal;
using Governor.LocalServers;
using Npgsql;

[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")] // file modes, and a PostgreSQL of our own

namespace Governor.Grains.Tests.Support;

/// <summary>One PostgreSQL and one folder for all tests of this assembly.</summary>
public sealed class Ground : IAsyncLifetime
{
    private const string Template = "migrated";

    private static int s_last;

    private PostgresServer _postgres = null!;

    public DirectoryInfo Folder { get; } = Directory.CreateTempSubdirectory("governor-grains-");

    public async Task InitializeAsync()
    {
        // PostgreSQL runs as another user when the tests run as root.
        File.SetUnixFileMode(Folder.FullName, (UnixFileMode)0b111_101_101);
        // What these tests are about is not whether a disk keeps its word.
        _postgres = await PostgresServer.StartAsync(
            Path.Combine(Folder.FullName, "pg"), new Dictionary<string, string> { ["max_connections"] = "200", ["fsync"] = "off" });
        await ExecuteAsync($"CREATE DATABASE {Template}");
        await SchemaMigrations.ApplyAsync(_postgres.ConnectionString(Template), CancellationToken.None);
        NpgsqlConnection.ClearAllPools();
    }

    public async Task DisposeAsync()
    {
        await _postgres.DisposeAsync();
        Folder.Delete(recursive: true);
    }

    /// <summary>A migrated database of its own.</summary>
    public async Task<string> DatabaseAsync()
    {
        var name = $"g{Interlocked.Increment(ref s_last)}";
        await ExecuteAsync($"CREATE DATABASE {name} TEMPLATE {Template}");
        return name;
    }

    public string ConnectionString(string database) => _postgres.ConnectionString(database);

    /// <summary>As the owner of the server, from outside of any test's database.</summary>
    public async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_postgres.ConnectionString());
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}

[CollectionDefinition(nameof(Ground))]
public sealed class OnGround : ICollectionFixture<Ground>;
