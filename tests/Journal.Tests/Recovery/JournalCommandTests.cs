using System.Text.Json;
using Governor.Cli;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;
using Governor.Journal.Log;
using Npgsql;
using static Governor.Journal.Tests.Samples;

namespace Governor.Journal.Tests.Recovery;

/// <summary><c>governor journal …</c> and <c>governor audit fsck</c> on real databases, with PostgreSQL's own programs.</summary>
[Collection(nameof(LogServer))]
public sealed class JournalCommandTests(JournalServer server) : IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly string _folder = Directory.CreateTempSubdirectory("governor-recovery-").FullName;
    private JournalBed _bed = null!;
    private Silo _silo = null!;

    public async Task InitializeAsync()
    {
        _bed = await server.BedAsync();
        _silo = _bed.Start(sequence: true);
        for (var i = 0; i < 6; i++)
            await _silo.CommitAsync(Commit($"{i}", 0, Event($"web-{i % 2}")));
        await _silo.Reader.WaitForCheckpointAsync(None);
    }

    public async Task DisposeAsync()
    {
        await _bed.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_backup_restores_into_a_database_that_goes_on_with_the_same_log()
    {
        var backup = await BackupAsync();
        var target = Target();

        var (code, output) = await RunAsync(target, "journal", "restore", "--from", backup, "--checkpoint", await CheckpointAsync("published"));

        Assert.Equal((ExitCode.Ok, true), (code, output.Contains("6 events on 2 subjects are what was signed", StringComparison.Ordinal)));
        await using var restored = new JournalBed(target, _bed.KeyFile);
        var silo = restored.Start(sequence: true);
        Assert.Equal(CommitOutcome.Committed, (await silo.CommitAsync(Commit("0", 1, Event("web-0")))).Outcome);
        var verdict = AuditVerifier.Verify(new MemoryStream(await silo.ExportAsync()), AuditTrust.In(_silo.Key));
        Assert.Equal((AuditOutcome.Ok, 7L), (verdict.Outcome, verdict.Leaves));
        Assert.True((await silo.CheckAsync()).IsClean);
    }

    [Fact]
    public async Task A_restore_that_is_behind_what_was_published_says_so_and_signs_nothing()
    {
        var backup = await BackupAsync();
        await _silo.CommitAsync(Commit("0", 1, Event("web-0")));
        await _silo.Reader.WaitForCheckpointAsync(None);
        var target = Target();

        var (code, output) = await RunAsync(target, "journal", "restore", "--from", backup, "--checkpoint", await CheckpointAsync("newer"));

        Assert.Equal(ExitCode.Incomplete, code);
        Assert.Contains("BEHIND: ", output, StringComparison.Ordinal);
        Assert.Contains("7 leaves were published, 6 are here: 1 events are missing", output, StringComparison.Ordinal);
        await using var restored = new JournalBed(target, _bed.KeyFile);
        var silo = restored.Start(options => options.CommitTimeout = TimeSpan.FromMilliseconds(700), sequence: true);
        await silo.CommitAsync(Commit("9", 0, Event("web-9")));
        var refusal = await Assert.ThrowsAsync<TimeoutException>(() => silo.Reader.WaitForCheckpointAsync(None));
        Assert.Contains("restored behind the published log", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_restore_with_another_history_than_the_published_one_is_tampered_with()
    {
        var backup = await BackupAsync();
        var forged = new Checkpoint("governor.test/log", 6, TreeHash.Of("another history"u8));
        var path = Path.Combine(_folder, "forged");
        using (var key = LogKeyFile.Open(_bed.KeyFile, "governor.test/log"))
            await File.WriteAllTextAsync(path, SignedNote.Sign(forged.Text, key.Key, key.Sign).ToString());

        var (code, output) = await RunAsync(Target(), "journal", "restore", "--from", backup, "--checkpoint", path);

        Assert.Equal(ExitCode.No, code);
        Assert.Contains("FORKED: ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_altered_dump_and_a_database_with_a_journal_are_refused()
    {
        var backup = await BackupAsync();

        var (occupied, occupiedOutput) = await RunAsync(_bed.ConnectionString, "journal", "restore", "--from", backup);
        Assert.Equal((ExitCode.Incomplete, true), (occupied, occupiedOutput.Contains("holds a journal already", StringComparison.Ordinal)));

        var dump = Path.Combine(backup, "journal.dump");
        var bytes = await File.ReadAllBytesAsync(dump);
        bytes[^100] ^= 1;
        await File.WriteAllBytesAsync(dump, bytes);
        var (altered, alteredOutput) = await RunAsync(Target(), "journal", "restore", "--from", backup);
        Assert.Equal((ExitCode.Incomplete, true), (altered, alteredOutput.Contains("it was altered or cut off", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_drill_verifies_a_restored_copy_and_is_an_event()
    {
        var (code, output) = await RunAsync(
            _bed.ConnectionString, "journal", "drill", "--to", _folder, "--because", "every quarter", "--actor", "os:ada@ops", "--checkpoint", await CheckpointAsync("published"));

        Assert.Equal((ExitCode.Ok, true), (code, output.Contains("drill: passed", StringComparison.Ordinal)));
        var recorded = Assert.Single(await _silo.Reader.EventsAsync(new EventFilter(Action: AuditActions.RecoveryDrilled), None)).Event;
        Assert.Equal(("os:ada@ops", "every quarter"), (recorded.Actor, recorded.Rationale));
        var result = JsonDocument.Parse(recorded.NewValue!).RootElement;
        Assert.Equal(("passed", 6), (result.GetProperty("outcome").GetString(), result.GetProperty("treeSize").GetInt32()));
        Assert.Equal(0L, await _bed.AskAsync("SELECT count(*) FROM pg_database WHERE datname LIKE 'governor_drill_%'"));
        Assert.True((await _silo.CheckAsync()).IsClean);
    }

    [Fact]
    public async Task A_closed_month_moves_into_a_file_and_verification_spans_both()
    {
        await MoveToAsync("2026_08", "2026-08-01", "2026-09-01", "batch <= 3");
        var archives = Path.Combine(_folder, "archives");

        var (code, output) = await RunAsync(_bed.ConnectionString, "journal", "archive", "--month", "2026-08", "--to", archives, "--because", "retention", "--actor", "os:ada@ops");
        Assert.True(code == ExitCode.Ok, output);
        await _silo.CommitAsync(Commit("0", 1, Event("web-0")));
        var live = Path.Combine(_folder, "live");
        await File.WriteAllBytesAsync(live, await _silo.ExportAsync());
        var archive = Assert.Single(Directory.GetFiles(archives));

        Assert.Equal(DBNull.Value, await _bed.AskAsync("SELECT to_regclass('governor.governance_event_2026_08')::text"));
        Assert.Equal(ExitCode.Incomplete, (await RunAsync(null, "audit", "verify", live, "--key", $"{_silo.Key}")).Code);
        Assert.Equal(ExitCode.Ok, (await RunAsync(null, "audit", "verify", archive, live, "--key", $"{_silo.Key}")).Code);
        var spanning = await RunAsync(_bed.ConnectionString, "audit", "fsck", "--archive", archives);
        Assert.True(spanning.Code == ExitCode.Ok, spanning.Output);
        Assert.Single(await _silo.Reader.EventsAsync(new EventFilter(Action: AuditActions.Archived), None));

        var again = await RunAsync(_bed.ConnectionString, "journal", "archive", "--month", "2026-08", "--to", archives, "--because", "retention");
        Assert.Contains("it was archived before", again.Output, StringComparison.Ordinal);

        var bytes = await File.ReadAllBytesAsync(archive);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(archive, bytes);
        Assert.Equal(ExitCode.No, (await RunAsync(null, "audit", "verify", archive, live, "--key", $"{_silo.Key}")).Code);
    }

    [Fact]
    public async Task A_month_that_is_not_what_was_signed_is_not_archived()
    {
        await MoveToAsync("2026_08", "2026-08-01", "2026-09-01", "batch <= 3");
        await _bed.AskAsync("SET session_replication_role = replica; UPDATE governor.governance_event SET record = set_byte(record, octet_length(record) - 1, 1) WHERE batch = 2");

        var (code, output) = await RunAsync(_bed.ConnectionString, "journal", "archive", "--month", "2026-08", "--to", _folder, "--because", "retention");

        Assert.NotEqual(ExitCode.Ok, code);
        Assert.Contains("is not the one that was signed", output, StringComparison.Ordinal);
        Assert.Equal(3L, await _bed.AskAsync("SELECT count(*) FROM governor.governance_event_2026_08"));
    }

    [Fact]
    public async Task A_month_that_is_not_closed_is_not_archived()
    {
        var (code, output) = await RunAsync(
            _bed.ConnectionString, "journal", "archive", "--month", DateTime.UtcNow.ToString("yyyy-MM", System.Globalization.CultureInfo.InvariantCulture), "--to", _folder, "--because", "too early");

        Assert.Equal((ExitCode.Incomplete, true), (code, output.Contains("is archived from", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task The_check_of_a_live_database_answers_by_its_exit_code()
    {
        Assert.Equal(ExitCode.Ok, (await RunAsync(_bed.ConnectionString, "audit", "fsck")).Code);

        await _bed.AskAsync("UPDATE governor.grain_state SET state = 'forged' WHERE key = '2'");
        var (code, output) = await RunAsync(_bed.ConnectionString, "audit", "fsck");

        Assert.Equal(ExitCode.No, code);
        Assert.Contains("TAMPERED: AlteredState at pack/2 1: ", output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, (await RunAsync(null, "audit", "fsck", "--database", "not a connection string")).Code);
    }

    [Fact]
    public async Task Keys_are_rotated_and_the_log_goes_on_under_the_new_one()
    {
        var (code, output) = await RunAsync(_bed.ConnectionString, "journal", "keys", "rotate", "--because", "yearly");
        Assert.True(code == ExitCode.Ok, output);
        await _silo.CommitAsync(Commit("0", 1, Event("web-0")));
        var export = await _silo.ExportAsync();

        Assert.Equal(AuditOutcome.Ok, AuditVerifier.Verify(new MemoryStream(export), AuditTrust.In(_silo.Key)).Outcome);
        var (_, list) = await RunAsync(_bed.ConnectionString, "journal", "keys", "list");
        Assert.Contains($"{_silo.Key}   ended", list, StringComparison.Ordinal);
    }

    private string Target() => new NpgsqlConnectionStringBuilder(_bed.ConnectionString) { Database = $"r_{Guid.NewGuid():n}" }.ConnectionString;

    private async Task<string> BackupAsync()
    {
        var (code, output) = await RunAsync(_bed.ConnectionString, "journal", "backup", "--to", _folder);
        Assert.True(code == ExitCode.Ok, output);
        return output.Split('\n')[0]["backup: ".Length..];
    }

    private async Task<string> CheckpointAsync(string name)
    {
        var path = Path.Combine(_folder, name);
        await File.WriteAllTextAsync(path, (await _silo.Reader.CheckpointAsync(None))!.Note);
        return path;
    }

    // The server's clock is real: what was recorded is moved into the past.
    private Task<object?> MoveToAsync(string month, string begin, string end, string which) => _bed.AskAsync($"""
        SET session_replication_role = replica;
        CREATE TABLE governor.governance_event_{month} PARTITION OF governor.governance_event FOR VALUES FROM ('{begin}') TO ('{end}');
        UPDATE governor.governance_event SET recorded_at = '{begin}' WHERE {which};
        """);

    private async Task<(int Code, string Output)> RunAsync(string? connectionString, params string[] arguments)
    {
        if (connectionString is not null)
        {
            var config = Path.Combine(_folder, $"{Guid.NewGuid():n}.json");
            var journal = new { ConnectionString = connectionString, Origin = "governor.test/log", LogKeyFile = _bed.KeyFile };
            await File.WriteAllTextAsync(config, JsonSerializer.Serialize(new { Governor = new { Journal = journal } }));
            arguments = [.. arguments, "--config", config];
        }
        using var output = new StringWriter();
        var code = await GovernorCommand.RunAsync(arguments, output, output);
        return (code, output.ToString());
    }
}
