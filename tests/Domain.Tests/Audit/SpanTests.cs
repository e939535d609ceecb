using FsCheck;
using FsCheck.Fluent;
using Governor.Domain.Audit;

namespace Governor.Domain.Tests.Audit;

/// <summary>A trail in several files: archives of closed months, interleaved at their borders, and the live rest.</summary>
public sealed class SpanTests
{
    // The border between the two months lies across the leaves 5 to 7.
    private static readonly int[] First = [0, 1, 2, 3, 4, 6];
    private static readonly int[] Second = [5, 7, 8, 10];
    private static readonly int[] Live = [9, 11];

    private readonly Trail _trail = Trail.Sample();

    private byte[] FirstFile => _trail.Export(AuditSpan.Archive(0), leaf => First.Contains(leaf));

    private byte[] SecondFile => _trail.Export(AuditSpan.Archive(5), leaf => Second.Contains(leaf));

    private byte[] LiveFile => _trail.Export(AuditSpan.Live(9), leaf => Live.Contains(leaf));

    private AuditTrust Trust => AuditTrust.In(_trail.Key) with { Known = [_trail.Checkpoint] };

    [Fact]
    public void All_files_together_are_the_whole_in_any_order()
    {
        byte[][][] orders = [[FirstFile, SecondFile, LiveFile], [LiveFile, SecondFile, FirstFile], [SecondFile, FirstFile, LiveFile]];
        foreach (var files in orders)
        {
            var verdict = Verify(files);
            Assert.Equal((AuditOutcome.Ok, null, 12L, 3L), (verdict.Outcome, verdict.Fault, verdict.Leaves, verdict.Chains));
        }
    }

    public static TheoryData<string, string, long, long> Missing => new()
    {
        { "the live file alone", "L", 0, 9 },
        { "an archive alone", "2", 0, 5 },
        { "the first archive alone", "1", 5, 6 },
        { "without the second archive", "1L", 5, 6 },
        { "without the first archive", "2L", 0, 5 },
        { "without the live file", "12", 9, 10 },
    };

