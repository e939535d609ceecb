using Governor.Domain.Audit;
using Governor.Grains.Interfaces.Ports;
using Governor.Journal.Log;
using Microsoft.Extensions.Options;
using Npgsql;
using static Governor.Journal.Tests.Samples;

namespace Governor.Journal.Tests;

[Collection(nameof(JournalServer))]
public sealed class ErasureTests(JournalServer server) : IAsyncLifetime
{
    private const string AllButPayload = "SELECT md5(string_agg((to_jsonb(e) - 'payload')::text, ',' ORDER BY batch, ordinal)) FROM governor.governance_event e";
    private const string Payloads = "SELECT count(payload) FROM governor.governance_event";

    private static readonly CancellationToken None = CancellationToken.None;

    private JournalBed _bed = null!;
    private Silo _silo = null!;
    private JournalDatabase _database = null!;
    private Erasures _erasures = null!;

    public async Task InitializeAsync()
    {
        _bed = await server.BedAsync();
        _silo = _bed.Start(sequence: true);
        _database = Open(_bed.ConnectionString);
        _erasures = new Erasures(_database);
    }

    public async Task DisposeAsync()
    {
        await _database.DisposeAsync();
        await _bed.DisposeAsync();
    }

    [Fact]
    public async Task An_approved_payload_goes_nothing_else_does_and_every_proof_stays_valid()
    {
        await FillAsync(5);
        var approval = await ApproveAsync(2);
        var before = (string)(await _bed.AskAsync(AllButPayload))!;

        await _erasures.EraseAsync(2, approval, None);
        await _erasures.EraseAsync(2, approval, None);

        Assert.Equal(before, await _bed.AskAsync(AllButPayload));
        Assert.Equal(5L, await _bed.AskAsync(Payloads));
        Assert.True((await _silo.Reader.EventsAsync(new EventFilter(Name: "2", Kind: "ClusterPack"), None)).Single().Erased);
        await _silo.CommitAsync(Commit("done", 0, About(2, AuditActions.PayloadErased)));
        var verdict = AuditVerifier.Verify(new MemoryStream(await _silo.ExportAsync()), AuditTrust.In(_silo.Key));
        Assert.Null(verdict.Fault);
        Assert.Equal((AuditOutcome.Ok, 7L, 1L), (verdict.Outcome, verdict.Leaves, verdict.Erased));
        Assert.Empty((await _silo.CheckAsync()).Findings);
    }

    [Fact]
    public async Task What_stands_at_a_leaf_is_told_and_beyond_the_log_nothing_is()
    {
        await FillAsync(3);

        var found = await _erasures.FindAsync(1, None);

        Assert.Equal((1L, "infra.ontai.dev/ClusterPack/seam-system/1", "pack.observed"), (found!.Leaf, found.Subject, found.Event));
        var record = (byte[])(await _bed.AskAsync("SELECT record FROM governor.governance_event WHERE name = '1'"))!;
        Assert.Equal(AuditRecord.HashOf(record).ToString(), found.Record);
        Assert.Null(await _erasures.FindAsync(3, None));
        Assert.Null(await _erasures.FindAsync(-1, None));
    }

    [Fact]
    public async Task An_approval_of_one_record_erases_no_other()
    {
        await FillAsync(3);
        var approval = await ApproveAsync(2);

        await RefusedAsync(1, approval, "leaf 1: expected 'audit.erasure-approved' about it in the log");
        await RefusedAsync(2, Guid.NewGuid(), "leaf 2: expected 'audit.erasure-approved' about it in the log");
        await RefusedAsync(99, approval, "leaf 99: expected a record, found none");
    }

