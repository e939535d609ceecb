using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Governor.Domain.Transparency;

/// <summary>A C2SP tlog-proof: that an entry is in a log, checkable by anyone who knows the log's key and the entry.</summary>
/// <param name="Index">The entry's place in the log.</param>
/// <param name="Path">From the leaf's sibling up.</param>
/// <param name="Note">The checkpoint, with the cosignatures there are.</param>
/// <param name="Extra">Opaque to the proof, and not authenticated by it.</param>
public sealed record TlogProof(long Index, ImmutableArray<TreeHash> Path, SignedNote Note, Checkpoint Checkpoint, ImmutableArray<byte> Extra)
{
    /// <summary>How such a file begins.</summary>
    public static ReadOnlySpan<byte> Format => "c2sp.org/tlog-proof@"u8;

    /// <summary>The usual end of the file's name.</summary>
    public const string FileExtension = ".tlog-proof";

    private const string FirstLine = "c2sp.org/tlog-proof@v1";
    private const string ExtraWord = "extra ";
    private const string IndexWord = "index ";
    private const int MaximumPath = 63;

    public override string ToString()
    {
        var text = new StringBuilder(FirstLine).Append('\n');
        if (!Extra.IsDefaultOrEmpty)
            text.Append(ExtraWord).Append(Convert.ToBase64String(Extra.AsSpan())).Append('\n');
        text.Append(IndexWord).Append(Index.ToString(CultureInfo.InvariantCulture)).Append('\n');
        foreach (var hash in Path)
            text.Append(hash.ToString()).Append('\n');
        return text.Append('\n').Append(Note.ToString()).ToString();
    }

    public static bool TryParse(string document, [NotNullWhen(true)] out TlogProof? proof, [NotNullWhen(false)] out string? fault)
    {
        proof = null;
        fault = null;
        var split = document.IndexOf("\n\n", StringComparison.Ordinal);
        var lines = split < 0 ? [] : document[..split].Split('\n');
        if (lines.Length < 2 || lines[0] != FirstLine)
        {
            fault = $"line 1: expected '{FirstLine}'";
            return false;
        }
        var next = 1;
        byte[]? extra = [];
        if (lines[next].StartsWith(ExtraWord, StringComparison.Ordinal) && !StrictBase64.TryDecode(lines[next++][ExtraWord.Length..], out extra))
            fault = "line 2: expected base64 after 'extra'";
        else if (next == lines.Length || !lines[next].StartsWith(IndexWord, StringComparison.Ordinal)
            || !WitnessRequest.TryParseSize(lines[next][IndexWord.Length..], out var index))
            fault = $"line {next + 1}: expected 'index NUMBER'";
        else if (lines.Length - next - 1 > MaximumPath || !WitnessRequest.TryParseHashes(lines.AsSpan(next + 1), out var path, out _))
            fault = $"expected at most {MaximumPath} SHA-256 hashes in base64 after the index";
        else if (!SignedNote.TryParse(document[(split + 2)..], out var note) || !Transparency.Checkpoint.TryParse(note.Text, out var checkpoint))
            fault = "expected a signed checkpoint (C2SP tlog-checkpoint) after the empty line";
        else
            proof = new TlogProof(index, path, note, checkpoint, [.. extra]);
        return proof is not null;
    }

    /// <summary>Whether the entry is where the proof says in the tree that the checkpoint names. Says nothing about signatures.</summary>
    public bool Includes(TreeHash leafHash) =>
        MerkleTree.VerifyInclusion(Index, Checkpoint.Size, leafHash, Path.AsSpan(), Checkpoint.Root);
}
