using System.Text.Json.Nodes;
using Governor.Cli;
using Governor.Domain.Audit;
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

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await GovernorCommand.RunAsync(arguments, output, error);
        return (code, output.ToString(), error.ToString());
    }
}
