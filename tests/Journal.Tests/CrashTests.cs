using System.Collections.Concurrent;
using Governor.Domain.Audit;
using Governor.Grains.Interfaces.Ports;
using Governor.LocalServers;
using Npgsql;
using static Governor.Journal.Tests.Samples;

namespace Governor.Journal.Tests;

/// <summary>What happens to commits when their database dies or their connection is cut.</summary>
[Collection(nameof(FaultServer))]
public sealed class CrashTests(JournalServer server)
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task After_kill_9_of_PostgreSQL_every_acknowledged_commit_is_there_and_every_failed_one_is_not()
    {
        var folder = Directory.CreateTempSubdirectory("governor-crash-");
        File.SetUnixFileMode(folder.FullName, (UnixFileMode)0b111_101_101);
        var data = Path.Combine(folder.FullName, "pg");
        var key = Path.Combine(folder.FullName, "log.key");
        var committed = new ConcurrentBag<Commit>();
        var failed = new ConcurrentBag<Commit>();
        var inDoubt = new ConcurrentBag<Commit>();
        try
        {
            await using (var doomed = await PostgresServer.StartAsync(data))
            {
                await SchemaMigrations.ApplyAsync(doomed.ConnectionString(), None);
                await using var bed = new JournalBed(doomed.ConnectionString(), key);
                var silo = bed.Start(o => (o.CommitTimeout, o.MaxBatch) = (TimeSpan.FromMilliseconds(500), 16), sequence: true);
                var warm = new TaskCompletionSource();
                var grains = Enumerable.Range(0, 64).Select(async grain =>
                {
                    for (var version = 0; ; version++)
                    {
                        var commit = Commit($"{grain}", version, Event($"own-{grain}"), Event($"shared-{grain % 8}"));
                        try
                        {
                            Assert.Equal(CommitOutcome.Committed, (await silo.CommitAsync(commit)).Outcome);
                            committed.Add(commit);
                            if (committed.Count > 500)
                                warm.TrySetResult();
                        }
                        catch (JournalUnavailableException)
                        {
                            failed.Add(commit);
                            return;
                        }
                        catch (CommitInDoubtException)
                        {
                            inDoubt.Add(commit);
                            return;
                        }
                    }
                }).ToList();
                await warm.Task;
                await doomed.KillAsync();
                await Task.WhenAll(grains);
            }

            await using var again = await PostgresServer.StartAsync(data);
            await using var after = new JournalBed(again.ConnectionString(), key);
            var survivor = after.Start(sequence: true);
            var events = (await survivor.Reader.EventsAsync(new EventFilter(Limit: 100_000), None)).GroupBy(e => e.Commit).ToDictionary(g => g.Key, g => g.Count());

            Assert.Equal(64, failed.Count + inDoubt.Count);
            Assert.All(committed, c => Assert.Equal(2, events[c.Id]));
            Assert.All(failed, c => Assert.DoesNotContain(c.Id, events.Keys));
            // Whoever was in doubt learns the truth by asking again under the same id.
            foreach (var commit in inDoubt)
            {
                var wasThere = events.ContainsKey(commit.Id);
                Assert.Equal(CommitOutcome.Committed, (await survivor.CommitAsync(commit)).Outcome);
                Assert.Equal(wasThere ? 0 : 2, (await survivor.Reader.EventsAsync(new EventFilter(Limit: 100_000), None)).Count(e => e.Commit == commit.Id) - (wasThere ? 2 : 0));
            }
            foreach (var grain in committed.Concat(inDoubt).GroupBy(c => c.Grain))
                Assert.Equal(grain.Max(c => c.ExpectedVersion) + 1, (await survivor.Journal.LoadAsync(grain.Key, None))!.Version);
            var verdict = AuditVerifier.Verify(new MemoryStream(await survivor.ExportAsync()), AuditTrust.In(survivor.Key));
            Assert.Null(verdict.Fault);
            Assert.True((await survivor.CheckAsync()).IsClean);
            Assert.Equal(2 * (committed.Count + inDoubt.Count), verdict.Leaves);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Commits_go_on_through_a_cut_connection_and_none_is_lost_or_doubled()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(sequence: true);
        const int Versions = 40;
        using var done = new CancellationTokenSource();
        using var progress = new SemaphoreSlim(0);
        // Whenever something was committed, an administrator ends every connection of this database but its own.
        var cutter = Task.Run(async () =>
        {
            await using var connection = new NpgsqlConnection(server.Server.ConnectionString());
            await connection.OpenAsync();
            var database = new NpgsqlConnectionStringBuilder(bed.ConnectionString).Database;
            var cuts = 0L;
            while (!done.IsCancellationRequested)
            {
                await progress.WaitAsync();
                await using var cut = new NpgsqlCommand("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1", connection);
                cut.Parameters.AddWithValue(database!);
                cuts += (long)(await cut.ExecuteScalarAsync())!;
            }
            return cuts;
        });

        await Task.WhenAll(Enumerable.Range(0, 32).Select(async grain =>
        {
            for (var version = 0; version < Versions; version++)
            {
                Assert.Equal(new CommitResult(CommitOutcome.Committed, version + 1), await silo.CommitAsync(Commit($"{grain}", version, Event($"{grain % 8}"))));
                if (progress.CurrentCount == 0)
                    progress.Release();
            }
        }));
        await done.CancelAsync();
        progress.Release();

        Assert.True(await cutter > 0);
        var verdict = AuditVerifier.Verify(new MemoryStream(await silo.ExportAsync()), AuditTrust.In(silo.Key));
        Assert.Null(verdict.Fault);
        Assert.Equal(32 * Versions, verdict.Leaves);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_lost_batch_that_the_server_still_works_on_and_its_repetition_commit_once(bool afterItsFence)
    {
        await using var bed = await server.BedAsync();
        await using var proxy = new CuttingProxy(server.Server.Port);
        var silo = bed.Start(o => o.ConnectionString = new NpgsqlConnectionStringBuilder(o.ConnectionString) { Port = proxy.Port }.ConnectionString);
        await silo.CommitAsync(Commit("web", 0, Event("web")));

        // A lock of ours holds the batch inside the server: before it looked at its epoch, or after, when it holds its writer's row.
        await using var holder = new NpgsqlConnection(bed.ConnectionString);
        await holder.OpenAsync();
        await using (var hold = new NpgsqlCommand(afterItsFence ? "BEGIN; LOCK TABLE governor.chain_head IN EXCLUSIVE MODE" : "BEGIN; SELECT FROM governor.grain_state FOR UPDATE", holder))
            await hold.ExecuteNonQueryAsync();
        var commit = silo.CommitAsync(Commit("web", 1, Event("web")));
        await UntilAsync(bed, "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'");
        proxy.Cut();
        // The silo is back: its fence waits for the lost batch, or its repetition waits behind it.
        await UntilAsync(bed, "SELECT count(*) = 2 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'");
        await using (var release = new NpgsqlCommand("ROLLBACK", holder))
            await release.ExecuteNonQueryAsync();

        Assert.Equal(new CommitResult(CommitOutcome.Committed, 2), await commit);
        Assert.Equal(2, (await silo.LoadAsync("web"))!.Version);
        Assert.Equal(2, await silo.Reader.CountAsync(None));
    }

    [Fact]
    public async Task A_batch_of_a_fenced_connection_writes_nothing()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(o => o.CommitTimeout = TimeSpan.FromSeconds(20));
        await silo.CommitAsync(Commit("web", 0, Event("web")));
        // As a reconnect does: from now on what the old connection sends is void.
        await bed.AskAsync("UPDATE governor.journal_writer SET epoch = epoch + 1");

        Assert.Equal(new CommitResult(CommitOutcome.Committed, 2), await silo.CommitAsync(Commit("web", 1, Event("web"))));
        Assert.Equal(2, await silo.Reader.CountAsync(None));
    }

    [Fact]
    public async Task Without_a_database_a_commit_fails_within_its_bound_and_says_why()
    {
        await using var bed = new JournalBed("Host=127.0.0.1;Port=1;Username=u;Password=secret-word;Database=d", Path.Combine(Directory.CreateTempSubdirectory("governor-key-").FullName, "k"));
        var silo = bed.Start(o => o.CommitTimeout = TimeSpan.FromMilliseconds(200));

        var failure = await Assert.ThrowsAsync<JournalUnavailableException>(() => silo.CommitAsync(Commit("web", 0)));
        Assert.Contains("pack/web", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-word", failure.ToString(), StringComparison.Ordinal);
        await Assert.ThrowsAsync<JournalUnavailableException>(() => silo.LoadAsync("web"));
    }

    [Fact]
    public async Task A_statement_that_takes_too_long_delays_commits_and_loses_none()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(o => o.StatementTimeout = TimeSpan.FromSeconds(1), sequence: true);
        await silo.CommitAsync(Commit("web", 0, Event("web")));
        await using var holder = new NpgsqlConnection(bed.ConnectionString);
        await holder.OpenAsync();
        await using (var hold = new NpgsqlCommand("BEGIN; LOCK TABLE governor.chain_head", holder))
            await hold.ExecuteNonQueryAsync();

        var commits = Enumerable.Range(0, 20).Select(i => silo.CommitAsync(Commit($"late-{i}", 0, Event($"late-{i}")))).ToArray();
        await UntilAsync(bed, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query_start < now() - interval '0.8 seconds')");
        await using (var release = new NpgsqlCommand("ROLLBACK", holder))
            await release.ExecuteNonQueryAsync();

        Assert.All(await Task.WhenAll(commits), a => Assert.Equal(CommitOutcome.Committed, a.Outcome));
        Assert.Equal(21, await silo.Reader.CountAsync(None));
    }

    /// <summary>The server has no way to tell us that one of its backends waits; it is asked until it says so.</summary>
    private static async Task UntilAsync(JournalBed bed, string condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (await bed.AskAsync(condition) is not true)
            patience.Token.ThrowIfCancellationRequested();
    }
}
