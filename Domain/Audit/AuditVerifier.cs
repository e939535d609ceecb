using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Governor.Domain.Transparency;

namespace Governor.Domain.Audit;

/// <summary>
/// Verifies an export from its bytes alone: no database, no network, one pass, memory by the number of subjects. Reports the first
/// fault; never throws on content.
/// </summary>
public sealed class AuditVerifier
{
    private readonly LineReader _lines;
    private readonly AuditTrust _trust;
    private readonly SubjectChains _chains = new();
    private readonly MerkleFrontier _tree = new();
    private byte[] _record = new byte[4096];
    private byte[] _payload = new byte[4096];
    private VerifierKey? _key;
    private Checkpoint? _checkpoint;
    private AuditFault? _fault;
    private long _erased;

    private AuditVerifier(LineReader lines, AuditTrust trust)
    {
        _lines = lines;
        _trust = trust;
    }

    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static AuditVerdict Verify(Stream export, AuditTrust? trust = null)
    {
        using var lines = new LineReader(export, AuditExport.MaximumLineBytes);
        return new AuditVerifier(lines, trust ?? AuditTrust.None).Run();
    }

    private AuditVerdict Run()
    {
        if (!ReadHeader(out var early))
            return Verdict(early ? AuditOutcome.Incomplete : AuditOutcome.Tampered);
        while (_lines.TryRead(out var line))
        {
            if (line.StartsWith(AuditExport.End))
                return Finish(line[AuditExport.End.Length..]);
            if (line.StartsWith(AuditExport.Leaf))
                TakeLeaf(line[AuditExport.Leaf.Length..]);
            else if (line.StartsWith(AuditExport.CheckpointWord))
                TakeCheckpoint(line[AuditExport.CheckpointWord.Length..]);
            else
                Fail(AuditFaultClass.Malformed, "expected a line 'leaf', 'checkpoint' or 'end'");
            if (_fault is not null)
                return Verdict(AuditOutcome.Tampered);
        }
        return EndedEarly();
    }

    private bool ReadHeader(out bool early)
    {
        if (!HeaderLine(AuditExport.Format, "the format", out early, out var rest))
            return false;
        if (!rest.IsEmpty)
            return Fail(AuditFaultClass.Malformed, $"expected version 1 of the format, found more: '{Encoding.UTF8.GetString(rest)}'", -1);
        if (!HeaderLine(AuditExport.Origin, "the origin", out early, out var name))
            return false;
        var origin = Encoding.UTF8.GetString(name);
        if (!HeaderLine(AuditExport.Key, "the key", out early, out var key))
            return false;
        if (!VerifierKey.TryParse(Encoding.UTF8.GetString(key), out _key))
            return Fail(AuditFaultClass.Malformed, "expected a verifier key NAME+HASH+BASE64 on the third line", -1);

        if (_trust.Origin is not null && _trust.Origin != origin)
            return Fail(AuditFaultClass.WrongOrigin, $"expected the log '{_trust.Origin}', found '{origin}'", -1);
        if (!_trust.PublicKey.IsEmpty && !_trust.PublicKey.AsSpan().SequenceEqual(_key.PublicKey.AsSpan()))
            return Fail(AuditFaultClass.WrongKey, $"expected the public key {Convert.ToBase64String(_trust.PublicKey.AsSpan())}, the file names {_key}", -1);
        return _key.Name == origin || Fail(AuditFaultClass.WrongOrigin, $"the key is named '{_key.Name}', the log '{origin}'", -1);
    }

    private bool HeaderLine(ReadOnlySpan<byte> word, string what, out bool early, out ReadOnlySpan<byte> rest)
    {
        rest = default;
        early = !_lines.TryRead(out var line) && _lines.Ended != LineEnd.TooLong;
        if (early)
            return Fail(AuditFaultClass.Truncated, "the file ends within its header", -1);
        if (!line.StartsWith(word))
            return Fail(AuditFaultClass.Malformed, $"not an audit export: expected the line '{Encoding.UTF8.GetString(word)}' for {what}", -1);
        rest = line[word.Length..];
        return true;
    }

