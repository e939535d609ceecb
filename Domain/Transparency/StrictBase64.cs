using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Governor.Domain.Transparency;

/// <summary>Standard base64 with padding, where every byte string has one form: no white space, no stray bits in the last character.</summary>
internal static class StrictBase64
{
    public static bool TryDecode(string text, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        if (!Ascii.IsValid(text))
            return false;
        var encoded = Encoding.ASCII.GetBytes(text);
        var buffer = new byte[Base64.GetMaxDecodedFromUtf8Length(encoded.Length)];
        if (!TryDecode(encoded, buffer, out var written))
            return false;
        bytes = buffer[..written];
        return true;
    }

    /// <param name="buffer">Grows to what it takes.</param>
    public static bool TryDecode(ReadOnlySpan<byte> text, ref byte[] buffer, out ReadOnlySpan<byte> bytes)
    {
        var most = Base64.GetMaxDecodedFromUtf8Length(text.Length);
        if (buffer.Length < most)
            buffer = new byte[most * 2];
        var good = TryDecode(text, buffer, out var written);
        bytes = buffer.AsSpan(0, written);
        return good;
    }

    /// <param name="destination">At least three bytes for every four characters.</param>
    public static bool TryDecode(ReadOnlySpan<byte> text, Span<byte> destination, out int written)
    {
        written = 0;
        if (text.Length % 4 != 0
            || Base64.DecodeFromUtf8(text, destination, out var consumed, out written) != OperationStatus.Done
            || consumed != text.Length
            || Base64.GetMaxEncodedToUtf8Length(written) != text.Length)
            return false;
        if (written % 3 == 0)
            return true;
        // The decoder ignores the bits that the padding leaves over; only the form with zeros there is ours.
        Span<byte> last = stackalloc byte[4];
        Base64.EncodeToUtf8(destination[(written - written % 3)..written], last, out _, out _);
        return text[^4..].SequenceEqual(last);
    }
}
