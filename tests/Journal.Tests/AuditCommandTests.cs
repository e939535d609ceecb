using System.Globalization;
using System.Text.Json.Nodes;
using Governor.Cli;
using Governor.Domain.Audit;
using Governor.Domain.Signing;
using Governor.Domain.Transparency;
using static Governor.Journal.Tests.Samples;

namespace Governor.Journal.Tests;

/// <summary><c>governor audit verify</c> on an export of a real journal.</summary>
[Collection(nameof(JournalServer))]
public sealed class AuditCommandTests(JournalServer server) : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("governor-audit-").FullName;
    private JournalBed _bed = null!;
    private string _export = "";
    private string _checkpoint = "";
    private VerifierKey _key = null!;

    public async Task InitializeAsync()
    {
        _bed = await server.BedAsync();
        var silo = _bed.Start(sequence: true);
        for (var i = 0; i < 6; i++)
            await silo.CommitAsync(Commit($"{i}", 0, Event($"web-{i % 2}")));
        _export = Path.Combine(_folder, "export");
        _checkpoint = Path.Combine(_folder, "checkpoint");
        _key = silo.Key;
        await File.WriteAllBytesAsync(_export, await silo.ExportAsync());
        await File.WriteAllTextAsync(_checkpoint, (await silo.Reader.CheckpointAsync(CancellationToken.None))!.Note);
    }

    public async Task DisposeAsync()
    {
        await _bed.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_good_export_is_ok_under_every_form_of_the_key()
    {
        var file = Path.Combine(_folder, "key");
        await File.WriteAllTextAsync(file, $"{_key}\n");
        foreach (var key in (string[])[_key.ToString(), Convert.ToBase64String([.. _key.PublicKey]), file])
        {
            var (code, output, _) = await RunAsync("audit", "verify", _export, "--key", key, "--checkpoint", _checkpoint, "-o", "json");
            var verdict = JsonNode.Parse(output)!;
            Assert.Equal((ExitCode.Ok, "ok", 6, 2, true), (code, (string)verdict["outcome"]!, (int)verdict["events"]!, (int)verdict["subjects"]!, (bool)verdict["keyTrusted"]!));
        }
        var unpinned = await RunAsync("audit", "verify", _export);
        Assert.Equal(ExitCode.Ok, unpinned.Code);
        Assert.Contains("--key", unpinned.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tampered_export_is_1_and_names_leaf_and_class()
    {
        var lines = await File.ReadAllLinesAsync(_export);
        await File.WriteAllTextAsync(_export, string.Concat(lines.Where(l => !l.StartsWith("leaf 3 ", StringComparison.Ordinal)).Select(l => l + "\n")));
        var (code, output, _) = await RunAsync("audit", "verify", _export, "--key", _key.ToString());
        Assert.Equal(ExitCode.No, code);
        Assert.StartsWith("TAMPERED: SequenceGap at leaf 3", output, StringComparison.Ordinal);

        var json = await RunAsync("audit", "verify", _export, "-o", "json");
        Assert.Equal((ExitCode.No, "SequenceGap", 3), (json.Code, (string)JsonNode.Parse(json.Output)!["fault"]!["class"]!, (int)JsonNode.Parse(json.Output)!["fault"]!["index"]!));
    }

    [Fact]
    public async Task A_cut_export_is_2()
    {
        var bytes = await File.ReadAllBytesAsync(_export);
        await File.WriteAllBytesAsync(_export, bytes[..(bytes.Length / 2)]);
        var (code, output, _) = await RunAsync("audit", "verify", _export);
        Assert.Equal(ExitCode.Incomplete, code);
        Assert.StartsWith("incomplete: Truncated", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_key_is_1()
    {
        var (code, output, _) = await RunAsync("audit", "verify", _export, "--key", Convert.ToBase64String(new byte[32]));
        Assert.Equal(ExitCode.No, code);
        Assert.StartsWith("TAMPERED: WrongKey at the header", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Archives_and_the_live_export_are_verified_together()
    {
        var (archive, live) = (Path.Combine(_folder, "archive"), Path.Combine(_folder, "live"));
        var lines = await File.ReadAllLinesAsync(_export);
        await WriteAsync(archive, lines, "archive 0", index => index is 0 or 1 or 3);
        await WriteAsync(live, lines, "from 2", index => index is 2 or > 3);

        var together = await RunAsync("audit", "verify", live, archive, "--key", _key.ToString(), "--checkpoint", _checkpoint);
        Assert.Equal(ExitCode.Ok, together.Code);
        Assert.StartsWith("ok: 6 events on 2 subjects", together.Output, StringComparison.Ordinal);

        var alone = await RunAsync("audit", "verify", live, "-o", "json");
        var fault = JsonNode.Parse(alone.Output)!["fault"]!;
        Assert.Equal((ExitCode.Incomplete, "SequenceGap", 0, 2), (alone.Code, (string)fault["class"]!, (int)fault["index"]!, (int)fault["until"]!));

        await File.WriteAllTextAsync(archive, (await File.ReadAllTextAsync(archive)).Replace("leaf 3 ", "leaf 1 ", StringComparison.Ordinal));
        var tampered = await RunAsync("audit", "verify", live, archive);
        Assert.Equal(ExitCode.No, tampered.Code);
        Assert.StartsWith($"TAMPERED: DuplicateSequence at leaf 2 in {archive}", tampered.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bundle_is_known_by_its_first_line()
    {
        var bundle = Path.Combine(_folder, "event.tlog-proof");
        await File.WriteAllBytesAsync(bundle, await BundleAsync(4));

        var (code, output, _) = await RunAsync("audit", "verify", bundle, "--key", _key.ToString());
        Assert.Equal(ExitCode.Ok, code);
        Assert.StartsWith("ok: 1 events", output, StringComparison.Ordinal);

        Assert.Equal(ExitCode.Incomplete, (await RunAsync("audit", "verify", bundle)).Code);
        Assert.Equal(ExitCode.Usage, (await RunAsync("audit", "verify", bundle, _export)).Code);

        await File.WriteAllTextAsync(bundle, (await File.ReadAllTextAsync(bundle)).Replace("index 4", "index 3", StringComparison.Ordinal));
        var moved = await RunAsync("audit", "verify", bundle, "--key", _key.ToString());
        Assert.Equal(ExitCode.No, moved.Code);
        Assert.StartsWith("TAMPERED: RootMismatch at leaf 3", moved.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Witnesses_are_counted_and_named()
    {
        var (one, other) = (Witness(1), Witness(2));
        var lines = await File.ReadAllLinesAsync(_export);
        Assert.True(SignedNote.TryParse(Convert.FromBase64String(lines[^2]["checkpoint ".Length..]), out var note));
        var cosigned = note.With([Cosignature.Sign(note.Text, one.Key, DateTimeOffset.UnixEpoch, message => Ed25519.Sign(one.Seed, message.Span))]);
        lines[^2] = $"checkpoint {Convert.ToBase64String(cosigned.ToBytes())}";
        await File.WriteAllTextAsync(_export, string.Concat(lines.Select(line => line + "\n")));

        var good = await RunAsync("audit", "verify", _export, "--witness", one.Key.ToString(), "--witness", other.Key.ToString(), "--quorum", "1");
        Assert.Equal(ExitCode.Ok, good.Code);
        Assert.Contains($"cosigned: {one.Key.Name}", good.Output, StringComparison.Ordinal);

        var missing = await RunAsync("audit", "verify", _export, "--witness", one.Key.ToString(), "--witness", other.Key.ToString());
        Assert.Equal(ExitCode.Incomplete, missing.Code);
        Assert.StartsWith("incomplete: NotWitnessed", missing.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_checkpoint_that_is_ahead_of_the_export_is_found_among_several()
    {
        var ahead = Path.Combine(_folder, "ahead");
        var silo = _bed.Start(sequence: true);
        await silo.CommitAsync(Commit("later", 0, Event("web-0")));
        await silo.ExportAsync();
        await File.WriteAllTextAsync(ahead, (await silo.Reader.CheckpointAsync(CancellationToken.None))!.Note);
        var (code, output, _) = await RunAsync("audit", "verify", _export, "--key", _key.ToString(), "--checkpoint", _checkpoint, "--checkpoint", ahead);
        Assert.Equal(ExitCode.No, code);
        Assert.StartsWith("TAMPERED: Truncated at leaf 6", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_and_numbers_that_cannot_be_used_are_3_and_say_which()
    {
        (string[] Options, string Said)[] cases =
        [
            (["--witness", _key.ToString()], "--witness"),
            (["--witness", "nonsense"], "--witness"),
            (["--quorum", "1"], "--quorum"),
            (["--witness", Witness(1).Key.ToString(), "--quorum", "2"], "--quorum"),
            (["--key", Witness(1).Key.ToString()], "--key"),
        ];
        foreach (var (options, said) in cases)
        {
            var (code, _, error) = await RunAsync(["audit", "verify", _export, .. options]);
            Assert.Equal(ExitCode.Usage, code);
            Assert.StartsWith($"governor: {said}", error, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("audit", "verify")]
    [InlineData("audit", "verify", "no-such-file")]
    [InlineData("audit", "verify", "x", "--key", "nonsense")]
    [InlineData("audit", "verify", "x", "--checkpoint", "no-such-file")]
    [InlineData("audit", "verify", "x", "-o", "xml")]
    [InlineData("audit", "certify", "x")]
    [InlineData("nonsense")]
    public async Task A_wrong_command_line_is_3_and_says_why(params string[] arguments)
    {
        var (code, output, error) = await RunAsync(arguments);
        Assert.Equal((ExitCode.Usage, ""), (code, output));
        Assert.StartsWith("governor: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_is_0()
    {
        var (code, output, _) = await RunAsync("audit", "verify", "--help");
        Assert.Equal(ExitCode.Ok, code);
        Assert.Contains("--checkpoint", output, StringComparison.Ordinal);
    }

    private static Task WriteAsync(string path, string[] lines, string span, Predicate<int> holds)
    {
        var leaves = lines.Where(line => line.StartsWith("leaf ", StringComparison.Ordinal) && holds(int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture))).ToArray();
        string[] checkpoints = span.StartsWith("from", StringComparison.Ordinal) ? [lines[^2]] : [];
        string[] part = [.. lines[..3], span, .. leaves, .. checkpoints, string.Create(CultureInfo.InvariantCulture, $"end {leaves.Length}")];
        return File.WriteAllTextAsync(path, string.Concat(part.Select(line => line + "\n")));
    }

    private async Task<byte[]> BundleAsync(int leaf)
    {
        var leaves = (await File.ReadAllLinesAsync(_export)).Where(line => line.StartsWith("leaf ", StringComparison.Ordinal)).Select(line => line.Split(' ')).ToArray();
        TreeHash[] hashes = [.. leaves.Select(fields => new TreeHash(Convert.FromBase64String(fields[2])))];
        Assert.True(SignedNote.TryParse(await File.ReadAllBytesAsync(_checkpoint), out var note));
        var path = MerkleTree.InclusionProof(leaf, hashes.Length, (begin, end) => MerkleTree.Root(hashes.AsSpan((int)begin, (int)(end - begin))));
        return AuditBundle.Of(leaf, path, note, new AuditEntry(Convert.FromBase64String(leaves[leaf][3]), Convert.FromBase64String(leaves[leaf][4]))).ToBytes();
    }

    private static (VerifierKey Key, byte[] Seed) Witness(byte number)
    {
        byte[] seed = [.. Enumerable.Repeat(number, 32)];
        return (new VerifierKey(string.Create(CultureInfo.InvariantCulture, $"witness.test/{number}"), Ed25519.PublicKey(seed), NoteKeyType.Cosignature), seed);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await GovernorCommand.RunAsync(arguments, output, error);
        return (code, output.ToString(), error.ToString());
    }
}
