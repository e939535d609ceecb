using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Numerics;
using Governor.Domain.Transparency;

namespace Governor.Domain.Tests.Transparency;

/// <summary>A tree that is kept as tiles, and the proofs that are made from these, against the tree itself.</summary>
public sealed class TiledTreeTests
{
    private const int Largest = 66_000;

    private static readonly TreeHash[] Leaves = [.. Enumerable.Range(0, Largest).Select(i => TreeHash.Of(BitConverter.GetBytes(i)))];

    /// <summary>What a log would have stored: every level, computed without tiles.</summary>
    private static readonly ImmutableArray<TreeHash[]> Levels = [Leaves, Above(Leaves), Above(Above(Leaves))];

    private static readonly ConcurrentDictionary<(long, long), TreeHash> Remembered = [];

    private static readonly int[] Interesting = [1, 2, 255, 256, 257, 258, 511, 512, 513, 1000, 65_279, 65_280, 65_281, 65_535, 65_536, 65_537, 65_793, Largest];

    public static TheoryData<int> Sizes => [.. Interesting];

    [Fact]
    public void It_has_the_root_and_the_tiles_of_the_tree_and_goes_on_after_a_restart()
    {
        var (tree, tiles) = (new TiledTree(), new Dictionary<Tile, byte[]>());
        var interesting = Interesting.ToHashSet();
        for (var size = 1; size <= Largest; size++)
        {
            tree.Append(Leaves[size - 1]);
            foreach (var full in tree.TakeCompleted())
                tiles.Add(full.Tile, full.Hashes.ToArray());
            if (!interesting.Contains(size))
                continue;
            Assert.Equal(size, tree.Size);
            Assert.Equal(MerkleTree.Root(Leaves.AsSpan(0, size)), tree.Root);
            Assert.Equal(Tile.RightEdge(size), tree.Edge.Select(partial => partial.Tile));
            Assert.All(tree.Edge, partial => Assert.Equal(Stored(partial.Tile), partial.Hashes.ToArray()));
            tree = new TiledTree(size, tree.Edge);
        }
        Assert.All(tiles, tile => Assert.Equal(Stored(tile.Key), tile.Value));
        Assert.Equal((Largest / 256) + (Largest / 65_536), tiles.Count);
        Assert.Empty(tree.TakeCompleted());
        Assert.Equal(MerkleTree.EmptyRoot, new TiledTree().Root);
    }

