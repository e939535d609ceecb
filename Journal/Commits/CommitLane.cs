using Governor.Domain.Audit;
using Npgsql;

namespace Governor.Journal.Commits;

/// <summary>What came of a lane's work.</summary>
internal abstract record LaneResult
{
    /// <summary>The batch was answered; commits that the answer does not name are committed.</summary>
    public sealed record Answered(CommitBatch Batch, BatchAnswer Answer) : LaneResult;

    /// <summary>The server undid the batch and lives: nothing of it is or will be durable.</summary>
    public sealed record Refused(CommitBatch Batch, PostgresException Reason) : LaneResult;

    /// <summary>The connection was lost with the batch under way. Its commits are in doubt.</summary>
    public sealed record Lost(CommitBatch Batch, Exception Reason) : LaneResult;

    /// <summary>There is a connection, which fenced the lost one; of the commits in doubt these are committed, and no others.</summary>
    public sealed record Connected(HashSet<PendingCommit> Committed) : LaneResult;

    public sealed record Unreachable(Exception Reason) : LaneResult;

    /// <summary>It waited a little, and may try again.</summary>
    public sealed record Rested : LaneResult;
}

/// <summary>
/// One connection of the writer, with at most one batch under way. It only talks to the database; what follows from the answers is
/// decided by the one loop that owns it, between two pieces of work.
/// </summary>
internal sealed class CommitLane(JournalDatabase database, TimeSpan retention, TimeProvider clock)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly Guid _id = Guid.NewGuid();
    private WriterSession? _session;
    private TimeSpan _pause = FirstPause;

    public bool IsConnected => _session is not null;

    /// <summary>What it does; null when it is idle.</summary>
    public Task<LaneResult>? Work { get; private set; }

    /// <summary>The batch under way.</summary>
    public CommitBatch? Batch { get; private set; }

    /// <summary>Commits of a batch whose connection was lost, until the next connection looked them up.</summary>
    public List<PendingCommit> InDoubt { get; } = [];

    /// <summary>Parts of a refused batch that are to go apart, to find out which of them the server refuses.</summary>
    public Stack<List<PendingCommit>> Parts { get; } = [];

    /// <summary>Every commit that this lane has, and that therefore no other may overtake.</summary>
    public IEnumerable<PendingCommit> Commits => (Batch?.Commits ?? []).Concat(InDoubt).Concat(Parts.SelectMany(part => part));

    public void Connect() => Work = ConnectAsync();

    // On a thread of its own: encoding one batch and composing the next are half of the client's work.
    public void Send(CommitBatch batch)
    {
        Batch = batch;
        Work = Task.Run(() => SendAsync(batch));
    }

    /// <summary>Waits a little; longer each time until something succeeds.</summary>
    public void Rest() => Work = RestAsync();

    /// <summary>Takes what its work, which has ended, came to.</summary>
    public async Task<LaneResult> FinishAsync()
    {
        var result = await Work!;
        (Work, Batch) = (null, null);
        return result;
    }

    public async Task DropAsync()
    {
        var session = _session;
        _session = null;
        if (session is not null)
            await session.DisposeAsync();
    }

    private async Task<LaneResult> ConnectAsync()
    {
        try
        {
            _session = await WriterSession.OpenAsync(database, _id, retention, CancellationToken.None);
            var committed = InDoubt.Count > 0 ? await _session.LookUpAsync(InDoubt, CancellationToken.None) : [];
            _pause = FirstPause;
            return new LaneResult.Connected(committed);
        }
        catch (Exception e)
        {
            await DropAsync();
            return new LaneResult.Unreachable(e);
        }
    }

    private async Task<LaneResult> SendAsync(CommitBatch batch)
    {
        try
        {
            var answer = await _session!.CommitAsync(batch);
            _pause = FirstPause;
            return new LaneResult.Answered(batch, answer);
        }
        catch (PostgresException e) when (e.InvariantSeverity == "ERROR")
        {
            return new LaneResult.Refused(batch, e);
        }
        catch (Exception e)
        {
            await DropAsync();
            return new LaneResult.Lost(batch, e);
        }
    }

    private async Task<LaneResult> RestAsync()
    {
        await Task.Delay(_pause, clock);
        _pause = _pause * 2 < LongestPause ? _pause * 2 : LongestPause;
        return new LaneResult.Rested();
    }
}
