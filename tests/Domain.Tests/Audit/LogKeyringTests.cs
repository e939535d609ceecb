using FsCheck;
using FsCheck.Fluent;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;

namespace Governor.Domain.Tests.Audit;

public sealed class LogKeyringTests
{
    private const string Origin = "governor.test/log";

    private static readonly LogSigner[] Signers = [.. Enumerable.Range(1, 6).Select(seed => new LogSigner(Origin, (byte)seed))];

    private static readonly VerifierKey A = Signers[0].Key;
    private static readonly VerifierKey B = Signers[1].Key;
    private static readonly VerifierKey C = Signers[2].Key;

    // change, key, by: in this order from leaf 10 on, ten leaves apart; then who signs at 100, newest first, or the fault of the last.
    public static TheoryData<string, (LogKeyChange Change, int Key, int By)[], int[]?> Histories => new()
    {
        { "nothing happened", [], [0] },
        { "a key is added", [(LogKeyChange.Add, 1, 0)], [1, 0] },
        { "a key is rotated", [(LogKeyChange.Rotate, 1, 0)], [1] },
        { "and again", [(LogKeyChange.Rotate, 1, 0), (LogKeyChange.Rotate, 2, 1)], [2] },
        { "a key is added and the first one revoked", [(LogKeyChange.Add, 1, 0), (LogKeyChange.Revoke, 0, 1)], [1] },
        { "an added key adds one", [(LogKeyChange.Add, 1, 0), (LogKeyChange.Add, 2, 1)], [2, 1, 0] },
        { "one of two is rotated", [(LogKeyChange.Add, 1, 0), (LogKeyChange.Rotate, 2, 0)], [2, 1] },
        { "added by a stranger", [(LogKeyChange.Add, 1, 3)], null },
        { "rotated by a stranger", [(LogKeyChange.Rotate, 1, 3)], null },
        { "revoked by a stranger", [(LogKeyChange.Add, 1, 0), (LogKeyChange.Revoke, 0, 3)], null },
        { "added by a key that was rotated away", [(LogKeyChange.Rotate, 1, 0), (LogKeyChange.Add, 2, 0)], null },
        { "added by a key that was revoked", [(LogKeyChange.Add, 1, 0), (LogKeyChange.Revoke, 1, 0), (LogKeyChange.Add, 2, 1)], null },
        { "the same key added twice", [(LogKeyChange.Add, 1, 0), (LogKeyChange.Add, 1, 0)], null },
        { "back to a key of before", [(LogKeyChange.Rotate, 1, 0), (LogKeyChange.Rotate, 0, 1)], null },
        { "a revoked key comes back", [(LogKeyChange.Add, 1, 0), (LogKeyChange.Revoke, 1, 0), (LogKeyChange.Add, 1, 0)], null },
        { "revoked twice", [(LogKeyChange.Add, 1, 0), (LogKeyChange.Revoke, 1, 0), (LogKeyChange.Revoke, 1, 0)], null },
        { "a stranger is revoked", [(LogKeyChange.Revoke, 3, 0)], null },
    };

    [Theory]
    [MemberData(nameof(Histories))]
    public void A_history_leads_to_its_keys_or_its_last_step_is_refused(string what, (LogKeyChange Change, int Key, int By)[] steps, int[]? signers)
    {
        var keys = LogKeyring.Of(A);
        for (var i = 0; i < steps.Length; i++)
        {
            var good = keys.TryApply((i + 1) * 10, Statement(steps[i]), out var next, out var fault);
            Assert.True(good == (signers is not null || i < steps.Length - 1), $"{what}: step {i}: {fault}");
            Assert.Equal(good, fault is null);
            keys = next ?? keys;
        }
        if (signers is not null)
            Assert.Equal(signers.Select(i => Signers[i].Key), keys.At(100));
    }

    [Fact]
    public void A_change_is_in_force_for_the_first_tree_that_contains_it()
    {
        Assert.True(LogKeyring.Of(A).TryApply(4, new LogKeyStatement(LogKeyChange.Rotate, B, A), out var rotated, out _));
        Assert.Equal((true, true, false), (rotated.IsValidAt(A, 0), rotated.IsValidAt(A, 4), rotated.IsValidAt(A, 5)));
        Assert.Equal((false, false, true), (rotated.IsValidAt(B, 0), rotated.IsValidAt(B, 4), rotated.IsValidAt(B, 5)));
        Assert.Equal([A, B], rotated.All);
        Assert.Equal(A, rotated.Genesis);

        Assert.True(LogKeyring.Of(A).TryApply(2, new LogKeyStatement(LogKeyChange.Add, B, A), out var added, out _));
        Assert.True(added.TryApply(6, new LogKeyStatement(LogKeyChange.Revoke, A, B), out var revoked, out _));
        Assert.Equal((true, false, true), (revoked.IsValidAt(A, 6), revoked.IsValidAt(A, 7), revoked.IsValidAt(B, 7)));
    }

