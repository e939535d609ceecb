using Governor.Domain.Audit;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;
using Governor.Journal.Log;
using static Governor.Journal.Tests.Samples;

namespace Governor.Journal.Tests.Log;

[Collection(nameof(LogServer))]
public sealed class LogTests(JournalServer server)
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task An_empty_log_has_a_checkpoint_that_verifies()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(sequence: true);
        var verdict = Verify(await silo.ExportAsync(), silo);
        Assert.Equal((AuditOutcome.Ok, 0L), (verdict.Outcome, verdict.Leaves));
    }

    [Fact]
    public async Task Everything_committed_is_covered_by_a_checkpoint_and_verifies_offline()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(sequence: true);
        await Task.WhenAll(Enumerable.Range(0, 40).Select(async grain =>
        {
            for (var version = 0; version < 30; version++)
                await silo.CommitAsync(Commit($"{grain}", version, Event($"own-{grain}"), Event($"shared-{grain % 4}")));
        }));

        var checkpoint = await silo.Reader.WaitForCheckpointAsync(None);
        var verdict = Verify(await silo.ExportAsync(), silo);

        Assert.Null(verdict.Fault);
        Assert.Equal(AuditOutcome.Ok, verdict.Outcome);
        Assert.Equal(2400, verdict.Leaves);
        Assert.Equal(44, verdict.Chains);
        Assert.Equal(2400, checkpoint.Checkpoint.Size);
        Assert.Equal(checkpoint, await silo.Reader.CheckpointAsync(None));
        Assert.True(SignedNote.TryParse(checkpoint.Note, out var note));
        Assert.Equal(NoteVerdict.Good, note.Verify(silo.Key));
        Assert.All(await silo.Reader.EventsAsync(new EventFilter(Limit: 10), None), e => Assert.InRange(e.Leaf!.Value, 0, 2399));
    }

    [Fact]
    public async Task Another_silo_goes_on_with_the_log_where_the_first_left_it()
    {
        await using var bed = await server.BedAsync();
        var first = bed.Start(sequence: true);
        await first.CommitAsync(Commit("a", 0, Event("a"), Event("b")));
        await first.Reader.WaitForCheckpointAsync(None);
        var second = bed.Start(sequence: true);
        await second.CommitAsync(Commit("b", 0, Event("b")));
        var before = await second.Reader.WaitForCheckpointAsync(None);

        await first.CommitAsync(Commit("a", 1, Event("a")));
        await first.DisposeAsync();
        await second.CommitAsync(Commit("b", 1, Event("a")));
        var export = await second.ExportAsync();

        var verdict = AuditVerifier.Verify(new MemoryStream(export), AuditTrust.In(second.Key) with { Known = [before.Checkpoint] });
        Assert.Null(verdict.Fault);
        Assert.Equal((AuditOutcome.Ok, 5L), (verdict.Outcome, verdict.Leaves));
    }

    [Fact]
    public async Task Two_sequencers_that_fight_for_the_lead_leave_one_log()
    {
        await using var bed = await server.BedAsync();
        var writer = bed.Start();
        for (var round = 0; round < 5; round++)
        {
            Silo[] rivals = [bed.Start(sequence: true), bed.Start(sequence: true)];
            await Task.WhenAll(Enumerable.Range(0, 20).Select(i => writer.CommitAsync(Commit($"{i}", round, Event($"{i}")))));
            await rivals[0].Reader.WaitForCheckpointAsync(None);
            foreach (var rival in rivals)
                await rival.DisposeAsync();
        }
        var last = bed.Start(sequence: true);
        var verdict = Verify(await last.ExportAsync(), last);
        Assert.Null(verdict.Fault);
        Assert.Equal(100, verdict.Leaves);
    }

    [Fact]
    public async Task A_record_altered_in_the_database_is_found()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(sequence: true);
        for (var i = 0; i < 10; i++)
            await silo.CommitAsync(Commit($"{i}", 0, Event($"{i}")));
        await silo.Reader.WaitForCheckpointAsync(None);

        // What a database administrator can do and a silo cannot.
        await bed.AskAsync("""
            SET session_replication_role = replica;
            UPDATE governor.governance_event e SET record = overlay(record placing 'SYSTEM'::bytea from position('system'::bytea in record))
            FROM governor.log_segment s WHERE s.batch = e.batch AND s.leaf + e.ordinal = 6
            """);
        var verdict = Verify(await silo.ExportAsync(), silo);

        Assert.Equal((AuditOutcome.Tampered, AuditFaultClass.RootMismatch), (verdict.Outcome, verdict.Fault!.Class));
        Assert.InRange(6, verdict.Fault.Index, verdict.Fault.Until - 1);
    }

    [Fact]
    public async Task A_payload_that_was_altered_or_taken_away_in_the_database_is_found()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(sequence: true);
        for (var i = 0; i < 4; i++)
            await silo.CommitAsync(Commit($"{i}", 0, Event($"{i}")));
        await silo.Reader.WaitForCheckpointAsync(None);

        await bed.AskAsync("SET session_replication_role = replica; UPDATE governor.governance_event SET payload = NULL WHERE name = '2'");
        var unexplained = Verify(await silo.ExportAsync(), silo);
        await silo.CommitAsync(Commit("erasure", 0, Event("2") with
        {
            Subject = new EventSubject(AuditActions.Group, AuditActions.RecordKind, "", "2", "", 0), Action = AuditActions.PayloadErased,
        }));
        var erased = Verify(await silo.ExportAsync(), silo);
        await bed.AskAsync("SET session_replication_role = replica; UPDATE governor.governance_event SET payload = overlay(payload placing 'THERE'::bytea from position('there'::bytea in payload)) WHERE name = '3'");
        var altered = Verify(await silo.ExportAsync(), silo);

        Assert.Equal((AuditFaultClass.UnexplainedErasure, 2L), (unexplained.Fault!.Class, unexplained.Fault.Index));
        Assert.Equal((AuditOutcome.Ok, 1L), (erased.Outcome, erased.Erased));
        Assert.Equal((AuditFaultClass.AlteredRecord, 3L), (altered.Fault!.Class, altered.Fault.Index));
        Assert.True((await silo.Reader.EventsAsync(new EventFilter(Kind: "ClusterPack", Name: "2"), None))[0].Erased);
    }

    [Fact]
    public async Task A_sequencer_with_another_key_signs_nothing()
    {
        await using var bed = await server.BedAsync();
        var right = bed.Start(sequence: true);
        await right.CommitAsync(Commit("a", 0, Event("a")));
        var before = await right.Reader.WaitForCheckpointAsync(None);
        await right.DisposeAsync();

        var wrong = bed.Start(o => (o.LogKeyFile, o.CommitTimeout) = (o.LogKeyFile + ".other", TimeSpan.FromMilliseconds(600)), sequence: true);
        await wrong.CommitAsync(Commit("a", 1, Event("a")));

        await Assert.ThrowsAsync<TimeoutException>(() => wrong.Reader.WaitForCheckpointAsync(None));
        Assert.Equal(before, await wrong.Reader.CheckpointAsync(None));
    }

    [Fact]
    public void The_log_key_is_made_once_and_readable_by_its_owner_only()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("governor-key-").FullName, "deep", "log.key");
        using var made = LogKeyFile.Open(path, "governor.test/log");
        using var read = LogKeyFile.Open(path, "governor.test/log");
        Assert.Equal(made.Key, read.Key);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        File.WriteAllText(path, "short");
        Assert.Throws<InvalidOperationException>(() => LogKeyFile.Open(path, "governor.test/log"));
    }

    private static AuditVerdict Verify(byte[] export, Silo silo) => AuditVerifier.Verify(new MemoryStream(export), AuditTrust.In(silo.Key));
}
