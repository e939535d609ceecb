using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using Governor.Domain.Tests.Audit;
using Governor.Domain.Transparency;

namespace Governor.Domain.Tests.Transparency;

/// <summary>The decision of C2SP tlog-witness.</summary>
public sealed class WitnessTests
{
    private const string Origin = "example.com/log";

    private static readonly LogSigner Log = new(Origin, 1);
    private static readonly LogSigner Next = new(Origin, 2);
    private static readonly TreeHash[] Leaves = [.. Enumerable.Range(0, 20).Select(i => TreeHash.Of([(byte)i]))];
    private static readonly TreeHash[] Fork = [.. Leaves[..6], .. Enumerable.Range(6, 14).Select(i => TreeHash.Of([(byte)i, 1]))];

    [Theory]
    // seen, old, new: as 'S old new', F for the forked history, - for none; the last is what the specification answers.
    [InlineData("the first checkpoint", -1, 0, 8, typeof(WitnessAnswer.Accepted))]
    [InlineData("the next checkpoint", 8, 8, 12, typeof(WitnessAnswer.Accepted))]
    [InlineData("the same checkpoint again", 8, 8, 8, typeof(WitnessAnswer.Accepted))]
    [InlineData("the empty tree", -1, 0, 0, typeof(WitnessAnswer.Accepted))]
    [InlineData("after the empty tree", 0, 0, 5, typeof(WitnessAnswer.Accepted))]
    [InlineData("the old size is unknown to the log", 8, 0, 12, typeof(WitnessAnswer.OtherSize))]
    [InlineData("the old size is behind what was seen", 8, 4, 12, typeof(WitnessAnswer.OtherSize))]
    [InlineData("the old size is ahead of what was seen", 8, 10, 12, typeof(WitnessAnswer.OtherSize))]
    [InlineData("an old size although nothing was seen", -1, 4, 12, typeof(WitnessAnswer.OtherSize))]
    [InlineData("a roll back", 8, 4, 6, typeof(WitnessAnswer.OtherSize))]
    [InlineData("a roll back that starts from what was seen", 8, 8, 6, typeof(WitnessAnswer.Backwards))]
    public void An_honest_history_is_judged_by_its_sizes(string what, int seen, int old, int size, Type answer)
    {
        var request = Request(Leaves, old, size);
        Assert.True(answer == Judge(seen < 0 ? null : At(Leaves, seen), request).GetType(), what);
    }

    [Fact]
    public void The_answer_to_another_size_names_the_one_that_was_seen()
    {
        Assert.Equal(new WitnessAnswer.OtherSize(8), Judge(At(Leaves, 8), Request(Leaves, 4, 12)));
        Assert.Equal(new WitnessAnswer.OtherSize(0), Judge(null, Request(Leaves, 4, 12)));
        Assert.Equal(new WitnessAnswer.Backwards(8, 6), Judge(At(Leaves, 8), Request(Leaves, 8, 6)));
    }

    [Fact]
    public void Another_history_is_not_accepted()
    {
        Assert.Equal(new WitnessAnswer.Forked(At(Leaves, 8).Root, At(Fork, 8).Root), Judge(At(Leaves, 8), Request(Fork, 8, 8)));
        Assert.IsType<WitnessAnswer.Forked>(Judge(At(Leaves, 8), Request(Fork, 0, 8)));
        Assert.IsType<WitnessAnswer.NotProved>(Judge(At(Leaves, 8), Request(Fork, 8, 12)));
        Assert.IsType<WitnessAnswer.NotProved>(Judge(At(Leaves, 8), Request(Leaves, 8, 12) with { Proof = [] }));
        Assert.IsType<WitnessAnswer.NotProved>(Judge(null, Request(Leaves, 0, 12) with { Proof = [Leaves[0]] }));
        Assert.IsType<WitnessAnswer.NotProved>(Judge(At(Leaves, 8), Request(Leaves, 8, 8) with { Proof = [Leaves[0]] }));
    }

    [Fact]
    public void The_empty_tree_has_one_root_and_a_false_one_does_not_get_stuck()
    {
        var false0 = new Checkpoint(Origin, 0, Leaves[0]);
        var request = new WitnessRequest(0, [], Log.Sign(false0.Text), false0);
        Assert.IsType<WitnessAnswer.NotProved>(Judge(null, request));
        Assert.IsType<WitnessAnswer.Forked>(Judge(At(Leaves, 0), request));
    }

