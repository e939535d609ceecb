using System.Collections.Immutable;
using Governor.Domain.Transparency;

namespace Governor.Domain.Audit;

/// <summary>
/// Verifies exports from their bytes alone: no database, no network, one pass, memory by the number of subjects and of erased
/// payloads. Reports the first fault; never throws on content.
/// </summary>
/// <remarks>
/// <para>
/// Which keys may sign which tree follows from the log's first key, which a file names, and the <see cref="LogKeyStatement"/>s among
/// the leaves. A key that is known from elsewhere may be the first one: it authorised the others, step by step. Or it may be any
/// later one, when it is valid at the end and signs the last checkpoint: whoever holds it vouches by that for the root, and so for
/// every leaf, whoever signed before and whatever first key the file names. A key that was revoked is worth nothing: its thief can
/// write a history in which it never was. Pin one that is valid, or trust witnesses.
/// </para>
/// <para>
/// Witnesses are asked about the last checkpoint: the one that covers every leaf. When several files bring it, their cosignatures
/// count together.
/// </para>
/// </remarks>
public sealed class AuditVerifier
{
    private readonly MergedTrail _trail;
    private readonly AuditTrust _trust;
    private readonly ImmutableArray<Checkpoint> _known;
    private readonly SubjectChains _chains = new();
    private readonly MerkleFrontier _tree = new();
    private readonly ErasureLedger _erasures = new();
    private readonly HashSet<VerifierKey> _cosigners = [];
    private byte[] _record = new byte[4096];
    private byte[] _payload = new byte[4096];
    private int _payloadBytes;
    private LogKeyring? _keys;
    private Checkpoint? _checkpoint;
    private long _witnessed;
    private bool _pinnedKeySigned;
    private int _knownPassed;
    private AuditFault? _fault;

    private AuditVerifier(MergedTrail trail, AuditTrust trust)
    {
        _trail = trail;
        _trust = trust;
        _known = [.. trust.Known.OrderBy(known => known.Size)];
    }

    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static AuditVerdict Verify(Stream export, AuditTrust? trust = null) => Verify([export], trust);

    /// <summary>Verifies files together: archives of closed months and what is live, in any order.</summary>
    /// <exception cref="IOException">A stream cannot be read.</exception>
    /// <exception cref="ArgumentException">No file.</exception>
    public static AuditVerdict Verify(IReadOnlyList<Stream> files, AuditTrust? trust = null)
    {
        if (files.Count == 0)
            throw new ArgumentException("expected at least one file", nameof(files));
        using var trail = new MergedTrail(files);
        return new AuditVerifier(trail, trust ?? AuditTrust.None).Run();
    }

    private AuditVerdict Run()
    {
        if (!_trail.Begin())
            return Broken();
        _keys = LogKeyring.Of(_trail.Key!);
        if (!IsLogExpected())
            return Verdict(AuditOutcome.Tampered);
        while (true)
        {
            switch (_trail.Next(_tree.Size))
            {
                case TrailItem.Leaf:
                    TakeLeaf(_trail.Holders[0]);
                    break;
                case TrailItem.Checkpoint:
                    TakeCheckpoint(_trail.Holders[0].Note!, _trail.Holders[0].Checkpoint!);
                    break;
                case TrailItem.End:
                    return Finish();
                default:
                    return Broken();
            }
            if (_fault is not null)
                return Verdict(AuditOutcome.Tampered);
        }
    }

    private bool IsLogExpected()
    {
        var origin = _keys!.Genesis.Name;
        if (_trust.Origin is { } expected && expected != origin)
            return Fail(AuditFaultClass.WrongOrigin, $"expected the log '{expected}', found '{origin}'", -1);
        if (_known.FirstOrDefault(known => known.Origin != origin) is { } foreign)
            return Fail(AuditFaultClass.WrongOrigin, $"the checkpoint known from elsewhere is of the log '{foreign.Origin}', found '{origin}'", -1);
        CompareWithKnown();
        return _fault is null;
    }

