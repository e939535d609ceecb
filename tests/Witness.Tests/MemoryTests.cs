using System.Net;
using Governor.Domain.Transparency;
using Governor.Witness.Keys;
using Governor.Witness.Tests.Support;

namespace Governor.Witness.Tests;

/// <summary>What a witness remembers outlives it, and nobody can change it unseen.</summary>
public sealed class MemoryTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("governor-witness-");
    private readonly TestLog _log = new();

    private Dictionary<string, string?> Settings => WitnessProcess.InFolder(_folder.FullName, _log.Key);

    private string NoteFile => Directory.GetFiles(Path.Combine(_folder.FullName, "state"), "*.note").Single();

    [Fact]
    public async Task A_witness_that_is_started_again_goes_on_from_what_it_had_seen()
    {
        _log.Sign(grow: 7);
        VerifierKey before;
        await using (var witness = await WitnessProcess.StartAsync(Settings))
        {
            before = witness.Key;
            await witness.AcceptAsync(await _log.RequestAsync(0));
        }
        _log.Sign(grow: 7);
        await using var again = await WitnessProcess.StartAsync(Settings);
        Assert.Equal(before, again.Key);
        await again.RefuseAsync(await _log.RequestAsync(0), HttpStatusCode.Conflict, seen: 7);
        await again.AcceptAsync(await _log.RequestAsync(7));
    }

    [Fact]
    public async Task Whatever_was_cosigned_is_remembered_by_a_witness_that_was_killed()
    {
        var accepted = 0L;
        for (var life = 0; life < 3; life++)
        {
            await using var witness = await WitnessProcess.StartAsync(Settings);
            var enough = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var asking = Task.Run(async () =>
            {
                try
                {
                    for (var count = 0; ; count++)
                    {
                        var size = _log.Sign(grow: 1).Checkpoint.Size;
                        await witness.AcceptAsync(await _log.RequestAsync(await SeenAsync(witness)));
                        accepted = size;
                        if (count == 20 + 10 * life)
                            enough.TrySetResult();
                    }
                }
                catch (HttpRequestException)
                {
                    // It is dead.
                }
            });
            await Awaiting.DoneAsync(Task.WhenAny(enough.Task, asking), "a few cosignatures", () => witness.Log);
            await witness.KillAsync();
            await asking;

            await using var again = await WitnessProcess.StartAsync(Settings);
            var seen = await SeenAsync(again);
            Assert.True(seen >= accepted, $"{accepted} leaves were cosigned, {seen} are remembered");
            // What was persisted and never answered is answered when it is asked again.
            await again.AcceptAsync(await _log.RequestAsync(seen));
            accepted = _log.Entries.Count;
        }
    }

    [Fact]
    public async Task Two_witnesses_never_share_a_memory()
    {
        await using var first = await WitnessProcess.StartAsync(Settings);
        var (exitCode, output) = await WitnessProcess.RunAsync("run", Settings);
        Assert.Equal(2, exitCode);
        Assert.Contains("expected a folder for this witness alone", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_memory_that_the_witness_did_not_write_is_not_believed()
    {
        _log.Sign(grow: 7);
        await using (var witness = await WitnessProcess.StartAsync(Settings))
            await witness.AcceptAsync(await _log.RequestAsync(0));
        // Whoever holds the log's key, and gets at the witness' memory, still has not the witness' key.
        var fork = _log.ForkAt(3);
        fork.Sign();
        await File.WriteAllTextAsync(NoteFile, (await fork.CheckpointAsync(default))!.Note);
        fork.Sign(grow: 9, kind: "lie");

        await using var again = await WitnessProcess.StartAsync(Settings);
        await again.RefuseAsync(await fork.RequestAsync(3), HttpStatusCode.InternalServerError);
        await again.SaidAsync("was not cosigned by witness.test/w1");
    }

    [Fact]
    public async Task A_memory_that_is_taken_back_under_a_running_witness_is_put_right()
    {
        _log.Sign(grow: 7);
        await using var witness = await WitnessProcess.StartAsync(Settings);
        await witness.AcceptAsync(await _log.RequestAsync(0));
        var old = await File.ReadAllBytesAsync(NoteFile);
        _log.Sign(grow: 7);
        await witness.AcceptAsync(await _log.RequestAsync(7));

        await File.WriteAllBytesAsync(NoteFile, old);
        var fork = _log.ForkAt(7);
        fork.Sign(grow: 3, kind: "lie");
        await witness.RefuseAsync(await fork.RequestAsync(7), HttpStatusCode.Conflict, seen: 14);
        await witness.SaidAsync("has gone back from 14 to 7 leaves");
        Assert.True(SignedNote.TryParse(await File.ReadAllTextAsync(NoteFile), out var note));
        Assert.True(Checkpoint.TryParse(note.Text, out var kept));
        Assert.Equal(14, kept.Size);
    }

    [Fact]
    public async Task The_key_is_made_for_its_owner_alone_and_told_to_others()
    {
        var (exitCode, output) = await WitnessProcess.RunAsync("key", Settings);
        Assert.Equal(0, exitCode);
        Assert.True(VerifierKey.TryParse(output, out var key), output);
        Assert.Equal(("witness.test/w1", NoteKeyType.Cosignature), (key.Name, key.Type));
        var file = Settings["Governor__Witness__KeyFile"]!;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Equal(key.ToString(), (await WitnessProcess.RunAsync("key", Settings)).Output);

        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Assert.Contains("chmod 600", Assert.Throws<InvalidOperationException>(() => WitnessKey.Open(file, "x")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Everything_that_is_wrong_with_the_settings_is_said_at_once()
    {
        var (exitCode, output) = await WitnessProcess.RunAsync("run", new Dictionary<string, string?>
        {
            ["Governor__Witness__Name"] = "with space", ["Governor__Witness__Logs__0"] = "nonsense", ["Governor__Witness__Urls"] = "ftp://x",
        });
        Assert.Equal(2, exitCode);
        foreach (var option in (string[])["Name", "KeyFile", "Logs", "Urls", "StateFolder"])
            Assert.Contains($"Governor:Witness:{option}: expected", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    // As C2SP says: whoever does not know where the witness stands begins at nothing, and is told.
    private async Task<long> SeenAsync(WitnessProcess witness)
    {
        var (status, _, body) = await witness.AddAsync((await _log.RequestAsync(0)) with { Proof = [default] });
        return status == HttpStatusCode.Conflict ? long.Parse(body.TrimEnd('\n'), System.Globalization.CultureInfo.InvariantCulture) : 0;
    }
}