    [Fact]
    public void A_key_of_another_name_is_refused()
    {
        var foreign = new LogSigner("governor.test/other", 2).Key;
        Assert.False(LogKeyring.Of(A).TryApply(0, new LogKeyStatement(LogKeyChange.Add, foreign, A), out _, out var fault));
        Assert.Contains("governor.test/log", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_happens_a_key_is_valid_in_one_stretch_and_somebody_can_always_sign()
    {
        var step =
            from change in Gen.Elements(LogKeyChange.Add, LogKeyChange.Rotate, LogKeyChange.Revoke)
            from key in Gen.Choose(0, Signers.Length - 1)
            from signer in Gen.Choose(0, Signers.Length - 1)
            where key != signer
            select (change, key, signer);
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(2000),
            Prop.ForAll(Arb.From(step.ArrayOf()), steps =>
            {
                var keys = LogKeyring.Of(A);
                for (var leaf = 0; leaf < steps.Length; leaf++)
                    keys = keys.TryApply(leaf, Statement(steps[leaf]), out var next, out _) ? next : keys;
                var sizes = Enumerable.Range(0, steps.Length + 2).ToArray();
                return sizes.All(size => keys.At(size).Any())
                    && Signers.All(signer => Stretches(sizes, size => keys.IsValidAt(signer.Key, size)) <= 1)
                    && keys.At(long.MaxValue).ToHashSet().SetEquals(keys.Current);
            }));
    }

    [Theory]
    [InlineData(LogKeyChange.Add)]
    [InlineData(LogKeyChange.Rotate)]
    [InlineData(LogKeyChange.Revoke)]
    public void A_statement_reads_back_and_every_signature_that_it_needs_is_checked(LogKeyChange change)
    {
        var statement = new LogKeyStatement(change, B, A);
        var note = statement.Sign((key, message) => SignerOf(key).SignBytes(message));

        Assert.True(LogKeyStatement.TryVerify(note.ToString(), out var read, out _));
        Assert.Equal(statement, read);
        Assert.Equal(change == LogKeyChange.Revoke ? [A] : [A, B], statement.Signers);
        foreach (var forger in statement.Signers)
        {
            var forged = statement.Sign((key, message) => (key.Equals(forger) ? Signers[5] : SignerOf(key)).SignBytes(message));
            Assert.False(LogKeyStatement.TryVerify(forged.ToString(), out _, out var fault));
            Assert.Contains(forger.ToString(), fault, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_is_no_statement_is_refused()
    {
        var good = new LogKeyStatement(LogKeyChange.Rotate, B, A);
        var other = new LogSigner("governor.test/other", 2);
        var witness = new TestWitness(3);
        string[] texts =
        [
            good.Text + "more\n",
            good.Text.Replace("rotate", "Rotate", StringComparison.Ordinal),
            good.Text.Replace("/1", "/2", StringComparison.Ordinal),
            good.Text.Replace("by ", "", StringComparison.Ordinal),
            new LogKeyStatement(LogKeyChange.Rotate, A, A).Text,
            new LogKeyStatement(LogKeyChange.Rotate, other.Key, A).Text,
            new LogKeyStatement(LogKeyChange.Rotate, new VerifierKey(Origin, witness.Key.PublicKey.AsSpan(), NoteKeyType.Cosignature), A).Text,
            new Checkpoint(Origin, 4, default).Text,
        ];
        foreach (var text in texts)
        {
            var note = Signers[0].Sign(text).With(Signers[1].Sign(text).Signatures).With(other.Sign(text).Signatures);
            Assert.False(LogKeyStatement.TryVerify(note.ToString(), out _, out var fault), text);
            Assert.NotNull(fault);
        }
        Assert.False(LogKeyStatement.TryVerify("", out _, out _));
        Assert.False(LogKeyStatement.TryVerify("\ud800\n\n\u2014 a AAAAAAAA\n", out _, out _));
    }

    [Fact]
    public void Statements_lie_about_nothing_else_than_what_is_signed()
    {
        var note = new LogKeyStatement(LogKeyChange.Rotate, B, A).Sign((key, message) => SignerOf(key).SignBytes(message));
        var altered = note.ToString().Replace(B.ToString(), C.ToString(), StringComparison.Ordinal);
        Assert.False(LogKeyStatement.TryVerify(altered, out _, out _));
    }

    private static int Stretches(IEnumerable<int> sizes, Func<int, bool> valid) =>
        sizes.Aggregate((Count: 0, Before: false), (found, size) => (found.Count + (valid(size) && !found.Before ? 1 : 0), valid(size))).Count;

    private static LogKeyStatement Statement((LogKeyChange Change, int Key, int By) step) => new(step.Change, Signers[step.Key].Key, Signers[step.By].Key);

    private static LogSigner SignerOf(VerifierKey key) => Signers.First(signer => signer.Key.Equals(key));
}
