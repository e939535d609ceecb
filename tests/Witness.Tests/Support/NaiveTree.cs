using System.Security.Cryptography;

namespace Governor.Witness.Tests.Support;

/// <summary>RFC 6962 §2.1 and C2SP tlog-tiles as they are written, without any thought of speed: what the product is compared with.</summary>
internal sealed class NaiveTree(IReadOnlyList<byte[]> leaves)
{
    public byte[] Root(long begin, long end)
    {
        if (end == begin)
            return SHA256.HashData([]);
        if (end - begin == 1)
            return SHA256.HashData([0, .. leaves[(int)begin]]);
        var split = 1L;
        while (split * 2 < end - begin)
            split *= 2;
        return SHA256.HashData([1, .. Root(begin, begin + split), .. Root(begin + split, end)]);
    }

    /// <summary>MTH(D[(n * 256 + i) * 256**l : (n * 256 + i + 1) * 256**l]) for i below the width.</summary>
    public byte[] Tile(int level, long index, int width)
    {
        var below = (long)Math.Pow(256, level);
        return [.. Enumerable.Range(0, width).SelectMany(i => Root((index * 256 + i) * below, (index * 256 + i + 1) * below))];
    }
}
