using System.Text.Json;
using Governor.Domain.Audit;
using Governor.Grains.Interfaces.Ports;
using Npgsql;

namespace Governor.Journal.Recovery;

/// <param name="Backup">The folder of the backup that was restored.</param>
/// <param name="Report">What came out of it.</param>
/// <param name="Took">From the beginning of the backup to the end of the verification.</param>
public sealed record DrillReport(string Backup, RestoreReport Report, TimeSpan Took)
{
    public bool Passed => Report.Check.IsClean && Report.Behind.IsEmpty;
}

/// <summary>
/// A recovery before it is needed: makes a backup, restores it into a database that it drops afterwards, verifies the whole log against
/// everything that is known outside, and records that it did, whatever came out.
/// </summary>
public sealed class RecoveryDrill(JournalBackup backup, JournalRestore restore, IJournal journal, TimeProvider clock)
{
    private const string Subject = "recovery-drill";

    /// <param name="connectionString">A login that may read the journal and create databases.</param>
    /// <param name="folder">Where the backup goes; it stays there.</param>
    /// <param name="actor">Who does it.</param>
    /// <param name="why">The reason, as it is recorded.</param>
    /// <exception cref="RecoveryException">It could not be carried out; recorded as well.</exception>
    public async Task<DrillReport> RunAsync(
        string connectionString, string folder, string origin, IReadOnlyList<KnownCheckpoint> outside, string actor, string why, CancellationToken cancellation)
    {
        var since = clock.GetTimestamp();
        DrillReport? report = null;
        var outcome = "failed";
        try
        {
            var (place, _) = await backup.RunAsync(connectionString, folder, cancellation);
            var restored = await RestoreAsync(connectionString, place, outside, cancellation);
            report = new DrillReport(place, restored, clock.GetElapsedTime(since));
            outcome = report.Passed ? "passed" : "failed";
            return report;
        }
        catch (RecoveryException e)
        {
            outcome = $"failed: {e.Message}";
            throw;
        }
        finally
        {
            await RecordAsync(origin, Result(outcome, report, outside), actor, why);
        }
    }

    private async Task<RestoreReport> RestoreAsync(
        string connectionString, string place, IReadOnlyList<KnownCheckpoint> outside, CancellationToken cancellation)
    {
        var scratch = new NpgsqlConnectionStringBuilder(connectionString) { Database = $"governor_drill_{Guid.NewGuid():n}" };
        try
        {
            return await restore.RunAsync(place, scratch.ConnectionString, outside, cancellation);
        }
        finally
        {
            await using var server = await JournalBackup.OpenAsync(connectionString, CancellationToken.None);
            await JournalBackup.AskAsync(server, $"DROP DATABASE IF EXISTS {JournalRestore.Quote(scratch.Database)} WITH (FORCE)", CancellationToken.None);
        }
    }

    private static byte[] Result(string outcome, DrillReport? report, IReadOnlyList<KnownCheckpoint> outside) =>
        JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                outcome,
                backup = report is null ? null : Path.GetFileName(report.Backup),
                dumpSha256 = report?.Report.Manifest.Sha256,
                treeSize = report?.Report.Manifest.TreeSize,
                comparedWith = outside.Select(known => new { known.Where, known.Checkpoint.Size, Root = known.Checkpoint.Root.ToString() }).ToArray(),
                behind = report?.Report.Behind.Select(finding => finding.ToString()).ToArray() ?? [],
                findings = report?.Report.Check.Findings.Length,
                seconds = report is null ? (double?)null : Math.Round(report.Took.TotalSeconds, 1),
            },
            JsonSerializerOptions.Web);

    private async Task RecordAsync(string origin, byte[] result, string actor, string why)
    {
        var grain = new GrainKey(Subject, origin);
        var previous = await journal.LoadAsync(grain, CancellationToken.None);
        var context = new EventContext(
            new EventSubject(AuditActions.Group, AuditActions.LogKind, "", origin, "", 0), actor, "operator", "", "", "");
        var recorded = context.Operator(
            clock.GetUtcNow(), AuditActions.RecoveryDrilled, "$.recovery",
            previous is null ? null : System.Text.Encoding.UTF8.GetString(previous.State.Span), System.Text.Encoding.UTF8.GetString(result), why);
        var answer = await journal.CommitAsync(
            new Commit(grain, previous?.Version ?? 0, result, false, [recorded], Guid.CreateVersion7()), CancellationToken.None);
        if (answer.Outcome != CommitOutcome.Committed)
            throw new RecoveryException($"{grain}: another drill was recorded at the same moment; this one was not. Repeat it");
    }
}
