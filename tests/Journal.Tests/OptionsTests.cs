using Governor.Grains.Interfaces.Ports;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Governor.Journal.Tests;

[Collection(nameof(JournalServer))]
public sealed class OptionsTests(JournalServer server)
{
    [Fact]
    public void Everything_that_is_wrong_is_said_at_once_with_where_and_how()
    {
        var result = new JournalOptionsValidator().Validate(null, new JournalOptions
        {
            ConnectionString = "Password=secret-word;Colour=green", Role = "a role", MaxBatch = 0, CheckpointInterval = TimeSpan.FromMinutes(1),
        });

        Assert.True(result.Failed);
        var failures = result.Failures!.ToList();
        Assert.Equal(["ConnectionString", "Role", "Origin", "LogKeyFile", "MaxBatch", "CheckpointInterval"], failures.Select(f => f["Governor:Journal:".Length..f.IndexOf(": ", StringComparison.Ordinal)]));
        Assert.All(failures, f => Assert.Contains("Governor__Journal__", f, StringComparison.Ordinal));
        Assert.DoesNotContain("secret-word", result.FailureMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_with_the_journal_migrates_commits_and_signs()
    {
        await using var bed = await server.BedAsync();
        await bed.AskAsync("DROP SCHEMA governor CASCADE");
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddLogging();
        builder.Services.AddJournal(o =>
        {
            o.ConnectionString = bed.ConnectionString;
            o.Origin = "governor.test/host";
            o.LogKeyFile = Path.Combine(Directory.CreateTempSubdirectory("governor-key-").FullName, "log.key");
        });
        using var host = builder.Build();
        await host.StartAsync();

        var answer = await host.Services.GetRequiredService<IJournal>().CommitAsync(Samples.Commit("web", 0, Samples.Event("web")), CancellationToken.None);
        var checkpoint = await host.Services.GetRequiredService<IAuditReader>().WaitForCheckpointAsync(CancellationToken.None);
        await host.StopAsync();

        Assert.Equal((CommitOutcome.Committed, 1L), (answer.Outcome, checkpoint.Checkpoint.Size));
        Assert.Equal("governor.test/host", checkpoint.Checkpoint.Origin);
    }

    [Fact]
    public async Task A_host_without_settings_does_not_start()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddLogging();
        builder.Services.AddJournal(_ => { });
        using var host = builder.Build();
        await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
    }
}
