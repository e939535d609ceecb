using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Governor.Journal.Log;

/// <summary>The log as tiles and entries, read from PostgreSQL.</summary>
public sealed partial class TransparencyLog(JournalDatabase database, IOptions<JournalOptions> options, TimeProvider clock, ILogger<TransparencyLog> log) : ITransparencyLog
{
    /// <summary>A notification that got lost is made up for after so long.</summary>
    private static readonly TimeSpan Resync = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly string _origin = options.Value.Origin;

    public Task<LogCheckpoint?> CheckpointAsync(CancellationToken cancellation) =>
        database.ReadAsync("read the checkpoint", (connection, token) => LogNotes.NewestAsync(connection, cosigned: false, token), cancellation);

    public Task<LogCheckpoint?> CosignedCheckpointAsync(CancellationToken cancellation) =>
        database.ReadAsync("read the cosigned checkpoint", (connection, token) => LogNotes.NewestAsync(connection, cosigned: true, token), cancellation);

    public Task<IReadOnlyDictionary<Tile, ReadOnlyMemory<byte>>> TilesAsync(IReadOnlyCollection<Tile> tiles, CancellationToken cancellation) =>
        database.ReadAsync<IReadOnlyDictionary<Tile, ReadOnlyMemory<byte>>>(
            "read tiles", async (connection, token) => await TreeTables.ReadAsync(connection, tiles, token), cancellation);

    public Task<ReadOnlyMemory<byte>?> EntriesAsync(Tile bundle, CancellationToken cancellation)
    {
        if (bundle is not { Level: Tile.Entries, Index: >= 0 and <= long.MaxValue >> Tile.Height, Width: >= 1 and <= Tile.FullWidth })
            return Task.FromResult<ReadOnlyMemory<byte>?>(null);
        return database.ReadAsync("read entries", (connection, token) => EntriesAsync(connection, bundle, token), cancellation);
    }

    public Task<LogEntry?> EntryAsync(long leaf, CancellationToken cancellation) =>
        database.ReadAsync("read an entry", (connection, token) => EntryAsync(connection, leaf, token), cancellation);

    public async Task CosignAsync(long size, ImmutableArray<NoteSignature> cosignatures, CancellationToken cancellation)
    {
        // Under the log's own name it would take the place of the log's signature.
        if (cosignatures.FirstOrDefault(s => s.Name == _origin) is { } own)
            throw new ArgumentException($"expected cosignatures of witnesses, found one with the name of the log itself, '{own.Name}'", nameof(cosignatures));
        if (!await database.ReadAsync("keep cosignatures", (connection, token) => LogNotes.CosignAsync(connection, size, cosignatures, token), cancellation))
            throw new ArgumentException($"there is no checkpoint of {size} leaves", nameof(size));
    }

