using System.Globalization;
using Governor.Domain.Signing;
using Governor.Domain.Tests.Audit;
using Governor.Domain.Transparency;

namespace Governor.Domain.Tests.Transparency;

/// <summary>Signed notes, checkpoints, cosignatures and proofs, against what C2SP and the Go checksum database publish.</summary>
public sealed class NoteTests
{
    private const string Sofa = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    private const string SofaLine = "\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
    private const string SofaWitness = "\u2014 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

    private const string Neumann = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    private const string Root = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
    private const string Problem = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    private const string NeumannLine = "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    private const string RootLine = "\u2014 EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

    [Fact]
    public void A_note_with_two_signatures_of_the_Go_checksum_database_verifies_under_both_keys()
    {
        Assert.True(SignedNote.TryParse($"{Problem}\n{NeumannLine}{RootLine}", out var note));
        foreach (var text in (string[])[Neumann, Root])
        {
            Assert.True(VerifierKey.TryParse(text, out var key));
            Assert.Equal(text, key.ToString());
            Assert.Equal(NoteVerdict.Good, note.Verify(key));
        }
    }

    [Fact]
    public void The_example_of_signed_note_reads_with_its_empty_line_and_writes_the_same()
    {
        const string Text = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned \u00e8 subito sera.\n";
        const string Note = Text + "\n\u2014 quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";
        Assert.True(SignedNote.TryParse(Note, out var note));
        Assert.Equal((Text, "quasimodo.example/salvatore", 0x367ba04bu), (note.Text, note.Signatures[0].Name, note.Signatures[0].KeyId));
        Assert.Equal(Note, note.ToString());
    }

    [Fact]
    public void The_example_of_tlog_checkpoint_and_tlog_cosignature_reads_as_it_says()
    {
        Assert.True(SignedNote.TryParse($"{Sofa}\n{SofaLine}{SofaWitness}", out var note));
        Assert.True(Checkpoint.TryParse(note.Text, out var checkpoint));
        Assert.Equal(("example.com/behind-the-sofa", 20852163L, Sofa), (checkpoint.Origin, checkpoint.Size, checkpoint.Text));
        Assert.Equal((0x033de0aeu, 64), (note.Signatures[0].KeyId, note.Signatures[0].Signature.Length));
        Assert.Equal(("witness.example.com/w1", 0x8d66cf3fu, 72), (note.Signatures[1].Name, note.Signatures[1].KeyId, note.Signatures[1].Signature.Length));
        Assert.Equal(1679315147, Cosignature.TimeOf(note.Signatures[1])!.Value.ToUnixTimeSeconds());
    }

    [Fact]
    public void A_cosignature_signs_the_bytes_that_the_specification_says()
    {
        byte[] seed = [.. Enumerable.Repeat((byte)3, 32)];
        var witness = new VerifierKey("witness.example.com/w1", Ed25519.PublicKey(seed), NoteKeyType.Cosignature);
        byte[] signed = [];
        var line = Cosignature.Sign(Sofa, witness, DateTimeOffset.FromUnixTimeSeconds(1679315147).AddMilliseconds(600), message =>
        {
            signed = message.ToArray();
            return Ed25519.Sign(seed, message.Span);
        });

        Assert.Equal($"cosignature/v1\ntime 1679315147\n{Sofa}", System.Text.Encoding.UTF8.GetString(signed));
        Assert.Equal(1679315147, Cosignature.TimeOf(line)!.Value.ToUnixTimeSeconds());
        Assert.True(VerifierKey.TryParse(witness.ToString(), out var read));
        Assert.Equal(witness, read);
        Assert.NotEqual(new VerifierKey(witness.Name, witness.PublicKey.AsSpan()).Id, witness.Id);
        Assert.Throws<ArgumentException>(() => Cosignature.Sign(Sofa, new LogSigner("a", 1).Key, DateTimeOffset.UnixEpoch, _ => []));
    }

    [Fact]
    public void A_cosignature_counts_for_its_text_its_time_and_its_witness_only()
    {
        var (witness, other) = (new TestWitness(1), new TestWitness(2));
        var line = witness.Cosign(Sofa);
        Assert.Same(line, Assert.Single(Cosignature.Good(Sofa, [line, other.Cosign(Sofa)], [witness.Key])));
        Assert.Empty(Cosignature.Good(Sofa + "extension\n", [line], [witness.Key]));
        Assert.Empty(Cosignature.Good(Sofa, [line with { Name = other.Key.Name }, line with { KeyId = other.Key.Id }], [witness.Key, other.Key]));
        for (var i = 0; i < line.Signature.Length; i++)
            Assert.Empty(Cosignature.Good(Sofa, [line with { Signature = line.Signature.SetItem(i, (byte)(line.Signature[i] ^ 1)) }], [witness.Key]));
        for (var length = 0; length < line.Signature.Length; length++)
            Assert.Empty(Cosignature.Good(Sofa, [line with { Signature = line.Signature[..length] }], [witness.Key]));
        Assert.Null(Cosignature.TimeOf(line with { Signature = line.Signature[..7] }));
        Assert.Null(Cosignature.TimeOf(line with { Signature = [.. Enumerable.Repeat((byte)0xff, 72)] }));

        // The log's own key does not become a witness by signing the same text.
        var log = new LogSigner("example.com/log", 5);
        Assert.Empty(Cosignature.Good(Sofa, log.Sign(Sofa).Signatures, [log.Key]));
    }

