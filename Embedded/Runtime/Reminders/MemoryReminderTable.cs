using System.Collections.Concurrent;
using Orleans;
using Orleans.Runtime;

namespace Governor.Embedded.Runtime.Reminders;

/// <summary>Keeps reminders as long as the silo lives.</summary>
internal sealed class MemoryReminderTable : IReminderTable
{
    private readonly ConcurrentDictionary<(GrainId, string), ReminderEntry> rows = new();

    public Task<ReminderTableData> ReadRows(GrainId grainId) =>
        Task.FromResult(new ReminderTableData(rows.Values.Where(row => row.GrainId == grainId)));

    public Task<ReminderTableData> ReadRows(uint begin, uint end) => Task.FromResult(new ReminderTableData(rows.Values));

    public Task<ReminderEntry?> ReadRow(GrainId grainId, string reminderName) =>
        Task.FromResult(rows.GetValueOrDefault((grainId, reminderName)));

    public Task<string?> UpsertRow(ReminderEntry entry)
    {
        var etag = Guid.NewGuid().ToString("N");
        rows[(entry.GrainId, entry.ReminderName)] = new()
        {
            GrainId = entry.GrainId,
            ReminderName = entry.ReminderName,
            StartAt = entry.StartAt,
            Period = entry.Period,
            ETag = etag,
        };
        return Task.FromResult<string?>(etag);
    }

    public Task<bool> RemoveRow(GrainId grainId, string reminderName, string eTag) => Task.FromResult(
        rows.TryGetValue((grainId, reminderName), out var row) && row.ETag == eTag && rows.TryRemove(new((grainId, reminderName), row)));

    public Task TestOnlyClearTable()
    {
        rows.Clear();
        return Task.CompletedTask;
    }
}
