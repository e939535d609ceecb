using System.Numerics;

namespace Governor.Domain.Transparency;

/// <summary>
/// The right edge of a Merkle tree: the roots of its perfect subtrees, largest first, one per set bit of the size. All that is
/// needed to append and to compute the root; at most 63 hashes.
/// </summary>
public sealed class MerkleFrontier
{
    private readonly List<TreeHash> _roots = [];

    public MerkleFrontier()
    {
    }

    /// <param name="encoded">What <see cref="Encode"/> answered.</param>
    /// <exception cref="ArgumentException">Not the right number of hashes for this size.</exception>
    public MerkleFrontier(long size, ReadOnlySpan<byte> encoded)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        var expected = BitOperations.PopCount((ulong)size) * TreeHash.Size;
        if (encoded.Length != expected)
            throw new ArgumentException($"the frontier of a tree of {size} leaves has {expected} bytes, found {encoded.Length}", nameof(encoded));
        Size = size;
        for (; !encoded.IsEmpty; encoded = encoded[TreeHash.Size..])
            _roots.Add(new TreeHash(encoded[..TreeHash.Size]));
    }

    /// <summary>How many leaves the tree has.</summary>
    public long Size { get; private set; }

    public TreeHash Root => Fold(null) ?? MerkleTree.EmptyRoot;

    public void Append(TreeHash leafHash)
    {
        // A binary counter: every trailing one of the old size is a perfect subtree that the carry merges.
        for (var carry = Size; (carry & 1) == 1; carry >>= 1)
        {
            leafHash = MerkleTree.HashNode(_roots[^1], leafHash);
            _roots.RemoveAt(_roots.Count - 1);
        }
        _roots.Add(leafHash);
        Size++;
    }

    public byte[] Encode()
    {
        var bytes = new byte[_roots.Count * TreeHash.Size];
        for (var i = 0; i < _roots.Count; i++)
            _roots[i].CopyTo(bytes.AsSpan(i * TreeHash.Size));
        return bytes;
    }

    /// <summary>The root with <paramref name="right"/>, a smaller tree, to its right; null when both are empty.</summary>
    internal TreeHash? Fold(TreeHash? right)
    {
        for (var i = _roots.Count - 1; i >= 0; i--)
            right = right is { } hash ? MerkleTree.HashNode(_roots[i], hash) : _roots[i];
        return right;
    }
}
