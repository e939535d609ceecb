namespace Governor.Domain.Transparency;

/// <summary>The hashes of one tile, one after the other.</summary>
public sealed record TileHashes(Tile Tile, ReadOnlyMemory<byte> Hashes);

/// <summary>
/// A Merkle tree that grows, kept as its partial tiles: at most 255 hashes a level. Everything to the left of them is in full tiles,
/// which it hands out once when they are complete.
/// </summary>
public sealed class TiledTree
{
    private readonly List<Row> _rows = [];
    private readonly List<TileHashes> _completed = [];

    public TiledTree()
    {
    }

    /// <param name="size">The size of the tree.</param>
    /// <param name="edge">Its partial tiles, as <see cref="Edge"/> answered.</param>
    /// <exception cref="ArgumentException">Not the right edge of a tree of this size.</exception>
    public TiledTree(long size, IEnumerable<TileHashes> edge)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        var given = edge.ToDictionary(tile => tile.Tile.Level);
        var expected = Tile.RightEdge(size).ToArray();
        foreach (var tile in expected)
        {
            if (!given.Remove(tile.Level, out var hashes) || hashes.Tile != tile || hashes.Hashes.Length != tile.Width * TreeHash.Size)
                throw new ArgumentException($"expected the partial tile {tile} of a tree of {size} leaves, found {(hashes is null ? "none" : $"{hashes.Tile} with {hashes.Hashes.Length} bytes")}", nameof(edge));
            RowAt(tile.Level).Fill(hashes.Hashes.Span);
        }
        if (given.Count > 0)
            throw new ArgumentException($"the tile {given.Values.First().Tile} is not at the edge of a tree of {size} leaves", nameof(edge));
        Size = size;
    }

    /// <summary>How many leaves the tree has.</summary>
    public long Size { get; private set; }

    public TreeHash Root
    {
        get
        {
            TreeHash? root = null;
            foreach (var row in _rows)
                root = row.Fold(root);
            return root ?? MerkleTree.EmptyRoot;
        }
    }

    /// <summary>The partial tiles.</summary>
    public IReadOnlyList<TileHashes> Edge =>
        [.. Tile.RightEdge(Size).Select(tile => new TileHashes(tile, RowAt(tile.Level).Encode()))];

    public void Append(TreeHash leafHash)
    {
        Size++;
        for (var level = 0; ; level++)
        {
            var row = RowAt(level);
            if (!row.Add(leafHash))
                return;
            _completed.Add(new TileHashes(new Tile(level, (Tile.HashesAt(level, Size) >> Tile.Height) - 1, Tile.FullWidth), row.Encode()));
            leafHash = row.Fold(null)!.Value;
            row.Clear();
        }
    }

    /// <summary>The full tiles that came about since the last call, lower ones first.</summary>
    public IReadOnlyList<TileHashes> TakeCompleted()
    {
        TileHashes[] taken = [.. _completed];
        _completed.Clear();
        return taken;
    }

    private Row RowAt(int level)
    {
        while (_rows.Count <= level)
            _rows.Add(new Row());
        return _rows[level];
    }
}

/// <summary>The hashes of one level that are not in a full tile yet.</summary>
internal sealed class Row
{
    private readonly TreeHash[] _hashes = new TreeHash[Tile.FullWidth];
    private int _count;

    /// <summary>Says whether the row is full now.</summary>
    public bool Add(TreeHash hash)
    {
        _hashes[_count++] = hash;
        return _count == _hashes.Length;
    }

    public void Clear() => _count = 0;

    public void Fill(ReadOnlySpan<byte> encoded)
    {
        for (; !encoded.IsEmpty; encoded = encoded[TreeHash.Size..])
            Add(new TreeHash(encoded[..TreeHash.Size]));
    }

    public byte[] Encode()
    {
        var bytes = new byte[_count * TreeHash.Size];
        for (var i = 0; i < _count; i++)
            _hashes[i].CopyTo(bytes.AsSpan(i * TreeHash.Size));
        return bytes;
    }

    /// <summary>The hash over this row with <paramref name="right"/>, the rows below it, at its end; null when both are empty.</summary>
    public TreeHash? Fold(TreeHash? right)
    {
        if (_count == 0)
            return right;
        var frontier = new MerkleFrontier();
        for (var i = 0; i < _count; i++)
            frontier.Append(_hashes[i]);
        return frontier.Fold(right);
    }
}
