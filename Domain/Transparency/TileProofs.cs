using System.Collections.Immutable;
using System.Numerics;

namespace Governor.Domain.Transparency;

/// <summary>
/// Makes proofs from tiles: looks which tiles a proof needs, has them read together, then computes it. A proof over a billion leaves
/// takes a handful of tiles.
/// </summary>
public static class TileProofs
{
    /// <summary>Reads tiles; a tile that is not there is not in the answer.</summary>
    public delegate Task<IReadOnlyDictionary<Tile, ReadOnlyMemory<byte>>> ReadTiles(IReadOnlyCollection<Tile> tiles);

    /// <summary>See <see cref="MerkleTree.InclusionProof"/>.</summary>
    /// <exception cref="TileMissingException">A tile is not there, or is not as wide as it must be.</exception>
    public static Task<ImmutableArray<TreeHash>> InclusionAsync(long index, long size, ReadTiles read) =>
        MakeAsync(size, hash => MerkleTree.InclusionProof(index, size, hash), read);

    /// <summary>See <see cref="MerkleTree.ConsistencyProof"/>.</summary>
    /// <exception cref="TileMissingException">A tile is not there, or is not as wide as it must be.</exception>
    public static Task<ImmutableArray<TreeHash>> ConsistencyAsync(long first, long second, ReadTiles read) =>
        MakeAsync(second, hash => MerkleTree.ConsistencyProof(first, second, hash), read);

    /// <summary>The root of the tree as it was at a size.</summary>
    /// <exception cref="TileMissingException">A tile is not there, or is not as wide as it must be.</exception>
    public static async Task<TreeHash> RootAsync(long size, ReadTiles read) =>
        size == 0 ? MerkleTree.EmptyRoot : (await MakeAsync(size, hash => [hash(0, size)], read).ConfigureAwait(false))[0];

    /// <summary>The frontier of the tree as it was at a size: whoever has it and believes its root can go on from there.</summary>
    /// <exception cref="TileMissingException">A tile is not there, or is not as wide as it must be.</exception>
    public static async Task<MerkleFrontier> FrontierAsync(long size, ReadTiles read)
    {
        var subtrees = await MakeAsync(size, hash => [.. PerfectSubtrees(0, size).Select(subtree => hash(subtree.Begin, subtree.End))], read).ConfigureAwait(false);
        return new MerkleFrontier(size, [.. subtrees.SelectMany(root => root.ToArray())]);
    }

    private static async Task<ImmutableArray<TreeHash>> MakeAsync(
        long size, Func<MerkleTree.RangeHash, ImmutableArray<TreeHash>> make, ReadTiles read)
    {
        var needed = new HashSet<Tile>();
        make((begin, end) =>
        {
            foreach (var subtree in PerfectSubtrees(begin, end))
                needed.Add(subtree.TileIn(size));
            return default;
        });
        var tiles = needed.Count == 0 ? ImmutableDictionary<Tile, ReadOnlyMemory<byte>>.Empty : await read(needed).ConfigureAwait(false);
        foreach (var tile in needed)
        {
            if (!tiles.TryGetValue(tile, out var hashes) || hashes.Length != tile.Width * TreeHash.Size)
                throw new TileMissingException($"the tile {tile} of a tree of {size} leaves {(hashes.IsEmpty ? "is not there" : $"has {hashes.Length} bytes")}");
        }
        return make((begin, end) =>
        {
            TreeHash? hash = null;
            foreach (var subtree in PerfectSubtrees(begin, end).Reverse())
            {
                var left = subtree.HashIn(tiles[subtree.TileIn(size)].Span);
                hash = hash is { } right ? MerkleTree.HashNode(left, right) : left;
            }
            return hash!.Value;
        });
    }

    /// <summary>The perfect subtrees that make up a range of leaves as RFC 6962 splits it, largest first.</summary>
    private static IEnumerable<Subtree> PerfectSubtrees(long begin, long end)
    {
        while (begin < end)
        {
            var height = BitOperations.Log2((ulong)(end - begin));
            yield return new Subtree(height, begin >> height);
            begin += 1L << height;
        }
    }

    /// <summary>A perfect subtree of 2^Height leaves, the Index-th of its height.</summary>
    private readonly record struct Subtree(int Height, long Index)
    {
        private int Level => Height / Tile.Height;

        public long Begin => Index << Height;

        public long End => (Index + 1) << Height;

        /// <summary>How many hashes of its tile are below it.</summary>
        private int Span => 1 << (Height % Tile.Height);

        public Tile TileIn(long size) => Tile.In(size, Level, Index * Span >> Tile.Height);

        public TreeHash HashIn(ReadOnlySpan<byte> tile)
        {
            var first = (int)(Index * Span % Tile.FullWidth);
            var frontier = new MerkleFrontier();
            for (var i = first; i < first + Span; i++)
                frontier.Append(new TreeHash(tile.Slice(i * TreeHash.Size, TreeHash.Size)));
            return frontier.Root;
        }
    }
}

/// <summary>A proof cannot be made, because a part of the tree is not there.</summary>
public sealed class TileMissingException(string message) : Exception(message);