    [Fact]
    public void A_further_signature_takes_the_place_of_the_same_key_s()
    {
        var (log, one, other) = (new LogSigner("log", 5), new TestWitness(1), new TestWitness(2));
        var note = log.Sign(Sofa).With([one.Cosign("old\n")]).With([other.Cosign(Sofa), one.Cosign(Sofa)]);
        Assert.Equal(["log", other.Key.Name, one.Key.Name], note.Signatures.Select(s => s.Name));
        Assert.All((VerifierKey[])[log.Key, one.Key, other.Key], key => Assert.Equal(NoteVerdict.Good, note.Verify(key)));
    }

    [Fact]
    public void Signature_lines_alone_read_back_and_nothing_else_does()
    {
        var lines = new TestWitness(1).Cosign(Sofa).ToString() + new TestWitness(2).Cosign(Sofa);
        Assert.True(SignedNote.TryParseSignatures(lines, out var read));
        Assert.Equal(lines, string.Concat(read));
        foreach (var wrong in (string[])["", "\n", lines + "\n", lines[..^1], "x" + lines, string.Concat(Enumerable.Repeat(lines, 33))])
            Assert.False(SignedNote.TryParseSignatures(wrong, out _), wrong);
    }

    [Fact]
    public void Text_without_a_UTF8_form_is_no_note()
    {
        Assert.False(SignedNote.TryParse($"half \ud83d of a pair\n\n{NeumannLine}", out _));
        Assert.True(SignedNote.TryParse($"a pair \ud83d\ude00 and \ufffd\n\n{NeumannLine}", out _));
    }

    [Fact]
    public void A_proof_reads_back_and_is_read_strictly()
    {
        var trail = Trail.Sample();
        var text = trail.Bundle(5).Proof.ToString();
        Assert.True(TlogProof.TryParse(text, out var proof, out _));
        Assert.Equal(text, proof.ToString());
        Assert.Equal((5, 4), (proof.Index, proof.Path.Length));
        var bare = proof with { Extra = [] };
        Assert.True(TlogProof.TryParse(bare.ToString(), out var read, out _));
        Assert.Equal((bare.ToString(), true), (read.ToString(), read.Extra.IsEmpty));

        var hash = proof.Path[0].ToString();
        string[] wrong =
        [
            "", "\n\n", text[1..], text.Replace("@v1", "@v2", StringComparison.Ordinal), text.Replace("index 5", "index 05", StringComparison.Ordinal),
            text.Replace("index 5", "index -5", StringComparison.Ordinal), text.Replace("index 5", "index", StringComparison.Ordinal),
            text.Replace("extra ", "extra  ", StringComparison.Ordinal), text.Replace("extra ", "extra x", StringComparison.Ordinal),
            text.Replace(hash, hash[..^4], StringComparison.Ordinal), text.Replace(hash, $" {hash}", StringComparison.Ordinal),
            text.Replace($"{hash}\n", string.Concat(Enumerable.Repeat($"{hash}\n", 64)), StringComparison.Ordinal),
            text.Replace("\n", "\r\n", StringComparison.Ordinal), text[..^1], text[..text.IndexOf("\n\n", StringComparison.Ordinal)],
            text[..(text.IndexOf("\n\n", StringComparison.Ordinal) + 2)], bare.ToString().Replace("index", "extra\nindex", StringComparison.Ordinal),
        ];
        foreach (var document in wrong)
        {
            Assert.False(TlogProof.TryParse(document, out _, out var fault), document);
            Assert.NotEmpty(fault);
        }
    }

    [Fact]
    public void Key_names_are_those_of_signed_note()
    {
        foreach (var name in (string[])["", "two words", "a+b", "tab\tname", "line\nname", "no\u00a0break", "half\ud800"])
            Assert.False(VerifierKey.IsName(name), string.Create(CultureInfo.InvariantCulture, $"'{name}'"));
        Assert.True(VerifierKey.IsName("example.com/behind-the-sofa"));
        Assert.False(VerifierKey.TryParse(Neumann.ToUpperInvariant(), out _));
        Assert.False(VerifierKey.TryParse($"{Neumann}\n", out _));
        Assert.False(VerifierKey.TryParse("a+b", out _));
    }
}
