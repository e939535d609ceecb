using Governor.Grains.Interfaces.Ports;
using Governor.Journal.Commits;
using Governor.Journal.Log;
using Governor.Journal.Recovery;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Governor.Journal;

/// <summary>Wires the journal into a host.</summary>
public static class JournalHosting
{
    /// <summary>
    /// Adds <see cref="IJournal"/> and <see cref="IAuditReader"/>, brings the schema up to date when the host starts (call this before
    /// whatever commits on its start), and runs the log's sequencer.
    /// </summary>
    public static IServiceCollection AddJournal(this IServiceCollection services, Action<JournalOptions> configure)
    {
        services.AddOptions<JournalOptions>().Configure(configure).ValidateOnStart();
        services.AddSingleton<IValidateOptions<JournalOptions>, JournalOptionsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<JournalMetrics>();
        services.AddSingleton<JournalDatabase>();
        services.AddSingleton<LogSignal>();
        services.AddSingleton<LogHealth>();
        services.AddSingleton<LogKeyFiles>();
        services.AddSingleton<ILogSigner>(provider => provider.GetRequiredService<LogKeyFiles>());
        services.AddSingleton<CheckpointFile>();
        services.AddSingleton<IOutsideCheckpoints>(provider => provider.GetRequiredService<CheckpointFile>());
        services.AddSingleton<PostgresJournal>();
        services.AddSingleton<IJournal>(provider => provider.GetRequiredService<PostgresJournal>());
        services.AddSingleton<LogGenesis>();
        services.AddSingleton<IAuditReader, AuditReader>();
        services.AddSingleton<ITransparencyLog, TransparencyLog>();
        services.AddSingleton<LogKeys>();
        services.AddSingleton<JournalCheck>();
        services.AddHostedService<SchemaAtStart>();
        services.AddHostedService<LogSequencer>();
        return services;
    }
}

/// <summary>Brings the schema up to date before anything else of the host starts.</summary>
internal sealed partial class SchemaAtStart(
    IOptions<JournalOptions> options, JournalDatabase database, LogGenesis genesis, ILogger<SchemaAtStart> log) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!options.Value.Migrate)
            return;
        var applied = await SchemaMigrations.ApplyAsync(options.Value.MigrationConnectionString ?? options.Value.ConnectionString, cancellationToken);
        if (applied.Count > 0)
            LogApplied(string.Join(", ", applied));
        await database.ReadAsync("read the log's first key", genesis.ReadAsync, cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(LogLevel.Information, "Applied the journal's migrations {Names}")]
    private partial void LogApplied(string names);
}
