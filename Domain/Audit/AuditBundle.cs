using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Governor.Domain.Transparency;

namespace Governor.Domain.Audit;

/// <summary>
/// One entry of the trail that proves itself: a C2SP tlog-proof whose extra bytes are the <see cref="AuditEntry"/>. Other people's
/// tools verify it too, given the entry's record.
/// </summary>
public sealed class AuditBundle
{
    /// <summary>What a file may take: a record and a payload in base64, 63 hashes and a note.</summary>
    public const int MaximumBytes = 2 << 20;

    private AuditBundle(TlogProof proof, AuditEntry entry)
    {
        Proof = proof;
        Entry = entry;
    }

    public TlogProof Proof { get; }

    public AuditEntry Entry { get; }

    /// <param name="index">The entry's leaf.</param>
    /// <param name="path">See <see cref="MerkleTree.InclusionProof"/>, in the tree that the checkpoint names.</param>
    /// <param name="note">The checkpoint with the cosignatures there are.</param>
    /// <exception cref="ArgumentException">The note is not a checkpoint.</exception>
    public static AuditBundle Of(long index, ImmutableArray<TreeHash> path, SignedNote note, AuditEntry entry) =>
        Checkpoint.TryParse(note.Text, out var checkpoint)
            ? new AuditBundle(new TlogProof(index, path, note, checkpoint, [.. entry.Encode()]), entry)
            : throw new ArgumentException("expected a note with a checkpoint", nameof(note));

    /// <summary>Whether a file that begins so is meant to be a bundle.</summary>
    public static bool IsBundle(ReadOnlySpan<byte> beginning) => beginning.StartsWith(TlogProof.Format);

    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out AuditBundle? bundle, [NotNullWhen(false)] out string? fault)
    {
        bundle = null;
        if (bytes.Length > MaximumBytes || !System.Text.Unicode.Utf8.IsValid(bytes))
        {
            fault = $"expected at most {MaximumBytes} bytes of UTF-8";
            return false;
        }
        if (!TlogProof.TryParse(Encoding.UTF8.GetString(bytes), out var proof, out fault))
            return false;
        if (!AuditEntry.TryDecode(proof.Extra.AsSpan(), out var entry, out var entryFault))
            fault = $"the extra bytes are not an entry of this trail: {entryFault}";
        else if (!CheckpointSignatures.AreDistinct(proof.Note))
            fault = "a key signs the checkpoint twice";
        else
            bundle = new AuditBundle(proof, entry);
        return bundle is not null;
    }

    /// <summary>
    /// Verifies the bytes of a bundle; never throws on content. Whether an erased payload was erased rightly is not in a bundle: the
    /// verdict counts it.
    /// </summary>
    public static AuditVerdict Verify(ReadOnlySpan<byte> bytes, AuditTrust trust) =>
        TryParse(bytes, out var bundle, out var fault)
            ? bundle.Verify(trust)
            : new AuditVerdict(AuditOutcome.Tampered, new AuditFault(AuditFaultClass.Malformed, -1, 0, fault), 0, 0, 0, null, null, false);

    /// <inheritdoc cref="Verify(ReadOnlySpan{byte}, AuditTrust)"/>
    /// <param name="trust">
    /// Its key is the one that signed this checkpoint: a bundle does not hold the history of the log's keys. Without a key the bundle
    /// is <see cref="AuditOutcome.Incomplete"/>, because it does not name its own.
    /// </param>
    public AuditVerdict Verify(AuditTrust trust)
    {
        var key = KeyOf(trust);
        if (Tampering(trust, key) is { } tampering)
            return Verdict(AuditOutcome.Tampered, tampering, key);
        var cosigners = CheckpointSignatures.Cosigners(Proof.Note, Proof.Checkpoint, trust.Witnesses, out var bad);
        if (bad is { } finding)
            return Verdict(AuditOutcome.Tampered, finding, key);
        if (key is null)
            return Verdict(AuditOutcome.Incomplete, new Finding(AuditFaultClass.WrongKey, "a bundle does not hold the log's key: without one its checkpoint proves nothing"), key);
        if (cosigners.Length < trust.Quorum)
            return Verdict(AuditOutcome.Incomplete, new Finding(AuditFaultClass.NotWitnessed, CheckpointSignatures.Missing(trust, cosigners.Length, Proof.Checkpoint)), key);
        return Verdict(AuditOutcome.Ok, null, key) with { Cosigners = cosigners };
    }

    /// <summary>The file, without a byte order mark.</summary>
    public override string ToString() => Proof.ToString();

    public byte[] ToBytes() => Encoding.UTF8.GetBytes(ToString());

    private Finding? Tampering(AuditTrust trust, VerifierKey? key)
    {
        var checkpoint = Proof.Checkpoint;
        if (trust.Origin is { } origin && origin != checkpoint.Origin)
            return new Finding(AuditFaultClass.WrongOrigin, $"expected the log '{origin}', found '{checkpoint.Origin}'");
        if (!VerifierKey.IsName(checkpoint.Origin))
            return new Finding(AuditFaultClass.WrongOrigin, $"'{checkpoint.Origin}' cannot name a key, and so no log of ours");
        if (key is not null && CheckpointSignatures.Judge(Proof.Note, checkpoint, [key]) is { } signature)
            return signature;
        if (trust.Known.FirstOrDefault(known => known.Size == checkpoint.Size && known != checkpoint) is { } fork)
            return new Finding(AuditFaultClass.RootMismatch, $"the checkpoint known from elsewhere has the root {fork.Root} of '{fork.Origin}' at {fork.Size} leaves, this one has {checkpoint.Root}: the log was forked");
        if (!Proof.Includes(AuditRecord.HashOf(Entry.Record.Span)))
            return new Finding(AuditFaultClass.RootMismatch, $"the record does not hash to the signed root {checkpoint.Root} from place {Proof.Index} of {checkpoint.Size}");
        return AuditRecord.TryDecode(Entry.Record.Span, out var record, out var fault)
            ? PayloadRules.Judge(record, Entry.Payload)
            : new Finding(AuditFaultClass.Malformed, $"the record cannot be read: {fault}");
    }

    private VerifierKey? KeyOf(AuditTrust trust) =>
        trust.PublicKey.IsEmpty || !VerifierKey.IsName(Proof.Checkpoint.Origin) ? null : new VerifierKey(Proof.Checkpoint.Origin, trust.PublicKey.AsSpan());

    private AuditVerdict Verdict(AuditOutcome outcome, Finding? finding, VerifierKey? key) => new(
        outcome, finding is { } found ? new AuditFault(found.Class, Proof.Index, Proof.Index + 1, found.Detail) : null,
        Leaves: 1, Chains: 1, Erased: Entry.Payload is null ? 1 : 0, Proof.Checkpoint, key, key is not null);
}
