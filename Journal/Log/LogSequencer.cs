using Governor.Domain.Audit;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Governor.Journal.Log;

/// <summary>
/// Gives committed events their place in the log and signs checkpoints. Every silo runs one; the one that holds the advisory lock
/// works, the others stand by. The order is made durable before a root over it is signed, on the connection that holds the lock: a
/// successor finds the order, never chooses another one. A silo that must not sign gives the lock back: another one may be able to.
/// </summary>
public sealed partial class LogSequencer : BackgroundService
{
    private const int BatchesAtOnce = 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan TidyEvery = TimeSpan.FromHours(1);

    private readonly JournalDatabase _database;
    private readonly JournalOptions _options;
    private readonly ILogSigner _signer;
    private readonly LogSignal _signal;
    private readonly LogHealth _health;
    private readonly CheckpointFile _file;
    private readonly OutsideChecks _outside;
    private readonly JournalMetrics _metrics;
    private readonly TimeProvider _clock;
    private readonly ILogger<LogSequencer> _log;
    private string? _said;

    /// <param name="places">What is asked before this silo signs anything.</param>
    public LogSequencer(
        JournalDatabase database, IOptions<JournalOptions> options, ILogSigner signer, LogSignal signal, LogHealth health, CheckpointFile file,
        IEnumerable<IOutsideCheckpoints> places, JournalMetrics metrics, TimeProvider clock, ILogger<LogSequencer> log)
    {
        _database = database;
        _options = options.Value;
        _signer = signer;
        _signal = signal;
        _health = health;
        _file = file;
        _outside = new OutsideChecks(places, signer, log);
        _metrics = metrics;
        _clock = clock;
        _log = log;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var pause = Patience;
            try
            {
                await StandByAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException)
            {
                var reason = JournalDatabase.Describe(e);
                _health.Is(LogRole.Disconnected, reason);
                LogInterrupted(reason);
            }
            catch (Exception e) when (e is LogContradictionException or LogRefusalException)
            {
                Refuse(e);
                pause = _options.RecheckInterval;
            }
            await PauseAsync(pause, stoppingToken);
        }
    }

    private void Refuse(Exception reason)
    {
        _health.Is(LogRole.Refusing, reason.Message);
        // Once, not every time that it is looked at again.
        if (_said == reason.Message)
            return;
        _said = reason.Message;
        if (reason is LogContradictionException)
            LogContradiction(reason.Message);
        else
            LogRefusal(reason.Message);
    }

    private async Task PauseAsync(TimeSpan pause, CancellationToken stopping)
    {
        try
        {
            await Task.Delay(pause, _clock, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The loop ends.
        }
    }

    private async Task StandByAsync(CancellationToken stopping)
    {
        await using var connection = await _database.OpenOwnAsync(stopping);
        while (true)
        {
            var (leads, size, signedAt) = await LogTables.TryLeadAsync(connection, stopping);
            _health.Knows(size, signedAt);
            if (leads)
                break;
            _health.Is(LogRole.StandingBy);
            await Task.Delay(Patience, _clock, stopping);
        }
        await LeadAsync(connection, stopping);
    }

    private async Task LeadAsync(NpgsqlConnection connection, CancellationToken stopping)
    {
        OpenLog? log = null;
        var tidied = default(long?);
        try
        {
            for (; ; await _signal.WaitAsync(_options.CheckpointInterval, _clock, stopping))
            {
                log = await WorkAsync(connection, log, stopping);
                if (tidied is { } since && _clock.GetElapsedTime(since) < TidyEvery)
                    continue;
                await LogTables.TidyAsync(connection, _options.PartitionsAhead, _options.CommitIdRetention, stopping);
                tidied = _clock.GetTimestamp();
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // What this silo committed before it stopped shall not wait for another silo's checkpoint.
            if (log is not null)
                await RoundAsync(connection, log);
            throw;
        }
    }

    /// <summary>
    /// One round, unless the log is on hold. After a hold it is opened like one that another silo led: whoever ordered the hold may have
    /// restored another database.
    /// </summary>
    private async Task<OpenLog?> WorkAsync(NpgsqlConnection connection, OpenLog? log, CancellationToken stopping)
    {
        if (await LogTables.HoldAsync(connection, CancellationToken.None) is { } hold)
        {
            if (_health.Current.Role != LogRole.Held)
                LogHeld($"{hold}");
            _health.Is(LogRole.Held, $"{hold}");
            return null;
        }
        if (log is null)
        {
            log = await OpenAsync(connection, stopping);
            LogLeads(_options.Origin, log.Tree.Size);
        }
        if (!await RoundAsync(connection, log))
            return null;
        _said = null;
        _health.Is(LogRole.Leading);
        return log;
    }

    private async Task<OpenLog> OpenAsync(NpgsqlConnection connection, CancellationToken stopping)
    {
        var log = await OpenLog.AtAsync(connection, _signer.First, stopping);
        await _outside.DemandAsync(connection, log, stopping);
        (log.Placed, _) = await LogTables.ExtentAsync(connection, stopping);
        return log;
    }

    // A round is bounded by the server's statement timeout and is not cancelled: half of one would leave the tree in memory
    // behind what is stored.
    private async Task<bool> RoundAsync(NpgsqlConnection connection, OpenLog log)
    {
        for (var more = true; more;)
        {
            var (before, waited) = (log.Tree.Size, TimeSpan.Zero);
            if (log.Placed > before)
            {
                // Placed by a predecessor that did not come to sign it.
                await log.AppendAsync(connection, await LogTables.BorderAsync(connection, Math.Min(before + OpenLog.Step, log.Placed), CancellationToken.None), CancellationToken.None);
            }
            else
            {
                var taken = await LogTables.TakePendingAsync(connection, before, BatchesAtOnce, OpenLog.Step, CancellationToken.None);
                (log.Placed, waited) = (taken.Size, taken.Waited);
                more = taken.Batches == BatchesAtOnce || taken.Size - before >= OpenLog.Step;
                await log.AppendAsync(connection, taken.Size, CancellationToken.None);
            }
            if (log.Signed == log.Tree.Size)
                continue;
            if (!await SignAsync(connection, log))
                return false;
            _metrics.Checkpointed(log.Tree.Size - before, waited);
        }
        return true;
    }

    /// <returns>False when the log was put on hold in between: what is in memory is ahead of what is stored, and void.</returns>
    private async Task<bool> SignAsync(NpgsqlConnection connection, OpenLog log)
    {
        var (size, root) = (log.Tree.Size, log.Tree.Root);
        var key = KeyFor(log.Keys, size);
        var note = SignedNote.Sign(new Checkpoint(_options.Origin, size, root).Text, key, message => _signer.Sign(key, message)).ToString();
        if (!await TreeTables.StoreAsync(
            connection, new StoredCheckpoint(size, root, note), log.Tree.TakeCompleted(), log.Tree.Edge, log.LacksGenesis ? log.Keys.Genesis : null, CancellationToken.None))
            return false;
        (log.Signed, log.LacksGenesis) = (size, false);
        _health.Knows(size, _clock.GetUtcNow());
        await KeepAsync(note);
        return true;
    }

    /// <summary>The newest key that is valid for a tree of this size and is held here.</summary>
    private VerifierKey KeyFor(LogKeyring keys, long size)
    {
        try
        {
            return keys.At(size).FirstOrDefault(_signer.Holds)
                ?? throw new LogRefusalException($"a tree of {size} leaves is signed by {string.Join(" or ", keys.At(size).Select(key => $"{key}, expected in {_signer.PlaceOf(key)}"))}; it is not there. Bring the file; nothing is signed by this silo until then");
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw new LogRefusalException($"the key for a tree of {size} leaves cannot be read: {e.Message}");
        }
    }

    private async Task KeepAsync(string note)
    {
        try
        {
            await _file.WriteAsync(note, CancellationToken.None);
        }
        catch (IOException e)
        {
            // The log itself is well. The next checkpoint is written there again.
            LogNotKept(_options.CheckpointFile, e.Message);
        }
    }

    [LoggerMessage(LogLevel.Information, "This silo sequences the log {Origin}, from leaf {Size} on")]
    private partial void LogLeads(string origin, long size);

    [LoggerMessage(LogLevel.Warning, "The sequencer lost its database and tries again; events wait for their place in the log meanwhile. {Reason}")]
    private partial void LogInterrupted(string reason);

    [LoggerMessage(LogLevel.Warning, "Nothing is signed: {Hold}. It ends when its row in governor.log_hold is taken away")]
    private partial void LogHeld(string hold);

    [LoggerMessage(LogLevel.Error, "The checkpoint could not be kept in {Path}: {Reason}. Until it can, a rollback of the database is not found there")]
    private partial void LogNotKept(string path, string reason);

    [LoggerMessage(LogLevel.Critical, "The log contradicts itself: {Reason}")]
    private partial void LogContradiction(string reason);

    [LoggerMessage(LogLevel.Critical, "The log is not signed by this silo: {Reason}")]
    private partial void LogRefusal(string reason);
}
