using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;

namespace Governor.Domain.Tests.Audit;

public sealed class AuditBundleTests
{
    private static readonly TestWitness Witness = new(21);

    private readonly Trail _trail = Trail.Sample(Witness);

    private AuditTrust Trust => AuditTrust.In(_trail.Key) with { Witnesses = [Witness.Key], Quorum = 1 };

    [Fact]
    public void Every_entry_of_a_log_proves_itself()
    {
        for (var leaf = 0; leaf < _trail.Size; leaf++)
        {
            var bytes = _trail.Bundle(leaf).ToBytes();
            var verdict = AuditBundle.Verify(bytes, Trust);
            Assert.True(AuditBundle.IsBundle(bytes));
            Assert.Equal((AuditOutcome.Ok, null, _trail.Checkpoint, true), (verdict.Outcome, verdict.Fault, verdict.Checkpoint, verdict.KeyWasTrusted));
            Assert.True(AuditBundle.TryParse(bytes, out var read, out _));
            Assert.Equal(_trail.Entry(leaf).Record, read.Entry.Record.ToArray());
            Assert.Equal(bytes, read.ToBytes());
        }
        Assert.False(AuditBundle.IsBundle(_trail.Export()));
    }

    [Fact]
    public void A_bundle_is_a_tlog_proof_that_others_can_read()
    {
        var bundle = _trail.Bundle(5);
        Assert.True(TlogProof.TryParse(bundle.ToString(), out var proof, out _));
        Assert.True(proof.Includes(AuditRecord.HashOf(bundle.Entry.Record.Span)));
        Assert.StartsWith("c2sp.org/tlog-proof@v1\nextra ", bundle.ToString(), StringComparison.Ordinal);
        Assert.Equal(NoteVerdict.Good, proof.Note.Verify(_trail.Key));
        Assert.Equal(NoteVerdict.Good, proof.Note.Verify(Witness.Key));
    }

    public static TheoryData<string, AuditOutcome, AuditFaultClass> Faults => new()
    {
        { "another record", AuditOutcome.Tampered, AuditFaultClass.RootMismatch },
        { "another payload", AuditOutcome.Tampered, AuditFaultClass.AlteredRecord },
        { "another index", AuditOutcome.Tampered, AuditFaultClass.RootMismatch },
        { "an index behind the end", AuditOutcome.Tampered, AuditFaultClass.RootMismatch },
        { "a shorter path", AuditOutcome.Tampered, AuditFaultClass.RootMismatch },
        { "a longer path", AuditOutcome.Tampered, AuditFaultClass.RootMismatch },
        { "a leaf that is no record", AuditOutcome.Tampered, AuditFaultClass.Malformed },
        { "a false signature", AuditOutcome.Tampered, AuditFaultClass.BadSignature },
        { "a false cosignature", AuditOutcome.Tampered, AuditFaultClass.BadSignature },
        { "another key", AuditOutcome.Tampered, AuditFaultClass.WrongKey },
        { "another log", AuditOutcome.Tampered, AuditFaultClass.WrongOrigin },
        { "a log with a name that is none", AuditOutcome.Tampered, AuditFaultClass.WrongOrigin },
        { "a fork", AuditOutcome.Tampered, AuditFaultClass.RootMismatch },
        { "no key", AuditOutcome.Incomplete, AuditFaultClass.WrongKey },
        { "no cosignature", AuditOutcome.Incomplete, AuditFaultClass.NotWitnessed },
        { "the payload of a key change is gone", AuditOutcome.Tampered, AuditFaultClass.BadKeyStatement },
        { "the payload of an approval is gone", AuditOutcome.Tampered, AuditFaultClass.UnexplainedErasure },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void What_is_wrong_with_a_bundle_is_said(string what, AuditOutcome outcome, AuditFaultClass @class)
    {
        var (bundle, trust) = Make(what);
        var verdict = AuditBundle.Verify(bundle.ToBytes(), trust);
        Assert.Equal((outcome, @class, bundle.Proof.Index), (verdict.Outcome, verdict.Fault!.Class, verdict.Fault.Index));
    }

    [Fact]
    public void An_erased_payload_is_counted_and_the_record_still_proved()
    {
        _trail.Erase(5);
        var verdict = AuditBundle.Verify(_trail.Bundle(5).ToBytes(), Trust);
        Assert.Equal((AuditOutcome.Ok, 1L), (verdict.Outcome, verdict.Erased));
    }

    [Theory]
    [InlineData("")]
    [InlineData("c2sp.org/tlog-proof@v1\n")]
    [InlineData("c2sp.org/tlog-proof@v1\nindex 0\n\n")]
    [InlineData("kind: ConfigMap\n")]
    public void What_is_no_bundle_is_malformed(string text)
    {
        var verdict = AuditBundle.Verify(Encoding.UTF8.GetBytes(text), Trust);
        Assert.Equal((AuditOutcome.Tampered, AuditFaultClass.Malformed, -1L), (verdict.Outcome, verdict.Fault!.Class, verdict.Fault.Index));
    }

    [Fact]
    public void An_entry_has_one_form()
    {
        ReadOnlyMemory<byte>?[] payloads = [null, Array.Empty<byte>(), new byte[] { 1, 2 }];
        var forms = new HashSet<string>();
        foreach (var payload in payloads)
        {
            var bytes = new AuditEntry(new byte[] { 7 }, payload).Encode();
            Assert.True(forms.Add(Convert.ToHexString(bytes)));
            Assert.True(AuditEntry.TryDecode(bytes, out var entry, out _));
            Assert.Equal(payload is null, entry.Payload is null);
            Assert.Equal(bytes, entry.Encode());
            for (var cut = 0; cut < bytes.Length; cut++)
                Assert.False(AuditEntry.TryDecode(bytes.AsSpan(0, cut), out _, out var fault), fault);
            Assert.False(AuditEntry.TryDecode([.. bytes, 0], out _, out _));
        }
        Assert.False(AuditEntry.TryDecode(new AuditEntry(new byte[AuditRecord.MaximumBytes + 1], null).Encode(), out _, out _));
        Assert.False(AuditEntry.TryDecode(new AuditEntry(new byte[1], new byte[AuditPayload.MaximumBytes + 1]).Encode(), out _, out _));
    }

    [Fact]
    public void Whatever_is_changed_a_bundle_neither_throws_nor_passes()
    {
        var bundle = _trail.Bundle(5).ToBytes();
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(3000),
            Prop.ForAll(Arb.From(Mutations.Of(bundle)), mutated =>
                SaysTheSame(mutated, bundle) || AuditBundle.Verify(mutated, Trust).Outcome != AuditOutcome.Ok));
    }