    [Theory]
    [InlineData(AuditActions.PayloadErased, AuditActions.Group, AuditActions.RecordKind, "")]
    [InlineData("approval.approved", AuditActions.Group, AuditActions.RecordKind, "")]
    [InlineData(AuditActions.ErasureApproved, "infra.ontai.dev", AuditActions.RecordKind, "")]
    [InlineData(AuditActions.ErasureApproved, AuditActions.Group, "Approval", "")]
    [InlineData(AuditActions.ErasureApproved, AuditActions.Group, AuditActions.RecordKind, "seam-system")]
    public async Task Another_event_about_the_record_is_no_approval(string action, string group, string kind, string ns)
    {
        await FillAsync(3);
        var commit = Commit("approval", 0, About(2, action) with { Subject = new EventSubject(group, kind, ns, "2", "", 0) });
        await _silo.CommitAsync(commit);
        await _silo.Reader.WaitForCheckpointAsync(None);

        await RefusedAsync(2, commit.Id, "leaf 2: expected 'audit.erasure-approved' about it in the log");
    }

    [Theory]
    [InlineData(AuditActions.RecoveryDrilled)]
    [InlineData(AuditActions.ErasureApproved)]
    [InlineData("approval.requested")]
    public async Task Records_about_the_trail_and_its_approvals_keep_their_payloads_even_if_approved(string action)
    {
        await _silo.CommitAsync(Commit("a", 0, Event("x", action)));
        var approval = await ApproveAsync(0);

        await RefusedAsync(0, approval, $"found one of '{action}'");
    }

    [Fact]
    public async Task An_approval_that_has_no_place_in_the_log_yet_is_none()
    {
        await FillAsync(2);
        await _silo.DisposeAsync(); // and with it the sequencer
        var writer = _bed.Start();
        var commit = Commit("approval", 0, About(1, AuditActions.ErasureApproved));
        await writer.CommitAsync(commit);

        await RefusedAsync(1, commit.Id, "leaf 1: expected 'audit.erasure-approved' about it in the log");
    }

    [Theory]
    [InlineData("UPDATE governor.governance_event SET payload = NULL")]
    [InlineData("UPDATE governor.governance_event SET payload = NULL WHERE false")]
    [InlineData("UPDATE governor.governance_event_default SET payload = NULL")]
    [InlineData("UPDATE governor.{0} SET payload = NULL")]
    [InlineData("DELETE FROM governor.governance_event")]
    [InlineData("DELETE FROM governor.{0}")]
    [InlineData("TRUNCATE governor.governance_event")]
    [InlineData("TRUNCATE governor.{0}")]
    [InlineData("SET governor.erasure = 'so'; UPDATE governor.governance_event SET payload = NULL")]
    [InlineData("SET governor.erasure = '4cf6a07f-3b09-4f51-b4ee-7b3d7ae7f6b1'; UPDATE governor.governance_event SET payload = NULL")]
    [InlineData("SET governor.erasure = '{1}'; UPDATE governor.governance_event SET payload = NULL WHERE name = '0'")]
    [InlineData("SET governor.erasure = '{1}'; UPDATE governor.governance_event SET payload = 'other' WHERE name = '1'")]
    [InlineData("SET governor.erasure = '{1}'; UPDATE governor.governance_event SET payload = NULL, record = 'other' WHERE name = '1'")]
    [InlineData("SET governor.erasure = '{1}'; UPDATE governor.governance_event SET payload = NULL, recorded_at = recorded_at - interval '1 second' WHERE name = '1'")]
    [InlineData("SET governor.erasure = '{1}'; UPDATE governor.{0} SET payload = NULL WHERE name = '1'")]
    [InlineData("SET governor.erasure = '{1}'; DELETE FROM governor.governance_event WHERE name = '1'")]
    [InlineData("MERGE INTO governor.governance_event e USING (SELECT 1) s ON e.name = '1' WHEN MATCHED THEN UPDATE SET payload = NULL")]
    public async Task Every_other_change_is_refused_to_the_owner_and_to_the_role(string statement)
    {
        await FillAsync(3);
        var approval = await ApproveAsync(1);
        var partition = (string)(await _bed.AskAsync("SELECT tableoid::regclass::text FROM governor.governance_event LIMIT 1"))!;
        var sql = string.Format(null, statement, partition.Replace("governor.", "", StringComparison.Ordinal), approval);
        var before = await _bed.AskAsync(AllButPayload);

        await DeniedAsync(sql);
        await DeniedAsync($"SET ROLE governor_silo; {sql}");

        Assert.Equal(before, await _bed.AskAsync(AllButPayload));
        Assert.Equal(4L, await _bed.AskAsync(Payloads));
    }

