using System.Threading.Channels;
using Governor.Grains.Interfaces.Ports;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Governor.Journal.Commits;

/// <summary>
/// The one writer of this process. While a batch is under way the next one gathers: under load batches grow by themselves, without
/// load nobody waits for company. When enough have gathered they go on a second lane, so that one batch is encoded and executed while
/// the other one is made durable; two lanes never have commits of the same grain or chain. Every commit that was sent is answered with
/// what happened to it, also when the connection is lost between sending and answer.
/// </summary>
internal sealed partial class CommitWriter : IAsyncDisposable
{
    /// <summary>As many must have gathered before a lane is used while another one is under way: every batch has its fixed price.</summary>
    private const int Company = 8;

    private readonly JournalOptions _options;
    private readonly JournalMetrics _metrics;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly Channel<PendingCommit> _queue;
    private readonly Task _loop;

    // What follows belongs to the loop alone.
    private readonly ChainHeads _heads = new();
    private readonly CommitLane[] _lanes;
    private List<PendingCommit> _waiting = [];
    private Task<bool>? _arrival;
    private bool _closed;

    public CommitWriter(JournalDatabase database, JournalOptions options, JournalMetrics metrics, TimeProvider clock, ILogger log)
    {
        _options = options;
        _metrics = metrics;
        _clock = clock;
        _log = log;
        _lanes = [.. Enumerable.Range(0, options.Lanes).Select(_ => new CommitLane(database, options.CommitIdRetention, clock))];
        _queue = Channel.CreateBounded<PendingCommit>(new BoundedChannelOptions(options.MaxQueued) { SingleReader = true });
        _loop = Task.Run(RunAsync);
    }

    public async Task<CommitResult> CommitAsync(Commit commit, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var pending = new PendingCommit(commit, _clock, cancellation);
        if (!_queue.Writer.TryWrite(pending))
            await WaitForRoomAsync(pending, cancellation);
        _metrics.Queued();
        await using var withdrawal = cancellation.UnsafeRegister(static p => ((PendingCommit)p!).Cancel(), pending);
        try
        {
            return await pending.Answer;
        }
        finally
        {
            _metrics.Answered(pending.Age);
        }
    }

