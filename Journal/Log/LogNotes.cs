using System.Collections.Immutable;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;
using Npgsql;

namespace Governor.Journal.Log;

/// <summary>The statements over checkpoints as they are published: with the lines of those who cosigned them.</summary>
internal static class LogNotes
{
    /// <summary>A note can carry 64 lines; ours is one of them, and a few are left for keys of ours to come.</summary>
    private const int MostCosignatures = 48;

    private const string Columns = "c.note, ARRAY(SELECT g.line FROM governor.log_cosignature g WHERE g.size = c.size ORDER BY g.stored_at, g.key_name, g.key_id)";

    /// <param name="cosigned">Only one that somebody cosigned.</param>
    public static async Task<LogCheckpoint?> NewestAsync(NpgsqlConnection connection, bool cosigned, CancellationToken cancellation)
    {
        var from = cosigned
            ? "(SELECT size FROM governor.log_cosignature ORDER BY size DESC LIMIT 1) g JOIN governor.log_checkpoint c ON c.size = g.size"
            : "governor.log_checkpoint c ORDER BY c.size DESC LIMIT 1";
        await using var command = new NpgsqlCommand($"SELECT {Columns} FROM {from}", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation) ? Read(reader) : null;
    }

    /// <summary>All of them up to a size, oldest first.</summary>
    public static NpgsqlCommand UpTo(NpgsqlConnection connection, long size)
    {
        var command = new NpgsqlCommand($"SELECT {Columns}, c.size FROM governor.log_checkpoint c WHERE c.size <= $1 ORDER BY c.size", connection);
        command.Parameters.AddWithValue(size);
        return command;
    }

    /// <summary>Reads the columns of a checkpoint, which come first.</summary>
    /// <exception cref="InvalidDataException">They are not one.</exception>
    public static LogCheckpoint Read(NpgsqlDataReader reader)
    {
        if (!SignedNote.TryParse(reader.GetString(0), out var note) || !Checkpoint.TryParse(note.Text, out var checkpoint))
            throw new InvalidDataException("the stored checkpoint is not a signed note: the database was altered");
        var lines = reader.GetFieldValue<string[]>(1);
        if (lines.Length == 0)
            return new LogCheckpoint(checkpoint, note.ToString());
        return SignedNote.TryParseSignatures(string.Concat(lines.Take(MostCosignatures)), out var cosignatures)
            ? new LogCheckpoint(checkpoint, note.With(cosignatures).ToString())
            : throw new InvalidDataException($"a stored cosignature of the checkpoint of {checkpoint.Size} leaves is not a line of a note: the database was altered");
    }

    /// <returns>False when there is no checkpoint of this size.</returns>
    public static async Task<bool> CosignAsync(NpgsqlConnection connection, long size, ImmutableArray<NoteSignature> cosignatures, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("""
            WITH stored AS (
                INSERT INTO governor.log_cosignature (size, key_name, key_id, line)
                SELECT c.size, s.* FROM governor.log_checkpoint c, unnest($2::text[], $3::bigint[], $4::text[]) s WHERE c.size = $1
                ON CONFLICT (size, key_name, key_id) DO UPDATE SET line = excluded.line, stored_at = excluded.stored_at
            )
            SELECT EXISTS (SELECT FROM governor.log_checkpoint WHERE size = $1)
            """, connection);
        command.Parameters.AddWithValue(size);
        command.Parameters.AddWithValue(cosignatures.Select(s => s.Name).ToArray());
        command.Parameters.AddWithValue(cosignatures.Select(s => (long)s.KeyId).ToArray());
        command.Parameters.AddWithValue(cosignatures.Select(s => $"{s}").ToArray());
        return (bool)(await command.ExecuteScalarAsync(cancellation))!;
    }
}
