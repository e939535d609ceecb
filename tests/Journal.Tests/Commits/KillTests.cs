using System.Collections.Concurrent;
using Governor.LocalServers;
using Npgsql;

namespace Governor.Journal.Tests.Commits;

/// <summary>
/// A silo's process dies by SIGKILL at every boundary of every statement of its writer. What it had acknowledged is there; what it had
/// not is wholly there or wholly absent; and the next silo goes on from there.
/// </summary>
[Collection(nameof(FaultServer))]
public sealed class KillTests(JournalServer server)
{
    public static TheoryData<string, int, Place> EveryWrite()
    {
        var boundaries = new TheoryData<string, int, Place>();
        foreach (var (step, occurrence) in ((string, int)[])[("fence", 1), ("prepare trust", 1), ("prepare judge", 1), ("trust", 1), ("trust", 8), ("judge", 2)])
        {
            // Half an answer that nobody is left to read is no other case than none.
            foreach (var place in (Place[])[Place.BeforeRequest, Place.WithinRequest, Place.BeforeAnswer])
                boundaries.Add(step, occurrence, place);
        }
        return boundaries;
    }

    [Theory]
    [MemberData(nameof(EveryWrite))]
    public Task Killed_anywhere_a_silo_leaves_what_it_acknowledged_and_nothing_in_halves(string step, int occurrence, Place place) =>
        KillAsync(new Boundary(step, occurrence, place));

    private async Task KillAsync(Boundary boundary)
    {
        await using var bed = await server.BedAsync();
        var told = new ConcurrentQueue<(string Answer, Guid Commit)>();
        await using (var proxy = new BoundaryProxy(server.Server.Port))
        {
            var held = proxy.HoldAt(boundary);
            await using var silo = await StartAsync(new NpgsqlConnectionStringBuilder(bed.ConnectionString) { Port = proxy.Port }.ConnectionString, line =>
            {
                if (line.Split(' ') is [var answer, var id] && Guid.TryParse(id, out var commit))
                    told.Enqueue((answer, commit));
            });
            if (await Task.WhenAny(held, silo.WaitForExitAsync(CancellationToken.None)).WaitAsync(TimeSpan.FromMinutes(2)) != held)
                Assert.Fail($"the silo ended by itself, after {string.Join(", ", proxy.Steps)}:\n{silo.Tail}");
            await silo.KillAsync();
        }
        await VerifyAsync(bed, boundary, told);
    }

    private static async Task VerifyAsync(JournalBed bed, Boundary boundary, IReadOnlyCollection<(string Answer, Guid Commit)> told)
    {
        var next = bed.Start(sequence: true);
        var goesOn = new CommitLoad(next, 4, "next");
        using var stop = new CancellationTokenSource();
        var running = goesOn.RunAsync(stop.Token);
        await goesOn.MoreAsync(committed: 20);
        await stop.CancelAsync();
        await running;
        await goesOn.VerifyAsync(bed);

        var stored = await StoredAsync(bed);
        Assert.All(told.Where(t => t.Answer == "committed"), t => Assert.Equal(2, stored[t.Commit].Events));
        Assert.All(told.Where(t => t.Answer == "conflict"), t => Assert.DoesNotContain(t.Commit, stored.Keys));
        // At most the one commit that was under way is there without having been acknowledged, and it is whole.
        var unacknowledged = stored.Where(s => told.All(t => t.Commit != s.Key)).ToList();
        Assert.InRange(unacknowledged.Count, 0, boundary is { Step: "trust", Place: Place.BeforeAnswer } ? 1 : 0);
        Assert.All(unacknowledged, u => Assert.Equal(2, u.Value.Events));
        Assert.Equal(stored.Count, (long)(decimal)(await bed.AskAsync("SELECT coalesce(sum(version), 0) FROM governor.grain_state WHERE key LIKE 'doomed-%'"))!);
        await next.Reader.WaitForCheckpointAsync(CancellationToken.None);
        var check = await next.CheckAsync();
        Assert.True(check.IsClean, string.Join(Environment.NewLine, check.Findings.Select(finding => finding.ToString()).Prepend($"{check.Log}")));
    }

    private static async Task<Dictionary<Guid, (long Events, string Name)>> StoredAsync(JournalBed bed)
    {
        await using var connection = new NpgsqlConnection(bed.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT commit_id, count(*), min(name) FROM governor.governance_event WHERE name LIKE 'doomed-%' GROUP BY 1", connection);
        await using var rows = await command.ExecuteReaderAsync();
        var stored = new Dictionary<Guid, (long, string)>();
        while (await rows.ReadAsync())
            stored[rows.GetGuid(0)] = (rows.GetInt64(1), rows.GetString(2));
        return stored;
    }

    private static Task<ChildProcess> StartAsync(string connectionString, Action<string> onLine) =>
        ChildProcess.StartAsync(
            "silo", "dotnet",
            [typeof(CommittingProcess).Assembly.Location, "doomed", Directory.CreateTempSubdirectory("governor-key-").FullName],
            new Dictionary<string, string?> { [CommittingProcess.Connection] = connectionString }, onLine);
}
