using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;

namespace Governor.Domain.Tests.Audit;

public sealed class RecordTests
{
    [Fact]
    public void A_record_reads_back_as_it_was_and_its_form_is_fixed()
    {
        var e = Trail.Event("web") with { PreviousValue = null, NewValue = null, Rationale = null };
        var record = new AuditRecord(new AuditTransition(Guid.Parse("01020304-0506-0708-090a-0b0c0d0e0f10"), "pack", "web", 3, TreeHash.Of("s"u8)), 2, TreeHash.Of("p"u8), e, TreeHash.Of("v"u8));

        var bytes = record.Encode();

        Assert.True(AuditRecord.TryDecode(bytes, out var read, out _));
        Assert.Equal(record, read);
        Assert.StartsWith("01" + Convert.ToHexStringLower("governor.audit.record\n"u8) + "0000000000000002", Convert.ToHexStringLower(bytes), StringComparison.Ordinal);
    }

    [Fact]
    public void Placing_a_record_is_encoding_it_there()
    {
        var record = new AuditRecord(new AuditTransition(Guid.NewGuid(), "pack", "web", 1, default), 1, default, Trail.Event("web"), default);
        var bytes = record.Encode();
        AuditRecord.Place(bytes, 77, TreeHash.Of("x"u8));
        Assert.Equal((record with { Sequence = 77, Previous = TreeHash.Of("x"u8) }).Encode(), bytes);
    }

    [Fact]
    public void A_payload_is_committed_to_under_a_salt()
    {
        var e = Trail.Event("web");
        var (one, other) = (AuditPayload.Of(e), AuditPayload.Of(e));
        Assert.NotEqual(one.Commitment, other.Commitment);
        Assert.True(AuditPayload.TryDecode(one.Bytes, out var read, out _));
        Assert.Equal((e.PreviousValue, e.NewValue, e.Rationale, one.Commitment), (read.PreviousValue, read.NewValue, read.Rationale, read.Commitment));
        Assert.Throws<ArgumentException>(() => AuditPayload.Of(e with { NewValue = new string('x', AuditPayload.MaximumBytes) }));
    }

    [Fact]
    public void Whatever_decodes_encodes_to_the_same_bytes()
    {
        var bytes = new AuditRecord(new AuditTransition(Guid.NewGuid(), "pack", "web", 1, default), 1, default, Trail.Event("web"), default).Encode();
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(5000),
            Prop.ForAll(
                Arb.From(from at in Gen.Choose(0, bytes.Length - 1) from value in Gen.Choose(0, 255) from cut in Gen.Choose(0, 4) select (at, value, cut)),
                change =>
                {
                    var mutated = bytes[..^change.cut];
                    if (change.at < mutated.Length)
                        mutated[change.at] = (byte)change.value;
                    return !AuditRecord.TryDecode(mutated, out var record, out var fault) ? fault is not null : record.Encode().AsSpan().SequenceEqual(mutated);
                }));
    }

    [Fact]
    public void A_verifier_key_has_one_text_form()
    {
        var key = new VerifierKey("governor.test/log", new byte[32]);
        Assert.True(VerifierKey.TryParse(key.ToString(), out var read));
        Assert.Equal(key, read);
        Assert.False(VerifierKey.TryParse(key.ToString().Replace("governor", "overlord", StringComparison.Ordinal), out _));
        Assert.False(VerifierKey.TryParse("", out _));
        Assert.Throws<ArgumentException>(() => new VerifierKey("two words", new byte[32]));
    }

    // The example of the C2SP signed-note specification's Go implementation: key, text and signature line.
    [Fact]
    public void A_note_signed_by_others_verifies()
    {
        const string Key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        const string Text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
        const string Note = Text + "\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

        Assert.True(VerifierKey.TryParse(Key, out var key));
        Assert.True(SignedNote.TryParse(Note, out var note));
        Assert.Equal(Text, note.Text);
        Assert.Equal(NoteVerdict.Good, note.Verify(key));
        Assert.Equal(Note, note.ToString());
        Assert.True(SignedNote.TryParse(Note.Replace("think", "drink", StringComparison.Ordinal), out var altered));
        Assert.Equal(NoteVerdict.BadSignature, altered.Verify(key));
        Assert.Equal(NoteVerdict.OtherKey, note.Verify(new VerifierKey("PeterNeumann", new byte[32])));
    }

    [Theory]
    [InlineData("log\n5\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=\n", true)]
    [InlineData("log\n5\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=\nextension\n", true)]
    [InlineData("log\n05\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=\n", false)]
    [InlineData("log\n-5\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=\n", false)]
    [InlineData("log\n5\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqp=\n", false)]
    [InlineData("log\n5\nqqqq\n", false)]
    [InlineData("log\n5\n", false)]
    [InlineData("\n5\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=\n", false)]
    [InlineData("log\n5\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=", false)]
    public void A_checkpoint_is_read_strictly(string text, bool valid) => Assert.Equal(valid, Checkpoint.TryParse(text, out _));

    [Theory]
    [InlineData("no separator\n")]
    [InlineData("text\n\n")]
    [InlineData("text\n\n\u2014 name AAAA\n")]
    [InlineData("text\n\n- name AAAAAAAA\n")]
    [InlineData("te\tt\n\n\u2014 name AAAAAAAA\n")]
    [InlineData("text\n\n\u2014 name AAAAAAAA")]
    public void What_is_no_note_is_refused(string document) => Assert.False(SignedNote.TryParse(Encoding.UTF8.GetBytes(document), out _));
}
