using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Governor.Domain.Transparency;

/// <summary>
/// A C2SP tlog-cosignature of version 1: the statement of a witness that at a time this was the largest tree of the log that it had
/// seen, and that it contains all that it had seen before.
/// </summary>
public static class Cosignature
{
    private const int TimeBytes = sizeof(ulong);

    /// <param name="text">The signed part of the checkpoint.</param>
    /// <param name="witness">The witness' key, of type <see cref="NoteKeyType.Cosignature"/>.</param>
    /// <param name="at">When; counted in whole seconds.</param>
    /// <param name="sign">Ed25519 over the message.</param>
    public static NoteSignature Sign(string text, VerifierKey witness, DateTimeOffset at, Func<ReadOnlyMemory<byte>, byte[]> sign)
    {
        if (witness.Type != NoteKeyType.Cosignature)
            throw new ArgumentException($"expected a cosignature key, found {witness}", nameof(witness));
        var time = at.ToUnixTimeSeconds();
        var bytes = new byte[TimeBytes];
        BinaryPrimitives.WriteInt64BigEndian(bytes, time);
        return new NoteSignature(witness.Name, witness.Id, [.. bytes, .. sign(Message(text, time))]);
    }

    /// <summary>
    /// Of lines that somebody answered, those that are good cosignatures of these witnesses on the text. Take no others: a line can
    /// bear any name, also that of the log.
    /// </summary>
    public static ImmutableArray<NoteSignature> Good(string text, IEnumerable<NoteSignature> lines, IReadOnlyCollection<VerifierKey> witnesses)
    {
        var message = Encoding.UTF8.GetBytes(text);
        return [.. lines.Where(line => witnesses.Any(witness =>
            witness.Type == NoteKeyType.Cosignature && witness.Name == line.Name && witness.Id == line.KeyId && witness.Verify(message, line.Signature.AsSpan())))];
    }

    /// <summary>When the witness signed; null when this cannot be a cosignature.</summary>
    public static DateTimeOffset? TimeOf(NoteSignature signature)
    {
        if (signature.Signature.Length < TimeBytes)
            return null;
        var time = BinaryPrimitives.ReadInt64BigEndian(signature.Signature.AsSpan());
        return time >= 0 && time <= DateTimeOffset.MaxValue.ToUnixTimeSeconds() ? DateTimeOffset.FromUnixTimeSeconds(time) : null;
    }

    /// <summary>What is signed, and the bytes of the signature in it; false when the bytes cannot be a cosignature.</summary>
    internal static bool TrySplit(ReadOnlySpan<byte> text, ReadOnlySpan<byte> signature, out byte[] message, out ReadOnlySpan<byte> ed25519)
    {
        message = [];
        ed25519 = default;
        if (signature.Length <= TimeBytes)
            return false;
        var time = BinaryPrimitives.ReadInt64BigEndian(signature);
        if (time < 0)
            return false;
        message = [.. Header(time), .. text];
        ed25519 = signature[TimeBytes..];
        return true;
    }

    private static byte[] Message(string text, long time) => [.. Header(time), .. Encoding.UTF8.GetBytes(text)];

    private static byte[] Header(long time) =>
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"cosignature/v1\ntime {time}\n"));
}
