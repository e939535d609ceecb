using System.Globalization;
using System.Text.Json;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;
using Governor.Journal.Log;
using Npgsql;

namespace Governor.Journal.Recovery;

/// <summary>A closed month of the trail in a file.</summary>
/// <param name="First">The lowest leaf in it.</param>
/// <param name="Last">The highest leaf in it; leaves in between may belong to a neighbouring month.</param>
public sealed record ArchivedMonth(string Month, string File, string Sha256, long First, long Last, long Leaves);

/// <summary>
/// Moves a closed month of records out of the database into a file: writes it, verifies every byte of it against the signed tree, records
/// it as an event, and only then detaches and drops the month's partition. May be repeated after any interruption.
/// </summary>
public sealed class JournalArchive(IJournal journal, IAuditReader reader, TimeProvider clock)
{
    public const string FileExtension = ".audit-archive";

    private const string Subject = "archive";

    /// <summary>A transaction that began in a month may end a little later.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromDays(1);

    /// <param name="connectionString">The login that owns the schema.</param>
    /// <param name="month">Any day of it.</param>
    /// <param name="folder">Where the file goes; it must stay there, verification needs it.</param>
    /// <exception cref="RecoveryException">The month is not closed, not wholly signed, or not there; nothing was removed.</exception>
    public async Task<ArchivedMonth> RunAsync(
        string connectionString, DateOnly month, string folder, string origin, string actor, string why, CancellationToken cancellation)
    {
        var name = month.ToString("yyyy-MM", CultureInfo.InvariantCulture);
        var partition = $"governance_event_{month.ToString("yyyy_MM", CultureInfo.InvariantCulture)}";
        await using var connection = await JournalBackup.OpenAsync(connectionString, cancellation);
        var signed = await DemandClosedAsync(connection, month, name, partition, cancellation);

        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, $"{origin.Replace('/', '_')}-{name}{FileExtension}");
        var archived = await WriteAsync(connection, partition, name, path, cancellation);
        await VerifyAsync(connection, archived, signed, cancellation);
        await RecordAsync(archived, origin, actor, why);
        await DetachAsync(connection, partition, archived, cancellation);
        return archived;
    }

    private async Task<Checkpoint> DemandClosedAsync(NpgsqlConnection connection, DateOnly month, string name, string partition, CancellationToken cancellation)
    {
        var end = new DateTimeOffset(month.Year, month.Month, 1, 0, 0, 0, TimeSpan.Zero).AddMonths(1);
        if (clock.GetUtcNow() < end + Grace)
            throw new RecoveryException($"{name} is archived from {end + Grace:u} on, it is {clock.GetUtcNow():u}");
        if (await JournalBackup.AskAsync(connection, $"SELECT to_regclass('governor.{partition}') IS NULL", cancellation) == "True")
            throw new RecoveryException($"there is no partition governor.{partition}: nothing was recorded in {name}, or it was archived before (governor.log_archive)");
        var last = await LogTables.LastCheckpointAsync(connection, cancellation) ?? throw new RecoveryException("nothing was signed yet");
        var unsigned = await JournalBackup.AskAsync(
            connection,
            $"SELECT count(*) FROM governor.{partition} e LEFT JOIN governor.log_segment s ON s.batch = e.batch WHERE s.leaf IS NULL OR s.leaf + e.ordinal >= {last.Size}",
            cancellation);
        return unsigned == "0"
            ? new Checkpoint(reader.Key.Name, last.Size, last.Root)
            : throw new RecoveryException($"{unsigned} records of {name} are not under a checkpoint yet; does a sequencer run?");
    }

    private async Task<ArchivedMonth> WriteAsync(NpgsqlConnection connection, string partition, string name, string path, CancellationToken cancellation)
    {
        var draft = $"{path}.{Guid.NewGuid():n}";
        var (first, last, leaves) = (-1L, -1L, 0L);
        await using (var file = new FileStream(draft, FileMode.CreateNew, FileAccess.Write))
        {
            AuditExportWriter? writer = null;
            await using var command = new NpgsqlCommand(
                $"SELECT s.leaf + e.ordinal, e.record, e.payload FROM governor.{partition} e JOIN governor.log_segment s ON s.batch = e.batch ORDER BY 1", connection);
            await using var rows = await command.ExecuteReaderAsync(cancellation);
            while (await rows.ReadAsync(cancellation))
            {
                last = rows.GetInt64(0);
                if (writer is null)
                    (first, writer) = (last, new AuditExportWriter(file, reader.Key, AuditSpan.Archive(last)));
                await writer.LeafAsync(last, rows.GetFieldValue<byte[]>(1), LogTables.Payload(rows, 2), cancellation);
                leaves++;
            }
            if (writer is not null)
                await writer.EndAsync(cancellation);
            file.Flush(flushToDisk: true);
        }
        if (leaves == 0)
        {
            File.Delete(draft);
            throw new RecoveryException($"nothing was recorded in {name}");
        }
        File.Move(draft, path, overwrite: true);
        var (sha256, _) = await BackupManifest.DigestAsync(path, cancellation);
        return new ArchivedMonth(name, path, sha256, first, last, leaves);
    }

    /// <summary>Reads the file back and finds every record of it in the signed tree.</summary>
    private static async Task VerifyAsync(NpgsqlConnection connection, ArchivedMonth archived, Checkpoint signed, CancellationToken cancellation)
    {
        var tree = new SignedLeaves(signed, tiles => ReadTilesAsync(connection, tiles, cancellation));
        using var file = File.OpenRead(archived.File);
        foreach (var leaf in AuditExportReader.Read(file))
        {
            if (await tree.HashAsync(leaf.Index) != AuditRecord.HashOf(leaf.Record))
                throw new RecoveryException($"{archived.File}: leaf {leaf.Index} is not the one that was signed: the database was altered; nothing was removed. 'governor audit fsck' says more");
        }
    }

    private static async Task<IReadOnlyDictionary<Tile, ReadOnlyMemory<byte>>> ReadTilesAsync(
        NpgsqlConnection connection, IReadOnlyCollection<Tile> tiles, CancellationToken cancellation) =>
        await TreeTables.ReadAsync(connection, tiles, cancellation);

    private async Task RecordAsync(ArchivedMonth archived, string origin, string actor, string why)
    {
        var grain = new GrainKey(Subject, archived.Month);
        var previous = await journal.LoadAsync(grain, CancellationToken.None);
        var content = JsonSerializer.SerializeToUtf8Bytes(archived with { File = Path.GetFileName(archived.File) }, JsonSerializerOptions.Web);
        if (previous is not null && previous.State.Span.SequenceEqual(content))
            return; // Recorded before an interruption.
        var recorded = new EventContext(
            new EventSubject(AuditActions.Group, AuditActions.LogKind, "", origin, "", 0), actor, "operator", "", "", "")
            .Operator(
                clock.GetUtcNow(), AuditActions.Archived, $"$.archives['{archived.Month}']",
                previous is null ? null : System.Text.Encoding.UTF8.GetString(previous.State.Span), System.Text.Encoding.UTF8.GetString(content), why);
        var answer = await journal.CommitAsync(
            new Commit(grain, previous?.Version ?? 0, content, false, [recorded], Guid.CreateVersion7()), CancellationToken.None);
        if (answer.Outcome != CommitOutcome.Committed)
            throw new RecoveryException($"{archived.Month}: somebody else archives it at the same moment; nothing was removed");
    }

    private static async Task DetachAsync(NpgsqlConnection connection, string partition, ArchivedMonth archived, CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await JournalBackup.AskAsync(connection, $"LOCK TABLE governor.{partition} IN ACCESS EXCLUSIVE MODE", cancellation);
        var rows = await JournalBackup.AskAsync(connection, $"SELECT count(*) FROM governor.{partition}", cancellation);
        if (rows != archived.Leaves.ToString(CultureInfo.InvariantCulture))
            throw new RecoveryException($"{archived.Month}: {archived.Leaves} records were archived, {rows} are there now; nothing was removed");
        await using (var keep = new NpgsqlCommand(
            "INSERT INTO governor.log_archive (month, file, sha256, first_leaf, last_leaf, leaves) VALUES ($1, $2, $3, $4, $5, $6)", connection))
        {
            keep.Parameters.AddWithValue(archived.Month);
            keep.Parameters.AddWithValue(Path.GetFileName(archived.File));
            keep.Parameters.AddWithValue(archived.Sha256);
            keep.Parameters.AddWithValue(archived.First);
            keep.Parameters.AddWithValue(archived.Last);
            keep.Parameters.AddWithValue(archived.Leaves);
            await keep.ExecuteNonQueryAsync(cancellation);
        }
        await JournalBackup.AskAsync(connection, $"ALTER TABLE governor.governance_event DETACH PARTITION governor.{partition}", cancellation);
        await JournalBackup.AskAsync(connection, $"DROP TABLE governor.{partition}", cancellation);
        await transaction.CommitAsync(cancellation);
    }
}
