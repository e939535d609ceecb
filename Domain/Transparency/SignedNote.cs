using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Governor.Domain.Transparency;

/// <param name="Name">The key's name.</param>
/// <param name="KeyId">See <see cref="VerifierKey.Id"/>.</param>
/// <param name="Signature">Without the key id in front.</param>
public sealed record NoteSignature(string Name, uint KeyId, ImmutableArray<byte> Signature)
{
    /// <summary>The signature line, with its line feed: em dash, space, name, space, base64(key id || signature).</summary>
    public override string ToString()
    {
        var bytes = new byte[4 + Signature.Length];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, KeyId);
        Signature.CopyTo(bytes, 4);
        return $"\u2014 {Name} {Convert.ToBase64String(bytes)}\n";
    }
}

/// <summary>What the signatures on a note are worth under one key.</summary>
public enum NoteVerdict
{
    /// <summary>Signed by this key.</summary>
    Good,

    /// <summary>There is a line of this key, and its signature is false.</summary>
    BadSignature,

    /// <summary>No line of this key.</summary>
    OtherKey,
}

/// <summary>A C2SP signed-note: text that ends in a line feed, an empty line, one or more signature lines.</summary>
public sealed class SignedNote
{
    private const string Separator = "\n\n";
    private const string Dash = "\u2014 ";

    /// <summary>C2SP allows a limit; more lines than this are refused.</summary>
    private const int MaximumSignatures = 64;

    private static readonly UTF8Encoding StrictUtf8 = new(false, true);

    private SignedNote(string text, ImmutableArray<NoteSignature> signatures)
    {
        Text = text;
        Signatures = signatures;
    }

    /// <summary>What is signed, with its final line feed.</summary>
    public string Text { get; }

    public ImmutableArray<NoteSignature> Signatures { get; }

    /// <param name="sign">Ed25519 over the UTF-8 bytes of the text.</param>
    /// <exception cref="ArgumentException">The text cannot be a note.</exception>
    public static SignedNote Sign(string text, VerifierKey key, Func<ReadOnlyMemory<byte>, byte[]> sign)
    {
        if (!IsText(text))
            throw new ArgumentException("expected text that ends in a line feed, without other control characters", nameof(text));
        return new SignedNote(text, [new NoteSignature(key.Name, key.Id, [.. sign(StrictUtf8.GetBytes(text))])]);
    }

    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out SignedNote? note)
    {
        note = null;
        return System.Text.Unicode.Utf8.IsValid(bytes) && TryParse(Encoding.UTF8.GetString(bytes), out note);
    }

    public static bool TryParse(string document, [NotNullWhen(true)] out SignedNote? note)
    {
        note = null;
        // The last empty line separates: the text itself may contain empty lines.
        var separator = document.LastIndexOf(Separator, StringComparison.Ordinal);
        if (separator < 0 || !document.EndsWith('\n'))
            return false;
        var text = document[..(separator + 1)];
        var lines = document[(separator + Separator.Length)..].Split('\n')[..^1];
        if (!IsText(text) || lines.Length is 0 or > MaximumSignatures)
            return false;
        var signatures = ImmutableArray.CreateBuilder<NoteSignature>(lines.Length);
        foreach (var line in lines)
        {
            if (!TryParseSignature(line, out var signature))
                return false;
            signatures.Add(signature);
        }
        note = new SignedNote(text, signatures.ToImmutable());
        return true;
    }

    /// <summary>The same text with further signatures; a line of a key that has one already replaces it.</summary>
    public SignedNote With(IEnumerable<NoteSignature> signatures)
    {
        var all = Signatures.ToBuilder();
        foreach (var signature in signatures)
        {
            all.RemoveAll(s => s.KeyId == signature.KeyId && s.Name == signature.Name);
            all.Add(signature);
        }
        return new SignedNote(Text, all.ToImmutable());
    }

    /// <summary>Reads signature lines that stand alone, as a witness answers them.</summary>
    public static bool TryParseSignatures(string lines, out ImmutableArray<NoteSignature> signatures)
    {
        signatures = [];
        if (!lines.EndsWith('\n'))
            return false;
        var parsed = ImmutableArray.CreateBuilder<NoteSignature>();
        foreach (var line in lines.Split('\n')[..^1])
        {
            if (!TryParseSignature(line, out var signature) || parsed.Count == MaximumSignatures)
                return false;
            parsed.Add(signature);
        }
        signatures = parsed.ToImmutable();
        return true;
    }

    public NoteVerdict Verify(VerifierKey key)
    {
        var own = Signatures.Where(s => s.KeyId == key.Id && s.Name == key.Name).ToArray();
        if (own.Length == 0)
            return NoteVerdict.OtherKey;
        var message = StrictUtf8.GetBytes(Text);
        return own.All(s => key.Verify(message, s.Signature.AsSpan())) ? NoteVerdict.Good : NoteVerdict.BadSignature;
    }

    public byte[] ToBytes() => StrictUtf8.GetBytes(ToString());

    public override string ToString() => $"{Text}\n{string.Concat(Signatures)}";

    private static bool IsText(string text) => text.EndsWith('\n') && !text.Any(c => c < ' ' && c != '\n') && HasUtf8Form(text);

    /// <summary>False with half of a surrogate pair: there would be nothing to sign.</summary>
    private static bool HasUtf8Form(string text)
    {
        for (var rest = text.AsSpan(); !rest.IsEmpty;)
        {
            if (Rune.DecodeFromUtf16(rest, out _, out var consumed) != System.Buffers.OperationStatus.Done)
                return false;
            rest = rest[consumed..];
        }
        return true;
    }

    private static bool TryParseSignature(string line, [NotNullWhen(true)] out NoteSignature? signature)
    {
        signature = null;
        if (!line.StartsWith(Dash, StringComparison.Ordinal))
            return false;
        var parts = line[Dash.Length..].Split(' ');
        if (parts.Length != 2 || !VerifierKey.IsName(parts[0]) || !StrictBase64.TryDecode(parts[1], out var bytes) || bytes.Length < 5)
            return false;
        signature = new NoteSignature(parts[0], BinaryPrimitives.ReadUInt32BigEndian(bytes), [.. bytes.AsSpan(4)]);
        return true;
    }
}
