using System.Collections.Concurrent;
using System.Text.Json;
using Governor.Domain.Facts;
using Governor.Grains.Governing;
using Governor.Grains.Tests.Support;
using Npgsql;

namespace Governor.Grains.Tests.Governing;

[Collection(nameof(Ground))]
public sealed class GovernedGrainTests(Ground ground) : IAsyncLifetime
{
    private const string Tally = TallyGrain.TallySubject;

    private Bed _bed = null!;

    public async Task InitializeAsync() => _bed = await Bed.StartAsync(ground);

    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Fact]
    public async Task Nothing_happens_outside_before_the_row_that_explains_it_is_in_the_database()
    {
        var faults = new ConcurrentQueue<string>();
        _bed.Outside.Acting = async (key, state) =>
        {
            var stored = await StoredAsync(key);
            foreach (var (who, number) in state.Numbers)
                if (stored?.Numbers.GetValueOrDefault(who) is not { } there || there < number)
                    faults.Enqueue($"{key} acted on {who}={number} with {stored} in the database");
        };
        _bed.Outside.Hearing = (key, fact) =>
        {
            // A letter: its sender must have committed what it says.
            if (fact is Counted { From.Key.Length: > 0 } told && (Task.Run(() => StoredAsync(told.From.Key)).Result?.Numbers.GetValueOrDefault(told.Who) ?? 0) < told.Number)
                faults.Enqueue($"{key} was told {told} before it was in the database");
        };
        await TellAsync("a", new Wired("b"));
        for (var n = 1; n <= 50; n++)
            await TellAsync("a", new Counted("x", n));

        await _bed.Commits.UntilAsync<TallyState>(Tally, "b", s => s.Numbers.GetValueOrDefault("x") == 50, "x=50");
        await _bed.Commits.QuietAsync();
        Assert.Empty(faults);
    }

    [Fact]
    public async Task A_call_that_returns_has_been_committed()
    {
        await TellAsync("a", new Counted("x", 1));

        Assert.Equal(1, (await StoredAsync("a"))!.Numbers["x"]);
    }

    [Fact]
    public async Task When_another_writer_was_there_it_reloads_and_decides_again()
    {
        await TellAsync("a", new Counted("x", 1));
        await _bed.Commits.QuietAsync();
        var other = JsonSerializer.SerializeToUtf8Bytes(TallyState.Initial with { Numbers = TallyState.Initial.Numbers.Add("x", 7).Add("z", 3) }, StateJson.Options);
        await _bed.AskAsync<int>("UPDATE governor.grain_state SET version = version + 5, state = $1 WHERE subject = 'tally' AND key = 'a'", other);

        await TellAsync("a", new Counted("x", 4)); // decided again, it is old news
        await TellAsync("a", new Counted("y", 1));

        var stored = await StoredAsync("a");
        Assert.Equal([("x", 7), ("y", 1), ("z", 3)], stored!.Numbers.Select(n => (n.Key, n.Value)));
    }

    [Fact]
    public async Task What_the_other_writer_owed_is_done_by_whoever_finds_it()
    {
        await TellAsync("a", new Counted("x", 1));
        await _bed.Commits.QuietAsync();
        var other = JsonSerializer.SerializeToUtf8Bytes(
            TallyState.Initial with { Numbers = TallyState.Initial.Numbers.Add("x", 7), Receivers = ["b"] }, StateJson.Options);
        await _bed.AskAsync<int>("UPDATE governor.grain_state SET version = version + 1, pending = true, state = $1 WHERE subject = 'tally' AND key = 'a'", other);

        await TellAsync("a", new Counted("x", 7));

        await _bed.Commits.UntilAsync<TallyState>(Tally, "b", s => s.Numbers.GetValueOrDefault("x") == 7, "x=7");
        await _bed.Commits.UntilAsync(Tally, "a", e => !e.Pending, "settled");
    }

    [Fact]
    public async Task A_journal_that_is_away_fails_the_call_loses_nothing_and_the_next_call_works()
    {
        await TellAsync("a", new Wired("b"));
        await TellAsync("a", new Counted("x", 1));
        await _bed.Commits.QuietAsync();

        await _bed.JournalGoesAwayAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => TellAsync("a", new Counted("x", 2)));
        await Assert.ThrowsAnyAsync<Exception>(() => TellAsync("fresh", new Counted("x", 2)));
        await _bed.JournalComesBackAsync();

        Assert.Equal(1, (await StoredAsync("a"))!.Numbers["x"]);
        await TellAsync("a", new Counted("x", 3));
        await TellAsync("fresh", new Counted("x", 4));
        await _bed.Commits.UntilAsync<TallyState>(Tally, "b", s => s.Numbers.GetValueOrDefault("x") == 3, "x=3");
        Assert.Equal(4, (await StoredAsync("fresh"))!.Numbers["x"]);
    }

    [Fact]
    public async Task A_letter_that_was_not_delivered_is_delivered_after_a_restart_and_then_nothing_is_owed()
    {
        var refused = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _bed.Outside.Hearing = (key, _) =>
        {
            if (key != "b")
                return;
            refused.TrySetResult();
            throw new InvalidOperationException("b does not listen");
        };
        await TellAsync("a", new Wired("b"));
        await TellAsync("a", new Counted("x", 1));
        await refused.Task;
        await _bed.StopSiloAsync();
        Assert.True(await PendingAsync("a"));
        Assert.Null(await StoredAsync("b"));

        _bed.Outside.Hearing = null;
        await _bed.StartSiloAsync();
        await _bed.ResumeAsync();

        await _bed.Commits.UntilAsync<TallyState>(Tally, "b", s => s.Numbers.GetValueOrDefault("x") == 1, "x=1");
        await _bed.Commits.UntilAsync(Tally, "a", e => !e.Pending, "settled");
        Assert.False(await PendingAsync("a"));
    }

    [Fact]
    public async Task Tallies_that_all_tell_each_other_never_wait_in_a_circle()
    {
        string[] keys = ["a", "b", "c", "d"];
        const int Each = 500;
        foreach (var key in keys)
            foreach (var other in keys.Where(k => k != key))
                await TellAsync(key, new Wired(other));

        await Task.WhenAll(keys.Select(async key =>
        {
            for (var n = 1; n <= Each; n++)
                await TellAsync(key, new Counted(key, n));
        }));

        foreach (var key in keys)
            await _bed.Commits.UntilAsync<TallyState>(Tally, key, s => keys.All(k => s.Numbers.GetValueOrDefault(k) == Each), "everybody's numbers");
        await _bed.Commits.QuietAsync();
    }

    [Fact]
    public async Task An_act_that_fails_is_tried_again_and_the_actor_goes_on_meanwhile()
    {
        var failures = 0;
        var acted = new TaskCompletionSource<TallyState>(TaskCreationOptions.RunContinuationsAsynchronously);
        var failed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _bed.Outside.Acting = (_, state) =>
        {
            if (Interlocked.Increment(ref failures) <= 4)
            {
                failed.TrySetResult();
                throw new InvalidOperationException("not today");
            }
            acted.TrySetResult(state);
            return Task.CompletedTask;
        };
        await TellAsync("a", new Counted("x", 1));
        await failed.Task;
        await TellAsync("a", new Counted("x", 2));

        Assert.Equal(2, (await acted.Task).Numbers["x"]);
        await _bed.Commits.UntilAsync(Tally, "a", e => !e.Pending, "settled");
    }

    [Fact]
    public async Task A_receiver_that_cannot_listen_does_not_keep_its_sender_from_acting()
    {
        var acted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _bed.Outside.Hearing = (key, _) =>
        {
            if (key == "deaf")
                throw new InvalidOperationException("what?");
        };
        _bed.Outside.Acting = (key, state) =>
        {
            if (key == "a" && state.Numbers.ContainsKey("x"))
                acted.TrySetResult();
            return Task.CompletedTask;
        };
        await TellAsync("a", new Wired("deaf"));
        await TellAsync("a", new Wired("b"));
        await TellAsync("a", new Counted("x", 1));

        await acted.Task;
        await _bed.Commits.UntilAsync<TallyState>(Tally, "b", s => s.Numbers.ContainsKey("x"), "x");
    }

    [Fact]
    public async Task A_fact_told_twice_is_committed_once()
    {
        await TellAsync("a", new Counted("x", 1));
        await _bed.Commits.QuietAsync();
        var before = _bed.Commits.Of(Tally, "a").Count;

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => TellAsync("a", new Counted("x", 1))));

        Assert.Equal(before, _bed.Commits.Of(Tally, "a").Count);
        Assert.Single(_bed.Commits.Events());
    }

    [Fact]
    public async Task Ticks_fire_once_when_they_are_due()
    {
        await TellAsync("a", new Alarm(DateTimeOffset.UtcNow + TimeSpan.FromMilliseconds(30)));
        await TellAsync("late", new Alarm(DateTimeOffset.UtcNow - TimeSpan.FromHours(1)));

        foreach (var key in (string[])["a", "late"])
        {
            var state = await _bed.Commits.UntilAsync<TallyState>(Tally, key, s => s.DueAt is null, "a tick");
            Assert.Equal(1, state.As<TallyState>().Ticks);
        }
    }

    [Fact]
    public async Task A_tick_survives_a_restart_and_a_journal_that_is_away_when_it_is_due()
    {
        await TellAsync("a", new Alarm(DateTimeOffset.UtcNow + TimeSpan.FromMilliseconds(300)));
        await _bed.JournalGoesAwayAsync();
        await _bed.StopSiloAsync();
        await _bed.JournalComesBackAsync();
        await _bed.StartSiloAsync();
        await _bed.Grains.GetGrain<ITallyGrain>("a").ResumeAsync();

        await _bed.Commits.UntilAsync<TallyState>(Tally, "a", s => s is { DueAt: null, Ticks: 1 }, "a tick");
    }

    private Task TellAsync(string key, Fact fact) => _bed.Grains.GetGrain<ITallyGrain>(key).TellAsync(fact);

    private Task<bool> PendingAsync(string key) => _bed.AskAsync<bool>("SELECT pending FROM governor.grain_state WHERE subject = 'tally' AND key = $1", key);

    private async Task<TallyState?> StoredAsync(string key)
    {
        await using var connection = new NpgsqlConnection(_bed.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT state FROM governor.grain_state WHERE subject = 'tally' AND key = $1", connection);
        command.Parameters.AddWithValue(key);
        return await command.ExecuteScalarAsync() is byte[] state ? JsonSerializer.Deserialize<TallyState>(state, StateJson.Options) : null;
    }
}
