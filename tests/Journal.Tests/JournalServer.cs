using Governor.Domain.Audit;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;
using Governor.Journal.Commits;
using Governor.Journal.Log;
using Governor.Journal.Recovery;
using Governor.LocalServers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Npgsql;

[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")] // file modes, and a PostgreSQL of our own

namespace Governor.Journal.Tests;

/// <summary>One PostgreSQL for the tests of a group.</summary>
public sealed class JournalServer : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("governor-journal-");

    public PostgresServer Server { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        // PostgreSQL runs as another user when the tests run as root.
        File.SetUnixFileMode(_folder.FullName, (UnixFileMode)0b111_101_101);
        Server = await PostgresServer.StartAsync(Path.Combine(_folder.FullName, "pg"), new Dictionary<string, string> { ["max_connections"] = "200" });
    }

    public async Task DisposeAsync()
    {
        await Server.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    /// <summary>A migrated database of its own.</summary>
    public async Task<JournalBed> BedAsync()
    {
        var name = $"j_{Guid.NewGuid():n}";
        await using (var connection = new NpgsqlConnection(Server.ConnectionString()))
        {
            await connection.OpenAsync();
            await using var create = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
            await create.ExecuteNonQueryAsync();
        }
        var bed = new JournalBed(Server.ConnectionString(name), Path.Combine(_folder.FullName, $"{name}.key"));
        await SchemaMigrations.ApplyAsync(bed.ConnectionString, CancellationToken.None);
        return bed;
    }
}

[CollectionDefinition(nameof(JournalServer))]
public sealed class JournalServerGroup : ICollectionFixture<JournalServer>;

// Groups that wait more than they work run beside each other, each on a PostgreSQL of its own.

[CollectionDefinition(nameof(CutServer))]
public sealed class CutServer : ICollectionFixture<JournalServer>;

[CollectionDefinition(nameof(FaultServer))]
public sealed class FaultServer : ICollectionFixture<JournalServer>;

[CollectionDefinition(nameof(LogServer))]
public sealed class LogServer : ICollectionFixture<JournalServer>;

/// <summary>A database and the silos that work on it.</summary>
public sealed class JournalBed(string connectionString, string keyFile) : IAsyncDisposable
{
    private readonly List<Silo> _silos = [];

    public string ConnectionString { get; } = connectionString;

    public string KeyFile { get; } = keyFile;

    public Silo Start(Action<JournalOptions>? configure = null, bool sequence = false, params IOutsideCheckpoints[] outside)
    {
        var options = new JournalOptions { ConnectionString = ConnectionString, Origin = "governor.test/log", LogKeyFile = KeyFile };
        configure?.Invoke(options);
        var silo = new Silo(options, sequence, outside);
        _silos.Add(silo);
        return silo;
    }

    /// <summary>As the owner of the schema, past every role.</summary>
    public async Task<object?> AskAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in _silos)
            await silo.DisposeAsync();
    }
}

/// <summary>One silo's journal, wired by <see cref="JournalHosting.AddJournal"/>, without the host: only the sequencer runs, if it shall.</summary>
public sealed class Silo : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly LogSequencer? _sequencer;
    private bool _gone;

    public Silo(JournalOptions options, bool sequence, IOutsideCheckpoints[] outside)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddJournal(_ => { });
        services.AddSingleton(Options.Create(options));
        foreach (var place in outside)
            services.AddSingleton(place);
        _services = services.BuildServiceProvider();
        if (!sequence)
            return;
        _sequencer = _services.GetServices<IHostedService>().OfType<LogSequencer>().Single();
        _ = _sequencer.StartAsync(CancellationToken.None);
    }

    public PostgresJournal Journal => Of<PostgresJournal>();

    public IAuditReader Reader => Of<IAuditReader>();

    public ITransparencyLog Log => Of<ITransparencyLog>();

    public LogKeys Keys => Of<LogKeys>();

    public LogHealth Health => Of<LogHealth>();

    /// <summary>The key in the configured file.</summary>
    public VerifierKey Key => Of<ILogSigner>().First;

    public Task<JournalCheckReport> CheckAsync() => Of<JournalCheck>().RunAsync(CancellationToken.None);

    public T Of<T>()
        where T : notnull => _services.GetRequiredService<T>();

    public async Task<byte[]> ExportAsync()
    {
        await Reader.WaitForCheckpointAsync(CancellationToken.None);
        using var output = new MemoryStream();
        await Reader.ExportAsync(output, 0, CancellationToken.None);
        return output.ToArray();
    }

    public async ValueTask DisposeAsync()
    {
        if (_gone)
            return;
        _gone = true;
        await Journal.DisposeAsync();
        if (_sequencer is not null)
            await _sequencer.StopAsync(CancellationToken.None);
        await _services.DisposeAsync();
    }
}

public static class Samples
{
    public static GovernanceEvent Event(string name, string action = "pack.observed", string? next = "there") => new(
        new DateTimeOffset(2026, 11, 21, 7, 0, 0, TimeSpan.Zero).AddTicks(7), "system:governor:pack", "wrapper",
        new EventSubject("infra.ontai.dev", "ClusterPack", "seam-system", name, "5b0c1c1a", 3), ChangeType.Operational, action, "two",
        "$.status.phase", null, next, "the digest agrees", true, "v1.2.3", "root-uid", "ccs-dev", "delivery-1");

    public static Commit Commit(string key, long expected, params GovernanceEvent[] events) =>
        new(new GrainKey("pack", key), expected, System.Text.Encoding.UTF8.GetBytes($$"""{"key":"{{key}}","version":{{expected + 1}}}"""), true, [.. events], Guid.CreateVersion7());

    public static Task<CommitResult> CommitAsync(this Silo silo, Commit commit) => silo.Journal.CommitAsync(commit, CancellationToken.None);

    public static Task<StoredState?> LoadAsync(this Silo silo, string key) => silo.Journal.LoadAsync(new GrainKey("pack", key), CancellationToken.None);
}
