using System.Buffers.Text;
using Governor.Domain.Transparency;

namespace Governor.Domain.Audit;

/// <summary>A line <c>leaf</c> of an export, split and not yet believed.</summary>
/// <param name="Record">Where in the line's fields the record is, in base64.</param>
/// <param name="Payload">Where the payload is, in base64.</param>
/// <param name="IsErased">The payload is <c>-</c>.</param>
internal readonly record struct LeafLine(long Index, TreeHash Hash, Range Record, Range Payload, bool IsErased)
{
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
        leaf = new LeafLine(index, new TreeHash(hash[..written]), parts[2], parts[3], fields[parts[3]].SequenceEqual("-"u8));
        return true;
    }
}
