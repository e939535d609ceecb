using Governor.Domain.Audit;
using Governor.Domain.Signing;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;
using Governor.Journal.Log;
using static Governor.Journal.Tests.Samples;

namespace Governor.Journal.Tests.Log;

/// <summary>How the log's keys come, go, and are followed.</summary>
[Collection(nameof(LogServer))]
public sealed class KeyTests(JournalServer server)
{
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly LogKeyOrder Order = new("alice", "human", "the year is over", "bob");

    [Fact]
    public async Task After_a_rotation_the_new_key_signs_and_the_old_one_does_not()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(sequence: true);
        var before = await silo.GrowAsync(3);

        var rotated = await silo.Keys.RotateAsync(Order, None);
        var after = await silo.GrowAsync(10);

        Assert.True(before.IsSignedBy(silo.Key));
        Assert.True(after.IsSignedBy(rotated));
        Assert.False(after.IsSignedBy(silo.Key));
        Assert.True(File.Exists($"{bed.KeyFile}.{rotated.Id:x8}"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode($"{bed.KeyFile}.{rotated.Id:x8}"));
        var keys = await silo.Reader.KeysAsync(None);
        Assert.Equal(rotated, Assert.Single(keys.Current));
        Assert.Equal(silo.Key, keys.Genesis);
        Assert.Equal(silo.Key, silo.Reader.Key);
        var change = Assert.Single(await silo.Reader.EventsAsync(new EventFilter(Action: AuditActions.KeyRotated), None));
        Assert.Equal(("alice", "bob", "the year is over", AuditActions.LogKind, silo.Key.Name), (change.Event.Actor, change.Event.Reviewer, change.Event.Rationale, change.Event.Subject.Kind, change.Event.Subject.Name));
        Assert.False(keys.IsValidAt(silo.Key, change.Leaf!.Value + 1));
        // Every checkpoint is signed by a key that was valid at its size.
        foreach (var size in (long[])[0, 3, 10])
        {
            var note = (string?)await bed.AskAsync($"SELECT note FROM governor.log_checkpoint WHERE size = {size}");
            Assert.True(note is null || SignedNote.TryParse(note, out var parsed) && keys.At(size).Any(key => parsed.Verify(key) == NoteVerdict.Good));
        }
    }

    [Fact]
    public async Task A_rotation_survives_a_restart_also_when_the_first_key_is_gone()
    {
        await using var bed = await server.BedAsync();
        var first = bed.Start(sequence: true);
        await first.GrowAsync(3);
        var genesis = first.Key;
        var second = await first.Keys.RotateAsync(Order, None);
        await first.GrowAsync(5);
        await first.DisposeAsync();

        var restarted = bed.Start(sequence: true);
        Assert.True((await restarted.GrowAsync(7)).IsSignedBy(second));
        var third = await restarted.Keys.RotateAsync(Order, None);
        await restarted.GrowAsync(9);
        await restarted.DisposeAsync();

        // The administrator puts the newest key into the configured place, and the others away.
        File.Move($"{bed.KeyFile}.{third.Id:x8}", bed.KeyFile, overwrite: true);
        File.Delete($"{bed.KeyFile}.{second.Id:x8}");
        var last = bed.Start(sequence: true);
        Assert.Equal(third, last.Key);
        Assert.True((await last.GrowAsync(11)).IsSignedBy(third));
        Assert.Equal([genesis, second, third], (await last.Reader.KeysAsync(None)).All);
        Assert.Equal(genesis, last.Reader.Key);
        var verdict = AuditVerifier.Verify(new MemoryStream(await last.ExportAsync()), AuditTrust.In(genesis));
        Assert.Null(verdict.Fault);
        Assert.Equal((AuditOutcome.Ok, 11L), (verdict.Outcome, verdict.Leaves));
        Assert.Equal($"key {genesis}", System.Text.Encoding.UTF8.GetString(await last.ExportAsync()).Split('\n')[2]);
        Assert.True((await last.CheckAsync()).Findings.IsEmpty);
    }

