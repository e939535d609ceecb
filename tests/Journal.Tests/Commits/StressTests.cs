using Governor.Domain.Audit;
using Governor.Grains.Interfaces.Ports;
using Governor.LocalServers;
using Npgsql;
using static Governor.Journal.Tests.Samples;

namespace Governor.Journal.Tests.Commits;

/// <summary>A PostgreSQL that is restarted, full, busy or locked. Commits wait within their bound or fail cleanly, and nothing is lost.</summary>
[Collection(nameof(FaultServer))]
public sealed class StressTests(JournalServer server)
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task Commits_wait_while_the_server_restarts_and_none_fails()
    {
        var folder = Directory.CreateTempSubdirectory("governor-restart-");
        File.SetUnixFileMode(folder.FullName, (UnixFileMode)0b111_101_101);
        try
        {
            var first = await PostgresServer.StartAsync(Path.Combine(folder.FullName, "pg"));
            await SchemaMigrations.ApplyAsync(first.ConnectionString(), CancellationToken.None);
            await using var proxy = new BoundaryProxy(first.Port);
            await using var bed = Through(proxy, first);
            var load = new CommitLoad(bed.Start(o => o.CommitTimeout = Long, sequence: true), 16, "load");
            using var stop = new CancellationTokenSource();
            var running = load.RunAsync(stop.Token);
            await load.MoreAsync(committed: 100);

            await first.DisposeAsync();
            await using var second = await PostgresServer.StartAsync(Path.Combine(folder.FullName, "pg"));
            proxy.Target = second.Port;
            await load.MoreAsync(committed: 100);
            await stop.CancelAsync();
            await running;

            Assert.Empty(load.Refused);
            Assert.Empty(load.InDoubt);
            await VerifyAsync(load, bed, second.ConnectionString());
            await bed.DisposeAsync();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_full_disk_refuses_commits_and_they_go_on_when_there_is_room()
    {
        using var disk = SmallDisk.Mount(mebibytes: 64);
        var place = disk.FolderForServer("space");
        await using var own = await OwnServer.StartAsync();
        await AskAsync(own.Server.ConnectionString(), $"CREATE TABLESPACE small LOCATION '{place}'");
        await AskAsync(own.Server.ConnectionString(), "CREATE DATABASE small TABLESPACE small");
        await SchemaMigrations.ApplyAsync(own.Server.ConnectionString("small"), CancellationToken.None);
        await using var bed = new JournalBed(own.Server.ConnectionString("small"), own.KeyFile);
        var load = new CommitLoad(bed.Start(o => o.CommitTimeout = Short), 16, "load");
        using var stop = new CancellationTokenSource();
        var running = load.RunAsync(stop.Token);
        await load.MoreAsync(committed: 50);

        disk.Fill();
        await load.MoreAsync(refused: 40);
        disk.Empty();
        await load.MoreAsync(committed: 50);
        await stop.CancelAsync();
        await running;

        Assert.Empty(load.InDoubt);
        await VerifyAsync(load, bed);
        await bed.DisposeAsync();
        await AskAsync(own.Server.ConnectionString(), "DROP DATABASE small WITH (FORCE)");
    }

    [Fact]
    public async Task A_server_that_dies_of_a_full_disk_has_every_commit_it_acknowledged()
    {
        using var disk = SmallDisk.Mount(mebibytes: 160);
        var data = Path.Combine(disk.Folder, "pg");
        var first = await PostgresServer.StartAsync(data);
        await SchemaMigrations.ApplyAsync(first.ConnectionString(), CancellationToken.None);
        await using var proxy = new BoundaryProxy(first.Port);
        await using var bed = Through(proxy, first);
        var load = new CommitLoad(bed.Start(o => o.CommitTimeout = Short), 16, "load");
        using var stop = new CancellationTokenSource();
        var running = load.RunAsync(stop.Token);
        await load.MoreAsync(committed: 50);

        // The next segment of the write-ahead log cannot be made: PostgreSQL panics, and does not come back while the disk is full.
        disk.Fill();
        await Assert.ThrowsAnyAsync<NpgsqlException>(async () =>
        {
            for (var i = 0; i < 8; i++)
                await AskAsync(first.ConnectionString(), "SELECT pg_logical_emit_message(false, 'stress', 'filler'), pg_switch_wal()");
        });
        await load.MoreAsync(refused: 40);
        await first.DisposeAsync();
        disk.Empty();
        await using (var second = await PostgresServer.StartAsync(data))
        {
            proxy.Target = second.Port;
            await load.MoreAsync(committed: 50);
            await stop.CancelAsync();
            await running;
            await VerifyAsync(load, bed, second.ConnectionString());
            await bed.DisposeAsync();
        }
    }

    [Fact]
    public async Task Without_a_free_connection_commits_wait_within_their_bound()
    {
        await using var bed = await server.BedAsync();
        var login = $"silo_{Guid.NewGuid():n}";
        var password = PostgresServer.NewPassword();
        await bed.AskAsync($"CREATE ROLE {login} LOGIN PASSWORD '{password}' CONNECTION LIMIT 1 IN ROLE governor_silo");
        var limited = new NpgsqlConnectionStringBuilder(bed.ConnectionString) { Username = login, Password = password, Pooling = false }.ConnectionString;
        var load = new CommitLoad(bed.Start(o => (o.ConnectionString, o.CommitTimeout) = (limited, Short)), 4, "load");
        var patient = bed.Start(o => (o.ConnectionString, o.CommitTimeout) = (limited, Long));

        await using (var holder = new NpgsqlConnection(limited))
        {
            await holder.OpenAsync();
            using var stop = new CancellationTokenSource();
            var running = load.RunAsync(stop.Token);
            await load.MoreAsync(refused: 8);
            await stop.CancelAsync();
            await running;
            Assert.Empty(load.Committed);
        }
        Assert.Equal(new CommitResult(CommitOutcome.Committed, 1), await patient.CommitAsync(Commit("patient", 0, Event("patient"))));
        await VerifyAsync(load, bed);
    }

    [Fact]
    public async Task A_lock_that_is_held_longer_than_their_bound_fails_commits_and_leaves_nothing_of_them()
    {
        await using var bed = await server.BedAsync();
        var load = new CommitLoad(bed.Start(o => (o.StatementTimeout, o.CommitTimeout) = (Short / 2, Short)), 8, "load");
        using var stop = new CancellationTokenSource();
        var running = load.RunAsync(stop.Token);
        await load.MoreAsync(committed: 50);

        await using (var holder = new NpgsqlConnection(bed.ConnectionString))
        {
            await holder.OpenAsync();
            await using var hold = new NpgsqlCommand("BEGIN; LOCK TABLE governor.governance_event", holder);
            await hold.ExecuteNonQueryAsync();
            await load.MoreAsync(refused: 16);
        }
        await load.MoreAsync(committed: 50);
        await stop.CancelAsync();
        await running;

        Assert.Empty(load.InDoubt);
        await VerifyAsync(load, bed);
    }

    [Fact]
    public async Task Of_two_writers_on_one_grain_one_wins_each_version_and_the_log_has_no_gap()
    {
        await using var bed = await server.BedAsync();
        Silo[] silos = [bed.Start(sequence: true), bed.Start(sequence: true)];
        const int Versions = 60;

        var won = await Task.WhenAll(silos.Select(async silo =>
        {
            var wins = new List<long>();
            for (var version = 0L; version < Versions;)
            {
                var answer = await silo.CommitAsync(Commit("torn", version, Event("torn"), Event("shared")));
                if (answer.Outcome == CommitOutcome.Committed)
                    wins.Add(answer.Version);
                // The loser reloads, and decides anew on what it finds.
                version = answer.Outcome == CommitOutcome.Committed ? answer.Version : (await silo.LoadAsync("torn"))!.Version;
            }
            return wins;
        }));

        var versions = won.SelectMany(w => w).Order().ToArray();
        Assert.Equal(Enumerable.Range(1, versions.Length).Select(v => (long)v), versions);
        Assert.Equal(versions.Length, (await silos[0].LoadAsync("torn"))!.Version);
        var verdict = AuditVerifier.Verify(new MemoryStream(await silos[1].ExportAsync()), AuditTrust.In(silos[0].Key));
        Assert.Null(verdict.Fault);
        Assert.Equal(2 * versions.Length, verdict.Leaves);
        Assert.True((await silos[0].CheckAsync()).IsClean);
    }

    private static JournalBed Through(BoundaryProxy proxy, PostgresServer server) => new(
        new NpgsqlConnectionStringBuilder(server.ConnectionString()) { Port = proxy.Port }.ConnectionString,
        Path.Combine(Directory.CreateTempSubdirectory("governor-key-").FullName, "log.key"));

    private static async Task VerifyAsync(CommitLoad load, JournalBed bed, string? connectionString = null)
    {
        await load.VerifyAsync(bed);
        var silo = bed.Start(o => o.ConnectionString = connectionString ?? o.ConnectionString, sequence: true);
        await silo.Reader.WaitForCheckpointAsync(CancellationToken.None);
        var check = await silo.CheckAsync();
        Assert.True(check.IsClean, string.Join(Environment.NewLine, check.Findings.Select(finding => finding.ToString()).Prepend($"{check.Log}")));
    }

    private static async Task AskAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>A PostgreSQL for one test, that may do to it what it likes.</summary>
    private sealed class OwnServer(DirectoryInfo folder, PostgresServer server) : IAsyncDisposable
    {
        public PostgresServer Server { get; } = server;

        public string KeyFile { get; } = Path.Combine(folder.FullName, "log.key");

        public static async Task<OwnServer> StartAsync()
        {
            var folder = Directory.CreateTempSubdirectory("governor-stress-");
            File.SetUnixFileMode(folder.FullName, (UnixFileMode)0b111_101_101);
            return new OwnServer(folder, await PostgresServer.StartAsync(Path.Combine(folder.FullName, "pg")));
        }

        public async ValueTask DisposeAsync()
        {
            await Server.DisposeAsync();
            folder.Delete(recursive: true);
        }
    }
}