    private void TakeLeaf(ExportFile file)
    {
        if (!StrictBase64.TryDecode(file.Record, ref _record, out var bytes))
        {
            Fail(AuditFaultClass.Malformed, "the record is not base64");
            return;
        }
        var hash = AuditRecord.HashOf(bytes);
        if (hash != file.Hash)
        {
            Fail(AuditFaultClass.AlteredRecord, $"the record hashes to {hash}, its line says {file.Hash}");
            return;
        }
        if (!AuditRecord.TryDecode(bytes, out var record, out var fault))
        {
            Fail(AuditFaultClass.Malformed, $"the record cannot be read: {fault}");
            return;
        }
        if (IsPayloadGood(file, record) && IsSameElsewhere(file, record) && IsNextInChain(record, hash) && IsAboutTrail(record))
        {
            _tree.Append(hash);
            CompareWithKnown();
        }
    }

    private bool IsPayloadGood(ExportFile file, AuditRecord record)
    {
        if (file.IsErased)
        {
            if (PayloadRules.Missing(record) is { } missing)
                return Fail(missing);
            _erasures.Miss(_tree.Size);
            return true;
        }
        if (!StrictBase64.TryDecode(file.Payload, ref _payload, out var payload))
            return Fail(AuditFaultClass.Malformed, "the payload is not base64");
        _payloadBytes = payload.Length;
        return PayloadRules.Present(record, payload) is not { } finding || Fail(finding);
    }