    private void TakeLeaf(ReadOnlySpan<byte> fields)
    {
        if (!LeafLine.TryParse(fields, out var leaf))
        {
            Fail(AuditFaultClass.Malformed, "expected 'leaf INDEX HASH RECORD PAYLOAD'");
            return;
        }
        if (leaf.Index != _tree.Size)
        {
            OutOfPlace(leaf.Index);
            return;
        }
        if (!Decode(leaf.Record, ref _record, out var record))
        {
            Fail(AuditFaultClass.Malformed, "the record is not base64");
            return;
        }
        var hash = AuditRecord.HashOf(record);
        if (hash != leaf.Hash)
        {
            Fail(AuditFaultClass.AlteredRecord, $"the record hashes to {hash}, its line says {leaf.Hash}");
            return;
        }
        if (!AuditRecord.TryDecode(record, out var decoded, out var fault))
        {
            Fail(AuditFaultClass.Malformed, $"the record cannot be read: {fault}");
            return;
        }
        if (IsPayloadGood(leaf, decoded) && IsNextInChain(decoded, hash))
        {
            _tree.Append(hash);
            CompareWithTrusted();
        }
    }

    private bool IsPayloadGood(in LeafLine leaf, AuditRecord record)
    {
        if (leaf.IsErased)
        {
            _erased++;
            return true;
        }
        if (!Decode(leaf.Payload, ref _payload, out var payload))
            return Fail(AuditFaultClass.Malformed, "the payload is not base64");
        if (AuditPayload.CommitmentOf(payload) != record.Payload)
            return Fail(AuditFaultClass.AlteredRecord, "values or rationale are not those that the record commits to");
        return true;
    }

    private bool IsNextInChain(AuditRecord record, TreeHash hash)
    {
        var chain = record.Event.Subject.Chain;
        var head = _chains.Head(chain);
        var expected = head.Sequence + 1;
        if (record.Sequence < expected)
            return Fail(AuditFaultClass.DuplicateSequence, $"{chain}: expected sequence {expected}, found {record.Sequence} again");
        if (record.Sequence > expected)
        {
            var index = _tree.Size;
            var later = FindLater(chain, expected);
            return Fail(
                later ? AuditFaultClass.Reordered : AuditFaultClass.SequenceGap,
                $"{chain}: expected sequence {expected}, found {record.Sequence}; {expected} {(later ? "comes later" : "is missing")}", index);
        }
        if (record.Previous != head.Hash)
            return Fail(AuditFaultClass.BrokenChain, $"{chain} sequence {expected}: expected the previous hash {head.Hash}, found {record.Previous}");
        _chains.Advance(chain, expected, hash);
        return true;
    }

    /// <summary>A leaf with another index than the next one: missing, repeated, or out of order.</summary>
    private void OutOfPlace(long found)
    {
        var expected = _tree.Size;
        if (found < expected)
        {
            Fail(AuditFaultClass.DuplicateSequence, $"expected leaf {expected}, found leaf {found} again");
            return;
        }
        var later = false;
        while (!later && _lines.TryRead(out var line))
        {
            later = line.StartsWith(AuditExport.Leaf)
                && LeafLine.TryParse(line[AuditExport.Leaf.Length..], out var leaf) && leaf.Index == expected;
        }
        Fail(
            later ? AuditFaultClass.Reordered : AuditFaultClass.SequenceGap,
            $"expected leaf {expected}, found leaf {found}; {expected} {(later ? "comes later" : "is missing")}", expected);
    }

    private bool FindLater(string chain, long sequence)
    {
        while (_lines.TryRead(out var line))
        {
            if (line.StartsWith(AuditExport.Leaf) && LeafLine.TryParse(line[AuditExport.Leaf.Length..], out var leaf)
                && Decode(leaf.Record, ref _record, out var bytes) && AuditRecord.TryDecode(bytes, out var record, out _)
                && record.Sequence == sequence && record.Event.Subject.Chain == chain)
                return true;
        }
        return false;
    }

    private void TakeCheckpoint(ReadOnlySpan<byte> field)
    {
        if (!Decode(field, ref _payload, out var bytes) || !SignedNote.TryParse(bytes, out var note)
            || !Checkpoint.TryParse(note.Text, out var checkpoint))
        {
            Fail(AuditFaultClass.Malformed, "expected a signed checkpoint");
            return;
        }
        var verdict = note.Verify(_key!);
        if (verdict == NoteVerdict.BadSignature)
            Fail(AuditFaultClass.BadSignature, $"the signature of {_key!.Name} on the checkpoint of {checkpoint.Size} leaves is false");
        else if (checkpoint.Origin != _key!.Name)
            Fail(AuditFaultClass.WrongOrigin, $"expected a checkpoint of '{_key.Name}', found one of '{checkpoint.Origin}'");
        else if (verdict == NoteVerdict.OtherKey)
            Fail(AuditFaultClass.WrongKey, $"expected a signature by {_key}, found {string.Join(", ", note.Signatures.Select(s => $"{s.Name} {s.KeyId:x8}"))}");
        else
            Compare(checkpoint);
    }