    [Fact]
    public void It_refuses_an_edge_that_is_not_its_own()
    {
        var edge = Tile.RightEdge(1000).Select(tile => new TileHashes(tile, Stored(tile))).ToArray();
        Assert.Equal(MerkleTree.Root(Leaves.AsSpan(0, 1000)), new TiledTree(1000, edge).Root);
        Assert.Throws<ArgumentException>(() => new TiledTree(1001, edge));
        Assert.Throws<ArgumentException>(() => new TiledTree(1000, edge[1..]));
        Assert.Throws<ArgumentException>(() => new TiledTree(768, edge));
        Assert.Throws<ArgumentException>(() => new TiledTree(1000, [edge[0] with { Hashes = edge[0].Hashes[1..] }, edge[1]]));
        Assert.Throws<ArgumentException>(() => new TiledTree(1000, [.. edge, new TileHashes(new Tile(2, 0, 1), new byte[32])]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TiledTree(-1, []));
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task Inclusion_proofs_from_tiles_are_those_of_the_tree(int size)
    {
        var root = MerkleTree.Root(Leaves.AsSpan(0, size));
        foreach (var index in Some(size, size).Append(0).Append(size - 1))
        {
            var proof = await TileProofs.InclusionAsync(index, size, ReadAsync);
            Assert.Equal<IEnumerable<TreeHash>>(MerkleTree.InclusionProof(index, size, Range), proof);
            Assert.True(MerkleTree.VerifyInclusion(index, size, Leaves[index], proof.AsSpan(), root));
        }
        Assert.Equal(root, await TileProofs.RootAsync(size, ReadAsync));
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task Consistency_proofs_from_tiles_are_those_of_the_tree(int second)
    {
        var root = MerkleTree.Root(Leaves.AsSpan(0, second));
        foreach (var first in Interesting.Where(size => size <= second).Concat(Some(second, second).Select(index => index + 1)))
        {
            var proof = await TileProofs.ConsistencyAsync(first, second, ReadAsync);
            Assert.Equal<IEnumerable<TreeHash>>(MerkleTree.ConsistencyProof(first, second, Range), proof);
            Assert.True(MerkleTree.VerifyConsistency(first, second, Range(0, first), root, proof.AsSpan()));
        }
    }

    [Fact]
    public async Task All_small_proofs_from_tiles_are_those_of_the_tree()
    {
        for (var size = 1; size <= 128; size++)
        {
            for (var at = 0; at < size; at++)
            {
                Assert.Equal<IEnumerable<TreeHash>>(MerkleTree.InclusionProof(at, size, Range), await TileProofs.InclusionAsync(at, size, ReadAsync));
                Assert.Equal<IEnumerable<TreeHash>>(MerkleTree.ConsistencyProof(at + 1, size, Range), await TileProofs.ConsistencyAsync(at + 1, size, ReadAsync));
            }
        }
        Assert.Equal(MerkleTree.EmptyRoot, await TileProofs.RootAsync(0, ReadAsync));
    }

    [Fact]
    public async Task A_proof_takes_few_tiles_and_asks_for_them_once()
    {
        var asked = 0;
        await TileProofs.InclusionAsync(300, 66_000, tiles =>
        {
            asked++;
            Assert.InRange(tiles.Count, 1, 5);
            return ReadAsync(tiles);
        });
        Assert.Equal(1, asked);
    }

    [Fact]
    public async Task A_tile_that_is_missing_or_too_narrow_is_named()
    {
        var missing = await Assert.ThrowsAsync<TileMissingException>(() => TileProofs.InclusionAsync(
            300, 1000, _ => Task.FromResult<IReadOnlyDictionary<Tile, ReadOnlyMemory<byte>>>(new Dictionary<Tile, ReadOnlyMemory<byte>>())));
        Assert.Contains("is not there", missing.Message, StringComparison.Ordinal);
        var narrow = await Assert.ThrowsAsync<TileMissingException>(() => TileProofs.InclusionAsync(
            300, 1000, tiles => Task.FromResult<IReadOnlyDictionary<Tile, ReadOnlyMemory<byte>>>(tiles.ToDictionary(tile => tile, tile => (ReadOnlyMemory<byte>)Stored(tile).AsMemory(32)))));
        Assert.Contains("bytes", narrow.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => TileProofs.InclusionAsync(5, 5, ReadAsync));
    }

    private static Task<IReadOnlyDictionary<Tile, ReadOnlyMemory<byte>>> ReadAsync(IReadOnlyCollection<Tile> tiles) =>
        Task.FromResult<IReadOnlyDictionary<Tile, ReadOnlyMemory<byte>>>(tiles.ToDictionary(tile => tile, tile => (ReadOnlyMemory<byte>)Stored(tile)));

    private static byte[] Stored(Tile tile) =>
        [.. Levels[tile.Level].AsSpan((int)(tile.Index * 256), tile.Width).ToArray().SelectMany(hash => hash.ToArray())];

    private static TreeHash[] Above(TreeHash[] level) =>
        [.. Enumerable.Range(0, level.Length / 256).Select(i => MerkleTree.Root(level.AsSpan(i * 256, 256)))];

    /// <summary>The definition of RFC 6962 §2.1, remembered.</summary>
    private static TreeHash Range(long begin, long end)
    {
        if (end - begin == 1)
            return Leaves[begin];
        var middle = begin + ((long)BitOperations.RoundUpToPowerOf2((ulong)(end - begin)) >> 1);
        if (!Remembered.TryGetValue((begin, end), out var hash))
            Remembered[(begin, end)] = hash = MerkleTree.HashNode(Range(begin, middle), Range(middle, end));
        return hash;
    }

    private static IEnumerable<int> Some(int below, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, 6).Select(_ => random.Next(below))];
    }
}
