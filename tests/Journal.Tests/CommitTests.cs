using Governor.Domain.Audit;
using Governor.Grains.Interfaces.Ports;
using Npgsql;
using static Governor.Journal.Tests.Samples;

namespace Governor.Journal.Tests;

[Collection(nameof(JournalServer))]
public sealed class CommitTests(JournalServer server)
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_commit_can_be_loaded_again()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start();
        var commit = Commit("web", 0, Event("web"));

        Assert.Null(await silo.LoadAsync("web"));
        Assert.Equal(new CommitResult(CommitOutcome.Committed, 1), await silo.CommitAsync(commit));

        var state = await silo.LoadAsync("web");
        Assert.Equal(1, state!.Version);
        Assert.Equal(commit.State.ToArray(), state.State.ToArray());
        Assert.True(state.Pending);
        Assert.Equal([new GrainKey("pack", "web")], await silo.Journal.PendingAsync(None));
        Assert.Equal(["web"], (await silo.Journal.ListAsync("pack", None)).Select(s => s.Grain.Key));
    }

    [Fact]
    public async Task An_event_reads_back_as_it_was_decided()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start();
        var first = Event("web") with { Reviewer = "kai" };
        var second = Event("web", "pack.verified", next: null) with { PreviousValue = "a\0b — ü" };
        await silo.CommitAsync(Commit("web", 0, first, second, Event("other")));

        var read = await silo.Reader.EventsAsync(new EventFilter(Kind: "ClusterPack", Namespace: "seam-system", Name: "web"), None);

        Assert.Equal([second, first], read.Select(e => e.Event));
        Assert.Equal([2L, 1L], read.Select(e => e.Sequence));
        Assert.Equal([second], (await silo.Reader.EventsAsync(new EventFilter(Name: "web", Limit: 1), None)).Select(e => e.Event));
        Assert.Empty(await silo.Reader.EventsAsync(new EventFilter(Since: first.At.AddTicks(10)), None));
        Assert.Equal(3, await silo.Reader.CountAsync(None));
    }

    [Fact]
    public async Task The_second_of_two_decisions_on_one_version_conflicts_and_leaves_no_event()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start();
        await silo.CommitAsync(Commit("web", 0, Event("web")));

        var conflict = await silo.CommitAsync(Commit("web", 0, Event("web", "pack.late")));
        Assert.Equal(new CommitResult(CommitOutcome.Conflict, 1), conflict);
        Assert.Equal(new CommitResult(CommitOutcome.Conflict, 1), await silo.CommitAsync(Commit("web", 7, Event("web", "pack.early"))));
        Assert.Equal(new CommitResult(CommitOutcome.Conflict, 0), await silo.CommitAsync(Commit("new", 7, Event("new"))));

        Assert.Equal(1, await silo.Reader.CountAsync(None));
    }

    [Fact]
    public async Task A_repeated_commit_answers_as_the_first_did()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start();
        var commit = Commit("web", 0, Event("web"));
        await silo.CommitAsync(commit);
        await silo.CommitAsync(Commit("web", 1, Event("web")));

        Assert.Equal(new CommitResult(CommitOutcome.Committed, 1), await silo.CommitAsync(commit));
        Assert.Equal(new CommitResult(CommitOutcome.Committed, 1), await bed.Start().CommitAsync(commit));

        Assert.Equal(2, (await silo.LoadAsync("web"))!.Version);
        Assert.Equal(2, await silo.Reader.CountAsync(None));
    }

    [Fact]
    public async Task Of_two_silos_on_one_grain_exactly_one_wins_each_version()
    {
        await using var bed = await server.BedAsync();
        Silo[] silos = [bed.Start(), bed.Start()];
        const int Versions = 100;

        var wins = await Task.WhenAll(silos.Select(async silo =>
        {
            var (won, version) = (0, 0L);
            while (version < Versions)
            {
                var result = await silo.CommitAsync(Commit("web", version, Event("web")));
                won += result.Outcome == CommitOutcome.Committed ? 1 : 0;
                version = result.Version;
            }
            return won;
        }));

        // Whoever reached the last version first leaves the other at most one more.
        var state = await silos[0].LoadAsync("web");
        Assert.Equal(state!.Version, wins.Sum());
        Assert.Equal(state.Version, await silos[0].Reader.CountAsync(None));
        await ChainsAreDenseAsync(silos[0]);
    }

    [Fact]
    public async Task A_conflict_fails_nobody_else_in_the_same_batch()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start();
        await silo.CommitAsync(Commit("taken", 0, Event("taken")));

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i =>
            silo.CommitAsync(i == 100 ? Commit("taken", 0, Event("taken")) : Commit($"free-{i}", 0, Event($"free-{i}")))));

        Assert.Equal(199, answers.Count(a => a == new CommitResult(CommitOutcome.Committed, 1)));
        Assert.Equal(new CommitResult(CommitOutcome.Conflict, 1), answers[100]);
    }

    [Fact]
    public async Task A_commit_that_the_database_refuses_fails_alone()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start();
        // Longer than an index entry may be, and not compressible: PostgreSQL refuses it.
        var endless = string.Concat(Enumerable.Range(0, 400).Select(_ => Guid.NewGuid().ToString("n")));

        var tasks = Enumerable.Range(0, 50).Select(i => silo.CommitAsync(Commit(i == 7 ? endless : $"web-{i}", 0, Event($"web-{i}")))).ToList();

        await Assert.ThrowsAsync<JournalUnavailableException>(() => tasks[7]);
        tasks.RemoveAt(7);
        Assert.All(await Task.WhenAll(tasks), answer => Assert.Equal(CommitOutcome.Committed, answer.Outcome));
    }

    [Fact]
    public async Task What_cannot_be_stored_is_refused_before_it_is_sent()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start();

        await Assert.ThrowsAsync<ArgumentException>(() => silo.CommitAsync(Commit("web", 0, Event("nul\0"))));
        await Assert.ThrowsAsync<ArgumentException>(() => silo.CommitAsync(Commit("nul\0", 0, Event("web"))));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => silo.CommitAsync(Commit("web", 0, Event("lone \ud800 surrogate"))));
        await Assert.ThrowsAsync<ArgumentException>(() => silo.CommitAsync(Commit("web", 0, Event("web") with { Cluster = new string('x', 70_000) })));
        await Assert.ThrowsAsync<ArgumentException>(() => silo.CommitAsync(Commit("web", -1, Event("web"))));
        Assert.Equal(0, await silo.Reader.CountAsync(None));
    }

    [Fact]
    public async Task Sixty_four_grains_that_share_chains_leave_them_dense()
    {
        await using var bed = await server.BedAsync();
        Silo[] silos = [bed.Start(), bed.Start()];
        const int Commits = 25;

        await Task.WhenAll(Enumerable.Range(0, 64).Select(async grain =>
        {
            var silo = silos[grain % 2];
            for (var version = 0; version < Commits; version++)
            {
                // Each grain on a chain of its own, and on one that eight grains of both silos share.
                var result = await silo.CommitAsync(Commit($"{grain}", version, Event($"own-{grain}"), Event($"shared-{grain / 8}")));
                Assert.Equal(new CommitResult(CommitOutcome.Committed, version + 1), result);
            }
        }));

        Assert.Equal(64 * Commits * 2, await silos[0].Reader.CountAsync(None));
        await ChainsAreDenseAsync(silos[0]);
    }

    [Fact]
    public async Task A_commit_without_events_is_a_commit()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start();
        Assert.Equal(new CommitResult(CommitOutcome.Committed, 1), await silo.CommitAsync(Commit("web", 0)));
        Assert.Equal(0, await silo.Reader.CountAsync(None));
    }

    [Fact]
    public async Task A_cancelled_caller_is_answered_or_nothing_was_written()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(o => o.MaxBatch = 4);

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 200).Select(async i =>
        {
            using var cancellation = new CancellationTokenSource();
            var answer = silo.Journal.CommitAsync(Commit($"{i}", 0, Event($"{i}")), cancellation.Token);
            await cancellation.CancelAsync();
            try
            {
                return (await answer).Outcome == CommitOutcome.Committed;
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }));

        await silo.CommitAsync(Commit("last", 0));
        for (var i = 0; i < outcomes.Length; i++)
            Assert.Equal(outcomes[i], await silo.LoadAsync($"{i}") is not null);
        Assert.Contains(false, outcomes);
    }

    [Fact]
    public async Task A_full_queue_makes_callers_wait_and_loses_nobody()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(o => (o.MaxQueued, o.MaxBatch) = (4, 2));
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => silo.CommitAsync(Commit($"{i}", 0, Event($"{i}")))));
        Assert.All(answers, a => Assert.Equal(CommitOutcome.Committed, a.Outcome));
    }

    [Theory]
    [InlineData("UPDATE governor.governance_event SET actor = 'nobody'")]
    [InlineData("DELETE FROM governor.governance_event")]
    [InlineData("TRUNCATE governor.governance_event")]
    [InlineData("UPDATE governor.governance_event_default SET actor = 'nobody'")]
    [InlineData("DELETE FROM governor.log_segment")]
    [InlineData("UPDATE governor.log_checkpoint SET note = ''")]
    [InlineData("TRUNCATE governor.log_checkpoint")]
    public async Task Nobody_rewrites_history(string statement)
    {
        await using var bed = await server.BedAsync();
        await bed.Start().CommitAsync(Commit("web", 0, Event("web")));

        var asOwner = await Assert.ThrowsAsync<PostgresException>(() => bed.AskAsync(statement));
        Assert.Contains("append-only", asOwner.MessageText, StringComparison.Ordinal);
        var asSilo = await Assert.ThrowsAsync<PostgresException>(() => bed.AskAsync($"SET ROLE governor_silo; {statement}"));
        Assert.Equal("42501", asSilo.SqlState);
    }

    [Fact]
    public async Task Every_partition_refuses_changes_and_the_months_ahead_exist()
    {
        await using var bed = await server.BedAsync();
        const string Partitions = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'governor.governance_event'::regclass";
        Assert.Equal(4L, await bed.AskAsync(Partitions));
        Assert.Equal(3, await bed.AskAsync("SET ROLE governor_silo; SELECT governor.ensure_event_partitions(5)"));
        Assert.Equal(7L, await bed.AskAsync(Partitions));
        Assert.Equal(8L, await bed.AskAsync("SELECT count(*) FROM pg_trigger WHERE tgname = 'append_only' AND tgrelid::regclass::text LIKE '%governance_event%'"));
    }

    [Fact]
    public async Task Migrations_apply_once_also_when_silos_start_together()
    {
        await using var bed = await server.BedAsync();
        Assert.Empty(await SchemaMigrations.ApplyAsync(bed.ConnectionString, None));
        await bed.AskAsync("DROP SCHEMA governor CASCADE");

        var applied = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => SchemaMigrations.ApplyAsync(bed.ConnectionString, None)));

        Assert.Equal(["0001_journal", "0002_silo_role", "0004_commit_batch"], applied.SelectMany(a => a));
        await bed.AskAsync("INSERT INTO governor.schema_migrations (name) VALUES ('9999_future')");
        await Assert.ThrowsAsync<InvalidOperationException>(() => SchemaMigrations.ApplyAsync(bed.ConnectionString, None));
    }

    private static async Task ChainsAreDenseAsync(Silo silo)
    {
        var events = await silo.Reader.EventsAsync(new EventFilter(Limit: 100_000), None);
        foreach (var chain in events.GroupBy(e => e.Event.Subject.Chain))
            Assert.Equal(Enumerable.Range(1, chain.Count()).Select(i => (long)i), chain.Select(e => e.Sequence).Order());
    }
}
