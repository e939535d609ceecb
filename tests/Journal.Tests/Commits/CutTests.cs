using Governor.Domain.Audit;
using Governor.Grains.Interfaces.Ports;
using Governor.Journal.Recovery;
using Npgsql;
using static Governor.Journal.Tests.Samples;

namespace Governor.Journal.Tests.Commits;

/// <summary>
/// The writer's connection is lost at every boundary of every statement of its life. Whatever happens, every commit is answered, the
/// answer is what is stored, and everything that can be derived again agrees.
/// </summary>
[Collection(nameof(CutServer))]
public sealed class CutTests(JournalServer server, CutTests.Ground ground) : IClassFixture<CutTests.Ground>
{
    /// <summary>What every writer does once, and each with how often it does it before its first loss.</summary>
    private static readonly (string Step, int Times)[] Life =
    [
        ("negotiate", 1), ("connect", 1), ("authenticate", 2), ("load types", 1), ("fence", 1), ("prepare trust", 1), ("prepare judge", 1),
        ("trust", 2), ("judge", 1),
    ];

    /// <summary>What it does, by occurrence, when it lost its connection with commits under way.</summary>
    private static readonly (string Step, int Occurrence)[] LifeAfterALoss =
    [
        ("negotiate", 2), ("connect", 2), ("authenticate", 3), ("authenticate", 4), ("fence", 2), ("prepare trust", 2), ("prepare judge", 2), ("look up", 1),
        ("trust", 2),
    ];

    public static TheoryData<string, int, Place> EveryBoundary()
    {
        var boundaries = new TheoryData<string, int, Place>();
        foreach (var (step, times) in Life)
        {
            for (var occurrence = 1; occurrence <= times; occurrence++)
            {
                foreach (var place in Enum.GetValues<Place>())
                    boundaries.Add(step, occurrence, place);
            }
        }
        return boundaries;
    }

    public static TheoryData<string, int, Place, Place> EveryBoundaryAfterALoss()
    {
        var boundaries = new TheoryData<string, int, Place, Place>();
        foreach (var (step, occurrence) in LifeAfterALoss)
        {
            foreach (var place in Enum.GetValues<Place>())
            {
                // The first loss with the commit undone, and with the commit done.
                boundaries.Add(step, occurrence, place, Place.WithinRequest);
                boundaries.Add(step, occurrence, place, Place.BeforeAnswer);
            }
        }
        return boundaries;
    }

    [Fact]
    public async Task The_life_of_a_writer_has_these_steps_and_no_others()
    {
        var steps = await LiveAsync();
        Assert.Equal(Life.Select(l => l.Step).Order(StringComparer.Ordinal), steps.Where(s => s != "goodbye").Distinct().Order(StringComparer.Ordinal));
        foreach (var (step, times) in Life)
            Assert.True(steps.Count(s => s == step) >= times, $"{step}: {string.Join(", ", steps)}");
        steps = await LiveAsync(new Boundary("trust", 1, Place.BeforeAnswer));
        foreach (var (step, occurrence) in LifeAfterALoss)
            Assert.True(steps.Count(s => s == step) >= occurrence, $"{step}: {string.Join(", ", steps)}");
    }

    [Theory]
    [MemberData(nameof(EveryBoundary))]
    public Task Cut_anywhere_every_commit_is_answered_with_what_is_stored(string step, int occurrence, Place place) =>
        LiveAsync(new Boundary(step, occurrence, place));

    [Theory]
    [MemberData(nameof(EveryBoundaryAfterALoss))]
    public Task Cut_again_while_it_recovers_every_commit_is_answered_with_what_is_stored(string step, int occurrence, Place place, Place first) =>
        LiveAsync(new Boundary("trust", 1, first), new Boundary(step, occurrence, place));

    /// <summary>A writer's life: commits alone and together, with and without events, a conflict, and a repetition.</summary>
    private async Task<IReadOnlyCollection<string>> LiveAsync(params Boundary[] cuts)
    {
        var bed = await ground.BedAsync(server);
        await using var proxy = new BoundaryProxy(server.Server.Port);
        var reached = cuts.Select(proxy.CutAt).ToArray();
        await using var cut = new JournalBed(
            new NpgsqlConnectionStringBuilder(bed.ConnectionString) { Port = proxy.Port }.ConnectionString,
            Path.Combine(Directory.CreateTempSubdirectory("governor-key-").FullName, "k"));
        var silo = cut.Start();
        var id = $"{Guid.NewGuid():n}";
        Commit[] together =
        [
            Commit($"{id}-a", 0, Event($"{id}-a"), Event($"{id}-shared")), Commit($"{id}-b", 0, Event($"{id}-b")), Commit($"{id}-c", 0, Event($"{id}-shared")),
        ];
        var next = Commit($"{id}-a", 1, Event($"{id}-a"));
        // Without an event, a commit leaves the state as it is.
        var silent = Commit($"{id}-b", 1) with { State = together[1].State };
        var late = Commit($"{id}-a", 0, Event($"{id}-a", "pack.late"));
        Assert.All(await Task.WhenAll(together.Select(silo.CommitAsync)), answer => Assert.Equal(new CommitResult(CommitOutcome.Committed, 1), answer));
        Assert.Equal(new CommitResult(CommitOutcome.Committed, 2), await silo.CommitAsync(next));
        Assert.Equal(new CommitResult(CommitOutcome.Committed, 2), await silo.CommitAsync(silent));
        Assert.Equal(new CommitResult(CommitOutcome.Conflict, 2), await silo.CommitAsync(late));
        foreach (var commit in together)
            Assert.Equal(new CommitResult(CommitOutcome.Committed, 1), await silo.CommitAsync(commit));
        Assert.Equal(new CommitResult(CommitOutcome.Committed, 2), await silo.CommitAsync(silent));

        Assert.All(reached, there => Assert.True(there.IsCompletedSuccessfully, $"never came to {string.Join(", then ", (object[])cuts)}: {string.Join(", ", proxy.Steps)}"));
        foreach (var commit in together.Append(next).Append(silent).Append(late))
            Assert.Equal(commit == late ? 0L : commit.Events.Length, await bed.AskAsync($"SELECT count(*) FROM governor.governance_event WHERE commit_id = '{commit.Id}'"));
        Assert.Equal(5m, await bed.AskAsync($"SELECT sum(version) FROM governor.grain_state WHERE key LIKE '{id}-%'"));
        var check = await ground.CheckAsync();
        Assert.True(check.IsClean, string.Join(Environment.NewLine, check.Findings.Select(finding => finding.ToString()).Prepend($"{check.Log}")));
        return proxy.Steps;
    }

    /// <summary>One database for all cuts, with a silo beside that sequences it on a connection that nobody cuts.</summary>
    public sealed class Ground : IAsyncLifetime
    {
        private JournalBed? _bed;
        private Silo? _watcher;

        public async Task<JournalBed> BedAsync(JournalServer server)
        {
            if (_bed is null)
            {
                _bed = await server.BedAsync();
                _watcher = _bed.Start(sequence: true);
            }
            return _bed;
        }

        public async Task<JournalCheckReport> CheckAsync()
        {
            await _watcher!.Reader.WaitForCheckpointAsync(CancellationToken.None);
            return await _watcher.CheckAsync();
        }

        public Task InitializeAsync() => Task.CompletedTask;

        public async Task DisposeAsync()
        {
            if (_bed is not null)
                await _bed.DisposeAsync();
        }
    }
}
