using System.Text;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;

namespace Governor.Domain.Tests.Audit;

/// <summary>What can be done to an export, by whom, and what must be said of it.</summary>
internal static class AuditMutations
{
    private const AuditOutcome Tampered = AuditOutcome.Tampered;
    private const AuditOutcome Incomplete = AuditOutcome.Incomplete;

    private static readonly TestWitness One = new(21);
    private static readonly TestWitness Other = new(22);
    private static readonly LogSigner Later = new("governor.test/log", 8);
    private static readonly LogSigner Mallory = new("governor.test/log", 66);

    public static Dictionary<string, Mutation> All { get; } = new()
    {
        // Single bytes and fields.
        ["flip a bit of a record"] = Of(l => l.With(l.LineOf(5), s => Tampering.FlipField(s, 3)), Tampered, AuditFaultClass.AlteredRecord, 5),
        ["flip a bit of a leaf hash"] = Of(l => l.With(l.LineOf(5), s => Tampering.FlipField(s, 2)), Tampered, AuditFaultClass.AlteredRecord, 5),
        ["flip a bit of a payload"] = Of(l => l.With(l.LineOf(5), s => Tampering.FlipField(s, 4)), Tampered, AuditFaultClass.AlteredRecord, 5),
        ["alter the value before"] = Of(l => l.ChangePayload(5, e => e with { PreviousValue = "true" }), Tampered, AuditFaultClass.AlteredRecord, 5),
        ["alter the value after"] = Of(l => l.ChangePayload(5, e => e with { NewValue = "other" }), Tampered, AuditFaultClass.AlteredRecord, 5),
        ["alter the rationale"] = Of(l => l.ChangePayload(5, e => e with { Rationale = null }), Tampered, AuditFaultClass.AlteredRecord, 5),
        ["swap the payloads of two leaves"] = Of(Tampering.SwapPayloads, Tampered, AuditFaultClass.AlteredRecord, 2),

        // Records, by someone who knows the format.
        ["alter a record and its hash, chain goes on"] = Of(l => l.Rewrite(1), Tampered, AuditFaultClass.RootMismatch, 0),
        ["alter a record and its hash in the last range"] = Of(l => l.Rewrite(11), Tampered, AuditFaultClass.RootMismatch, 8),
        ["alter a record, its successor in the same range"] = Of(l => l.Rewrite(0), Tampered, AuditFaultClass.BrokenChain, 3),
        ["delete a leaf"] = Of(l => l.WithoutLeaf(5), Tampered, AuditFaultClass.SequenceGap, 5),
        ["delete the first leaf"] = Of(l => l.WithoutLeaf(0), Tampered, AuditFaultClass.SequenceGap, 0),
        ["delete a leaf and renumber"] = Of(l => { l.RemoveAt(l.LineOf(0)); return l.Renumber().ToBytes(); }, Tampered, AuditFaultClass.SequenceGap, 2),
        ["delete the last leaf of a chain and renumber"] = Of(l => { l.RemoveAt(l.LineOf(11)); return l.Renumber().ToBytes(); }, Tampered, AuditFaultClass.Truncated, 11),
        ["duplicate a leaf"] = Of(l => { l.Insert(l.LineOf(5), l[l.LineOf(5)]); return l.ToBytes(); }, Tampered, AuditFaultClass.DuplicateSequence, 6),
        ["duplicate a leaf and renumber"] = Of(l => { l.Insert(l.LineOf(5), l[l.LineOf(5)]); return l.Renumber().ToBytes(); }, Tampered, AuditFaultClass.DuplicateSequence, 6),
        ["swap two leaves"] = Of(l => l.SwapLeaves(5, 6).ToBytes(), Tampered, AuditFaultClass.Reordered, 5),
        ["swap two leaves of one chain and renumber"] = Of(l => l.SwapLeaves(5, 8).Renumber().ToBytes(), Tampered, AuditFaultClass.Reordered, 5),
        ["swap two leaves of one chain within a range and renumber"] = Of(l => l.SwapLeaves(0, 3).Renumber().ToBytes(), Tampered, AuditFaultClass.Reordered, 0),
        ["swap two leaves of two chains and renumber"] = Of(l => l.SwapLeaves(5, 6).Renumber().ToBytes(), Tampered, AuditFaultClass.RootMismatch, 4),
        ["insert a forged leaf and renumber"] = Of(Tampering.InsertForged, Tampered, AuditFaultClass.RootMismatch, 4),
        ["renumber a record in its chain"] = Of(l => l.Resequence(5, 9), Tampered, AuditFaultClass.SequenceGap, 5),
        ["give a leaf another index"] = Of(l => l.With(l.LineOf(5), s => s.Replace("leaf 5 ", "leaf 50 ", StringComparison.Ordinal)), Tampered, AuditFaultClass.SequenceGap, 5),

        // What is missing.
        ["cut off leaves and keep the checkpoint"] = Of(l => { l.RemoveRange(l.LineOf(9), 3); return l.Renumber().ToBytes(); }, Tampered, AuditFaultClass.Truncated, 9),
        ["cut the file within a line"] = Of(l => l.ToBytes()[..^20], Incomplete, AuditFaultClass.Truncated, 12),
        ["cut the file between lines"] = Of(l => l.Take(l.LineOf(7)).ToBytes(), Incomplete, AuditFaultClass.Truncated, 7),
        ["cut the file within its header"] = Of(l => l.Take(2).ToBytes(), Incomplete, AuditFaultClass.Truncated, -1),
        ["nothing at all"] = Of(_ => [], Incomplete, AuditFaultClass.Truncated, -1),
        ["drop the last checkpoint"] = Of(l => { l.RemoveAt(l.Count - 2); return l.ToBytes(); }, Incomplete, AuditFaultClass.Truncated, 8),
        ["call the whole an archive that begins later"] = Of(l => { l.Insert(3, "archive 4"); return l.ToBytes(); }, Tampered, AuditFaultClass.DuplicateSequence, 4),
        ["call a rolled back file an archive"] = Of(RolledBackArchive, Incomplete, AuditFaultClass.Truncated, 8),

        // Other histories, by someone without the log's key, and by someone with it.
        ["replace the suffix by another history, without the key"] = Of(l => l.ReplaceSuffix().ToBytes(), Tampered, AuditFaultClass.RootMismatch, 8),
        ["replace the suffix, sign with another key of that name"] = Of(
            l => { l.ReplaceSuffix(); return l.WithNote(Mallory.Sign(l.Checkpoint(Mallory.Key.Name).Text)); }, Tampered, AuditFaultClass.WrongKey, 12),
        ["replace the suffix, with the key: known by a checkpoint"] = Of(
            () => (Trail.Sample().Export(), Pinned with { Known = [Trail.Sample().Checkpoint] }), Tampered, AuditFaultClass.RootMismatch, 0),
        ["replace the suffix, with the key: known by an earlier and a later checkpoint"] = Of(ForkBetween, Tampered, AuditFaultClass.RootMismatch, 4),
        ["replace the suffix, with the key: not witnessed"] = Of(
            () => (Trail.Sample().Export(), Pinned with { Witnesses = [One.Key], Quorum = 1 }), Incomplete, AuditFaultClass.NotWitnessed, 0),
        ["replace the suffix, with the key and an old cosignature"] = Of(OldCosignature, Tampered, AuditFaultClass.BadSignature, 4),
        ["roll back, with the key: known by a checkpoint"] = Of(
            () => (Shorter(), Pinned with { Known = [Trail.Sample().Checkpoint] }), Tampered, AuditFaultClass.Truncated, 4),

        // Keys and names.
        ["sign with another key"] = Of(() => (Small(new Trail(seed: 9)), Pinned), Tampered, AuditFaultClass.WrongKey, -1),
        ["name the own key, sign with another"] = Of(l => l.WithNote(Mallory.Sign(l.Note().Text)), Tampered, AuditFaultClass.WrongKey, 12),
        ["another log, same key"] = Of(() => (Small(new Trail("governor.test/other")), Pinned), Tampered, AuditFaultClass.WrongOrigin, -1),
        ["a checkpoint of another log, same key"] = Of(OtherOrigin, Tampered, AuditFaultClass.WrongOrigin, 12),
        ["a known checkpoint of another log"] = Of(
            () => (Trail.Sample().Export(), AuditTrust.None with { Known = [new Trail("governor.test/other").Checkpoint] }), Tampered, AuditFaultClass.WrongOrigin, -1),
        ["flip a bit of a signature"] = Of(l => l.FlipSignature(0), Tampered, AuditFaultClass.BadSignature, 12),
        ["flip a bit of a cosignature"] = Of(
            () => (Trail.Sample(One).Lines().FlipSignature(1), Pinned with { Witnesses = [One.Key] }), Tampered, AuditFaultClass.BadSignature, 12),
        ["too few witnesses"] = Of(
            () => (Trail.Sample(One).Export(), Pinned with { Witnesses = [One.Key, Other.Key], Quorum = 2 }), Incomplete, AuditFaultClass.NotWitnessed, 0),
        ["the last checkpoint is not witnessed"] = Of(LastNotWitnessed, Incomplete, AuditFaultClass.NotWitnessed, 12),
        ["claim another root under the old signature"] = Of(OtherRoot, Tampered, AuditFaultClass.BadSignature, 12),

        // The history of the keys.
        ["use the old key after the rotation"] = Of(OldKey, Tampered, AuditFaultClass.WrongKey, 8),
        ["use the new key before the rotation"] = Of(NewKeyEarly, Tampered, AuditFaultClass.WrongKey, 4),
        ["rotate by a key that is not the log's"] = Of(KeyChange(LogKeyChange.Rotate, Later, Mallory), Tampered, AuditFaultClass.BadKeyStatement, 1),
        ["add by a key that is not the log's"] = Of(KeyChange(LogKeyChange.Add, Later, Mallory), Tampered, AuditFaultClass.BadKeyStatement, 1),
        ["revoke by a key that is not the log's"] = Of(KeyChange(LogKeyChange.Revoke, Later, Mallory), Tampered, AuditFaultClass.BadKeyStatement, 1),
        ["rotate with a false signature"] = Of(ForgedStatement, Tampered, AuditFaultClass.BadKeyStatement, 1),
        ["say rotated where the statement says added"] = Of(OtherAction, Tampered, AuditFaultClass.BadKeyStatement, 1),
        ["a key change of another log"] = Of(OtherLogsStatement, Tampered, AuditFaultClass.BadKeyStatement, 1),
        ["erase a key statement"] = Of(() => Rotated(t => t.Erase(4)), Tampered, AuditFaultClass.BadKeyStatement, 4),
        ["remove a key statement and renumber"] = Of(RemovedStatement, Tampered, AuditFaultClass.Truncated, 7),
        ["a history without the rotation, by the old key: the new one is known"] = Of(
            () => (Trail.Sample().Export(), AuditTrust.In(Later.Key)), Tampered, AuditFaultClass.WrongKey, -1),

        // Erasures.
        ["erase without an event"] = Of(() => Erased(t => { }), Tampered, AuditFaultClass.UnexplainedErasure, 2),
        ["erase with an event about another record"] = Of(() => Erased(t => t.AppendErasure(AuditActions.PayloadErased, "1")), Tampered, AuditFaultClass.UnexplainedErasure, 2),
        ["erase with an event about a number that is none"] = Of(() => Erased(t => t.AppendErasure(AuditActions.PayloadErased, "02")), Tampered, AuditFaultClass.UnexplainedErasure, 2),
        ["erase with an event before the record"] = Of(EventBefore, Tampered, AuditFaultClass.UnexplainedErasure, 2),
        ["erase, approved only"] = Of(() => Erased(t => t.AppendErasure(AuditActions.ErasureApproved, "2")), Incomplete, AuditFaultClass.UnexplainedErasure, 2),
        ["erase the approval"] = Of(ErasedApproval, Tampered, AuditFaultClass.UnexplainedErasure, 12),

        // What is no export.
        ["not base64"] = Of(l => l.With(l.LineOf(5), s => s.Insert(60, "*")), Tampered, AuditFaultClass.Malformed, 5),
        ["a record that is none"] = Of(l => { l.Replace(5, [1, 2, 3]); return l.ToBytes(); }, Tampered, AuditFaultClass.Malformed, 5),
        ["a record with a byte more"] = Of(l => { l.Replace(5, [.. l.RecordOf(5), 0]); return l.ToBytes(); }, Tampered, AuditFaultClass.Malformed, 5),
        ["an unknown line"] = Of(l => { l.Insert(l.LineOf(5), "note nothing"); return l.ToBytes(); }, Tampered, AuditFaultClass.Malformed, 5),
        ["a checkpoint twice"] = Of(l => { l.Insert(l.Count - 2, l[^2]); return l.ToBytes(); }, Tampered, AuditFaultClass.DuplicateSequence, 12),
        ["a checkpoint before its leaves"] = Of(l => { l.Insert(l.LineOf(9), l[^2]); return l.ToBytes(); }, Tampered, AuditFaultClass.Truncated, 9),
        ["a signature line twice"] = Of(TwiceSigned, Tampered, AuditFaultClass.Malformed, 12),
        ["another format"] = Of(l => { l[0] += "1"; return l.ToBytes(); }, Tampered, AuditFaultClass.Malformed, -1),
        ["a witness' key in the header"] = Of(l => l.With(2, _ => $"key {One.Key}"), Tampered, AuditFaultClass.Malformed, -1),
        ["something else entirely"] = Of(_ => "kind: ConfigMap\n"u8.ToArray(), Tampered, AuditFaultClass.Malformed, -1),
        ["more after the end"] = Of(l => { l.Add("end 12"); return l.ToBytes(); }, Tampered, AuditFaultClass.Malformed, 12),
        ["another number at the end"] = Of(l => { l[^1] = "end 11"; return l.ToBytes(); }, Tampered, AuditFaultClass.Malformed, 12),
        ["carriage returns"] = Of(l => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(l.ToBytes()).Replace("\n", "\r\n", StringComparison.Ordinal)), Tampered, AuditFaultClass.Malformed, -1),
    };

    private static AuditTrust Pinned => AuditTrust.In(new Trail().Key);

    /// <summary>A change to the sample, whose key is pinned.</summary>
    private static Mutation Of(Func<List<string>, byte[]> mutate, AuditOutcome outcome, AuditFaultClass @class, long index) =>
        new(() => (mutate(Trail.Sample().Lines()), Pinned), outcome, @class, index);

    private static Mutation Of(Func<(byte[] Export, AuditTrust Trust)> make, AuditOutcome outcome, AuditFaultClass @class, long index) =>
        new(make, outcome, @class, index);

    private static byte[] Small(Trail trail)
    {
        trail.Append("pack-0", "value");
        trail.Sign();
        return trail.Export();
    }

    private static byte[] Shorter() => new Trail().Also(t =>
    {
        for (var i = 0; i < 4; i++)
            t.Append("pack-0", $"{i}");
        t.Sign();
    }).Export();

    private static (byte[], AuditTrust) RolledBackArchive()
    {
        var trail = new Trail();
        for (var i = 0; i < 8; i++)
            trail.Append("pack-0", $"{i}");
        trail.Sign();
        return (trail.Export(AuditSpan.Archive(0), _ => true), Pinned with { Known = [trail.Checkpoint with { Size = 12 }] });
    }

    private static (byte[], AuditTrust) ForkBetween()
    {
        var trail = Trail.Sample();
        var lines = trail.Lines();
        Assert.True(SignedNote.TryParse(Convert.FromBase64String(lines[7]["checkpoint ".Length..]), out var early));
        Assert.True(Checkpoint.TryParse(early.Text, out var before));
        return (trail.Export(), Pinned with { Known = [Trail.Sample().Checkpoint, before] });
    }

    private static (byte[], AuditTrust) OldCosignature()
    {
        var fork = new Trail();
        for (var i = 0; i < 4; i++)
            fork.Append("pack-0", $"{i}");
        fork.Publish(fork.Sign(fork.Checkpoint.Text).With([One.Cosign("another text\n")]));
        return (fork.Export(), Pinned with { Witnesses = [One.Key], Quorum = 1 });
    }

    private static (byte[], AuditTrust) LastNotWitnessed()
    {
        var trail = Trail.Sample(One);
        trail.Witnesses.Clear();
        trail.Append("pack-0", "more");
        trail.Sign();
        return (trail.Export(), Pinned with { Witnesses = [One.Key], Quorum = 1 });
    }

    private static byte[] OtherOrigin(List<string> lines)
    {
        Assert.True(Checkpoint.TryParse(lines.Note().Text, out var checkpoint));
        return lines.WithNote(new LogSigner("governor.test/other", 7).Sign((checkpoint with { Origin = "governor.test/other" }).Text));
    }

    private static byte[] OtherRoot(List<string> lines)
    {
        Assert.True(Checkpoint.TryParse(lines.Note().Text, out var checkpoint));
        var altered = lines.Note().ToString().Replace(checkpoint.Root.ToString(), TreeHash.Of("x"u8).ToString(), StringComparison.Ordinal);
        Assert.True(SignedNote.TryParse(altered, out var note));
        return lines.WithNote(note);
    }

    private static byte[] TwiceSigned(List<string> lines)
    {
        var text = lines.Note().ToString();
        lines[^2] = $"checkpoint {Convert.ToBase64String(Encoding.UTF8.GetBytes(text + text[(text.LastIndexOf("\n\n", StringComparison.Ordinal) + 2)..]))}";
        return lines.ToBytes();
    }

    /// <summary>Four leaves under the first key, the rotation at leaf 4, three under the second.</summary>
    private static (byte[], AuditTrust) Rotated(Action<Trail> then)
    {
        var trail = new Trail();
        for (var i = 0; i < 4; i++)
            trail.Append("pack-0", $"{i}");
        trail.Sign();
        trail.Rotate(Later);
        for (var i = 5; i < 8; i++)
            trail.Append("pack-0", $"{i}");
        trail.Sign();
        then(trail);
        return (trail.Export(), Pinned);
    }

    private static (byte[], AuditTrust) OldKey()
    {
        var trail = new Trail();
        trail.Rotate(Later);
        for (var i = 1; i < 8; i++)
            trail.Append("pack-0", $"{i}");
        trail.Signer = trail.Genesis;
        trail.Sign();
        return (trail.Export(), Pinned);
    }

    private static (byte[], AuditTrust) NewKeyEarly()
    {
        var trail = new Trail();
        for (var i = 0; i < 4; i++)
            trail.Append("pack-0", $"{i}");
        trail.Publish(Later.Sign(trail.Checkpoint.Text));
        trail.Rotate(Later);
        trail.Sign();
        return (trail.Export(), Pinned);
    }

    private static Func<(byte[], AuditTrust)> KeyChange(LogKeyChange change, LogSigner key, LogSigner by) => () =>
    {
        var trail = new Trail();
        trail.Append("pack-0", "value");
        trail.Append(change, key, by);
        trail.Sign();
        return (trail.Export(), Pinned);
    };

    private static (byte[], AuditTrust) ForgedStatement() => Stating((trail, statement) =>
    {
        // Signed by the new key for both.
        var note = statement.Sign((_, message) => Later.SignBytes(message));
        trail.Append(Trail.About(AuditActions.LogKind, trail.Key.Name, AuditActions.KeyRotated, note.ToString()));
    });

    private static (byte[], AuditTrust) OtherAction() => Stating((trail, statement) => trail.Append(Trail.About(
        AuditActions.LogKind, trail.Key.Name, AuditActions.KeyAdded,
        statement.Sign((key, message) => (key.Equals(Later.Key) ? Later : trail.Genesis).SignBytes(message)).ToString())));

    private static (byte[], AuditTrust) OtherLogsStatement() => Stating((trail, statement) => trail.Append(Trail.About(
        AuditActions.LogKind, "governor.test/other", AuditActions.KeyRotated,
        statement.Sign((key, message) => (key.Equals(Later.Key) ? Later : trail.Genesis).SignBytes(message)).ToString())));

    private static (byte[], AuditTrust) Stating(Action<Trail, LogKeyStatement> append)
    {
        var trail = new Trail();
        trail.Append("pack-0", "value");
        append(trail, new LogKeyStatement(LogKeyChange.Rotate, Later.Key, trail.Key));
        trail.Sign();
        return (trail.Export(), Pinned);
    }

    private static (byte[], AuditTrust) RemovedStatement()
    {
        var (export, trust) = Rotated(_ => { });
        var lines = Tampering.ToLines(export);
        lines.RemoveAt(lines.LineOf(4));
        return (lines.Renumber().ToBytes(), trust);
    }

    private static (byte[], AuditTrust) Erased(Action<Trail> then)
    {
        var trail = Trail.Sample();
        trail.Erase(2);
        then(trail);
        trail.Append("pack-0", "more");
        trail.Sign();
        return (trail.Export(), Pinned);
    }

    private static (byte[], AuditTrust) EventBefore()
    {
        var trail = new Trail();
        trail.AppendErasure(AuditActions.PayloadErased, "2");
        trail.Append("pack-0", "1");
        trail.Append("pack-0", "2");
        trail.Erase(2);
        trail.Sign();
        return (trail.Export(), Pinned);
    }

    private static (byte[], AuditTrust) ErasedApproval() => Erased(trail =>
    {
        trail.AppendErasure(AuditActions.ErasureApproved, "2");
        trail.AppendErasure(AuditActions.PayloadErased, "2");
        trail.Erase(12);
    });

    private static Trail Also(this Trail trail, Action<Trail> act)
    {
        act(trail);
        return trail;
    }
}

/// <summary>One row of the table.</summary>
internal sealed record Mutation(Func<(byte[] Export, AuditTrust Trust)> Make, AuditOutcome Outcome, AuditFaultClass Class, long Index);