    [Fact]
    public async Task Another_silo_signs_nothing_until_it_is_brought_the_new_key_and_needs_no_restart_then()
    {
        await using var bed = await server.BedAsync();
        var first = bed.Start(sequence: true);
        await first.GrowAsync(3);
        var elsewhere = Path.Combine(Directory.CreateTempSubdirectory("governor-key-").FullName, "log.key");
        File.Copy(bed.KeyFile, elsewhere);
        var rotated = await first.Keys.RotateAsync(Order, None);
        await first.GrowAsync(5);
        await first.DisposeAsync();

        var second = bed.Start(o => (o.LogKeyFile, o.RecheckInterval) = (elsewhere, TimeSpan.FromMilliseconds(20)), sequence: true);
        await second.CommitAsync(Commit("late", 0, Event("late")));
        await second.RefusesAsync($"{elsewhere}.{rotated.Id:x8}");
        Assert.Equal(5, (await second.Log.CheckpointAsync(None))!.Checkpoint.Size);

        File.Copy($"{bed.KeyFile}.{rotated.Id:x8}", $"{elsewhere}.{rotated.Id:x8}");
        Assert.True((await second.Reader.WaitForCheckpointAsync(None)).IsSignedBy(rotated));
        Assert.Null((await second.UntilAsync(LogRole.Leading)).Reason);
    }

    [Fact]
    public async Task A_silo_without_the_key_leaves_the_lead_to_one_that_has_it()
    {
        await using var bed = await server.BedAsync();
        var first = bed.Start(sequence: true);
        await first.GrowAsync(3);
        await first.DisposeAsync();
        var poor = bed.Start(o => o.LogKeyFile += ".other", sequence: true);
        await poor.CommitAsync(Commit("late", 0, Event("late")));
        await poor.RefusesAsync("it is not there");
        var rich = bed.Start(sequence: true);
        Assert.Equal(4, (await rich.Reader.WaitForCheckpointAsync(None)).Checkpoint.Size);
    }

    [Fact]
    public async Task Of_two_valid_keys_the_newest_that_is_held_signs_and_a_revoked_one_never_again()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(sequence: true);
        await silo.GrowAsync(2);
        var added = await silo.Keys.AddAsync(Order, None);
        Assert.True((await silo.GrowAsync(4)).IsSignedBy(added));
        Assert.Equal([silo.Key, added], (await silo.Reader.KeysAsync(None)).Current);
        await silo.DisposeAsync();

        var hidden = $"{bed.KeyFile}.hidden";
        File.Move($"{bed.KeyFile}.{added.Id:x8}", hidden);
        var without = bed.Start(sequence: true);
        Assert.True((await without.GrowAsync(6)).IsSignedBy(without.Key));
        await Assert.ThrowsAsync<InvalidOperationException>(() => without.Keys.RevokeAsync(without.Key, Order, None));
        File.Move(hidden, $"{bed.KeyFile}.{added.Id:x8}");
        await without.Keys.RevokeAsync(without.Key, Order, None);
        var after = await without.GrowAsync(9);

        Assert.True(after.IsSignedBy(added));
        var keys = await without.Reader.KeysAsync(None);
        Assert.Equal(added, Assert.Single(keys.Current));
        Assert.Null(AuditVerifier.Verify(new MemoryStream(await without.ExportAsync()), AuditTrust.In(without.Key)).Fault);
        var last = await Assert.ThrowsAsync<InvalidOperationException>(() => without.Keys.RevokeAsync(added, Order, None));
        Assert.Contains("add one first", last.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidOperationException>(() => without.Keys.RevokeAsync(keys.Genesis, Order, None));
    }

    [Fact]
    public async Task Of_rotations_at_the_same_time_all_that_succeed_are_in_one_line_and_the_others_leave_no_key()
    {
        await using var bed = await server.BedAsync();
        Silo[] silos = [bed.Start(sequence: true), bed.Start(), bed.Start()];
        await silos[0].GrowAsync(1);
        var rotations = silos.Select(async silo =>
        {
            try
            {
                return await silo.Keys.RotateAsync(Order, None);
            }
            catch (InvalidOperationException)
            {
                return null;
            }
        });
        var made = (await Task.WhenAll(rotations)).OfType<VerifierKey>().ToArray();
        await silos[0].GrowAsync(made.Length + 2);

        Assert.NotEmpty(made);
        var keys = await silos[0].Reader.KeysAsync(None);
        Assert.Equal(made.Append(silos[0].Key).Select(key => $"{key}").Order(), keys.All.Select(key => $"{key}").Order());
        Assert.Equal(made.Length, FurtherKeys(bed).Length);
    }

