using System.Buffers.Text;
using Governor.Domain.Transparency;

namespace Governor.Domain.Audit;

/// <summary>A line <c>leaf</c> of an export, split and not yet believed.</summary>
internal readonly ref struct LeafLine
{
    private LeafLine(long index, TreeHash hash, ReadOnlySpan<byte> record, ReadOnlySpan<byte> payload)
    {
        Index = index;
        Hash = hash;
        Record = record;
        Payload = payload;
    }

    public long Index { get; }

    public TreeHash Hash { get; }

    /// <summary>Base64.</summary>
    public ReadOnlySpan<byte> Record { get; }

    /// <summary>Base64, or <c>-</c>.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    public bool IsErased => Payload.SequenceEqual("-"u8);

    public static bool TryParse(ReadOnlySpan<byte> fields, out LeafLine leaf)
    {
        leaf = default;
        Span<Range> parts = stackalloc Range[5];
        var count = 0;
        foreach (var part in fields.Split((byte)' '))
        {
            if (count == 4)
                return false;
            parts[count++] = part;
        }
        if (count != 4)
            return false;
        var number = fields[parts[0]];
        Span<byte> hash = stackalloc byte[48];
        if (!Utf8Parser.TryParse(number, out long index, out var consumed) || consumed != number.Length || index < 0
            || (number[0] is < (byte)'1' or > (byte)'9' && number.Length > 1)
            || fields[parts[1]].Length != 44
            || !StrictBase64.TryDecode(fields[parts[1]], hash, out var written) || written != TreeHash.Size)
            return false;
        leaf = new LeafLine(index, new TreeHash(hash[..written]), fields[parts[2]], fields[parts[3]]);
        return true;
    }
}
