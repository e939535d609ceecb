using System.Collections.Concurrent;
using Governor.Embedded.Runtime.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Hosting;
using Orleans.Runtime;

namespace Governor.Embedded.Runtime.Reminders;

/// <summary>Ticks every reminder of the table. The table is the truth; the clocks here are made from it at every start.</summary>
internal sealed partial class ReminderService(Silo silo, IReminderTable table, IOptions<ReminderOptions> options, ILogger<ReminderService> logger)
    : ISiloParticipant
{
    private readonly ConcurrentDictionary<(GrainId, string), ReminderClock> clocks = new();
    private volatile bool isRunning;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await table.StartAsync(cancellationToken);
        isRunning = true;
        foreach (var entry in (await table.ReadRows(0, 0)).Reminders)
            Arm(entry).Start();
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        isRunning = false;
        foreach (var key in clocks.Keys)
            Disarm(key);
        await table.StopAsync(cancellationToken);
    }

    public async Task<IGrainReminder> RegisterAsync(GrainId grainId, string name, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (dueTime < TimeSpan.Zero)
            throw new ArgumentOutOfRangeException(nameof(dueTime), dueTime, "Expected zero or more.");
        if (period < options.Value.MinimumReminderPeriod)
        {
            throw new ArgumentOutOfRangeException(
                nameof(period), period, $"Expected at least ReminderOptions.MinimumReminderPeriod, {options.Value.MinimumReminderPeriod}.");
        }

        if (!isRunning)
            throw new ReminderException($"The silo is stopping; '{name}' of {grainId} was not registered.");
        var entry = new ReminderEntry
        {
            GrainId = grainId,
            ReminderName = name,
            StartAt = silo.Clock.GetUtcNow().UtcDateTime.Add(dueTime),
            Period = period,
        };
        entry.ETag = await table.UpsertRow(entry)
            ?? throw new ReminderException($"The reminder table did not take {entry}.");
        Arm(entry).Start();
        return new Handle(entry);
    }

    public async Task UnregisterAsync(IGrainReminder reminder)
    {
        var entry = reminder is Handle handle
            ? handle.Entry
            : throw new ArgumentException($"Expected a reminder of this host, found {reminder?.GetType().FullName ?? "null"}.", nameof(reminder));
        if (!await table.RemoveRow(entry.GrainId, entry.ReminderName, entry.ETag!))
            throw new ReminderException($"The reminder {entry} was changed or removed meanwhile; ask for it again with GetReminder.");
        Disarm((entry.GrainId, entry.ReminderName));
    }

    public async Task<IGrainReminder?> GetAsync(GrainId grainId, string name) =>
        await table.ReadRow(grainId, name) is { } entry ? new Handle(entry) : null;

    public async Task<List<IGrainReminder>> GetAllAsync(GrainId grainId) =>
        [.. (await table.ReadRows(grainId)).Reminders.Select(entry => new Handle(entry))];

    private ReminderClock Arm(ReminderEntry entry)
    {
        var clock = new ReminderClock(silo.Clock, entry, TickAsync);
        clocks.AddOrUpdate((entry.GrainId, entry.ReminderName), clock, (_, before) =>
        {
            before.Dispose();
            return clock;
        });
        return clock;
    }

    private void Disarm((GrainId, string) key)
    {
        if (clocks.TryRemove(key, out var clock))
            clock.Dispose();
    }

    private async Task TickAsync(ReminderEntry entry, TickStatus status)
    {
        try
        {
            await silo.GrainFactory.GetGrain<IRemindable>(entry.GrainId).ReceiveReminder(entry.ReminderName, status);
        }
        catch (Exception exception)
        {
            LogTickFailed(logger, exception, entry);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A tick of the reminder {Reminder} failed; the next one comes in its time.")]
    private static partial void LogTickFailed(ILogger logger, Exception exception, ReminderEntry reminder);

    private sealed record Handle(ReminderEntry Entry) : IGrainReminder
    {
        public string ReminderName => Entry.ReminderName;
    }
}