    [Fact]
    public void Who_signed_is_asked_before_anything_else()
    {
        var request = Request(Fork, 9, 8);
        Assert.Equal(new WitnessAnswer.UnknownLog(Origin), Witness.Judge([new LogSigner("example.com/other", 1).Key], At(Leaves, 8), request));
        Assert.IsType<WitnessAnswer.NotSigned>(Witness.Judge([Next.Key], At(Leaves, 8), request));
        Assert.IsType<WitnessAnswer.UnknownLog>(Witness.Judge([], null, request));
        var foreign = request with { Note = request.Note.With(Log.Sign("another text\n").Signatures) };
        Assert.IsType<WitnessAnswer.NotSigned>(Witness.Judge([Log.Key], null, foreign));
    }

    [Fact]
    public void One_of_the_keys_that_are_trusted_suffices_and_unknown_lines_are_of_no_account()
    {
        var request = Request(Leaves, 0, 8);
        var both = request with { Note = request.Note.With(Next.Sign(request.Note.Text).Signatures).With([new TestWitness(3).Cosign("x\n")]) };
        Assert.IsType<WitnessAnswer.Accepted>(Witness.Judge([Next.Key], null, both));
        Assert.IsType<WitnessAnswer.Accepted>(Witness.Judge([Log.Key, Next.Key], null, both));
    }

    [Fact]
    public void A_witness_never_accepts_two_histories()
    {
        var request =
            from fork in Gen.Elements(true, false)
            from old in Gen.Choose(0, 20)
            from size in Gen.Choose(0, 20)
            select Request(fork ? Fork : Leaves, old, size);
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(1000),
            Prop.ForAll(Arb.From(request.ArrayOf()), requests =>
            {
                Checkpoint? seen = null;
                foreach (var next in requests)
                {
                    if (Judge(seen, next) is not WitnessAnswer.Accepted)
                        continue;
                    var before = seen?.Size ?? 0;
                    var history = next.Checkpoint == At(Leaves, (int)next.Checkpoint.Size) ? Leaves : Fork;
                    if (next.Checkpoint.Size < before || (seen is not null && At(history, (int)before) != seen))
                        return false;
                    seen = next.Checkpoint;
                }
                return true;
            }));
    }

    [Fact]
    public void A_request_reads_back_and_is_read_strictly()
    {
        var text = Request(Leaves, 5, 12).ToString();
        Assert.True(WitnessRequest.TryParse(text, out var request, out _));
        Assert.Equal(text, request.ToString());
        Assert.StartsWith("old 5\n", text, StringComparison.Ordinal);
        Assert.True(WitnessRequest.TryParse(Request(Leaves, 0, 12).ToString(), out var first, out _));
        Assert.Empty(first.Proof);

        var hash = request.Proof[0].ToString();
        string[] wrong =
        [
            "", "old 5\n", "\n\n", text.Replace("old 5", "old 05", StringComparison.Ordinal), text.Replace("old 5", "old -5", StringComparison.Ordinal),
            text.Replace("old 5", "old", StringComparison.Ordinal), text.Replace("old 5", "old 9223372036854775808", StringComparison.Ordinal),
            text.Replace(hash, hash[..^4], StringComparison.Ordinal), text.Replace($"{hash}\n", string.Concat(Enumerable.Repeat($"{hash}\n", 64)), StringComparison.Ordinal),
            text[..^1], text.Replace("\n12\n", "\n012\n", StringComparison.Ordinal), text[..(text.IndexOf("\n\n", StringComparison.Ordinal) + 2)],
        ];
        foreach (var body in wrong)
        {
            Assert.False(WitnessRequest.TryParse(body, out _, out var fault), body);
            Assert.NotEmpty(fault);
        }
    }

    private static WitnessAnswer Judge(Checkpoint? seen, WitnessRequest request) => Witness.Judge([Log.Key], seen, request);

    private static Checkpoint At(TreeHash[] leaves, int size) => new(Origin, size, MerkleTree.Root(leaves.AsSpan(0, size)));

    private static WitnessRequest Request(TreeHash[] leaves, int old, int size)
    {
        var checkpoint = At(leaves, size);
        ImmutableArray<TreeHash> proof = old > 0 && old <= size
            ? MerkleTree.ConsistencyProof(old, size, (begin, end) => MerkleTree.Root(leaves.AsSpan((int)begin, (int)(end - begin))))
            : [];
        return new WitnessRequest(old, proof, Log.Sign(checkpoint.Text), checkpoint);
    }
}