    /// <summary>A leaf that is in several files is the same in all; but one may have been written before its payload was erased.</summary>
    private bool IsSameElsewhere(ExportFile first, AuditRecord record)
    {
        for (var i = 1; i < _trail.Holders.Count; i++)
        {
            var other = _trail.Holders[i];
            if (other.Hash != first.Hash || !other.Record.SequenceEqual(first.Record))
                return Fail(AuditFaultClass.DuplicateSequence, "two files have different records here");
            if (!other.IsErased && !IsPayloadGood(other, record))
                return false;
        }
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
            var later = _trail.ComesLater(file => IsRecord(file, chain, expected));
            return Fail(
                later ? AuditFaultClass.Reordered : AuditFaultClass.SequenceGap,
                $"{chain}: expected sequence {expected}, found {record.Sequence}; {expected} {(later ? "comes later" : "is missing")}");
        }
        if (record.Previous != head.Hash)
            return Fail(AuditFaultClass.BrokenChain, $"{chain} sequence {expected}: expected the previous hash {head.Hash}, found {record.Previous}");
        _chains.Advance(chain, expected, hash);
        return true;
    }

    private bool IsRecord(ExportFile file, string chain, long sequence) =>
        StrictBase64.TryDecode(file.Record, ref _record, out var bytes) && AuditRecord.TryDecode(bytes, out var record, out _)
        && record.Sequence == sequence && record.Event.Subject.Chain == chain;

    /// <summary>Takes what the leaf says about the trail itself: keys and erasures.</summary>
    private bool IsAboutTrail(AuditRecord record)
    {
        if (AuditActions.MayBeErased(record.Event.Action))
            return true;
        _erasures.Take(record.Event);
        if (!AuditActions.IsKeyChange(record.Event.Action))
            return true;
        if (!LogKeyHistory.TryTake(_keys!, _tree.Size, record.Event, _payload.AsMemory(0, _payloadBytes), out var next, out var fault))
            return Fail(AuditFaultClass.BadKeyStatement, fault);
        _keys = next;
        return true;
    }

    private void TakeCheckpoint(SignedNote note, Checkpoint checkpoint)
    {
        var covered = _checkpoint?.Size ?? 0;
        if (CheckpointSignatures.Judge(note, checkpoint, [.. _keys!.At(checkpoint.Size)]) is { } finding)
            Fail(finding);
        else if (checkpoint.Size < _tree.Size)
            Fail(AuditFaultClass.RootMismatch, $"the checkpoint covers {checkpoint.Size} leaves, {_tree.Size} are before it", covered, _tree.Size);
        else if (checkpoint.Root != _tree.Root)
            Fail(AuditFaultClass.RootMismatch, $"the signed root is {checkpoint.Root}, the leaves give {_tree.Root}", covered, _tree.Size);
        else
            Accept(note, checkpoint);
    }

    private void Accept(SignedNote note, Checkpoint checkpoint)
    {
        if (checkpoint.Size != _checkpoint?.Size)
        {
            _cosigners.Clear();
            _pinnedKeySigned = false;
        }
        _checkpoint = checkpoint;
        _pinnedKeySigned |= _keys!.Current.Any(key => IsPinned(key) && note.Verify(key) == NoteVerdict.Good);
        _cosigners.UnionWith(CheckpointSignatures.Cosigners(note, checkpoint, _trust.Witnesses, out var bad));
        if (bad is { } finding)
            Fail(finding);
        else if (_cosigners.Count >= _trust.Quorum)
            _witnessed = checkpoint.Size;
    }

    private bool IsPinned(VerifierKey key) => key.PublicKey.AsSpan().SequenceEqual(_trust.PublicKey.AsSpan());

    private void CompareWithKnown()
    {
        for (; _knownPassed < _known.Length && _known[_knownPassed].Size == _tree.Size; _knownPassed++)
        {
            var known = _known[_knownPassed];
            if (known.Root == _tree.Root)
                continue;
            // Up to the last one that agreed, it is the same history.
            Fail(
                AuditFaultClass.RootMismatch, $"the checkpoint known from elsewhere has the root {known.Root} at {known.Size} leaves, this history has {_tree.Root}: it was forked",
                _knownPassed == 0 ? 0 : _known[_knownPassed - 1].Size, _tree.Size);
            return;
        }
    }

    private AuditVerdict Finish()
    {
        var size = _tree.Size;
        var covered = _checkpoint?.Size ?? 0;
        // When only archives are here, what is missed may be in the files that are not.
        var certain = _trail.ReachesTheEnd ? AuditOutcome.Tampered : AuditOutcome.Incomplete;
        if (_known.LastOrDefault() is { } known && known.Size > size)
            return Verdict(certain, AuditFaultClass.Truncated, size, known.Size, $"a checkpoint of {known.Size} leaves is known from elsewhere, this history has {size}{(_trail.ReachesTheEnd ? ": it was rolled back" : "")}");
        if (_erasures.FirstUnexplained is { } leaf)
            return Verdict(certain, AuditFaultClass.UnexplainedErasure, leaf, leaf + 1, "the payload is missing, and no later event says that it was erased");
        if (covered < size || _checkpoint is null)
            return Verdict(AuditOutcome.Incomplete, AuditFaultClass.Truncated, covered, size, $"no checkpoint covers the leaves from {covered} on");
        if (!_trust.PublicKey.IsEmpty && !IsPinned(_keys!.Genesis) && !_pinnedKeySigned)
            return Verdict(certain, AuditFaultClass.WrongKey, -1, 0, $"expected the public key {Convert.ToBase64String(_trust.PublicKey.AsSpan())}; it is neither the log's first key {_keys.Genesis} nor one that signs its end");
        if (_erasures.FirstUnrecorded is { } approved)
            return Verdict(AuditOutcome.Incomplete, AuditFaultClass.UnexplainedErasure, approved, approved + 1, "the payload is missing and its erasure is approved, but that it was done is not in this export yet: take another one");
        if (_witnessed < size)
            return Verdict(AuditOutcome.Incomplete, AuditFaultClass.NotWitnessed, _witnessed, size, CheckpointSignatures.Missing(_trust, _cosigners.Count, _checkpoint));
        return Verdict(AuditOutcome.Ok);
    }

    private bool Fail(Finding finding) => Fail(finding.Class, finding.Detail);

    private bool Fail(AuditFaultClass @class, string detail) => Fail(@class, detail, _tree.Size);

    private bool Fail(AuditFaultClass @class, string detail, long index, long? until = null)
    {
        _fault = new AuditFault(@class, index, until ?? index + 1, detail) { File = _trail.Holders.Count > 0 ? _trail.Holders[0].Number : null };
        return false;
    }

    private AuditVerdict Broken()
    {
        _fault = _trail.Fault;
        return Verdict(_trail.FaultIsIncomplete ? AuditOutcome.Incomplete : AuditOutcome.Tampered);
    }

    private AuditVerdict Verdict(AuditOutcome outcome, AuditFaultClass @class, long index, long until, string detail)
    {
        _fault = new AuditFault(@class, index, until, detail);
        return Verdict(outcome);
    }

    private AuditVerdict Verdict(AuditOutcome outcome) =>
        new(outcome, _fault, _tree.Size, _chains.Count, _erasures.Count, _checkpoint, _keys?.Genesis, !_trust.PublicKey.IsEmpty)
        {
            CurrentKeys = [.. _keys?.Current ?? []],
            Cosigners = [.. _trust.Witnesses.Where(_cosigners.Contains)],
        };
}
