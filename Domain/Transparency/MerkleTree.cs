using System.Buffers;
using System.Collections.Immutable;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Governor.Domain.Transparency;

/// <summary>
/// The Merkle tree of RFC 6962 §2.1: hashes, proofs and their verification. Proofs are made from a function that answers the hash of
/// any range of leaves, so that the caller decides what is kept and what is computed.
/// </summary>
public static class MerkleTree
{
    /// <summary>The hash of the leaves <paramref name="begin"/> (inclusive) to <paramref name="end"/> (exclusive) as a tree of their own.</summary>
    public delegate TreeHash RangeHash(long begin, long end);

    /// <summary>The root of the empty tree: SHA-256 of nothing.</summary>
    public static TreeHash EmptyRoot { get; } = TreeHash.Of([]);

    /// <summary>SHA-256(0x00 || leaf).</summary>
    [SkipLocalsInit]
    public static TreeHash HashLeaf(ReadOnlySpan<byte> leaf)
    {
        const int OnStack = 1024;
        var rented = leaf.Length < OnStack ? null : ArrayPool<byte>.Shared.Rent(leaf.Length + 1);
        var buffer = rented is null ? stackalloc byte[OnStack] : rented.AsSpan();
        buffer[0] = 0;
        leaf.CopyTo(buffer[1..]);
        var hash = TreeHash.Of(buffer[..(leaf.Length + 1)]);
        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
        return hash;
    }

    /// <summary>SHA-256(0x01 || left || right).</summary>
    [SkipLocalsInit]
    public static TreeHash HashNode(TreeHash left, TreeHash right)
    {
        Span<byte> buffer = stackalloc byte[1 + 2 * TreeHash.Size];
        buffer[0] = 1;
        left.CopyTo(buffer[1..]);
        right.CopyTo(buffer[(1 + TreeHash.Size)..]);
        return TreeHash.Of(buffer);
    }

    /// <summary>The root over leaf hashes; the whole tree when called with all of them.</summary>
    public static TreeHash Root(ReadOnlySpan<TreeHash> leafHashes)
    {
        var frontier = new MerkleFrontier();
        foreach (var hash in leafHashes)
            frontier.Append(hash);
        return frontier.Root;
    }

    /// <summary>PATH(index, D[size]): the siblings from the leaf up to the root.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The leaf is not in the tree.</exception>
    public static ImmutableArray<TreeHash> InclusionProof(long index, long size, RangeHash hash)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, size);
        var proof = ImmutableArray.CreateBuilder<TreeHash>();
        for (long begin = 0, end = size; end - begin > 1;)
        {
            var middle = begin + Split(end - begin);
            (var sibling, begin, end) = index < middle ? (hash(middle, end), begin, middle) : (hash(begin, middle), middle, end);
            proof.Add(sibling);
        }
        proof.Reverse();
        return proof.ToImmutable();
    }

    /// <summary>PROOF(first, D[second]): that the tree of <paramref name="first"/> leaves is a prefix of the tree of <paramref name="second"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not 0 &lt; first ≤ second.</exception>
    public static ImmutableArray<TreeHash> ConsistencyProof(long first, long second, RangeHash hash)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first, second);
        var proof = ImmutableArray.CreateBuilder<TreeHash>();
        var (begin, end, known) = (0L, second, true);
        while (first != end)
        {
            var middle = begin + Split(end - begin);
            if (first <= middle)
            {
                proof.Add(hash(middle, end));
                end = middle;
            }
            else
            {
                proof.Add(hash(begin, middle));
                (begin, known) = (middle, false);
            }
        }
        if (!known)
            proof.Add(hash(begin, end));
        proof.Reverse();
        return proof.ToImmutable();
    }

    /// <summary>Whether the proof leads from the leaf hash at <paramref name="index"/> to the root of a tree of <paramref name="size"/> leaves.</summary>
    public static bool VerifyInclusion(long index, long size, TreeHash leafHash, ReadOnlySpan<TreeHash> proof, TreeHash root)
    {
        if (index < 0 || index >= size)
            return false;
        // RFC 9162 §2.1.3.2: walk from the leaf to the root; 'last' is the index of the last node of the level.
        var (node, last, hash) = (index, size - 1, leafHash);
        foreach (var sibling in proof)
        {
            if (last == 0)
                return false;
            if ((node & 1) == 1 || node == last)
            {
                hash = HashNode(sibling, hash);
                while ((node & 1) == 0 && node != 0)
                    (node, last) = (node >> 1, last >> 1);
            }
            else
            {
                hash = HashNode(hash, sibling);
            }
            (node, last) = (node >> 1, last >> 1);
        }
        return last == 0 && hash == root;
    }

    /// <summary>Whether the proof shows that the tree behind <paramref name="firstRoot"/> is a prefix of the tree behind <paramref name="secondRoot"/>.</summary>
    public static bool VerifyConsistency(long first, long second, TreeHash firstRoot, TreeHash secondRoot, ReadOnlySpan<TreeHash> proof)
    {
        if (first < 0 || first > second)
            return false;
        if (first == 0 && firstRoot != EmptyRoot)
            return false;
        if (first == second)
            return proof.IsEmpty && firstRoot == secondRoot;
        if (first == 0)
            return proof.IsEmpty;

        // RFC 9162 §2.1.4.2. When 'first' is a power of two, its root is itself the first node of the path.
        var rest = proof;
        var start = firstRoot;
        if (!BitOperations.IsPow2(first))
        {
            if (rest.IsEmpty)
                return false;
            start = rest[0];
            rest = rest[1..];
        }
        var (node, last) = (first - 1, second - 1);
        while ((node & 1) == 1)
            (node, last) = (node >> 1, last >> 1);
        var (early, late) = (start, start);
        foreach (var sibling in rest)
        {
            if (last == 0)
                return false;
            if ((node & 1) == 1 || node == last)
            {
                (early, late) = (HashNode(sibling, early), HashNode(sibling, late));
                while ((node & 1) == 0 && node != 0)
                    (node, last) = (node >> 1, last >> 1);
            }
            else
            {
                late = HashNode(late, sibling);
            }
            (node, last) = (node >> 1, last >> 1);
        }
        return last == 0 && early == firstRoot && late == secondRoot;
    }

    /// <summary>The largest power of two smaller than <paramref name="size"/>: how many leaves the left subtree has.</summary>
    private static long Split(long size) => 1L << (63 - BitOperations.LeadingZeroCount((ulong)(size - 1)));
}