    private void Compare(Checkpoint checkpoint)
    {
        var covered = _checkpoint?.Size ?? 0;
        if (checkpoint.Size > _tree.Size)
            Fail(AuditFaultClass.Truncated, $"the checkpoint covers {checkpoint.Size} leaves, {_tree.Size} are before it");
        else if (checkpoint.Size < covered)
            Fail(AuditFaultClass.Reordered, $"a checkpoint of {checkpoint.Size} leaves follows one of {covered}");
        else if (checkpoint.Size < _tree.Size)
            Fail(AuditFaultClass.RootMismatch, $"the checkpoint covers {checkpoint.Size} leaves, {_tree.Size} are before it", covered, _tree.Size);
        else if (checkpoint.Root != _tree.Root)
            Fail(AuditFaultClass.RootMismatch, $"the signed root is {checkpoint.Root}, the leaves give {_tree.Root}", covered, _tree.Size);
        else
            _checkpoint = checkpoint;
    }

    private void CompareWithTrusted()
    {
        foreach (var known in _trust.Known.Where(known => known.Size == _tree.Size && known.Root != _tree.Root))
            Fail(AuditFaultClass.RootMismatch, $"the checkpoint known from elsewhere has the root {known.Root} at {known.Size} leaves, this history has {_tree.Root}: it was forked", 0, _tree.Size);
    }

    private AuditVerdict Finish(ReadOnlySpan<byte> count)
    {
        if (!Utf8Parser.TryParse(count, out long leaves, out _) || !count.SequenceEqual(Encoding.ASCII.GetBytes(leaves.ToString(CultureInfo.InvariantCulture))))
            Fail(AuditFaultClass.Malformed, "expected the number of leaves after 'end'");
        else if (leaves != _tree.Size)
            Fail(leaves > _tree.Size ? AuditFaultClass.Truncated : AuditFaultClass.Malformed, $"the last line says {leaves} leaves, {_tree.Size} are before it");
        else if (_lines.TryRead(out _) || _lines.Ended != LineEnd.AfterLine)
            Fail(AuditFaultClass.Malformed, "there is more after the last line");
        else if (_trust.Known.MaxBy(known => known.Size) is { } known && known.Size > _tree.Size)
            Fail(AuditFaultClass.Truncated, $"a checkpoint of {known.Size} leaves is known from elsewhere, this history has {_tree.Size}: it was rolled back");
        if (_fault is not null)
            return Verdict(AuditOutcome.Tampered);
        if (_checkpoint?.Size == _tree.Size)
            return Verdict(AuditOutcome.Ok);
        var covered = _checkpoint?.Size ?? 0;
        Fail(AuditFaultClass.Truncated, $"no checkpoint covers the leaves from {covered} on", covered, _tree.Size);
        return Verdict(AuditOutcome.Incomplete);
    }

    private AuditVerdict EndedEarly()
    {
        if (_lines.Ended == LineEnd.TooLong)
        {
            Fail(AuditFaultClass.Malformed, $"a line is longer than {AuditExport.MaximumLineBytes} bytes");
            return Verdict(AuditOutcome.Tampered);
        }
        Fail(AuditFaultClass.Truncated, "the file ends before its line 'end'");
        return Verdict(AuditOutcome.Incomplete);
    }

    private bool Fail(AuditFaultClass @class, string detail) => Fail(@class, detail, _tree.Size);

    private bool Fail(AuditFaultClass @class, string detail, long index, long? until = null)
    {
        _fault = new AuditFault(@class, index, until ?? index + 1, detail);
        return false;
    }

    private AuditVerdict Verdict(AuditOutcome outcome) =>
        new(outcome, _fault, _tree.Size, _chains.Count, _erased, _checkpoint, _key, !_trust.PublicKey.IsEmpty);

    private static bool Decode(ReadOnlySpan<byte> text, ref byte[] buffer, out ReadOnlySpan<byte> bytes)
    {
        if (buffer.Length < Base64.GetMaxDecodedFromUtf8Length(text.Length))
            buffer = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length) * 2];
        var good = StrictBase64.TryDecode(text, buffer, out var written);
        bytes = buffer.AsSpan(0, written);
        return good;
    }
}
