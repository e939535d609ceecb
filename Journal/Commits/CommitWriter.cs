using System.Threading.Channels;
using Governor.Grains.Interfaces.Ports;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Governor.Journal.Commits;

/// <summary>
/// The one writer of this process. While a batch is under way the next one gathers: under load batches grow by themselves, without
/// load nobody waits for company. Every commit that was sent is answered with what happened to it, also when the connection is lost
/// between sending and answer.
/// </summary>
internal sealed partial class CommitWriter : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly JournalDatabase _database;
    private readonly JournalOptions _options;
    private readonly JournalMetrics _metrics;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly Guid _id = Guid.NewGuid();
    private readonly ChainHeads _heads = new();
    private readonly Channel<PendingCommit> _queue;
    private readonly Task _loop;

    // What follows belongs to the loop alone.
    private List<PendingCommit> _waiting = [];
    private List<PendingCommit> _sending = [];
    private readonly List<PendingCommit> _inDoubt = [];
    private WriterSession? _session;
    private TimeSpan _pause = FirstPause;

    public CommitWriter(JournalDatabase database, JournalOptions options, JournalMetrics metrics, TimeProvider clock, ILogger log)
    {
        _database = database;
        _options = options;
        _metrics = metrics;
        _clock = clock;
        _log = log;
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
            while (_waiting.Count > 0 || _inDoubt.Count > 0 || await _queue.Reader.WaitToReadAsync())
            {
                if (_session is null && !await ReconnectAsync())
                    continue;
                _sending = Select();
                if (_sending.Count > 0)
                    await SendAsync(CommitBatch.Compose(_sending, _heads));
                _sending = [];
            }
            await DropSessionAsync();
        }
        catch (Exception e)
        {
            Abandon(e);
            throw;
        }
    }

    /// <summary>The writer itself is broken. Nobody may wait for it.</summary>
    private void Abandon(Exception reason)
    {
        LogBroken(reason);
        _queue.Writer.TryComplete();
        while (_queue.Reader.TryRead(out var commit))
            _waiting.Add(commit);
        foreach (var commit in _sending.Concat(_inDoubt))
            commit.Fail(new CommitInDoubtException(commit.Commit.Id, $"{commit.Commit.Grain}: the journal's writer ended on a fault of its own", reason));
        foreach (var commit in _waiting.Where(commit => commit.TrySend()))
            commit.Fail(new JournalUnavailableException($"{commit.Commit.Grain}: the journal's writer ended on a fault of its own", reason));
    }

    private List<PendingCommit> Select()
    {
        var selection = new BatchSelection(_options.MaxBatch);
        foreach (var commit in _waiting)
            selection.Offer(commit);
        while (!selection.IsFull && selection.Left.Count < _options.MaxBatch && _queue.Reader.TryRead(out var commit))
            selection.Offer(commit);
        _waiting = selection.Left;
        return selection.Chosen;
    }

    private async Task SendAsync(CommitBatch batch)
    {
        try
        {
            var answer = await _session!.CommitAsync(batch);
            _metrics.Batch(batch.Commits.Count);
            _pause = FirstPause;
            Settle(batch, answer);
        }
        catch (PostgresException e) when (e.InvariantSeverity == "ERROR")
        {
            // The server undid the transaction and lives: nothing of this batch is or will be durable.
            await RefusedAsync(batch, e);
        }
        catch (Exception e)
        {
            LogInterrupted(batch.Commits.Count, JournalDatabase.Describe(e));
            _metrics.Interrupted();
            _inDoubt.AddRange(batch.Commits);
            await DropSessionAsync();
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

    private async Task RefusedAsync(CommitBatch batch, PostgresException e)
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
                await PauseAsync(e);
                break;

            // Whose fault it is shows when each goes alone.
            default:
                await SplitAsync(batch, e);
                break;
        }
    }

    private async Task SplitAsync(CommitBatch batch, PostgresException e)
    {
        if (batch.Commits is [var single])
        {
            single.Fail(new JournalUnavailableException($"{single.Commit.Grain}: {JournalDatabase.Describe(e)}", e));
            return;
        }
        var middle = batch.Commits.Count / 2;
        foreach (var half in (List<PendingCommit>[])[batch.Commits[..middle], batch.Commits[middle..]])
        {
            if (_session is null)
                Requeue(half);
            else
                await SendAsync(CommitBatch.Compose(half, _heads));
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

    /// <summary>Opens a connection, which fences the lost one, and answers what was in doubt.</summary>
    private async Task<bool> ReconnectAsync()
    {
        try
        {
            _session = await WriterSession.OpenAsync(_database, _id, _options.CommitIdRetention, CancellationToken.None);
            if (_inDoubt.Count > 0)
                Resolve(await _session.LookUpAsync(_inDoubt, CancellationToken.None));
            _pause = FirstPause;
            return true;
        }
        catch (Exception e)
        {
            LogUnreachable(JournalDatabase.Describe(e), _queue.Reader.Count + _waiting.Count, _inDoubt.Count);
            await DropSessionAsync();
            await PauseAsync(e);
            return false;
        }
    }

    private void Resolve(HashSet<PendingCommit> committed)
    {
        var again = new List<PendingCommit>();
        foreach (var commit in _inDoubt)
        {
            if (committed.Contains(commit))
                commit.Complete(CommitOutcome.Committed, commit.Commit.ExpectedVersion + 1);
            else if (commit.Age > _options.CommitTimeout)
                commit.Fail(new JournalUnavailableException($"{commit.Commit.Grain}: not committed within {_options.CommitTimeout}; its connection was lost"));
            else
                again.Add(commit);
        }
        LogResolved(_inDoubt.Count, committed.Count);
        _inDoubt.Clear();
        Requeue(again);
    }

    /// <summary>Fails what has waited too long, then waits a little; longer each time.</summary>
    private async Task PauseAsync(Exception reason)
    {
        while (_waiting.Count < _options.MaxQueued && _queue.Reader.TryRead(out var commit))
            _waiting.Add(commit);
        _waiting.RemoveAll(commit =>
        {
            var overdue = commit.Age > _options.CommitTimeout;
            if (overdue && commit.TrySend())
                commit.Fail(new JournalUnavailableException($"{commit.Commit.Grain}: not committed within {_options.CommitTimeout}; {JournalDatabase.Describe(reason)}", reason));
            return overdue;
        });
        _inDoubt.RemoveAll(commit =>
        {
            var overdue = commit.Age > _options.CommitTimeout;
            if (overdue)
                commit.Fail(new CommitInDoubtException(commit.Commit.Id, $"{commit.Commit.Grain}: the connection was lost while it was committed and did not come back within {_options.CommitTimeout}; {JournalDatabase.Describe(reason)}", reason));
            return overdue;
        });
        if (_waiting.Count > 0 || _inDoubt.Count > 0)
            await Task.Delay(_pause, _clock);
        _pause = _pause * 2 < LongestPause ? _pause * 2 : LongestPause;
    }

    private async Task DropSessionAsync()
    {
        var session = _session;
        _session = null;
        if (session is not null)
            await session.DisposeAsync();
    }

    [LoggerMessage(LogLevel.Warning, "The journal lost its connection with {Commits} commits under way; it reconnects and looks them up. {Reason}")]
    private partial void LogInterrupted(int commits, string reason);

    [LoggerMessage(LogLevel.Critical, "The journal's writer ended on a fault of its own; nothing is committed until this silo restarts. Please report it")]
    private partial void LogBroken(Exception fault);

    [LoggerMessage(LogLevel.Warning, "PostgreSQL refused a batch of {Commits} commits; it is tried again. {Reason}")]
    private partial void LogRefused(int commits, string reason);

    [LoggerMessage(LogLevel.Warning, "The journal cannot reach its database; {Waiting} commits wait, {InDoubt} are in doubt. Check that PostgreSQL runs and that Governor:Journal:ConnectionString is right. {Reason}")]
    private partial void LogUnreachable(string reason, int waiting, int inDoubt);

    [LoggerMessage(LogLevel.Information, "Of {InDoubt} commits in doubt {Committed} were committed; the others were not")]
    private partial void LogResolved(int inDoubt, int committed);
}
