using Governor.Domain.Audit;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;
using Governor.Journal.Log;
using Npgsql;
using static Governor.Journal.Tests.Samples;

namespace Governor.Journal.Tests.Log;

/// <summary>The tree as it is stored and read.</summary>
[Collection(nameof(LogServer))]
public sealed class TileTests(JournalServer server)
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Tiles_are_those_of_a_naive_tree_around_every_border()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(sequence: true);
        foreach (var size in (long[])[1, 2, 255, 256, 257, 511, 512, 513])
        {
            Assert.Equal(size, (await silo.GrowAsync(size)).Checkpoint.Size);
            await silo.DemandTilesAsync(await bed.LeafHashesAsync(), size);
        }
        Assert.Equal(2L, await bed.AskAsync("SELECT count(*) FROM governor.log_tile"));
        Assert.Equal(2L, await bed.AskAsync("SELECT count(*) FROM governor.log_edge"));
    }

    [Fact]
    public async Task Tiles_are_those_of_a_naive_tree_where_a_second_level_is_full()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(sequence: true);
        foreach (var size in (long[])[65_535, 65_536, 65_537])
        {
            Assert.Equal(size, (await silo.GrowAsync(size)).Checkpoint.Size);
            var leaves = await bed.LeafHashesAsync();
            await silo.DemandTilesAsync(leaves, size);
            Assert.Equal(MerkleTree.Root(leaves), (await silo.Log.CheckpointAsync(None))!.Checkpoint.Root);
            foreach (var leaf in (long[])[0, 255, 256, 32_767, 65_279, size - 1])
                Assert.NotNull(await silo.Log.ProveAsync(leaf, None));
        }
        Assert.Equal(257L, await bed.AskAsync("SELECT count(*) FROM governor.log_tile"));
    }

    [Fact]
    public async Task A_partial_tile_is_there_at_every_width_it_ever_had_and_at_no_larger_one()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(sequence: true);
        await silo.GrowAsync(300);
        var leaves = await bed.LeafHashesAsync();
        Tile[] there = [.. Enumerable.Range(1, 44).Select(width => new Tile(0, 1, width)), .. Enumerable.Range(1, 256).Select(width => new Tile(0, 0, width)), new(1, 0, 1)];
        Tile[] absent = [new(0, 1, 45), new(0, 1, 256), new(0, 2, 1), new(1, 0, 2), new(1, 1, 1), new(2, 0, 1), new(8, 0, 1), new(63, 0, 256), new(Tile.Entries, 0, 1), new(0, long.MaxValue, 256), new(0, -1, 1), new(0, 0, 0)];

        var answer = await silo.Log.TilesAsync([.. there, .. absent], None);

        Assert.Equal(there.Length, answer.Count);
        Assert.All(there, tile => Assert.Equal(LogGround.Naive(leaves, tile), answer[tile].ToArray()));
        Assert.Empty(await silo.Log.TilesAsync([], None));
    }

    [Fact]
    public async Task Bundles_hold_the_entries_of_the_signed_tree_and_are_absent_beyond_it()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(sequence: true);
        await silo.GrowAsync(300);
        // Also across commits of different sizes.
        for (var i = 0; i < 20; i++)
            await silo.CommitAsync(Commit($"{i}", 0, [.. Enumerable.Range(0, i).Select(n => Event($"{n}"))]));
        var size = (await silo.Reader.WaitForCheckpointAsync(None)).Checkpoint.Size;
        var leaves = await bed.LeafHashesAsync();

        foreach (var bundle in (Tile[])[new(Tile.Entries, 0, 256), new(Tile.Entries, 0, 7), new(Tile.Entries, 1, 44), new(Tile.Entries, 1, (int)(size - 256))])
        {
            var records = LogGround.Split((await silo.Log.EntriesAsync(bundle, None))!.Value.Span);
            Assert.Equal(leaves[(int)(bundle.Index * 256)..(int)(bundle.Index * 256 + bundle.Width)], records.Select(record => AuditRecord.HashOf(record)));
        }
        foreach (var bundle in (Tile[])[new(Tile.Entries, 1, (int)(size - 255)), new(Tile.Entries, 1, 256), new(Tile.Entries, 2, 1), new(Tile.Entries, long.MaxValue, 256), new(Tile.Entries, -1, 1), new(0, 0, 256)])
            Assert.Null(await silo.Log.EntriesAsync(bundle, None));
    }

    [Fact]
    public async Task Entries_are_found_by_their_leaf_and_archived_ones_are_absent()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(sequence: true);
        for (var i = 0; i < 6; i++)
            await silo.CommitAsync(Commit($"{i}", 0, Event($"{i}"), Event($"{i}")));
        await silo.Reader.WaitForCheckpointAsync(None);
        var leaves = await bed.LeafHashesAsync();
        for (var leaf = 0; leaf < leaves.Length; leaf++)
        {
            var entry = (await silo.Log.EntryAsync(leaf, None))!;
            Assert.Equal(leaves[leaf], AuditRecord.HashOf(entry.Record.Span));
            Assert.True(AuditRecord.TryDecode(entry.Record.Span, out var record, out _));
            Assert.Equal(record.Payload, AuditPayload.CommitmentOf(entry.Payload!.Value.Span));
        }
        Assert.Null(await silo.Log.EntryAsync(leaves.Length, None));
        Assert.Null(await silo.Log.EntryAsync(-1, None));

        await bed.AlterAsync("UPDATE governor.governance_event SET payload = NULL WHERE name = '1'; DELETE FROM governor.governance_event WHERE name = '2'");
        var names = new List<string?>();
        for (var leaf = 0; leaf < leaves.Length; leaf++)
            names.Add((await silo.Log.EntryAsync(leaf, None)) is { } entry ? entry.Payload is null ? "erased" : "there" : "absent");
        Assert.Equal((8, 2, 2), (names.Count(n => n == "there"), names.Count(n => n == "erased"), names.Count(n => n == "absent")));
        Assert.Null(await silo.Log.EntriesAsync(new Tile(Tile.Entries, 0, 12), None));
        Assert.Null(await silo.Log.ProveAsync(names.IndexOf("absent"), None));
    }

    [Fact]
    public async Task Proofs_from_tiles_convince_whoever_has_the_checkpoint()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(sequence: true);
        var early = (await silo.GrowAsync(200)).Checkpoint;
        var late = (await silo.GrowAsync(700)).Checkpoint;
        var leaves = await bed.LeafHashesAsync();
        foreach (var leaf in (int[])[0, 1, 199, 255, 256, 511, 512, 699])
        {
            var proof = (await silo.Log.ProveAsync(leaf, None))!;
            Assert.Equal(late, proof.Checkpoint);
            Assert.True(proof.Includes(leaves[leaf]));
            Assert.False(proof.Includes(leaves[(leaf + 1) % 700]));
            Assert.Equal(AuditOutcome.Ok, AuditBundle.Verify(System.Text.Encoding.UTF8.GetBytes(proof.ToString()), AuditTrust.In(silo.Key)).Outcome);
        }
        Assert.Null(await silo.Log.ProveAsync(700, None));
        Assert.Null(await silo.Log.ProveAsync(-1, None));

        var consistency = await silo.Log.ConsistencyAsync(early.Size, late.Size, None);
        Assert.True(MerkleTree.VerifyConsistency(early.Size, late.Size, early.Root, late.Root, consistency.AsSpan()));
        Assert.Equal(early.Root, await silo.Log.RootAsync(early.Size, None));
        Assert.Equal(MerkleTree.Root(leaves.AsSpan(0, 333)), await silo.Log.RootAsync(333, None));
        await Assert.ThrowsAsync<TileMissingException>(() => silo.Log.ConsistencyAsync(early.Size, late.Size + 1, None));
    }

    [Fact]
    public async Task A_proof_is_against_the_newest_cosigned_checkpoint_that_has_the_leaf()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(sequence: true);
        var cosigned = await silo.GrowAsync(10);
        var witness = new NoteSignature("witness.test", 0x11223344, [.. new byte[72]]);
        await silo.Log.CosignAsync(10, [witness], None);
        await silo.Log.CosignAsync(10, [witness with { Signature = [.. Enumerable.Repeat((byte)7, 72)] }, witness with { Name = "other.test" }], None);
        var newest = await silo.GrowAsync(20);

        var note = (await silo.Log.CosignedCheckpointAsync(None))!;
        Assert.Equal(cosigned.Checkpoint, note.Checkpoint);
        Assert.True(note.IsSignedBy(silo.Key));
        Assert.True(SignedNote.TryParse(note.Note, out var parsed));
        Assert.Equal(3, parsed.Signatures.Length);
        Assert.Equal(7, parsed.Signatures.Single(s => s.Name == "witness.test").Signature[0]);
        Assert.Equal(newest, await silo.Log.CheckpointAsync(None));
        Assert.Equal(10, (await silo.Log.ProveAsync(9, None))!.Checkpoint.Size);
        Assert.Equal(20, (await silo.Log.ProveAsync(10, None))!.Checkpoint.Size);

        await Assert.ThrowsAsync<ArgumentException>(() => silo.Log.CosignAsync(15, [witness], None));
        await Assert.ThrowsAsync<ArgumentException>(() => silo.Log.CosignAsync(10, [witness with { Name = "governor.test/log" }], None));
    }

    [Fact]
    public async Task A_record_altered_in_the_database_is_not_proved()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(sequence: true);
        await silo.GrowAsync(5);
        await bed.AlterAsync("UPDATE governor.governance_event SET record = overlay(record placing 'SYSTEM'::bytea from position('system'::bytea in record))");
        await Assert.ThrowsAsync<InvalidDataException>(() => silo.Log.ProveAsync(3, None));
    }

    [Fact]
    public async Task Another_silo_goes_on_with_the_tiles_of_the_first()
    {
        await using var bed = await server.BedAsync();
        var first = bed.Start(sequence: true);
        await first.GrowAsync(300);
        await first.DisposeAsync();
        var second = bed.Start(sequence: true);
        await second.GrowAsync(600);
        await second.DemandTilesAsync(await bed.LeafHashesAsync(), 600);
    }

    [Fact]
    public async Task A_sequencer_that_dies_while_it_stores_leaves_tiles_and_checkpoint_or_neither()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(sequence: true);
        await silo.GrowAsync(250);
        await using var holder = new NpgsqlConnection(bed.ConnectionString);
        await holder.OpenAsync();
        await using (var hold = new NpgsqlCommand("BEGIN; LOCK TABLE governor.log_checkpoint IN SHARE MODE", holder))
            await hold.ExecuteNonQueryAsync();
        var growing = silo.GrowAsync(600);
        const string Waits = "datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INTO governor.log_checkpoint%'";
        await bed.UntilAsync($"SELECT count(*) = 1 FROM pg_stat_activity WHERE {Waits}");
        Assert.True((bool)(await bed.AskAsync($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {Waits}"))!);
        await bed.UntilAsync($"SELECT count(*) = 0 FROM pg_stat_activity WHERE {Waits}");
        Assert.Equal((0L, 250L), ((long)(await bed.AskAsync("SELECT count(*) FROM governor.log_tile"))!, (long)(await bed.AskAsync("SELECT max(size) FROM governor.log_checkpoint"))!));
        await using (var release = new NpgsqlCommand("ROLLBACK", holder))
            await release.ExecuteNonQueryAsync();

        Assert.Equal(600, (await growing).Checkpoint.Size);
        await silo.DemandTilesAsync(await bed.LeafHashesAsync(), 600);
    }

    [Theory]
    [InlineData("DELETE FROM governor.log_edge")]
    [InlineData("DELETE FROM governor.log_tile; DELETE FROM governor.log_edge")]
    [InlineData("DELETE FROM governor.log_tile WHERE tile = 1")]
    [InlineData("UPDATE governor.log_edge SET hashes = set_byte(hashes, 0, get_byte(hashes, 0) # 1) WHERE level = 0")]
    [InlineData("UPDATE governor.log_edge SET hashes = substring(hashes from 33) WHERE level = 0")]
    public async Task Tiles_that_were_lost_are_made_again_from_the_leaves(string loss)
    {
        await using var bed = await server.BedAsync();
        var first = bed.Start(sequence: true);
        await first.GrowAsync(800);
        await first.DisposeAsync();
        await bed.AlterAsync(loss);

        var second = bed.Start(sequence: true);
        await second.GrowAsync(801);
        await second.DemandTilesAsync(await bed.LeafHashesAsync(), 801);
    }

    [Theory]
    [InlineData("DELETE FROM governor.log_tile; UPDATE governor.governance_event SET record = overlay(record placing 'SYSTEM'::bytea from position('system'::bytea in record))", "the leaves give")]
    [InlineData("DELETE FROM governor.log_edge; DELETE FROM governor.governance_event WHERE ordinal = 7", "events are there")]
    [InlineData("DELETE FROM governor.log_edge; UPDATE governor.log_tile SET hashes = set_byte(hashes, 0, get_byte(hashes, 0) # 1) WHERE tile = 1", "the stored tile 0/001 is not that of its leaves")]
    [InlineData("INSERT INTO governor.log_tile SELECT level, 3, hashes FROM governor.log_tile WHERE tile = 1", "there are tiles that a tree of 800 leaves does not have")]
    [InlineData("UPDATE governor.log_checkpoint SET root = sha256('')", "does not agree with itself")]
    [InlineData("UPDATE governor.log_checkpoint SET root = '' WHERE size = 800", "the stored root of 800 leaves has 0 bytes")]
    [InlineData("UPDATE governor.log_checkpoint SET note = replace(note, 'governor.test', 'governor.rest')", "is one of the log 'governor.rest/log'")]
    [InlineData("UPDATE governor.log_genesis SET key = replace(key, '+', '-')", "is not a verifier key")]
    public async Task Nothing_is_signed_over_what_cannot_be_the_log_that_was_signed(string alteration, string reason)
    {
        await using var bed = await server.BedAsync();
        var first = bed.Start(sequence: true);
        await first.GrowAsync(800);
        await first.DisposeAsync();
        await bed.AlterAsync(alteration);
        var tiles = await bed.AskAsync("SELECT count(*) FROM governor.log_tile");

        var second = bed.Start(sequence: true);
        await second.CommitAsync(Commit("late", 0, Event("late")));
        await second.RefusesAsync(reason);
        Assert.Equal(800L, await bed.AskAsync("SELECT max(size) FROM governor.log_checkpoint"));
        Assert.Equal(tiles, await bed.AskAsync("SELECT count(*) FROM governor.log_tile"));
    }

    [Theory]
    [InlineData("UPDATE governor.log_tile SET tile = 7")]
    [InlineData("DELETE FROM governor.log_tile")]
    [InlineData("TRUNCATE governor.log_tile")]
    [InlineData("DELETE FROM governor.log_genesis")]
    [InlineData("UPDATE governor.log_genesis SET key = ''")]
    public async Task Nobody_rewrites_the_tree(string statement)
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(sequence: true);
        await silo.GrowAsync(256);
        var asOwner = await Assert.ThrowsAsync<PostgresException>(() => bed.AskAsync(statement));
        Assert.Contains("append-only", asOwner.MessageText, StringComparison.Ordinal);
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => bed.AskAsync($"SET ROLE governor_silo; {statement}"))).SqlState);
    }

    [Fact]
    public async Task Two_sequencers_that_fight_for_the_lead_leave_one_tree()
    {
        await using var bed = await server.BedAsync();
        var writer = bed.Start();
        for (var round = 1; round <= 5; round++)
        {
            Silo[] rivals = [bed.Start(sequence: true), bed.Start(sequence: true)];
            await writer.GrowAsync(round * 130);
            foreach (var rival in rivals)
                await rival.DisposeAsync();
        }
        await writer.DemandTilesAsync(await bed.LeafHashesAsync(), 650);
        await using var connection = new NpgsqlConnection(bed.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT size, root FROM governor.log_checkpoint", connection);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            Assert.Equal(new TreeHash(reader.GetFieldValue<byte[]>(1)), await writer.Log.RootAsync(reader.GetInt64(0), None));
    }
}
