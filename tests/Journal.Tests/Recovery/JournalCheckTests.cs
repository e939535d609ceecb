using Governor.Domain.Audit;
using Governor.Journal.Recovery;
using static Governor.Journal.Tests.Samples;

namespace Governor.Journal.Tests.Recovery;

/// <summary>What the check of the live database finds beside the log: each alteration with its class and its place.</summary>
[Collection(nameof(LogServer))]
public sealed class JournalCheckTests(JournalServer server)
{
    [Theory]
    [InlineData("UPDATE governor.grain_state SET state = 'forged' WHERE key = '2'", JournalFaultClass.AlteredState, "pack/2", 1)]
    [InlineData("UPDATE governor.grain_state SET state = 'forged', version = 9 WHERE key = '2'", JournalFaultClass.AlteredState, "pack/2", 9)]
    [InlineData("UPDATE governor.grain_state SET version = 1 WHERE key = '1'", JournalFaultClass.AlteredState, "pack/1", 1)]
    [InlineData("DELETE FROM governor.grain_state WHERE key = '2'", JournalFaultClass.MissingState, "pack/2", 1)]
    [InlineData("INSERT INTO governor.grain_state (subject, key, version, state, pending) VALUES ('pack', 'x', 3, '{}', false)", JournalFaultClass.UnrecordedState, "pack/x", 3)]
    [InlineData("UPDATE governor.chain_head SET sequence = 9 WHERE chain LIKE '%/2'", JournalFaultClass.AlteredHead, "infra.ontai.dev/ClusterPack/seam-system/2", 9)]
    [InlineData("DELETE FROM governor.chain_head WHERE chain LIKE '%/2'", JournalFaultClass.AlteredHead, "infra.ontai.dev/ClusterPack/seam-system/2", 1)]
    [InlineData("UPDATE governor.log_tile SET hashes = set_byte(hashes, 77, 1 + get_byte(hashes, 77) % 250) WHERE level = 0", JournalFaultClass.AlteredTile, "tile 0/000", 0)]
    public async Task Whatever_is_altered_is_found_with_its_class_and_its_place(string alteration, JournalFaultClass expected, string where, long index)
    {
        await using var bed = await server.BedAsync();
        var silo = await StartAsync(bed);
        Assert.True((await silo.CheckAsync()).IsClean);

        await bed.AskAsync($"SET session_replication_role = replica; {alteration}");

        var finding = Assert.Single((await silo.CheckAsync()).Findings);
        Assert.Equal((expected, where, index), (finding.Class, finding.Where, finding.Index));
    }

    [Fact]
    public async Task A_record_that_is_gone_is_found_by_the_log_and_by_its_chain()
    {
        await using var bed = await server.BedAsync();
        var silo = await StartAsync(bed);

        await bed.AskAsync("SET session_replication_role = replica; DELETE FROM governor.governance_event WHERE name = '2'");
        var report = await silo.CheckAsync();

        Assert.Contains(report.Findings, finding => finding is { Class: JournalFaultClass.MissingRecord, Index: 2 });
        Assert.Contains(report.Findings, finding => finding is { Class: JournalFaultClass.AlteredHead, Where: "infra.ontai.dev/ClusterPack/seam-system/2" });
    }

    [Fact]
    public async Task An_altered_value_is_found_at_its_leaf()
    {
        await using var bed = await server.BedAsync();
        var silo = await StartAsync(bed);
        var leaf = (await silo.Reader.EventsAsync(new Grains.Interfaces.Ports.EventFilter(Name: "2"), CancellationToken.None))[0].Leaf;

        await bed.AskAsync("SET session_replication_role = replica; UPDATE governor.governance_event SET payload = set_byte(payload, octet_length(payload) - 3, 65) WHERE name = '2'");
        var report = await silo.CheckAsync();

        Assert.Equal((AuditOutcome.Tampered, AuditFaultClass.AlteredRecord, leaf), (report.Log.Outcome, report.Log.Fault!.Class, report.Log.Fault.Index));
    }

    private static async Task<Silo> StartAsync(JournalBed bed)
    {
        var silo = bed.Start(sequence: true);
        for (var i = 0; i < 4; i++)
            await silo.CommitAsync(Commit($"{i}", 0, Event($"{i}")));
        // Enough for a full tile.
        await silo.CommitAsync(Commit("1", 1, [.. Enumerable.Range(0, 300).Select(i => Event("1", next: $"{i}"))]));
        await silo.Reader.WaitForCheckpointAsync(CancellationToken.None);
        return silo;
    }
}