    [Fact]
    public async Task Partitions_that_are_made_later_are_guarded_in_the_same_way()
    {
        await FillAsync(1);
        await _bed.AskAsync("SELECT governor.ensure_event_partitions(6)");
        await _bed.AskAsync("""
            INSERT INTO governor.governance_event
            SELECT batch, ordinal, now() + interval '5 months', commit_id, sequence, at, api_group, kind, namespace, name, action, actor, cluster, correlation, record, payload
            FROM governor.governance_event
            """);
        var partition = (string)(await _bed.AskAsync("SELECT tableoid::regclass::text FROM governor.governance_event ORDER BY recorded_at DESC LIMIT 1"))!;
        Assert.DoesNotContain("default", partition, StringComparison.Ordinal);

        await DeniedAsync($"UPDATE {partition} SET payload = NULL");
        await DeniedAsync($"SET governor.erasure = '{Guid.NewGuid()}'; UPDATE {partition} SET payload = NULL");
        await DeniedAsync($"SET governor.erasure = '{Guid.NewGuid()}'; UPDATE governor.governance_event SET payload = NULL WHERE recorded_at > now() + interval '1 month'");
        await DeniedAsync($"DELETE FROM {partition}");

        Assert.Equal(2L, await _bed.AskAsync(Payloads));
    }

    [Fact]
    public async Task The_role_may_call_the_function_and_nothing_beside_it()
    {
        await FillAsync(2);
        var approval = await ApproveAsync(0);

        await DeniedAsync("SET ROLE governor_silo; SELECT governor.erasure_is_approved(0, NULL)");
        Assert.Equal(true, await _bed.AskAsync($"SET ROLE governor_silo; SELECT governor.erase_payload(0, '{approval}')"));
        Assert.Equal(false, await _bed.AskAsync($"SET ROLE governor_silo; SELECT governor.erase_payload(0, '{approval}')"));
        await DeniedAsync($"SET ROLE governor_silo; BEGIN; SELECT governor.erase_payload(0, '{approval}'); UPDATE governor.governance_event SET payload = NULL");
        await DeniedAsync($"BEGIN; SELECT governor.erase_payload(0, '{approval}'); UPDATE governor.governance_event SET payload = NULL");
    }

    private static JournalDatabase Open(string connectionString) => new(Options.Create(new JournalOptions { ConnectionString = connectionString }), TimeProvider.System);

    private static GovernanceEvent About(long leaf, string action) =>
        Event($"{leaf}", action) with { Subject = new EventSubject(AuditActions.Group, AuditActions.RecordKind, "", $"{leaf}", "", 0), Reviewer = "approver" };

    private async Task FillAsync(int leaves)
    {
        for (var i = 0; i < leaves; i++)
            await _silo.CommitAsync(Commit($"{i}", 0, Event($"{i}")));
        await _silo.Reader.WaitForCheckpointAsync(None);
    }

    private async Task<Guid> ApproveAsync(long leaf)
    {
        var commit = Commit("approval", 0, About(leaf, AuditActions.ErasureApproved));
        await _silo.CommitAsync(commit);
        await _silo.Reader.WaitForCheckpointAsync(None);
        return commit.Id;
    }

    private async Task RefusedAsync(long leaf, Guid approval, string why)
    {
        var payloads = await _bed.AskAsync(Payloads);
        var refused = await Assert.ThrowsAsync<ErasureRefusedException>(() => _erasures.EraseAsync(leaf, approval, None));
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
        Assert.Equal(payloads, await _bed.AskAsync(Payloads));
    }

    private async Task DeniedAsync(string sql)
    {
        var denied = await Assert.ThrowsAsync<PostgresException>(() => _bed.AskAsync(sql));
        Assert.True(
            denied.SqlState is PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.InvalidTextRepresentation, $"{sql}: {denied.Message}");
    }
}