    /// <summary>Takes no further commits, and ends when those it has are answered; within the commit timeout.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _loop;
    }

    private async Task WaitForRoomAsync(PendingCommit pending, CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(_options.CommitTimeout, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellation);
        try
        {
            await _queue.Writer.WriteAsync(pending, either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new JournalUnavailableException($"{pending.Commit.Grain}: {_options.MaxQueued} commits are waiting and none was answered within {_options.CommitTimeout}");
        }
        catch (ChannelClosedException)
        {
            throw new JournalUnavailableException($"{pending.Commit.Grain}: the journal is closing");
        }
    }

    private async Task RunAsync()
    {
        try
        {
            while (await StartWorkAsync())
            {
                await Task.WhenAny(Awaited());
                foreach (var lane in _lanes)
                {
                    if (lane.Work is { IsCompleted: true })
                        Handle(lane, await lane.FinishAsync());
                }
            }
            foreach (var lane in _lanes)
                await lane.DropAsync();
        }
        catch (Exception e)
        {
            Abandon(e);
            throw;
        }
    }

    /// <summary>Gives every idle lane what it can do; false when there is nothing to do and never will be.</summary>
    private async Task<bool> StartWorkAsync()
    {
        if (_arrival is { IsCompleted: true })
        {
            _closed = !await _arrival;
            _arrival = null;
        }
        Gather();
        foreach (var lane in _lanes.Where(lane => lane.Work is null).OrderByDescending(lane => lane.IsConnected))
            Start(lane);
        if (_waiting.Count < Room && !_closed)
            _arrival ??= _queue.Reader.WaitToReadAsync().AsTask();
        return _arrival is not null || _lanes.Any(lane => lane.Work is not null);
    }

    private int Room => 2 * _options.MaxBatch;

    private void Gather()
    {
        while (_waiting.Count < Room && _queue.Reader.TryRead(out var commit))
            _waiting.Add(commit);
    }

    private void Start(CommitLane lane)
    {
        var busy = _lanes.Any(other => other != lane && other.Work is not null);
        var wanted = lane.InDoubt.Count > 0 || lane.Parts.Count > 0 || _waiting.Count >= (busy ? Company : 1);
        if (!wanted)
            return;
        if (!lane.IsConnected)
            lane.Connect();
        else if (lane.Parts.TryPop(out var part))
            lane.Send(CommitBatch.Compose(part, _heads));
        else if (Select() is { Count: > 0 } chosen)
            lane.Send(CommitBatch.Compose(chosen, _heads));
    }

    private List<PendingCommit> Select()
    {
        var selection = new BatchSelection(_options.MaxBatch, _lanes.SelectMany(lane => lane.Commits));
        foreach (var commit in _waiting)
            selection.Offer(commit);
        _waiting = selection.Left;
        return selection.Chosen;
    }

    private List<Task> Awaited()
    {
        var awaited = new List<Task>(_lanes.Length + 1);
        foreach (var lane in _lanes)
        {
            if (lane.Work is not null)
                awaited.Add(lane.Work);
        }
        // Who arrives can only be sent when a lane is idle.
        if (_arrival is not null && awaited.Count < _lanes.Length)
            awaited.Add(_arrival);
        return awaited;
    }

    /// <summary>The writer itself is broken. Nobody may wait for it.</summary>
    private void Abandon(Exception reason)
    {
        LogBroken(reason);
        _queue.Writer.TryComplete();
        while (_queue.Reader.TryRead(out var commit))
            _waiting.Add(commit);
        foreach (var commit in _lanes.SelectMany(lane => lane.Commits))
            commit.Fail(new CommitInDoubtException(commit.Commit.Id, $"{commit.Commit.Grain}: the journal's writer ended on a fault of its own", reason));
        foreach (var commit in _waiting.Where(commit => commit.TrySend()))
            commit.Fail(new JournalUnavailableException($"{commit.Commit.Grain}: the journal's writer ended on a fault of its own", reason));
    }

    private void Handle(CommitLane lane, LaneResult result)
    {
        switch (result)
        {
            case LaneResult.Answered answered:
                _metrics.Batch(answered.Batch.Commits.Count);
                Settle(answered.Batch, answered.Answer);
                break;
            case LaneResult.Refused refused:
                Refused(lane, refused.Batch, refused.Reason);
                break;
            case LaneResult.Lost lost:
                LogInterrupted(lost.Batch.Commits.Count, JournalDatabase.Describe(lost.Reason));
                _metrics.Interrupted();
                lane.InDoubt.AddRange(lost.Batch.Commits);
                RequeueParts(lane);
                break;
            case LaneResult.Connected connected:
                Resolve(lane, connected.Committed);
                break;
            case LaneResult.Unreachable unreachable:
                LogUnreachable(JournalDatabase.Describe(unreachable.Reason), _queue.Reader.Count + _waiting.Count, lane.InDoubt.Count);
                Expire(lane, unreachable.Reason);
                lane.Rest();
                break;
        }
    }

    private void Settle(CommitBatch batch, BatchAnswer answer)
    {
        var behind = new HashSet<int>();
        for (var i = 0; i < batch.Heads.Count; i++)
        {
            var move = batch.Heads[i];
            if (answer.Heads.TryGetValue(i, out var stored))
            {
                _heads.Set(move.Chain, stored);
                behind.Add(move.Commit);
                _metrics.ChainConflict();
            }
        }
        foreach (var move in batch.Heads)
        {
            if (!behind.Contains(move.Commit) && !answer.States.ContainsKey(move.Commit))
                _heads.Set(move.Chain, move.After);
        }

        var again = new List<PendingCommit>();
        for (var i = 0; i < batch.Commits.Count; i++)
        {
            var commit = batch.Commits[i];
            if (answer.States.TryGetValue(i, out var state))
                Answer(commit, state.Stored, state.Done);
            else if (behind.Contains(i) && commit.Age > _options.CommitTimeout)
                commit.Fail(new JournalUnavailableException($"{commit.Commit.Grain}: other silos were faster on the chains of its events for {_options.CommitTimeout}"));
            else if (behind.Contains(i))
                again.Add(commit);
            else
                commit.Complete(CommitOutcome.Committed, commit.Commit.ExpectedVersion + 1);
        }
        Requeue(again);
    }

    private void Answer(PendingCommit commit, long stored, long? done)
    {
        if (done is { } version)
        {
            commit.Complete(CommitOutcome.Committed, version);
            return;
        }
        _metrics.StateConflict();
        commit.Complete(CommitOutcome.Conflict, stored);
    }

    private void Refused(CommitLane lane, CommitBatch batch, PostgresException e)
    {
        switch (e.SqlState)
        {
            // A race with another silo, or a deadlock with one: trying again finds what it left.
            case PostgresErrorCodes.UniqueViolation when batch.Commits.All(c => c.Attempts < 5):
            case PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure:
                Requeue(batch.Commits);
                break;

            // Out of memory, disk or connections, out of time, or read-only after a switch-over: may pass.
            case PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.ReadOnlySqlTransaction:
            case var state when state.StartsWith("53", StringComparison.Ordinal):
                LogRefused(batch.Commits.Count, JournalDatabase.Describe(e));
                Requeue(batch.Commits);
                RequeueParts(lane);
                Expire(lane, e);
                lane.Rest();
                break;

            case var _ when batch.Commits is [var single]:
                single.Fail(new JournalUnavailableException($"{single.Commit.Grain}: {JournalDatabase.Describe(e)}", e));
                break;

            // Whose fault it is shows when each goes alone.
            default:
                var middle = batch.Commits.Count / 2;
                lane.Parts.Push(batch.Commits[middle..]);
                lane.Parts.Push(batch.Commits[..middle]);
                break;
        }
    }

    private void Requeue(List<PendingCommit> commits)
    {
        foreach (var commit in commits)
        {
            commit.Attempts++;
            commit.Requeue();
        }
        _waiting.InsertRange(0, commits);
    }

    private void RequeueParts(CommitLane lane)
    {
        while (lane.Parts.TryPop(out var part))
            Requeue(part);
    }

    /// <summary>Answers what was in doubt.</summary>
    private void Resolve(CommitLane lane, HashSet<PendingCommit> committed)
    {
        if (lane.InDoubt.Count == 0)
            return;
        var again = new List<PendingCommit>();
        foreach (var commit in lane.InDoubt)
        {
            if (committed.Contains(commit))
                commit.Complete(CommitOutcome.Committed, commit.Commit.ExpectedVersion + 1);
            else if (commit.Age > _options.CommitTimeout)
                commit.Fail(new JournalUnavailableException($"{commit.Commit.Grain}: not committed within {_options.CommitTimeout}; its connection was lost"));
            else
                again.Add(commit);
        }
        LogResolved(lane.InDoubt.Count, committed.Count);
        lane.InDoubt.Clear();
        Requeue(again);
    }

    /// <summary>Fails what has waited too long: of the lane that cannot go on, and of everybody's when no other lane can.</summary>
    private void Expire(CommitLane lane, Exception reason)
    {
        lane.InDoubt.RemoveAll(commit =>
        {
            var overdue = commit.Age > _options.CommitTimeout;
            if (overdue)
                commit.Fail(new CommitInDoubtException(commit.Commit.Id, $"{commit.Commit.Grain}: the connection was lost while it was committed and did not come back within {_options.CommitTimeout}; {JournalDatabase.Describe(reason)}", reason));
            return overdue;
        });
        if (_lanes.Any(other => other.Batch is not null))
            return;
        while (_waiting.Count < _options.MaxQueued && _queue.Reader.TryRead(out var commit))
            _waiting.Add(commit);
        _waiting.RemoveAll(commit =>
        {
            var overdue = commit.Age > _options.CommitTimeout;
            if (overdue && commit.TrySend())
                commit.Fail(new JournalUnavailableException($"{commit.Commit.Grain}: not committed within {_options.CommitTimeout}; {JournalDatabase.Describe(reason)}", reason));
            return overdue;
        });
    }

    [LoggerMessage(LogLevel.Warning, "The journal lost its connection with {Commits} commits under way; it reconnects and looks them up. {Reason}")]
    private partial void LogInterrupted(int commits, string reason);

    [LoggerMessage(LogLevel.Critical, "The journal's writer ended on a fault of its own; nothing is committed until this silo restarts. Please report it")]
    private partial void LogBroken(Exception fault);

    [LoggerMessage(LogLevel.Warning, "PostgreSQL refused a batch of {Commits} commits; it is tried again. {Reason}")]
    private partial void LogRefused(int commits, string reason);

    [LoggerMessage(LogLevel.Warning, "The journal cannot reach its database; {Waiting} commits wait, {InDoubt} are in doubt. Check that PostgreSQL runs and that Governor:Journal:ConnectionString is right. {Reason}")]
    private partial void LogUnreachable(string reason, int waiting, int inDoubt);

    [LoggerMessage(LogLevel.Information, "Of {InDoubt} commits in doubt {Committed} were committed; the others are sent again")]
    private partial void LogResolved(int inDoubt, int committed);
}
