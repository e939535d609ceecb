using System.Collections.Concurrent;
using System.Diagnostics;
using Governor.Sieve.Tests.Support;
using Xunit.Abstractions;

namespace Governor.Sieve.Tests;

/// <summary>
/// Sieve's question (Sun et al., OSDI '22), asked of the main job: whatever single thing goes wrong, the end is the same. Every write is
/// the last one of a silo once, every event is lost once, every list is old once. What there is to go wrong is taken from undisturbed
/// runs, all of it.
/// </summary>
public sealed class SieveTests(Workshop workshop, ITestOutputHelper output) : IClassFixture<Workshop>
{
    /// <summary>Runs only this perturbation, as a failed run prints it.</summary>
    private const string Only = "GOVERNOR_SIEVE";

    /// <summary>When true, lists are answered from all older states of their kind, not only from the last and the first of them.</summary>
    private const string EveryState = "GOVERNOR_SIEVE_EVERY_STATE";

    private const string SeedVariable = "GOVERNOR_SIEVE_SEED";

    /// <summary>Writes may be merged, so undisturbed runs differ in how many there are: what any of so many did is enumerated.</summary>
    private const int UndisturbedRuns = 4;

    /// <summary>What did not come in a run, because it was merged with what came before, is tried again so often.</summary>
    private const int Tries = 8;

    /// <summary>So many in a hundred may stay away: writes that are merged in most runs. More of them, and names are not what they seem.</summary>
    private const int MostMissedPercent = 5;

    private static readonly int Seed = int.TryParse(Environment.GetEnvironmentVariable(SeedVariable), out var given) ? given : Random.Shared.Next();

    private static readonly int AtOnce = 2 * Environment.ProcessorCount;

    [Fact]
    public Task A_silo_that_dies_after_any_write_to_a_cluster_changes_nothing() =>
        PerturbAsync("write", resync: false, runs => Names(runs, run => run.Writes).Select(write => new Perturbation.CrashAfterWrite(write)));

    [Fact]
    public Task A_silo_that_dies_after_any_commit_changes_nothing() =>
        PerturbAsync("commit", resync: false, runs => Names(runs, run => run.Commits).Select(commit => new Perturbation.CrashAfterCommit(commit)));

    [Fact]
    public Task Any_event_that_is_never_sent_changes_nothing() =>
        PerturbAsync("event", resync: false, runs => Names(runs, run => run.Events).Select(sent => new Perturbation.DropEvent(sent)));

    [Fact]
    public Task Any_list_from_an_older_state_changes_nothing() =>
        PerturbAsync("list", resync: true, runs =>
            from list in Names(runs, run => run.Lists.Select(list => list.Name))
            let changes = runs.SelectMany(run => run.Lists).Where(seen => seen.Name == list).Max(seen => seen.Changes)
            from change in Enumerable.Range(1, changes)
            where change == 1 || change == changes || bool.TryParse(Environment.GetEnvironmentVariable(EveryState), out var every) && every
            select new Perturbation.StaleList(change, list));

    private static IEnumerable<string> Names(IReadOnlyList<Run> runs, Func<Run, IEnumerable<string>> names) => runs.SelectMany(names).Distinct();

    private async Task PerturbAsync(string what, bool resync, Func<IReadOnlyList<Run>, IEnumerable<Perturbation>> enumerate)
    {
        var clock = Stopwatch.StartNew();
        var undisturbed = await workshop.UndisturbedAsync(UndisturbedRuns, resync, Seed);
        List<Perturbation> open = Environment.GetEnvironmentVariable(Only) is { Length: > 0 } only ? [Perturbation.Parse(only)] : [.. enumerate(undisturbed)];
        new Random(Seed).Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(open));
        output.WriteLine($"seed {Seed}: {undisturbed.Count} undisturbed runs, {open.Count} perturbations, each by one {what}");
        var mostMissed = Math.Max(1, open.Count * MostMissedPercent / 100);
        var failures = new ConcurrentQueue<string>();
        for (var attempt = 1; attempt <= Tries && open.Count > 0; attempt++)
        {
            var missed = new ConcurrentQueue<Perturbation>();
            await Parallel.ForEachAsync(open, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (perturbation, _) =>
            {
                if (await FailAsync(perturbation, resync, undisturbed[0], missed) is { } failure)
                    failures.Enqueue(failure);
            });
            open = [.. missed];
        }
        output.WriteLine($"{clock.Elapsed}");
        foreach (var missed in open)
            output.WriteLine($"did not come in {Tries} runs: {missed}");
        Assert.True(failures.IsEmpty, $"{failures.Count} perturbations changed the end:\n\n{string.Join("\n\n", failures)}");
        Assert.True(open.Count <= mostMissed, $"expected at most {mostMissed} perturbations that never come, found {open.Count}:\n{string.Join('\n', open)}");
    }

    private async Task<string?> FailAsync(Perturbation perturbation, bool resync, Run undisturbed, ConcurrentQueue<Perturbation> missed)
    {
        IReadOnlyList<string> differences;
        try
        {
            var run = await Run.DoAsync(workshop, perturbation, resync, Seed);
            if (!run.WasHit)
                missed.Enqueue(perturbation);
            differences = undisturbed.Portrait.Differences(run.Portrait);
        }
        catch (TimeoutException e)
        {
            differences = [e.Message];
        }
        return differences.Count == 0 ? null
            : $"{perturbation}\n  again: {SeedVariable}={Seed} {Only}='{perturbation}' dotnet test tests/Sieve.Tests\n{string.Join('\n', differences)}";
    }
}
