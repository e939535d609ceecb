using Governor.Domain.Audit;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;
using Npgsql;

namespace Governor.Journal.Log;

/// <summary>Writes the leaves that are in the database, from one on up to a signed tree, in the format of <see cref="AuditExport"/>.</summary>
internal sealed class LogExport(NpgsqlConnection connection, VerifierKey genesis)
{
    /// <summary>Leaves of one query: bounds what the server sorts at once.</summary>
    private const long Step = 16_384;

    /// <summary>An export carries a checkpoint at least this many leaves after the one before: each narrows down where a fault is.</summary>
    private const long CheckpointEvery = 1024;

    /// <exception cref="LeafMissingException">A leaf is missing that was not archived; what was written so far shows where.</exception>
    public async Task WriteAsync(Stream output, long from, LogCheckpoint last, CancellationToken cancellation)
    {
        var archives = await ArchivedRanges.ReadAsync(connection, cancellation);
        var size = last.Checkpoint.Size;
        var begin = await FirstLeafAsync(from, cancellation) is { } first && first < size ? first : Math.Min(from, size);
        if (!archives.Cover(from, begin))
            throw Missing(from);
        var writer = new AuditExportWriter(output, genesis, from == 0 && archives.IsEmpty ? AuditSpan.Whole : AuditSpan.Live(begin));
        foreach (var checkpoint in await CheckpointsAsync(begin, size, cancellation))
        {
            var at = await WriteLeavesAsync(writer, archives, checkpoint.Checkpoint.Size, cancellation);
            if (!archives.Cover(at, checkpoint.Checkpoint.Size))
                throw Missing(at);
            _ = SignedNote.TryParse(checkpoint.Note, out var note);
            writer.Checkpoint(note!);
        }
        await writer.EndAsync(cancellation);
    }

    /// <returns>The leaf behind the last one that was written, or that is in an archive.</returns>
    private async Task<long> WriteLeavesAsync(AuditExportWriter writer, ArchivedRanges archives, long size, CancellationToken cancellation)
    {
        for (var begin = writer.Next; begin < size;)
        {
            var end = await LogTables.BorderAsync(connection, Math.Min(begin + Step, size), cancellation);
            await using var command = LogTables.IndexedLeaves(connection, begin, Math.Min(end, size));
            await using var rows = await command.ExecuteReaderAsync(cancellation);
            while (await rows.ReadAsync(cancellation))
            {
                var leaf = rows.GetInt64(0);
                if (leaf < begin)
                    continue; // of the segment that begins before
                if (!archives.Cover(writer.Next, leaf))
                    throw Missing(writer.Next);
                await writer.LeafAsync(leaf, rows.GetFieldValue<byte[]>(1), LogTables.Payload(rows, 2), cancellation);
            }
            begin = Math.Max(end, begin + 1);
        }
        return writer.Next;
    }

    private async Task<long?> FirstLeafAsync(long from, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("""
            SELECT s.leaf + e.ordinal FROM governor.log_segment s JOIN governor.governance_event e ON e.batch = s.batch
            WHERE s.leaf >= coalesce((SELECT leaf FROM governor.log_segment WHERE leaf <= $1 ORDER BY leaf DESC LIMIT 1), 0) AND s.leaf + e.ordinal >= $1
            ORDER BY s.leaf, e.ordinal LIMIT 1
            """, connection);
        command.Parameters.AddWithValue(from);
        return (long?)await command.ExecuteScalarAsync(cancellation);
    }

    /// <summary>The notes to put into an export, oldest first, not too dense; the last one always.</summary>
    private async Task<List<LogCheckpoint>> CheckpointsAsync(long from, long size, CancellationToken cancellation)
    {
        await using var command = LogNotes.UpTo(connection, size);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var notes = new List<LogCheckpoint>();
        var next = from + CheckpointEvery;
        while (await reader.ReadAsync(cancellation))
        {
            var at = reader.GetInt64(2);
            if (at < from || at < next && at != size)
                continue;
            notes.Add(LogNotes.Read(reader));
            next = at + CheckpointEvery;
        }
        return notes;
    }

    private static LeafMissingException Missing(long leaf) => new(leaf);
}

/// <summary>A leaf has its place in the log, and its event is not there, nor in an archive.</summary>
public sealed class LeafMissingException(long leaf)
    : InvalidOperationException($"leaf {leaf} has its place in the log, and its event is not there: the database was altered. What was written so far shows where")
{
    public long Leaf { get; } = leaf;
}

/// <summary>The leaves that are in archive files. At the borders of months both neighbours' ranges cover what is in one of them.</summary>
internal sealed class ArchivedRanges
{
    private readonly List<(long First, long Last)> _ranges = [];

    public bool IsEmpty => _ranges.Count == 0;

    public static async Task<ArchivedRanges> ReadAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT first_leaf, last_leaf FROM governor.log_archive ORDER BY first_leaf", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var archives = new ArchivedRanges();
        while (await reader.ReadAsync(cancellation))
            archives._ranges.Add((reader.GetInt64(0), reader.GetInt64(1)));
        return archives;
    }

    /// <summary>Whether all leaves from <paramref name="begin"/> up to, not including, <paramref name="end"/> may be in archives.</summary>
    public bool Cover(long begin, long end)
    {
        foreach (var (first, last) in _ranges)
        {
            if (begin < end && begin >= first && begin <= last)
                begin = last + 1;
        }
        return begin >= end;
    }
}
