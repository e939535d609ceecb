using Governor.Embedded.Runtime.Reminders;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Governor.Embedded.Runtime.Hosting;

/// <summary>Starts and stops the silo with its host.</summary>
internal sealed partial class SiloHostedService(
    Silo silo, IServiceProvider services, IEnumerable<ISiloParticipant> participants, IEnumerable<StartupTask> startupTasks, ILogger<SiloHostedService> logger)
    : IHostedService
{
    /// <summary>Storages first: a reminder's tick is a call, and its grain may ask for its state.</summary>
    private readonly ISiloParticipant[] participants = [.. participants.OrderBy(participant => participant is ReminderService)];

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        silo.Start();
        foreach (var participant in participants)
            await participant.StartAsync(cancellationToken);
        foreach (var task in startupTasks)
            await task.Run(services, cancellationToken);
        LogStarted(logger);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        try
        {
            foreach (var participant in participants.Reverse())
                await participant.StopAsync(cancellationToken);
            await silo.DrainAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            LogNotDrained(logger, silo.Activations.Count, silo.Activations.ToString());
        }
        finally
        {
            silo.Stop();
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The embedded silo serves calls. One process, no clustering: build with ActorHost=Orleans for more.")]
    private static partial void LogStarted(ILogger logger);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} activations had not ended when the host's shutdown timeout passed: {Activations}")]
    private static partial void LogNotDrained(ILogger logger, int count, string? activations);
}
