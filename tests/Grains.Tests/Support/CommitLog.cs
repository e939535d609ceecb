using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Governor.Domain.Audit;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Grains.Tests.Support;

/// <summary>One transition that the journal has acknowledged.</summary>
public sealed record Committed(GrainKey Grain, long Version, ReadOnlyMemory<byte> State, bool Pending, ImmutableArray<GovernanceEvent> Events)
{
    public TState As<TState>() => JsonSerializer.Deserialize<TState>(State.Span, StateJson.Options)!;

    public override string ToString() => $"{Grain} v{Version}{(Pending ? " pending" : "")}: {Encoding.UTF8.GetString(State.Span)}";
}

/// <summary>Everything that a bed's journal has acknowledged, in order, over all restarts; and a way to wait for more.</summary>
public sealed class CommitLog
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly Lock _lock = new();
    private readonly List<Committed> _entries = [];
    private readonly Dictionary<GrainKey, Committed> _newest = [];
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyList<Committed> Of(string subject, string key)
    {
        lock (_lock)
            return [.. _entries.Where(e => e.Grain == new GrainKey(subject, key))];
    }

    public IReadOnlyList<GovernanceEvent> Events()
    {
        lock (_lock)
            return [.. _entries.SelectMany(e => e.Events)];
    }

    /// <summary>Completes when the newest state of a grain is as expected.</summary>
    public async Task<Committed> UntilAsync(string subject, string key, Func<Committed, bool> holds, string what)
    {
        var grain = new GrainKey(subject, key);
        Committed? found = null;
        await WaitAsync(
            () => _newest.TryGetValue(grain, out found) && holds(found), () => $"'{what}' of {grain}; last seen: {(found is null ? "nothing" : found)}");
        return found!;
    }

    public Task<Committed> UntilAsync<TState>(string subject, string key, Func<TState, bool> holds, string what) =>
        UntilAsync(subject, key, entry => holds(entry.As<TState>()), what);

    /// <summary>Completes when something was decided, however soon it was overtaken by something else.</summary>
    public Task UntilDecidedAsync(string action) => WaitAsync(() => _entries.Exists(e => e.Events.Any(told => told.Action == action)), () => $"the event {action}");

    /// <summary>Completes when no actor owes anything: what was told has arrived, and what followed from it has, too.</summary>
    public Task QuietAsync() => WaitAsync(
        () => _newest.Values.All(e => !e.Pending), () => $"quiet; still owing: {string.Join("; ", _newest.Values.Where(e => e.Pending).Take(5))}");

    internal IJournal Over(IJournal journal) => new Observed(journal, this);

    private async Task WaitAsync(Func<bool> holds, Func<string> what)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            Task more;
            lock (_lock)
            {
                if (holds())
                    return;
                more = _more.Task;
            }
            try
            {
                await more.WaitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                lock (_lock)
                    throw new TimeoutException($"waited {Patience.TotalSeconds} s for {what()}");
            }
        }
    }

    private void Add(Committed entry)
    {
        TaskCompletionSource told;
        lock (_lock)
        {
            _entries.Add(entry);
            if (_newest.GetValueOrDefault(entry.Grain) is not { } known || known.Version < entry.Version)
                _newest[entry.Grain] = entry;
            told = _more;
            _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        told.TrySetResult();
    }

    /// <summary>The real journal, and somebody who looks over its shoulder.</summary>
    private sealed class Observed(IJournal journal, CommitLog log) : IJournal
    {
        public Task<StoredState?> LoadAsync(GrainKey grain, CancellationToken cancellation) => journal.LoadAsync(grain, cancellation);

        public Task<IReadOnlyList<StoredState>> ListAsync(string subject, CancellationToken cancellation) => journal.ListAsync(subject, cancellation);

        public Task<IReadOnlyList<GrainKey>> PendingAsync(CancellationToken cancellation) => journal.PendingAsync(cancellation);

        public async Task<CommitResult> CommitAsync(Commit commit, CancellationToken cancellation)
        {
            var result = await journal.CommitAsync(commit, cancellation);
            if (result.Outcome == CommitOutcome.Committed)
                log.Add(new Committed(commit.Grain, result.Version, commit.State, commit.Pending, commit.Events));
            return result;
        }
    }
}