    /// <summary>The same bytes, or the same with the signature lines in another order.</summary>
    private static bool SaysTheSame(byte[] mutated, byte[] bundle)
    {
        var (one, other) = (Encoding.UTF8.GetString(mutated), Encoding.UTF8.GetString(bundle));
        var signatures = other.IndexOf('\u2014', StringComparison.Ordinal);
        return one.Length == other.Length && one[..signatures] == other[..signatures]
            && one[signatures..].Split('\n').ToHashSet().SetEquals(other[signatures..].Split('\n'));
    }

    private (AuditBundle, AuditTrust) Make(string what)
    {
        const int Leaf = 5;
        var (path, note, entry) = (_trail.Path(Leaf, 12), _trail.Note, _trail.Entry(Leaf));
        switch (what)
        {
            case "another record":
                return (AuditBundle.Of(Leaf, path, note, _trail.Entry(6)), Trust);
            case "another payload":
                return (AuditBundle.Of(Leaf, path, note, new AuditEntry(entry.Record, _trail.Entry(6).Payload)), Trust);
            case "another index":
                return (AuditBundle.Of(Leaf - 1, path, note, entry), Trust);
            case "an index behind the end":
                return (AuditBundle.Of(long.MaxValue, path, note, entry), Trust);
            case "a shorter path":
                return (AuditBundle.Of(Leaf, path[..^1], note, entry), Trust);
            case "a longer path":
                return (AuditBundle.Of(Leaf, path.Add(default), note, entry), Trust);
            case "a leaf that is no record":
                return (AuditBundle.Of(0, [], Witnessed(new Checkpoint(_trail.Key.Name, 1, AuditRecord.HashOf([1])).Text), new AuditEntry(new byte[] { 1 }, null)), Trust);
            case "a false signature":
                return (AuditBundle.Of(Leaf, path, note.With(_trail.Genesis.Sign("another text\n").Signatures), entry), Trust);
            case "a false cosignature":
                return (AuditBundle.Of(Leaf, path, note.With([Witness.Cosign("another text\n")]), entry), Trust);
            case "another key":
                return (AuditBundle.Of(Leaf, path, note, entry), Trust with { PublicKey = Witness.Key.PublicKey });
            case "another log":
                return (AuditBundle.Of(Leaf, path, note, entry), Trust with { Origin = "governor.test/other" });
            case "a log with a name that is none":
                return (AuditBundle.Of(Leaf, path, Witnessed((_trail.Checkpoint with { Origin = "two words" }).Text), entry), Trust with { Origin = null });
            case "a fork":
                return (AuditBundle.Of(Leaf, path, note, entry), Trust with { Known = [_trail.Checkpoint with { Size = 13 }, Trail.Sample().Checkpoint] });
            case "no key":
                return (AuditBundle.Of(Leaf, path, note, entry), Trust with { PublicKey = [] });
            case "no cosignature":
                return (AuditBundle.Of(Leaf, path, _trail.Genesis.Sign(note.Text), entry), Trust);
            default:
                if (what.Contains("key", StringComparison.Ordinal))
                    _trail.Append(LogKeyChange.Add, new LogSigner(_trail.Key.Name, 8), _trail.Genesis);
                else
                    _trail.AppendErasure(AuditActions.ErasureApproved, "3");
                _trail.Sign();
                _trail.Erase(12);
                return (_trail.Bundle(12), Trust);
        }
    }

    private SignedNote Witnessed(string text) => _trail.Genesis.Sign(text).With([Witness.Cosign(text)]);
}