    public async IAsyncEnumerable<LogCheckpoint> FollowAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var seen = -1L;
        var pause = FirstPause;
        while (!cancellation.IsCancellationRequested)
        {
            await using var connection = await ListenAsync(cancellation);
            while (connection is not null && await NextAsync(connection, seen, cancellation) is { } next)
            {
                (seen, pause) = (next.Checkpoint.Size, FirstPause);
                yield return next;
            }
            if (await PausedAsync(pause, cancellation))
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private async Task<bool> PausedAsync(TimeSpan pause, CancellationToken cancellation)
    {
        try
        {
            await Task.Delay(pause, clock, cancellation);
            return true;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>A connection that is notified of checkpoints; null when there is none to be had now.</summary>
    private async Task<NpgsqlConnection?> ListenAsync(CancellationToken cancellation)
    {
        NpgsqlConnection? connection = null;
        try
        {
            connection = await database.OpenOwnAsync(cancellation);
            await LogTables.ListenAsync(connection, cancellation);
            return connection;
        }
        catch (Exception e) when (IsLoss(e) || IsEnd(e, cancellation))
        {
            if (connection is not null)
                await connection.DisposeAsync();
            return null;
        }
    }

    /// <summary>Waits for a checkpoint that is larger than the one seen; null when the connection is lost, or at the end.</summary>
    private async Task<LogCheckpoint?> NextAsync(NpgsqlConnection connection, long seen, CancellationToken cancellation)
    {
        var heard = false;
        void Hear(object sender, NpgsqlNotificationEventArgs e) => heard = true;
        connection.Notification += Hear;
        try
        {
            while (true)
            {
                // Listening came before this look: what is signed from here on is heard, also when it is heard within the look.
                heard = false;
                if (await LogNotes.NewestAsync(connection, cosigned: false, cancellation) is { } newest && newest.Checkpoint.Size > seen)
                    return newest;
                if (!heard)
                    await connection.WaitAsync(Resync, cancellation);
            }
        }
        catch (Exception e) when (IsLoss(e))
        {
            LogLost(JournalDatabase.Describe(e));
            return null;
        }
        catch (Exception e) when (IsEnd(e, cancellation))
        {
            return null;
        }
        finally
        {
            connection.Notification -= Hear;
        }
    }

    private static bool IsLoss(Exception e) => e is NpgsqlException or IOException or TimeoutException;

    private static bool IsEnd(Exception e, CancellationToken cancellation) => e is OperationCanceledException && cancellation.IsCancellationRequested;

    private static async Task<ReadOnlyMemory<byte>?> EntriesAsync(NpgsqlConnection connection, Tile bundle, CancellationToken cancellation)
    {
        var begin = bundle.Index << Tile.Height;
        await using var command = new NpgsqlCommand("""
            SELECT e.record
            FROM governor.log_segment s JOIN governor.governance_event e
              ON e.batch = s.batch AND e.ordinal >= $1 - s.leaf AND e.ordinal < $2 - s.leaf
            WHERE s.leaf >= coalesce((SELECT leaf FROM governor.log_segment WHERE leaf <= $1 ORDER BY leaf DESC LIMIT 1), 0) AND s.leaf < $2
              AND $2 <= (SELECT size FROM governor.log_checkpoint ORDER BY size DESC LIMIT 1)
            ORDER BY s.leaf, e.ordinal
            """, connection);
        command.Parameters.AddWithValue(begin);
        command.Parameters.AddWithValue(begin + bundle.Width);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        using var entries = new MemoryStream();
        var count = 0;
        var length = new byte[sizeof(ushort)];
        while (await reader.ReadAsync(cancellation))
        {
            var record = reader.GetFieldValue<byte[]>(0);
            if (record.Length > AuditRecord.MaximumBytes)
                throw new InvalidDataException($"the record at leaf {begin + count} has {record.Length} bytes, more than any that is written: the database was altered; verify an export");
            BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)record.Length);
            entries.Write(length);
            entries.Write(record);
            count++;
        }
        return count == bundle.Width ? entries.ToArray() : default(ReadOnlyMemory<byte>?);
    }

    private static async Task<LogEntry?> EntryAsync(NpgsqlConnection connection, long leaf, CancellationToken cancellation)
    {
        // Scalar subqueries: two looks into indexes, whatever the planner believes of the tables.
        await using var command = new NpgsqlCommand("""
            SELECT e.record, e.payload FROM governor.governance_event e
            WHERE e.batch = (SELECT batch FROM governor.log_segment WHERE leaf <= $1 ORDER BY leaf DESC LIMIT 1)
              AND e.ordinal = $1 - (SELECT leaf FROM governor.log_segment WHERE leaf <= $1 ORDER BY leaf DESC LIMIT 1)
            """, connection);
        command.Parameters.AddWithValue(leaf);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation)
            ? new LogEntry(leaf, reader.GetFieldValue<byte[]>(0), LogTables.Payload(reader, 1))
            : null;
    }

    [LoggerMessage(LogLevel.Information, "Who follows the log lost the database and listens again. {Reason}")]
    private partial void LogLost(string reason);
}