    [Fact]
    public async Task Before_the_first_checkpoint_there_is_no_key_to_change()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start();
        await Assert.ThrowsAsync<InvalidOperationException>(() => silo.Keys.RotateAsync(Order, None));
        Assert.Empty((await silo.Reader.KeysAsync(None)).All.Skip(1));
    }

    [Theory]
    [InlineData(LogKeyChange.Rotate, true, "was a key of this log before")]
    [InlineData(LogKeyChange.Rotate, false, "signs for the change and is not valid")]
    [InlineData(LogKeyChange.Add, false, "signs for the change and is not valid")]
    [InlineData(LogKeyChange.Revoke, false, "signs for the change and is not valid")]
    public async Task A_change_that_no_valid_key_signed_is_not_followed(LogKeyChange change, bool byGenesis, string reason)
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(sequence: true);
        await silo.GrowAsync(3);
        var own = await File.ReadAllBytesAsync(bed.KeyFile);
        var (stranger, other) = (Ed25519.GenerateSeed(), Ed25519.GenerateSeed());
        // Whoever has the genesis key tries to bring the rotated one back; whoever has none brings his own.
        if (byGenesis)
            await silo.Keys.RotateAsync(Order, None);
        var (by, key) = byGenesis
            ? (await File.ReadAllBytesAsync(FurtherKeys(bed).Single()), own)
            : (stranger, change == LogKeyChange.Revoke ? own : other);
        var statement = new LogKeyStatement(change, KeyOf(key), KeyOf(by));
        var note = statement.Sign((signer, message) => Ed25519.Sign(signer.Equals(KeyOf(by)) ? by : key, message.Span));
        await silo.Reader.WaitForCheckpointAsync(None);
        var before = await silo.Log.CheckpointAsync(None);

        await silo.CommitAsync(Commit("forged", 0, Event("forged", statement.Action, $"{note}")));
        await silo.RefusesAsync(reason);
        Assert.Equal(before, await silo.Log.CheckpointAsync(None));
    }

    [Fact]
    public async Task A_change_without_a_statement_is_not_followed()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(sequence: true);
        await silo.GrowAsync(3);
        await silo.CommitAsync(Commit("forged", 0, Event("forged", AuditActions.KeyRevoked, "nonsense")));
        await silo.RefusesAsync("expected a signed note");
        await Assert.ThrowsAsync<InvalidOperationException>(() => silo.Keys.RotateAsync(Order, None));
    }

    [Theory]
    [InlineData("action = 'pack.observed'")]
    [InlineData("payload = NULL")]
    [InlineData("payload = 'altered'")]
    public async Task A_change_that_is_hidden_in_the_database_is_found(string hiding)
    {
        await using var bed = await server.BedAsync();
        var first = bed.Start(sequence: true);
        await first.GrowAsync(3);
        await first.DisposeAsync();
        var idle = bed.Start();
        await idle.Keys.RotateAsync(Order, None);
        await bed.AlterAsync($"UPDATE governor.governance_event SET {hiding} WHERE action = '{AuditActions.KeyRotated}'");

        var second = bed.Start(sequence: true);
        await second.RefusesAsync("leaf 3 changes the keys of the log, and is not followed");
        Assert.Equal(3, (await second.Log.CheckpointAsync(None))!.Checkpoint.Size);
    }

    [Fact]
    public async Task An_event_that_only_speaks_of_key_changes_changes_none()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(sequence: true);
        await silo.CommitAsync(Commit("web", 0, Event(AuditActions.KeyRotated)));
        Assert.True((await silo.Reader.WaitForCheckpointAsync(None)).IsSignedBy(silo.Key));
    }

    private static string[] FurtherKeys(JournalBed bed) =>
        [.. Directory.EnumerateFiles(Path.GetDirectoryName(bed.KeyFile)!).Where(file => file.StartsWith($"{bed.KeyFile}.", StringComparison.Ordinal))];

    private static VerifierKey KeyOf(byte[] seed) => new("governor.test/log", Ed25519.PublicKey(seed));
}
