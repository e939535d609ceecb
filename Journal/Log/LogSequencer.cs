using Governor.Domain.Audit;
using Governor.Domain.Transparency;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Governor.Journal.Log;

/// <summary>
/// Gives committed events their place in the log and signs checkpoints. Every silo runs one; the one that holds the advisory lock
/// works, the others stand by. The order is made durable before a root over it is signed, on the connection that holds the lock: a
/// successor finds the order, never chooses another one.
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
    private readonly JournalMetrics _metrics;
    private readonly TimeProvider _clock;
    private readonly ILogger<LogSequencer> _log;

    public LogSequencer(
        JournalDatabase database, IOptions<JournalOptions> options, ILogSigner signer, LogSignal signal, JournalMetrics metrics,
        TimeProvider clock, ILogger<LogSequencer> log)
    {
        _database = database;
        _options = options.Value;
        _signer = signer;
        _signal = signal;
        _metrics = metrics;
        _clock = clock;
        _log = log;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
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
                LogInterrupted(JournalDatabase.Describe(e));
            }
            catch (LogContradictionException e)
            {
                LogContradiction(e.Message);
            }
            await PauseAsync(stoppingToken);
        }
    }

    private async Task PauseAsync(CancellationToken stopping)
    {
        try
        {
            await Task.Delay(Patience, _clock, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The loop ends.
        }
    }

    private async Task StandByAsync(CancellationToken stopping)
    {
        await using var connection = await _database.OpenOwnAsync(stopping);
        while (!await LogTables.TryLeadAsync(connection, stopping))
            await Task.Delay(Patience, _clock, stopping);
        await LeadAsync(connection, stopping);
    }

    private async Task LeadAsync(NpgsqlConnection connection, CancellationToken stopping)
    {
        var log = await OpenLogAsync(connection, stopping);
        LogLeads(_signer.Key.Name, log.Tree.Size);
        var tidied = TimeSpan.MaxValue;
        var since = _clock.GetTimestamp();
        try
        {
            for (; ; await _signal.WaitAsync(_options.CheckpointInterval, _clock, stopping))
            {
                await RoundAsync(connection, log);
                if (tidied >= TidyEvery)
                {
                    await LogTables.TidyAsync(connection, _options.PartitionsAhead, _options.CommitIdRetention, stopping);
                    since = _clock.GetTimestamp();
                }
                tidied = _clock.GetElapsedTime(since);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // What this silo committed before it stopped shall not wait for another silo's checkpoint.
            await RoundAsync(connection, log);
            throw;
        }
    }

    private async Task<OpenLog> OpenLogAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var last = await LogTables.LastCheckpointAsync(connection, cancellation);
        if (last is null)
            return new OpenLog(new MerkleFrontier(), null);
        var tree = new MerkleFrontier(last.Size, last.Frontier);
        if (tree.Root != last.Root || !SignedNote.TryParse(last.Note, out var note) || !Checkpoint.TryParse(note.Text, out var signed)
            || signed.Size != last.Size || signed.Root != last.Root)
            throw new LogContradictionException($"the stored checkpoint of {last.Size} leaves does not agree with itself: the database was altered. Nothing is signed until it is restored");
        if (note.Verify(_signer.Key) != NoteVerdict.Good)
            throw new LogContradictionException($"the stored checkpoint of {last.Size} leaves is not signed by {_signer.Key}. Set Governor:Journal:LogKeyFile and Governor:Journal:Origin to those of this log; nothing is signed until then");
        return new OpenLog(tree, last.Size);
    }

    // A round is bounded by the server's statement timeout and is not cancelled: half of one would leave the tree in memory
    // behind what is stored.
    private async Task RoundAsync(NpgsqlConnection connection, OpenLog log)
    {
        var placed = await LogTables.SizeAsync(connection, CancellationToken.None);
        var waited = TimeSpan.Zero;
        for (var more = true; more;)
        {
            (var size, var oldest) = await LogTables.TakePendingAsync(connection, placed, BatchesAtOnce, CancellationToken.None);
            more = size > placed;
            waited = oldest > waited ? oldest : waited;
            placed = size;
            await AppendAsync(connection, log, placed);
        }
        if (log.Signed == log.Tree.Size)
            return;
        var leaves = log.Tree.Size - (log.Signed ?? 0);
        await SignAsync(connection, log);
        _metrics.Checkpointed(leaves, waited);
    }

    private static async Task AppendAsync(NpgsqlConnection connection, OpenLog log, long placed)
    {
        if (placed == log.Tree.Size)
            return;
        await using var command = LogTables.Leaves(connection, log.Tree.Size, placed, payloads: false);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            log.Tree.Append(AuditRecord.HashOf(reader.GetFieldValue<byte[]>(0)));
        if (log.Tree.Size != placed)
            throw new LogContradictionException($"the log has {placed} places, {log.Tree.Size} events are there: the database was altered. Nothing is signed until it is restored");
    }

    private async Task SignAsync(NpgsqlConnection connection, OpenLog log)
    {
        var root = log.Tree.Root;
        var checkpoint = new Checkpoint(_signer.Key.Name, log.Tree.Size, root);
        var note = SignedNote.Sign(checkpoint.Text, _signer.Key, _signer.Sign);
        await LogTables.StoreCheckpointAsync(connection, new StoredCheckpoint(checkpoint.Size, root, log.Tree.Encode(), note.ToString()), CancellationToken.None);
        log.Signed = checkpoint.Size;
    }

    [LoggerMessage(LogLevel.Information, "This silo sequences the log {Origin}, from leaf {Size} on")]
    private partial void LogLeads(string origin, long size);

    [LoggerMessage(LogLevel.Warning, "The sequencer lost its database and tries again; events wait for their place in the log meanwhile. {Reason}")]
    private partial void LogInterrupted(string reason);

    [LoggerMessage(LogLevel.Critical, "The log contradicts itself: {Reason}")]
    private partial void LogContradiction(string reason);

    /// <summary>The log while this silo leads. A round that fails ends the lead, so that this never differs from what is stored.</summary>
    private sealed class OpenLog(MerkleFrontier tree, long? signed)
    {
        public MerkleFrontier Tree { get; } = tree;

        /// <summary>The size of the newest checkpoint; null before the first, which is signed also when it is empty.</summary>
        public long? Signed { get; set; } = signed;
    }
}

/// <summary>What is stored cannot be the log that was signed.</summary>
internal sealed class LogContradictionException(string message) : Exception(message);
