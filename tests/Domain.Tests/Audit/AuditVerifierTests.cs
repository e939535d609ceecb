using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;

namespace Governor.Domain.Tests.Audit;

public sealed class AuditVerifierTests
{
    public static TheoryData<string, AuditOutcome, AuditFaultClass, long> Mutations()
    {
        var table = new TheoryData<string, AuditOutcome, AuditFaultClass, long>();
        foreach (var (name, (_, outcome, fault, index)) in Matrix)
            table.Add(name, outcome, fault, index);
        return table;
    }

    private static readonly Dictionary<string, (Func<List<string>, byte[]> Mutate, AuditOutcome, AuditFaultClass, long)> Matrix = new()
    {
        ["flip a bit of a record"] = (l => With(l, l.LineOf(5), s => FlipField(s, 3)), AuditOutcome.Tampered, AuditFaultClass.AlteredRecord, 5),
        ["flip a bit of a leaf hash"] = (l => With(l, l.LineOf(5), s => FlipField(s, 2)), AuditOutcome.Tampered, AuditFaultClass.AlteredRecord, 5),
        ["alter before and after"] = (l => With(l, l.LineOf(5), s => FlipField(s, 4)), AuditOutcome.Tampered, AuditFaultClass.AlteredRecord, 5),
        ["swap the payloads of two leaves"] = (SwapPayloads, AuditOutcome.Tampered, AuditFaultClass.AlteredRecord, 2),
        ["alter a record and its hash, chain goes on"] = (l => Rewrite(l, 1), AuditOutcome.Tampered, AuditFaultClass.RootMismatch, 0),
        ["alter a record and its hash in the last range"] = (l => Rewrite(l, 11), AuditOutcome.Tampered, AuditFaultClass.RootMismatch, 8),
        ["alter a record, its successor in the same range"] = (l => Rewrite(l, 0), AuditOutcome.Tampered, AuditFaultClass.BrokenChain, 3),
        ["delete a leaf"] = (l => Without(l, 5), AuditOutcome.Tampered, AuditFaultClass.SequenceGap, 5),
        ["delete a leaf and renumber"] = (l => { l.RemoveAt(l.LineOf(0)); return l.Renumber().ToBytes(); }, AuditOutcome.Tampered, AuditFaultClass.SequenceGap, 2),
        ["delete the last leaf of a chain and renumber"] = (l => { l.RemoveAt(l.LineOf(11)); return l.Renumber().ToBytes(); }, AuditOutcome.Tampered, AuditFaultClass.Truncated, 11),
        ["duplicate a leaf"] = (l => { l.Insert(l.LineOf(5), l[l.LineOf(5)]); return l.ToBytes(); }, AuditOutcome.Tampered, AuditFaultClass.DuplicateSequence, 6),
        ["duplicate a leaf and renumber"] = (l => { l.Insert(l.LineOf(5), l[l.LineOf(5)]); return l.Renumber().ToBytes(); }, AuditOutcome.Tampered, AuditFaultClass.DuplicateSequence, 6),
        ["swap two leaves"] = (l => Swap(l, 5, 6).ToBytes(), AuditOutcome.Tampered, AuditFaultClass.Reordered, 5),
        ["swap two leaves of one chain and renumber"] = (l => Swap(l, 5, 8).Renumber().ToBytes(), AuditOutcome.Tampered, AuditFaultClass.Reordered, 5),
        ["swap two leaves of one chain within a range and renumber"] = (l => Swap(l, 0, 3).Renumber().ToBytes(), AuditOutcome.Tampered, AuditFaultClass.Reordered, 0),
        ["swap two leaves of two chains and renumber"] = (l => Swap(l, 5, 6).Renumber().ToBytes(), AuditOutcome.Tampered, AuditFaultClass.RootMismatch, 4),
        ["insert a forged leaf and renumber"] = (Insert, AuditOutcome.Tampered, AuditFaultClass.RootMismatch, 4),
        ["renumber a record in its chain"] = (l => Resequence(l, 5, 9), AuditOutcome.Tampered, AuditFaultClass.SequenceGap, 5),
        ["give a leaf another index"] = (l => With(l, l.LineOf(5), s => s.Replace("leaf 5 ", "leaf 50 ", StringComparison.Ordinal)), AuditOutcome.Tampered, AuditFaultClass.SequenceGap, 5),
        ["cut off leaves and keep the checkpoint"] = (l => { l.RemoveRange(l.LineOf(9), 3); return l.Renumber().ToBytes(); }, AuditOutcome.Tampered, AuditFaultClass.Truncated, 9),
        ["cut the file within a line"] = (l => l.ToBytes()[..^20], AuditOutcome.Incomplete, AuditFaultClass.Truncated, 12),
        ["cut the file between lines"] = (l => l.Take(l.LineOf(7)).ToBytes(), AuditOutcome.Incomplete, AuditFaultClass.Truncated, 7),
        ["cut the file within its header"] = (l => l.Take(2).ToBytes(), AuditOutcome.Incomplete, AuditFaultClass.Truncated, -1),
        ["nothing at all"] = (_ => [], AuditOutcome.Incomplete, AuditFaultClass.Truncated, -1),
        ["drop the last checkpoint"] = (l => { l.RemoveAt(l.Count - 2); return l.ToBytes(); }, AuditOutcome.Incomplete, AuditFaultClass.Truncated, 8),
        ["replace the suffix by another history"] = (ReplaceSuffix, AuditOutcome.Tampered, AuditFaultClass.RootMismatch, 8),
        ["sign with another key"] = (_ => Foreign(new Trail(seed: 9)), AuditOutcome.Tampered, AuditFaultClass.WrongKey, -1),
        ["name the own key, sign with another"] = (l => ForeignCheckpoint(l, new Trail(seed: 9)), AuditOutcome.Tampered, AuditFaultClass.WrongKey, 12),
        ["another log, same key"] = (_ => Foreign(new Trail("governor.test/other")), AuditOutcome.Tampered, AuditFaultClass.WrongOrigin, -1),
        ["a checkpoint of another log, same key"] = (l => ForeignCheckpoint(l, new Trail("governor.test/other")), AuditOutcome.Tampered, AuditFaultClass.WrongOrigin, 12),
        ["flip a bit of a signature"] = (FlipSignature, AuditOutcome.Tampered, AuditFaultClass.BadSignature, 12),
        ["claim another root under the old signature"] = (OtherRoot, AuditOutcome.Tampered, AuditFaultClass.BadSignature, 12),
        ["not base64"] = (l => With(l, l.LineOf(5), s => s.Insert(60, "*")), AuditOutcome.Tampered, AuditFaultClass.Malformed, 5),
        ["a record that is none"] = (l => { l.Replace(5, [1, 2, 3]); return l.ToBytes(); }, AuditOutcome.Tampered, AuditFaultClass.Malformed, 5),
        ["a record with a byte more"] = (l => { l.Replace(5, [.. l.RecordOf(5), 0]); return l.ToBytes(); }, AuditOutcome.Tampered, AuditFaultClass.Malformed, 5),
        ["an unknown line"] = (l => { l.Insert(l.LineOf(5), "note nothing"); return l.ToBytes(); }, AuditOutcome.Tampered, AuditFaultClass.Malformed, 5),
        ["another format"] = (l => { l[0] += "1"; return l.ToBytes(); }, AuditOutcome.Tampered, AuditFaultClass.Malformed, -1),
        ["something else entirely"] = (_ => "kind: ConfigMap\n"u8.ToArray(), AuditOutcome.Tampered, AuditFaultClass.Malformed, -1),
        ["more after the end"] = (l => { l.Add("end 12"); return l.ToBytes(); }, AuditOutcome.Tampered, AuditFaultClass.Malformed, 12),
        ["carriage returns"] = (l => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(l.ToBytes()).Replace("\n", "\r\n", StringComparison.Ordinal)), AuditOutcome.Tampered, AuditFaultClass.Malformed, -1),
    };

    [Fact]
    public void An_export_as_written_is_good()
    {
        var trail = Trail.Sample();
        var verdict = AuditVerifier.Verify(new MemoryStream(trail.Export()), AuditTrust.In(trail.Key) with { Known = [trail.Checkpoint] });

        Assert.Null(verdict.Fault);
        Assert.Equal((AuditOutcome.Ok, 12L, 3L, true), (verdict.Outcome, verdict.Leaves, verdict.Chains, verdict.KeyWasTrusted));
        Assert.Equal(trail.Checkpoint, verdict.Checkpoint);
    }

    [Theory]
    [MemberData(nameof(Mutations))]
    public void A_mutation_is_reported_with_its_class_and_place(string mutation, AuditOutcome outcome, AuditFaultClass fault, long index)
    {
        var trail = Trail.Sample();
        var verdict = AuditVerifier.Verify(new MemoryStream(Matrix[mutation].Mutate(trail.Lines())), AuditTrust.In(trail.Key));
        Assert.Equal((outcome, fault, index), (verdict.Outcome, verdict.Fault!.Class, verdict.Fault.Index));
    }

    [Fact]
    public void An_erased_payload_keeps_the_proof()
    {
        var trail = Trail.Sample();
        var lines = trail.Lines();
        var line = lines.LineOf(5);
        lines[line] = lines[line][..lines[line].LastIndexOf(' ')] + " -";
        var verdict = AuditVerifier.Verify(new MemoryStream(lines.ToBytes()), AuditTrust.In(trail.Key));
        Assert.Equal((AuditOutcome.Ok, 1L), (verdict.Outcome, verdict.Erased));
    }

    [Fact]
    public void A_roll_back_and_a_fork_are_found_with_a_checkpoint_from_outside()
    {
        var (known, shorter, fork) = (Trail.Sample(), new Trail(), new Trail());
        for (var i = 0; i < 4; i++)
            shorter.Append("pack-0", $"{i}");
        shorter.Sign();
        for (var i = 0; i < 12; i++)
            fork.Append("pack-0", $"{i}");
        fork.Sign();
        var trust = AuditTrust.In(known.Key) with { Known = [known.Checkpoint] };

        Assert.Equal(AuditFaultClass.Truncated, AuditVerifier.Verify(new MemoryStream(shorter.Export()), trust).Fault!.Class);
        Assert.Equal(AuditFaultClass.RootMismatch, AuditVerifier.Verify(new MemoryStream(fork.Export()), trust).Fault!.Class);
        Assert.Equal(AuditOutcome.Ok, AuditVerifier.Verify(new MemoryStream(fork.Export()), AuditTrust.In(known.Key)).Outcome);
    }

    [Fact]
    public void No_single_changed_byte_passes()
    {
        var trail = Trail.Sample();
        var export = trail.Export();
        for (var i = 0; i < export.Length; i += 3)
        {
            var mutated = (byte[])export.Clone();
            mutated[i] ^= (byte)(1 << (i % 8));
            Assert.NotEqual(AuditOutcome.Ok, AuditVerifier.Verify(new MemoryStream(mutated)).Outcome);
        }
    }

    [Fact]
    public void Whatever_is_changed_the_verifier_neither_throws_nor_passes()
    {
        var export = Trail.Sample().Export();
        var change =
            from at in Gen.Choose(0, export.Length - 1)
            from remove in Gen.Choose(0, 40)
            from insert in Gen.OneOf(
                Gen.Choose(0, 255).Select(b => (byte)b).ArrayOf(),
                Gen.Elements<byte>((byte)' ', (byte)'\n', (byte)'=', (byte)'A', (byte)'0').ArrayOf(),
                Gen.Choose(0, export.Length - 200).Select(begin => export[begin..(begin + 200)]))
            select (byte[])[.. export[..at], .. insert, .. export[Math.Min(export.Length, at + remove)..]];
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(3000),
            Prop.ForAll(Arb.From(change), mutated =>
                mutated.AsSpan().SequenceEqual(export) || AuditVerifier.Verify(new MemoryStream(mutated)).Outcome != AuditOutcome.Ok));
    }

    [Fact]
    public void Noise_is_no_export()
    {
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(1000),
            Prop.ForAll<byte[]>(noise => AuditVerifier.Verify(new MemoryStream(noise)).Outcome != AuditOutcome.Ok));
    }

    private static byte[] With(List<string> lines, int line, Func<string, string> change)
    {
        lines[line] = change(lines[line]);
        return lines.ToBytes();
    }

    private static byte[] Without(List<string> lines, int leaf)
    {
        lines.RemoveAt(lines.LineOf(leaf));
        return lines.ToBytes();
    }

    private static List<string> Swap(List<string> lines, int one, int other)
    {
        var (a, b) = (lines.LineOf(one), lines.LineOf(other));
        (lines[a], lines[b]) = (lines[b], lines[a]);
        return lines;
    }

    private static byte[] SwapPayloads(List<string> lines)
    {
        var (a, b) = (lines.LineOf(2), lines.LineOf(5));
        var (one, other) = (lines[a].Split(' '), lines[b].Split(' '));
        (one[4], other[4]) = (other[4], one[4]);
        (lines[a], lines[b]) = (string.Join(' ', one), string.Join(' ', other));
        return lines.ToBytes();
    }

    private static string FlipField(string line, int field)
    {
        var fields = line.Split(' ');
        var bytes = Convert.FromBase64String(fields[field]);
        bytes[bytes.Length / 2] ^= 4;
        fields[field] = Convert.ToBase64String(bytes);
        return string.Join(' ', fields);
    }

    private static byte[] Rewrite(List<string> lines, int leaf)
    {
        var record = lines.Decode(leaf);
        lines.Replace(leaf, (record with { Event = record.Event with { Actor = "mallory" } }).Encode());
        return lines.ToBytes();
    }

    private static byte[] Resequence(List<string> lines, int leaf, long sequence)
    {
        lines.Replace(leaf, (lines.Decode(leaf) with { Sequence = sequence }).Encode());
        return lines.ToBytes();
    }

    private static byte[] Insert(List<string> lines)
    {
        var record = lines.Decode(5);
        var forged = record with { Sequence = 1, Previous = default, Event = record.Event with { Subject = record.Event.Subject with { Name = "forged" } } };
        lines.Insert(lines.LineOf(5), Tampering.Leaf(5, forged.Encode(), "-"));
        return lines.Renumber().ToBytes();
    }

    private static byte[] ReplaceSuffix(List<string> lines)
    {
        // The same chains up to 8, then records that continue them properly, with other content.
        for (var leaf = 8; leaf < 12; leaf++)
        {
            var record = lines.Decode(leaf);
            var previous = leaf == 11 ? AuditRecord.HashOf(lines.RecordOf(8)) : record.Previous;
            lines.Replace(leaf, (record with { Previous = previous, Event = record.Event with { Action = "rewritten" } }).Encode());
        }
        return lines.ToBytes();
    }

    private static byte[] Foreign(Trail trail)
    {
        trail.Append("pack-0", "value");
        trail.Sign();
        return trail.Export();
    }

    private static byte[] ForeignCheckpoint(List<string> lines, Trail foreign)
    {
        var own = Note(lines);
        Assert.True(Checkpoint.TryParse(own.Text, out var checkpoint));
        lines[^2] = $"checkpoint {Convert.ToBase64String(foreign.Sign((checkpoint with { Origin = foreign.Key.Name }).Text).ToBytes())}";
        return lines.ToBytes();
    }

    private static byte[] FlipSignature(List<string> lines)
    {
        var text = Note(lines).ToString();
        var begin = text.LastIndexOf(' ') + 1;
        var signature = Convert.FromBase64String(text[begin..]);
        signature[40] ^= 1;
        lines[^2] = $"checkpoint {Convert.ToBase64String(Encoding.UTF8.GetBytes(text[..begin] + Convert.ToBase64String(signature) + "\n"))}";
        return lines.ToBytes();
    }

    private static byte[] OtherRoot(List<string> lines)
    {
        var note = Note(lines);
        Assert.True(Checkpoint.TryParse(note.Text, out var checkpoint));
        var altered = note.ToString().Replace(checkpoint.Root.ToString(), TreeHash.Of("x"u8).ToString(), StringComparison.Ordinal);
        lines[^2] = $"checkpoint {Convert.ToBase64String(Encoding.UTF8.GetBytes(altered))}";
        return lines.ToBytes();
    }

    private static SignedNote Note(List<string> lines)
    {
        Assert.True(SignedNote.TryParse(Convert.FromBase64String(lines[^2]["checkpoint ".Length..]), out var note));
        return note;
    }
}
