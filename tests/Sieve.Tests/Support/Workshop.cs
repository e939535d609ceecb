using Governor.Compiler.Packs;
using Governor.Domain.Signing;
using Governor.Journal;
using Governor.LocalServers;
using Governor.Registry;
using Governor.Sandbox;
using Npgsql;

[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")] // file modes, and a PostgreSQL of our own

namespace Governor.Sieve.Tests.Support;

/// <summary>What all runs share: one PostgreSQL, one registry with the sample pack, one signing key. None of it remembers a run.</summary>
public sealed class Workshop : IAsyncLifetime
{
    private const string Template = "migrated";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("governor-sieve-");
    private PostgresServer _postgres = null!;
    private OciRegistryServer _registry = null!;
    private Originals _originals = null!;
    private readonly Dictionary<bool, IReadOnlyList<Run>> _undisturbed = [];
    private int _last;

    /// <summary>The ClusterPack as a human applies it.</summary>
    public string Pack { get; private set; } = "";

    internal SandboxCluster Management => _originals.Management;

    internal SandboxCluster Tenant => _originals.Tenant;

    public SigningKey Key { get; } = SigningKey.Generate();

    public async Task InitializeAsync()
    {
        File.SetUnixFileMode(_folder.FullName, (UnixFileMode)0b111_101_101); // PostgreSQL runs as another user when the tests run as root
        // What these tests are about is not whether a disk keeps its word.
        _postgres = await PostgresServer.StartAsync(
            Path.Combine(_folder.FullName, "pg"), new Dictionary<string, string> { ["max_connections"] = "300", ["fsync"] = "off" });
        await ExecuteAsync($"CREATE DATABASE {Template}");
        await SchemaMigrations.ApplyAsync(_postgres.ConnectionString(Template), CancellationToken.None);
        NpgsqlConnection.ClearAllPools();
        _originals = await Originals.StartAsync(_folder);
        _registry = await OciRegistryServer.StartAsync(Path.Combine(_folder.FullName, "registry"));
        using var client = new OciClient(new RegistryOptions());
        var request = new PackBuildRequest(Sample("packs", "web", "pack.yaml"), Path.Combine(_folder.FullName, "packs")) { Registry = $"{_registry.Host}/packs/web" };
        Pack = await File.ReadAllTextAsync((await PackBuild.RunAsync(request, client, CancellationToken.None)).File);
    }

    public async Task DisposeAsync()
    {
        await _originals.DisposeAsync();
        await _registry.DisposeAsync();
        await _postgres.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    /// <summary>Runs in which nothing goes wrong, made once. They have to end alike, or there is nothing to compare with.</summary>
    internal async Task<IReadOnlyList<Run>> UndisturbedAsync(int count, bool resync, int seed)
    {
        if (_undisturbed.TryGetValue(resync, out var made))
            return made;
        var runs = await Task.WhenAll(Enumerable.Range(0, count).Select(_ => Run.DoAsync(this, new Perturbation.None(), resync, seed)));
        foreach (var other in runs.Skip(1))
            Assert.True(
                runs[0].Portrait.Differences(other.Portrait) is { Count: 0 },
                $"two undisturbed runs differ:\n{string.Join('\n', runs[0].Portrait.Differences(other.Portrait))}");
        return _undisturbed[resync] = runs;
    }

    public static string Sample(params string[] path) => Path.Combine([AppContext.BaseDirectory, "samples", .. path]);

    /// <summary>A migrated database and a folder for one run.</summary>
    public async Task<(string Name, string ConnectionString, string Folder)> PlaceAsync()
    {
        var name = $"run{Interlocked.Increment(ref _last)}";
        await ExecuteAsync($"CREATE DATABASE {name} TEMPLATE {Template} STRATEGY file_copy");
        return (name, $"{_postgres.ConnectionString(name)};Server Compatibility Mode=NoTypeLoading", _folder.CreateSubdirectory(name).FullName);
    }

    public async Task CleanAsync(string name, string folder)
    {
        await ExecuteAsync($"DROP DATABASE {name} WITH (FORCE)");
        Directory.Delete(folder, recursive: true);
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_postgres.ConnectionString());
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