    [Theory]
    [MemberData(nameof(Missing))]
    public void Files_that_miss_some_say_which_leaves(string what, string given, long from, long until)
    {
        var verdict = Verify([.. given.Select(file => file switch { '1' => FirstFile, '2' => SecondFile, _ => LiveFile })]);
        Assert.True((AuditOutcome.Incomplete, AuditFaultClass.SequenceGap, from, until) == (verdict.Outcome, verdict.Fault!.Class, verdict.Fault.Index, verdict.Fault.Until), $"{what}: {verdict}");
        Assert.Contains("none of the files", verdict.Fault.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_leaf_in_several_files_is_one_leaf_and_its_payload_may_be_gone_from_one()
    {
        var archive = _trail.Export(AuditSpan.Archive(0), leaf => leaf < 8);
        _trail.Erase(5);
        _trail.AppendErasure(AuditActions.PayloadErased, "5");
        _trail.Sign();
        var verdict = Verify([_trail.Export(), archive]);
        Assert.Equal((AuditOutcome.Ok, null, 13L, 0L), (verdict.Outcome, verdict.Fault, verdict.Leaves, verdict.Erased));
        Assert.Equal(1, Verify([_trail.Export()]).Erased);
    }

    [Fact]
    public void What_is_erased_in_an_archive_may_be_explained_in_a_file_that_is_not_there()
    {
        _trail.Erase(5);
        var archive = _trail.Export(AuditSpan.Archive(0), _ => true);
        var alone = AuditVerifier.Verify(new MemoryStream(archive), AuditTrust.In(_trail.Key));
        Assert.Equal((AuditOutcome.Incomplete, AuditFaultClass.UnexplainedErasure, 5L), (alone.Outcome, alone.Fault!.Class, alone.Fault.Index));
    }

    [Fact]
    public void Archives_that_reach_a_checkpoint_are_good_as_far_as_they_go()
    {
        var archive = _trail.Export(AuditSpan.Archive(0), _ => true);
        Assert.Equal(AuditOutcome.Ok, Verify([archive]).Outcome);
        _trail.Append("pack-0", "more");
        _trail.Sign();
        var verdict = Verify([archive]);
        Assert.Equal((AuditOutcome.Incomplete, AuditFaultClass.Truncated, 12L, 13L), (verdict.Outcome, verdict.Fault!.Class, verdict.Fault.Index, verdict.Fault.Until));
    }

    public static TheoryData<string, AuditOutcome, AuditFaultClass, long, int?> Tampered => new()
    {
        { "flip a record", AuditOutcome.Tampered, AuditFaultClass.AlteredRecord, 7, 1 },
        { "delete a leaf", AuditOutcome.Tampered, AuditFaultClass.SequenceGap, 7, 1 },
        { "delete a leaf and count anew", AuditOutcome.Incomplete, AuditFaultClass.SequenceGap, 7, null },
        { "swap two leaves", AuditOutcome.Tampered, AuditFaultClass.Reordered, 7, null },
        { "duplicate a leaf", AuditOutcome.Tampered, AuditFaultClass.DuplicateSequence, 8, 1 },
        { "begin elsewhere than said", AuditOutcome.Tampered, AuditFaultClass.Malformed, 4, 1 },
        { "another record for a leaf of the other file", AuditOutcome.Tampered, AuditFaultClass.DuplicateSequence, 6, 0 },
        { "cut it", AuditOutcome.Incomplete, AuditFaultClass.Truncated, 8, 1 },
        { "another first key", AuditOutcome.Tampered, AuditFaultClass.WrongKey, -1, 1 },
        { "another log", AuditOutcome.Tampered, AuditFaultClass.WrongOrigin, -1, 1 },
    };

    [Theory]
    [MemberData(nameof(Tampered))]
    public void Tampering_with_one_of_the_files_is_found_and_the_file_named(string what, AuditOutcome outcome, AuditFaultClass @class, long index, int? file)
    {
        var verdict = Verify([FirstFile, Tamper(what, Tampering.ToLines(SecondFile)), LiveFile]);
        Assert.Equal((outcome, @class, index, file), (verdict.Outcome, verdict.Fault!.Class, verdict.Fault.Index, verdict.Fault.File));
    }

    [Fact]
    public void However_a_trail_is_divided_it_is_the_same_trail()
    {
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(300),
            Prop.ForAll(Arb.From(Gen.Choose(0, 3).ArrayOf(12)), holder =>
            {
                var files = Enumerable.Range(0, 4)
                    .Select(file => Enumerable.Range(0, 12).Where(leaf => holder[leaf] == file).ToArray())
                    .Where(leaves => leaves.Length > 0)
                    .Select(leaves => _trail.Export(AuditSpan.Archive(leaves[0]), leaf => leaves.Contains(leaf)));
                return Verify([.. files]).Outcome == AuditOutcome.Ok;
            }));
    }

    [Fact]
    public async Task The_writer_refuses_leaves_out_of_place()
    {
        var record = new byte[1];
        var whole = new AuditExportWriter(new MemoryStream(), _trail.Key);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await whole.LeafAsync(1, record, null, CancellationToken.None));
        var part = new AuditExportWriter(new MemoryStream(), _trail.Key, AuditSpan.Archive(5));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await part.LeafAsync(4, record, null, CancellationToken.None));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await part.LeafAsync(6, record, null, CancellationToken.None));
        await part.LeafAsync(5, record, null, CancellationToken.None);
        await part.LeafAsync(9, record, null, CancellationToken.None);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await part.LeafAsync(9, record, null, CancellationToken.None));
        Assert.Equal((2L, 10L), (part.Leaves, part.Next));
        Assert.Throws<ArgumentException>(() => new AuditExportWriter(new MemoryStream(), _trail.Key, new AuditSpan(AuditSpanKind.Whole, 3)));
    }

    private static byte[] Tamper(string what, List<string> lines)
    {
        switch (what)
        {
            case "flip a record":
                return lines.With(lines.LineOf(7), line => Tampering.FlipField(line, 3));
            case "delete a leaf":
                return lines.WithoutLeaf(7);
            case "delete a leaf and count anew":
                lines.RemoveAt(lines.LineOf(7));
                lines[^1] = "end 3";
                return lines.ToBytes();
            case "swap two leaves":
                return lines.SwapLeaves(7, 8).ToBytes();
            case "duplicate a leaf":
                lines.Insert(lines.LineOf(7), lines[lines.LineOf(7)]);
                return lines.ToBytes();
            case "begin elsewhere than said":
                return lines.With(3, _ => "archive 4");
            case "another record for a leaf of the other file":
                lines.Insert(lines.LineOf(7), Tampering.Leaf(6, lines.RecordOf(7), lines[lines.LineOf(7)].Split(' ')[4]));
                return lines.ToBytes();
            case "cut it":
                return lines.Take(lines.LineOf(8)).ToBytes();
            case "another first key":
                return lines.With(2, _ => $"key {new LogSigner("governor.test/log", 9).Key}");
            default:
                lines[1] = "origin governor.test/other";
                return lines.With(2, _ => $"key {new LogSigner("governor.test/other", 7).Key}");
        }
    }

    private AuditVerdict Verify(byte[][] files) => AuditVerifier.Verify([.. files.Select(file => new MemoryStream(file))], Trust);
}
