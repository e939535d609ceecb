using Governor.Domain.Transparency;
using Npgsql;
using NpgsqlTypes;

namespace Governor.Journal.Log;

/// <summary>The statements over the tree: full tiles, the edge, and the checkpoint over both.</summary>
internal static class TreeTables
{
    /// <summary>The partial tiles of the newest signed tree.</summary>
    public static async Task<List<TileHashes>> EdgeAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT level, tile, hashes FROM governor.log_edge", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var edge = new List<TileHashes>();
        while (await reader.ReadAsync(cancellation))
        {
            var hashes = reader.GetFieldValue<byte[]>(2);
            edge.Add(new TileHashes(new Tile(reader.GetInt16(0), reader.GetInt64(1), hashes.Length / TreeHash.Size), hashes));
        }
        return edge;
    }

    /// <summary>Whether exactly the full tiles of a tree of this size are there: a tile less and they can be made again, one more and somebody put it there.</summary>
    public static async Task<TilePresence> PresenceAsync(NpgsqlConnection connection, long size, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT level, count(*), max(tile) FROM governor.log_tile GROUP BY level", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var missing = Enumerable.Range(0, Tile.HighestLevel + 1).ToDictionary(level => level, level => Tile.HashesAt(level, size) >> Tile.Height);
        while (await reader.ReadAsync(cancellation))
        {
            var (level, count, last) = (reader.GetInt16(0), reader.GetInt64(1), reader.GetInt64(2));
            if (last >= missing[level])
                return TilePresence.TooMany;
            missing[level] -= count;
        }
        return missing.Values.All(count => count == 0) ? TilePresence.Complete : TilePresence.TooFew;
    }

    /// <summary>
    /// Stores a signed tree: the tiles that it completed, its edge, its checkpoint, and with the first one the key. One statement: a
    /// checkpoint without its tiles, or tiles without their checkpoint, are never there.
    /// </summary>
    /// <returns>False when a hold came in between, and nothing was stored.</returns>
    /// <exception cref="PostgresException">Among others: a tile or a checkpoint of this size is there already.</exception>
    public static async Task<bool> StoreAsync(
        NpgsqlConnection connection, StoredCheckpoint checkpoint, IReadOnlyList<TileHashes> completed, IReadOnlyList<TileHashes> edge, VerifierKey? genesis,
        CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"""
            WITH free AS MATERIALIZED (
                SELECT WHERE NOT EXISTS (SELECT FROM governor.log_hold)
            ), tiles AS (
                INSERT INTO governor.log_tile (level, tile, hashes)
                SELECT t.* FROM unnest($4::smallint[], $5::bigint[], $6::bytea[]) t, free
            ), edge AS (
                INSERT INTO governor.log_edge (level, tile, hashes)
                SELECT t.* FROM unnest($7::smallint[], $8::bigint[], $9::bytea[]) t, free
                ON CONFLICT (level) DO UPDATE SET tile = excluded.tile, hashes = excluded.hashes
            ), no_edge AS (
                DELETE FROM governor.log_edge WHERE level <> ALL ($7) AND EXISTS (SELECT FROM free)
            ), genesis AS (
                INSERT INTO governor.log_genesis (key) SELECT $10 FROM free WHERE $10 IS NOT NULL
            ), stored AS (
                INSERT INTO governor.log_checkpoint (size, root, note) SELECT $1, $2, $3 FROM free RETURNING size
            )
            SELECT size FROM stored, pg_notify('{LogTables.Channel}', size::text)
            """, connection);
        command.Parameters.AddWithValue(checkpoint.Size);
        command.Parameters.AddWithValue(checkpoint.Root.ToArray());
        command.Parameters.AddWithValue(checkpoint.Note);
        Bind(command.Parameters, completed);
        Bind(command.Parameters, edge);
        command.Parameters.Add(new NpgsqlParameter { Value = (object?)genesis?.ToString() ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        return await command.ExecuteScalarAsync(cancellation) is not null;
    }

    /// <summary>Keeps tiles that were made again from their leaves; those that are there stay.</summary>
    /// <returns>A tile that is there and is another one; null when there is none.</returns>
    public static async Task<Tile?> RestoreAsync(NpgsqlConnection connection, IReadOnlyList<TileHashes> tiles, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("""
            WITH made AS MATERIALIZED (
                SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[]) t (level, tile, hashes)
            ), stored AS (
                INSERT INTO governor.log_tile (level, tile, hashes) SELECT level, tile, hashes FROM made ON CONFLICT (level, tile) DO NOTHING
            )
            SELECT m.level, m.tile FROM made m JOIN governor.log_tile t ON t.level = m.level AND t.tile = m.tile WHERE t.hashes <> m.hashes LIMIT 1
            """, connection);
        Bind(command.Parameters, tiles);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation) ? new Tile(reader.GetInt16(0), reader.GetInt64(1), Tile.FullWidth) : null;
    }

    /// <summary>Replaces the edge.</summary>
    public static async Task RestoreEdgeAsync(NpgsqlConnection connection, IReadOnlyList<TileHashes> edge, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("""
            WITH edge AS (
                INSERT INTO governor.log_edge (level, tile, hashes) SELECT t.* FROM unnest($1::smallint[], $2::bigint[], $3::bytea[]) t
                ON CONFLICT (level) DO UPDATE SET tile = excluded.tile, hashes = excluded.hashes
            )
            DELETE FROM governor.log_edge WHERE level <> ALL ($1)
            """, connection);
        Bind(command.Parameters, edge);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>
    /// Reads hash tiles at the width that is asked for: whole ones, or the beginning of a whole one or of the edge. All from one moment.
    /// </summary>
    public static async Task<Dictionary<Tile, ReadOnlyMemory<byte>>> ReadAsync(NpgsqlConnection connection, IReadOnlyCollection<Tile> tiles, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("""
            SELECT w.level, w.tile, w.width, substring(coalesce(t.hashes, e.hashes) FROM 1 FOR w.width * 32)
            FROM unnest($1::smallint[], $2::bigint[], $3::int[]) w (level, tile, width)
            LEFT JOIN governor.log_tile t ON t.level = w.level AND t.tile = w.tile
            LEFT JOIN governor.log_edge e ON e.level = w.level AND e.tile = w.tile
            WHERE octet_length(coalesce(t.hashes, e.hashes)) >= w.width * 32
            """, connection);
        var wanted = tiles.Where(tile => tile is { Level: >= 0 and <= Tile.HighestLevel, Width: >= 1 and <= Tile.FullWidth }).ToArray();
        Levels(command.Parameters, wanted);
        command.Parameters.AddWithValue(wanted.Select(tile => tile.Width).ToArray());
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var read = new Dictionary<Tile, ReadOnlyMemory<byte>>();
        while (await reader.ReadAsync(cancellation))
            read[new Tile(reader.GetInt16(0), reader.GetInt64(1), reader.GetInt32(2))] = reader.GetFieldValue<byte[]>(3);
        return read;
    }

    private static void Bind(NpgsqlParameterCollection parameters, IReadOnlyList<TileHashes> tiles)
    {
        Levels(parameters, [.. tiles.Select(tile => tile.Tile)]);
        parameters.AddWithValue(tiles.Select(tile => tile.Hashes.ToArray()).ToArray());
    }

    private static void Levels(NpgsqlParameterCollection parameters, Tile[] tiles)
    {
        parameters.AddWithValue(tiles.Select(tile => (short)tile.Level).ToArray());
        parameters.AddWithValue(tiles.Select(tile => tile.Index).ToArray());
    }
}

/// <summary>How the full tiles that are stored compare with those of a tree.</summary>
internal enum TilePresence
{
    Complete,
    TooFew,
    TooMany,
}
