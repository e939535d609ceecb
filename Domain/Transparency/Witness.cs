using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Governor.Domain.Transparency;

/// <summary>A request <c>add-checkpoint</c> of C2SP tlog-witness: the size that the witness has seen, the way from there, the new checkpoint.</summary>
public sealed record WitnessRequest(long OldSize, ImmutableArray<TreeHash> Proof, SignedNote Note, Checkpoint Checkpoint)
{
    /// <summary>What a request may take: 63 hashes and a note.</summary>
    public const int MaximumBytes = 64 << 10;

    private const int MaximumProofLines = 63;
    private const string OldWord = "old ";

    public override string ToString()
    {
        var body = new StringBuilder(OldWord).Append(OldSize.ToString(CultureInfo.InvariantCulture)).Append('\n');
        foreach (var hash in Proof)
            body.Append(hash.ToString()).Append('\n');
        return body.Append('\n').Append(Note.ToString()).ToString();
    }

    public static bool TryParse(string body, [NotNullWhen(true)] out WitnessRequest? request, [NotNullWhen(false)] out string? fault)
    {
        request = null;
        fault = null;
        var split = body.IndexOf("\n\n", StringComparison.Ordinal);
        var lines = split < 0 ? [] : body[..split].Split('\n');
        if (lines.Length == 0 || !lines[0].StartsWith(OldWord, StringComparison.Ordinal) || !TryParseSize(lines[0][OldWord.Length..], out var old))
            fault = "expected a first line 'old SIZE', then hashes, then an empty line";
        else if (lines.Length - 1 > MaximumProofLines)
            fault = $"expected at most {MaximumProofLines} lines of proof, found {lines.Length - 1}";
        else if (!TryParseHashes(lines.AsSpan(1), out var proof, out var bad))
            fault = $"line {bad + 2}: expected a SHA-256 hash in base64";
        else if (!SignedNote.TryParse(body[(split + 2)..], out var note) || !Transparency.Checkpoint.TryParse(note.Text, out var checkpoint))
            fault = "expected a signed checkpoint (C2SP tlog-checkpoint) after the empty line";
        else
            request = new WitnessRequest(old, proof, note, checkpoint);
        return request is not null;
    }

    internal static bool TryParseHashes(ReadOnlySpan<string> lines, out ImmutableArray<TreeHash> hashes, out int bad)
    {
        var parsed = ImmutableArray.CreateBuilder<TreeHash>(lines.Length);
        hashes = [];
        for (bad = 0; bad < lines.Length; bad++)
        {
            if (!StrictBase64.TryDecode(lines[bad], out var hash) || hash.Length != TreeHash.Size)
                return false;
            parsed.Add(new TreeHash(hash));
        }
        hashes = parsed.MoveToImmutable();
        return true;
    }

    internal static bool TryParseSize(string text, out long size) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out size) && text == size.ToString(CultureInfo.InvariantCulture);
}

/// <summary>What a witness answers; closed.</summary>
public abstract record WitnessAnswer
{
    private WitnessAnswer()
    {
    }

    /// <summary>The checkpoint continues what was seen: remember it durably, then cosign it.</summary>
    public sealed record Accepted : WitnessAnswer;

    /// <summary>This witness does not watch this log.</summary>
    public sealed record UnknownLog(string Origin) : WitnessAnswer;

    /// <summary>No signature by a key that is trusted for this log.</summary>
    public sealed record NotSigned : WitnessAnswer;

    /// <summary>The old size is larger than the checkpoint.</summary>
    public sealed record Backwards(long OldSize, long Size) : WitnessAnswer;

    /// <summary>The proof starts elsewhere than at what was seen; also the answer to a log that was rolled back.</summary>
    public sealed record OtherSize(long Seen) : WitnessAnswer;

    /// <summary>Same size, other root, and both are signed: the log shows two histories.</summary>
    public sealed record Forked(TreeHash Seen, TreeHash Shown) : WitnessAnswer;

    /// <summary>The proof does not lead from what was seen to what is shown.</summary>
    public sealed record NotProved : WitnessAnswer;
}

/// <summary>The decision of C2SP tlog-witness.</summary>
public static class Witness
{
    /// <param name="logs">The keys that are trusted; the name of a key is the origin of its log.</param>
    /// <param name="seen">The last checkpoint that was accepted for this origin; null when there was none.</param>
    public static WitnessAnswer Judge(IEnumerable<VerifierKey> logs, Checkpoint? seen, WitnessRequest request)
    {
        var shown = request.Checkpoint;
        var keys = logs.Where(key => key.Name == shown.Origin).ToArray();
        if (keys.Length == 0)
            return new WitnessAnswer.UnknownLog(shown.Origin);
        if (!keys.Any(key => request.Note.Verify(key) == NoteVerdict.Good))
            return new WitnessAnswer.NotSigned();
        if (request.OldSize > shown.Size)
            return new WitnessAnswer.Backwards(request.OldSize, shown.Size);
        // A fork at the very size that was seen is said as what it is, whatever the proof pretends to start from.
        if (seen is not null && seen.Size == shown.Size && seen.Root != shown.Root)
            return new WitnessAnswer.Forked(seen.Root, shown.Root);
        var known = seen?.Size ?? 0;
        if (request.OldSize != known)
            return new WitnessAnswer.OtherSize(known);
        var root = seen?.Root ?? MerkleTree.EmptyRoot;
        return MerkleTree.VerifyConsistency(known, shown.Size, root, shown.Root, request.Proof.AsSpan())
            ? new WitnessAnswer.Accepted()
            : new WitnessAnswer.NotProved();
    }
}
