using Governor.Domain.Signing;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;
using Governor.Journal.Log;
using Npgsql;
using static Governor.Journal.Tests.Samples;

namespace Governor.Journal.Tests.Log;

/// <summary>What is known of the log outside its database, and what keeps it from being signed.</summary>
[Collection(nameof(LogServer))]
public sealed class OutsideTests(JournalServer server)
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task The_file_holds_the_newest_checkpoint()
    {
        await using var bed = await server.BedAsync();
        var path = PathOf("checkpoint");
        var silo = bed.Start(o => o.CheckpointFile = path, sequence: true);
        foreach (var size in (long[])[1, 300, 301])
        {
            await silo.GrowAsync(size);
            await silo.UntilAsync(LogRole.Leading, report => report.Size == size);
            await silo.DisposeAsync();
            Assert.Equal((await bed.Start().Log.CheckpointAsync(None))!.Note, await File.ReadAllTextAsync(path));
            silo = bed.Start(o => o.CheckpointFile = path, sequence: true);
        }
        Assert.False(File.Exists($"{path}.new"));
    }

    [Fact]
    public async Task A_file_that_cannot_be_written_does_not_stop_the_log()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(o => o.CheckpointFile = PathOf("no-such-folder/checkpoint"), sequence: true);
        Assert.Equal(2, (await silo.GrowAsync(2)).Checkpoint.Size);
    }

    [Fact]
    public async Task A_database_that_is_behind_the_file_is_not_signed()
    {
        await using var bed = await server.BedAsync();
        await using var old = await server.BedAsync();
        var path = PathOf("checkpoint");
        var silo = bed.Start(o => o.CheckpointFile = path, sequence: true);
        await silo.GrowAsync(10);
        await silo.DisposeAsync();

        // An empty database in the place of the right one, with the right key.
        await old.Start().CommitAsync(Commit("late", 0, Event("late")));
        var after = old.Start(o => (o.CheckpointFile, o.LogKeyFile) = (path, bed.KeyFile), sequence: true);
        await after.RefusesAsync($"the checkpoint in {path}, signed by {after.Key}, has 10 leaves, the database 1: it was rolled back");
        Assert.Null(await after.Log.CheckpointAsync(None));
        // It did not even give them their place.
        Assert.Equal(1L, await old.AskAsync("SELECT count(*) FROM governor.log_pending"));
    }

    [Fact]
    public async Task A_database_with_another_history_is_not_signed_until_the_place_is_cleared()
    {
        await using var bed = await server.BedAsync();
        await using var fork = await server.BedAsync();
        var silo = bed.Start(sequence: true);
        var shown = await silo.GrowAsync(10);
        await silo.DisposeAsync();
        var forger = fork.Start(o => o.LogKeyFile = bed.KeyFile, sequence: true);
        var forged = await forger.GrowAsync(20);
        await forger.DisposeAsync();

        var place = new LogGround.Place(new OutsideCheckpoint("ccs-dev/governor-checkpoint", shown.Note));
        var after = fork.Start(o => (o.LogKeyFile, o.RecheckInterval) = (bed.KeyFile, TimeSpan.FromMilliseconds(20)), sequence: true, place);
        await after.CommitAsync(Commit("late", 0, Event("late")));
        await after.RefusesAsync($"the checkpoint in ccs-dev/governor-checkpoint, signed by {after.Key}, has the root {shown.Checkpoint.Root} at 10 leaves, the database {await after.Log.RootAsync(10, None)}");
        Assert.Equal(forged, await after.Log.CheckpointAsync(None));

        place.Kept = [new OutsideCheckpoint("ccs-dev/governor-checkpoint", forged.Note)];
        Assert.Equal(21, (await after.Reader.WaitForCheckpointAsync(None)).Checkpoint.Size);
    }

    [Fact]
    public async Task Checkpoints_that_the_log_contains_are_fine_also_the_newest_and_the_empty_one()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(sequence: true);
        var notes = new List<OutsideCheckpoint> { new("start", (await silo.Reader.WaitForCheckpointAsync(None)).Note) };
        foreach (var size in (long[])[1, 255, 256, 600])
            notes.Add(new OutsideCheckpoint($"{size}", (await silo.GrowAsync(size)).Note));
        await silo.DisposeAsync();
        var after = bed.Start(sequence: true, outside: new LogGround.Place([.. notes]));
        Assert.Equal(601, (await after.GrowAsync(601)).Checkpoint.Size);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_checkpoint_that_the_database_lost_is_found_again_in_its_events(bool sameEvents)
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(sequence: true);
        await silo.GrowAsync(300);
        var lost = await silo.GrowAsync(500);
        await silo.DisposeAsync();
        await bed.AlterAsync("DELETE FROM governor.log_checkpoint WHERE size > 300; DELETE FROM governor.log_tile WHERE level = 0 AND tile > 0; DELETE FROM governor.log_edge");
        if (!sameEvents)
            await bed.AlterAsync("UPDATE governor.governance_event e SET record = overlay(record placing 'SYSTEM'::bytea from position('system'::bytea in record)) FROM governor.log_segment s WHERE s.batch = e.batch AND s.leaf + e.ordinal = 444");

        var after = bed.Start(sequence: true, outside: new LogGround.Place(new OutsideCheckpoint("elsewhere", lost.Note)));
        if (sameEvents)
            Assert.Equal(lost.Checkpoint.Root, await RootAsync(after, await after.GrowAsync(501)));
        else
            await after.RefusesAsync($"has the root {lost.Checkpoint.Root} at 500 leaves");

        static Task<TreeHash> RootAsync(Silo silo, LogCheckpoint newest)
        {
            Assert.Equal(501, newest.Checkpoint.Size);
            return silo.Log.RootAsync(500, None);
        }
    }

    [Fact]
    public async Task A_checkpoint_is_compared_whichever_key_of_the_log_signed_it()
    {
        await using var bed = await server.BedAsync();
        await using var fork = await server.BedAsync();
        var silo = bed.Start(sequence: true);
        await silo.GrowAsync(2);
        var rotated = await silo.Keys.RotateAsync(new LogKeyOrder("alice", "human", "the year is over"), None);
        var shown = await silo.GrowAsync(10);
        Assert.True(shown.IsSignedBy(rotated));
        await silo.DisposeAsync();
        // The database is from before the rotation and does not know the new key; its file is still there.
        var after = fork.Start(o => o.LogKeyFile = bed.KeyFile, sequence: true, new LogGround.Place(new OutsideCheckpoint("elsewhere", shown.Note)));
        await after.RefusesAsync("has 10 leaves, the database 0");
    }

    [Fact]
    public async Task What_no_key_of_the_log_signed_is_not_compared()
    {
        await using var bed = await server.BedAsync();
        var seed = Ed25519.GenerateSeed();
        string Forged(string origin)
        {
            var key = new VerifierKey(origin, Ed25519.PublicKey(seed));
            return $"{SignedNote.Sign(new Checkpoint(origin, 1000, default).Text, key, message => Ed25519.Sign(seed, message.Span))}";
        }
        var place = new LogGround.Place(new OutsideCheckpoint("a", "nonsense"), new OutsideCheckpoint("b", ""), new OutsideCheckpoint("c", Forged("governor.test/log")), new OutsideCheckpoint("d", Forged("another.test/log")));
        var silo = bed.Start(sequence: true, outside: place);
        Assert.Equal(3, (await silo.GrowAsync(3)).Checkpoint.Size);
    }

    [Fact]
    public async Task A_place_that_cannot_be_asked_keeps_the_log_waiting_and_is_asked_again()
    {
        await using var bed = await server.BedAsync();
        var place = new LogGround.Place { Fault = new IOException("the cluster ccs-dev does not answer") };
        var silo = bed.Start(o => o.RecheckInterval = TimeSpan.FromMilliseconds(20), sequence: true, place);
        await silo.RefusesAsync("the cluster ccs-dev does not answer");
        Assert.Null(await silo.Log.CheckpointAsync(None));
        place.Fault = null;
        Assert.Equal(3, (await silo.GrowAsync(3)).Checkpoint.Size);
    }

    [Fact]
    public async Task While_it_is_on_hold_nothing_is_signed_and_whoever_waits_learns_why()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(o => o.CommitTimeout = TimeSpan.FromSeconds(1), sequence: true);
        await silo.GrowAsync(3);
        // A silo may hold the log, and not release it.
        await bed.AskAsync("SET ROLE governor_silo; INSERT INTO governor.log_hold (reason, by) VALUES ('a restore is being verified', 'alice')");
        await Assert.ThrowsAsync<PostgresException>(() => bed.AskAsync("SET ROLE governor_silo; DELETE FROM governor.log_hold"));
        var held = await silo.UntilAsync(LogRole.Held);
        Assert.Contains("by alice: a restore is being verified", held.Reason, StringComparison.Ordinal);

        await silo.CommitAsync(Commit("late", 0, Event("late")));
        var late = await Assert.ThrowsAsync<TimeoutException>(() => silo.Reader.WaitForCheckpointAsync(None));
        Assert.Contains("by alice: a restore is being verified", late.Message, StringComparison.Ordinal);
        Assert.Equal(3, (await silo.Log.CheckpointAsync(None))!.Checkpoint.Size);
        Assert.Equal(1L, await bed.AskAsync("SELECT count(*) FROM governor.log_pending"));

        await bed.AskAsync("DELETE FROM governor.log_hold");
        await silo.UntilAsync(LogRole.Leading, report => report.Size == 4);
        Assert.Equal(4, (await silo.Reader.WaitForCheckpointAsync(None)).Checkpoint.Size);
    }

    [Fact]
    public async Task A_hold_that_comes_after_the_sequencer_looked_still_keeps_the_tree_from_being_stored()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(sequence: true);
        await silo.GrowAsync(3);
        await using var holder = new NpgsqlConnection(bed.ConnectionString);
        await holder.OpenAsync();
        // It has seen no hold and is giving a batch its place when the hold comes.
        await using (var block = new NpgsqlCommand("BEGIN; LOCK TABLE governor.log_segment IN SHARE MODE", holder))
            await block.ExecuteNonQueryAsync();
        await silo.CommitAsync(Commit("late", 0, Event("late")));
        await bed.UntilAsync("SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INTO governor.log_segment%'");
        await bed.AskAsync("INSERT INTO governor.log_hold (reason) VALUES ('just in time')");
        await using (var release = new NpgsqlCommand("ROLLBACK", holder))
            await release.ExecuteNonQueryAsync();

        await silo.UntilAsync(LogRole.Held);
        Assert.Equal((3L, 4L), ((long)(await bed.AskAsync("SELECT max(size) FROM governor.log_checkpoint"))!, (long)(await bed.AskAsync("SELECT max(leaf + leaves) FROM governor.log_segment"))!));
        await bed.AskAsync("DELETE FROM governor.log_hold");
        await silo.UntilAsync(LogRole.Leading, report => report.Size == 4);
        await silo.DemandTilesAsync(await bed.LeafHashesAsync(), 4);
    }

    private static string PathOf(string name) => Path.Combine(Directory.CreateTempSubdirectory("governor-outside-").FullName, name);
}
