using System.Collections.Concurrent;
using System.Collections.Immutable;
using Governor.Domain.Transparency;

namespace Governor.Domain.Tests.Transparency;

public sealed class MerkleTreeTests
{
    private const int Largest = 128;

    private static readonly TreeHash[] Leaves = [.. Enumerable.Range(0, Largest).Select(i => MerkleTree.HashLeaf([(byte)i]))];

    private static readonly ConcurrentDictionary<(long, long), TreeHash> Remembered = [];

    // The leaves and roots that the reference implementations of Certificate Transparency test against.
    public static TheoryData<int, string> KnownRoots => new()
    {
        { 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { 1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" },
        { 2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125" },
        { 3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77" },
        { 4, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" },
        { 5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4" },
        { 6, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef" },
        { 7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c" },
        { 8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328" },
    };

    private static byte[][] KnownLeaves =>
    [
        [], [0x00], [0x10], [0x20, 0x21], [0x30, 0x31], [0x40, 0x41, 0x42, 0x43],
        [0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        [0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
    ];

    [Theory]
    [MemberData(nameof(KnownRoots))]
    public void Roots_are_those_of_certificate_transparency(int size, string root) =>
        Assert.Equal(root, Convert.ToHexStringLower(MerkleTree.Root([.. KnownLeaves.Take(size).Select(leaf => MerkleTree.HashLeaf(leaf))]).ToArray()));

    [Fact]
    public void Roots_agree_with_the_definition_and_the_frontier_survives_storage()
    {
        var frontier = new MerkleFrontier();
        for (var size = 0; size <= Largest; size++)
        {
            Assert.Equal(Naive(0, size), frontier.Root);
            frontier = new MerkleFrontier(size, frontier.Encode());
            Assert.Equal(size, frontier.Size);
            if (size < Largest)
                frontier.Append(Leaves[size]);
        }
        Assert.Throws<ArgumentException>(() => new MerkleFrontier(3, new byte[32]));
    }

    // The proofs that the reference implementations of Certificate Transparency test against, leaves counted from 0.
    public static TheoryData<int, int, string[]> KnownInclusions => new()
    {
        { 0, 1, [] },
        { 0, 8, ["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7", "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e", "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"] },
        { 5, 8, ["bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b", "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"] },
        { 2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"] },
        { 1, 5, ["6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d", "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e", "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"] },
    };

    public static TheoryData<int, int, string[]> KnownConsistencies => new()
    {
        { 1, 1, [] },
        { 1, 8, ["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7", "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e", "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"] },
        { 6, 8, ["0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a", "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"] },
        { 2, 5, ["5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e", "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"] },
    };

    [Theory]
    [MemberData(nameof(KnownInclusions))]
    public void Inclusion_proofs_are_those_of_certificate_transparency(int index, int size, string[] proof)
    {
        var made = MerkleTree.InclusionProof(index, size, Known);
        Assert.Equal(proof, made.Select(hash => Convert.ToHexStringLower(hash.ToArray())));
        Assert.True(MerkleTree.VerifyInclusion(index, size, MerkleTree.HashLeaf(KnownLeaves[index]), made.AsSpan(), Known(0, size)));
    }

    [Theory]
    [MemberData(nameof(KnownConsistencies))]
    public void Consistency_proofs_are_those_of_certificate_transparency(int first, int second, string[] proof)
    {
        var made = MerkleTree.ConsistencyProof(first, second, Known);
        Assert.Equal(proof, made.Select(hash => Convert.ToHexStringLower(hash.ToArray())));
        Assert.True(MerkleTree.VerifyConsistency(first, second, Known(0, first), Known(0, second), made.AsSpan()));
    }

    [Fact]
    public void Every_inclusion_proof_up_to_128_leaves_is_the_one_of_the_definition_and_no_other_verifies()
    {
        for (var size = 1; size <= Largest; size++)
        {
            var root = Naive(0, size);
            for (var index = 0; index < size; index++)
            {
                var proof = MerkleTree.InclusionProof(index, size, Naive);
                Assert.Equal(NaivePath(index, 0, size), proof);
                Assert.True(MerkleTree.VerifyInclusion(index, size, Leaves[index], proof.AsSpan(), root));
                Assert.False(MerkleTree.VerifyInclusion(index, size, Leaves[(index + 1) % Largest], proof.AsSpan(), root));
                Assert.False(MerkleTree.VerifyInclusion(index, size, Leaves[index], proof.AsSpan(), Leaves[0] == root ? Leaves[1] : Leaves[0]));
                foreach (var spoiled in Spoiled(proof))
                    Assert.False(MerkleTree.VerifyInclusion(index, size, Leaves[index], spoiled, root));
                if (size > 1)
                    Assert.False(MerkleTree.VerifyInclusion(size - 1 - index == index ? (index + 1) % size : size - 1 - index, size, Leaves[index], proof.AsSpan(), root));
            }
        }
        Assert.False(MerkleTree.VerifyInclusion(1, 1, Leaves[0], [], Leaves[0]));
        Assert.False(MerkleTree.VerifyInclusion(-1, 1, Leaves[0], [], Leaves[0]));
        Assert.Throws<ArgumentOutOfRangeException>(() => MerkleTree.InclusionProof(1, 1, Naive));
    }

    [Fact]
    public void Every_consistency_proof_up_to_128_leaves_is_the_one_of_the_definition_and_no_other_verifies()
    {
        for (var second = 1; second <= Largest; second++)
        {
            for (var first = 1; first <= second; first++)
            {
                var (old, now) = (Naive(0, first), Naive(0, second));
                var proof = MerkleTree.ConsistencyProof(first, second, Naive);
                Assert.Equal(NaiveProof(first, 0, second, true), proof);
                Assert.True(MerkleTree.VerifyConsistency(first, second, old, now, proof.AsSpan()));
                foreach (var spoiled in Spoiled(proof))
                    Assert.False(MerkleTree.VerifyConsistency(first, second, old, now, spoiled));
                if (first == second)
                    continue;
                Assert.False(MerkleTree.VerifyConsistency(first, second, MerkleTree.EmptyRoot, now, proof.AsSpan()));
                Assert.False(MerkleTree.VerifyConsistency(first, second, old, MerkleTree.EmptyRoot, proof.AsSpan()));
                Assert.False(MerkleTree.VerifyConsistency(first, second, now, old, proof.AsSpan()));
            }
        }
        Assert.False(MerkleTree.VerifyConsistency(6, 5, Naive(0, 6), Naive(0, 5), []));
        Assert.False(MerkleTree.VerifyConsistency(-1, 5, MerkleTree.EmptyRoot, Naive(0, 5), []));
    }

    [Fact]
    public void The_empty_tree_is_a_prefix_of_every_tree_and_has_one_root()
    {
        Assert.True(MerkleTree.VerifyConsistency(0, 5, MerkleTree.EmptyRoot, Naive(0, 5), []));
        Assert.True(MerkleTree.VerifyConsistency(0, 0, MerkleTree.EmptyRoot, MerkleTree.EmptyRoot, []));
        Assert.False(MerkleTree.VerifyConsistency(0, 5, MerkleTree.EmptyRoot, Naive(0, 5), [default]));
        Assert.False(MerkleTree.VerifyConsistency(0, 5, Leaves[0], Naive(0, 5), []));
        Assert.False(MerkleTree.VerifyConsistency(0, 0, MerkleTree.EmptyRoot, Leaves[0], []));
        Assert.False(MerkleTree.VerifyConsistency(0, 0, Leaves[0], Leaves[0], []));
    }

    /// <summary>A proof with each hash flipped in one bit, each one dropped, and one more at each place.</summary>
    private static IEnumerable<TreeHash[]> Spoiled(ImmutableArray<TreeHash> proof)
    {
        for (var i = 0; i <= proof.Length; i++)
        {
            yield return [.. proof[..i], Leaves[^1], .. proof[i..]];
            if (i == proof.Length)
                continue;
            yield return [.. proof[..i], .. proof[(i + 1)..]];
            var bytes = proof[i].ToArray();
            bytes[i % TreeHash.Size] ^= (byte)(1 << (i % 8));
            yield return [.. proof[..i], new TreeHash(bytes), .. proof[(i + 1)..]];
        }
    }

    private static TreeHash Known(long begin, long end) =>
        MerkleTree.Root([.. KnownLeaves[(int)begin..(int)end].Select(leaf => MerkleTree.HashLeaf(leaf))]);

    // The definitions of RFC 6962 §2.1, word for word.
    private static TreeHash Naive(long begin, long end)
    {
        if (!Remembered.TryGetValue((begin, end), out var hash))
            Remembered[(begin, end)] = hash = Define(begin, end);
        return hash;
    }

    private static TreeHash Define(long begin, long end)
    {
        if (begin == end)
            return MerkleTree.EmptyRoot;
        if (end - begin == 1)
            return Leaves[begin];
        var middle = begin + Split(end - begin);
        return MerkleTree.HashNode(Naive(begin, middle), Naive(middle, end));
    }

    private static IEnumerable<TreeHash> NaivePath(long m, long begin, long end)
    {
        if (end - begin == 1)
            return [];
        var k = Split(end - begin);
        return m < k
            ? [.. NaivePath(m, begin, begin + k), Naive(begin + k, end)]
            : [.. NaivePath(m - k, begin + k, end), Naive(begin, begin + k)];
    }

    private static IEnumerable<TreeHash> NaiveProof(long m, long begin, long end, bool whole)
    {
        if (m == end - begin)
            return whole ? [] : [Naive(begin, end)];
        var k = Split(end - begin);
        return m <= k
            ? [.. NaiveProof(m, begin, begin + k, whole), Naive(begin + k, end)]
            : [.. NaiveProof(m - k, begin + k, end, false), Naive(begin, begin + k)];
    }

    private static long Split(long n)
    {
        var k = 1L;
        while (k * 2 < n)
            k *= 2;
        return k;
    }
}
