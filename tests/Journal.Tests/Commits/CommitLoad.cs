using System.Collections.Concurrent;
using Governor.Grains.Interfaces.Ports;
using Npgsql;
using static Governor.Journal.Tests.Samples;

namespace Governor.Journal.Tests.Commits;

/// <summary>
/// Grains that commit one version after the other, each with two events, one of them on a chain that all share, and that remember
/// what they were told of each commit.
/// </summary>
public sealed class CommitLoad(Silo silo, int grains, string name)
{
    private readonly ConcurrentQueue<Commit> _committed = [];
    private readonly ConcurrentQueue<Commit> _refused = [];
    private readonly ConcurrentQueue<Commit> _inDoubt = [];
    private readonly ConcurrentDictionary<TaskCompletionSource, (int Committed, int Refused)> _waiting = [];

    public IReadOnlyCollection<Commit> Committed => _committed;

    public IReadOnlyCollection<Commit> Refused => _refused;

    public IReadOnlyCollection<Commit> InDoubt => _inDoubt;

    /// <summary>Commits until it is told to stop; never gives up.</summary>
    public Task RunAsync(CancellationToken stop) =>
        Task.WhenAll(Enumerable.Range(0, grains).Select(grain => Task.Run(() => RunAsync($"{name}-{grain}", stop), CancellationToken.None)));

    /// <summary>When so many more were committed, or refused, than now.</summary>
    public Task MoreAsync(int committed = 0, int refused = 0)
    {
        var wanted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[wanted] = (_committed.Count + committed, _refused.Count + _inDoubt.Count + refused);
        Tell();
        return wanted.Task.WaitAsync(TimeSpan.FromMinutes(2));
    }

    /// <summary>What was committed is there, whole and once; what was refused is not; and every state has all of its commits.</summary>
    public async Task VerifyAsync(JournalBed bed)
    {
        var stored = new Dictionary<Guid, long>();
        var versions = new Dictionary<string, long>();
        await using var connection = new NpgsqlConnection(bed.ConnectionString);
        await connection.OpenAsync();
        await using (var events = new NpgsqlCommand("SELECT commit_id, count(*) FROM governor.governance_event GROUP BY 1", connection))
        await using (var rows = await events.ExecuteReaderAsync())
        {
            while (await rows.ReadAsync())
                stored[rows.GetGuid(0)] = rows.GetInt64(1);
        }
        await using (var states = new NpgsqlCommand("SELECT key, version FROM governor.grain_state", connection))
        await using (var rows = await states.ExecuteReaderAsync())
        {
            while (await rows.ReadAsync())
                versions[rows.GetString(0)] = rows.GetInt64(1);
        }
        Assert.All(_committed, commit => Assert.Equal(2, stored.GetValueOrDefault(commit.Id)));
        Assert.All(_refused, commit => Assert.Equal(0, stored.GetValueOrDefault(commit.Id)));
        Assert.All(_inDoubt, commit => Assert.Contains(stored.GetValueOrDefault(commit.Id), (long[])[0, 2]));
        foreach (var grain in _committed.Concat(_inDoubt.Where(commit => stored.ContainsKey(commit.Id))).GroupBy(commit => commit.Grain.Key))
            Assert.Equal(grain.Count(), versions[grain.Key]);
    }

    private async Task RunAsync(string key, CancellationToken stop)
    {
        for (var version = 0L; !stop.IsCancellationRequested;)
        {
            var commit = Commit(key, version, Event(key), Event($"{name}-shared"));
            try
            {
                Assert.Equal(new CommitResult(CommitOutcome.Committed, version + 1), await silo.CommitAsync(commit));
                _committed.Enqueue(commit);
                version++;
            }
            catch (JournalUnavailableException)
            {
                _refused.Enqueue(commit);
            }
            catch (CommitInDoubtException)
            {
                version = await ReloadAsync(key);
                _inDoubt.Enqueue(commit);
            }
            Tell();
        }
    }

    private async Task<long> ReloadAsync(string key)
    {
        while (true)
        {
            try
            {
                return (await silo.LoadAsync(key))?.Version ?? 0;
            }
            catch (JournalUnavailableException)
            {
                // It waited as long as a commit does.
            }
        }
    }

    private void Tell()
    {
        foreach (var (wanted, (committed, refused)) in _waiting)
        {
            if (_committed.Count >= committed && _refused.Count + _inDoubt.Count >= refused)
                wanted.TrySetResult();
        }
    }
}
