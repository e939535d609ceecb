using System.Collections.Concurrent;
using System.Text.Json;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace Governor.Host.Tests.Fixture;

/// <summary>A reminder table that outlives silos.</summary>
internal sealed class DurableReminders : IReminderTable
{
    private readonly ConcurrentDictionary<(GrainId, string), ReminderEntry> rows = new();
    private int etag;

    public Task<ReminderTableData> ReadRows(GrainId grainId) =>
        Task.FromResult(new ReminderTableData(rows.Values.Where(row => row.GrainId == grainId)));

    public Task<ReminderTableData> ReadRows(uint begin, uint end) => Task.FromResult(new ReminderTableData(rows.Values));

    public Task<ReminderEntry?> ReadRow(GrainId grainId, string reminderName) => Task.FromResult(rows.GetValueOrDefault((grainId, reminderName)));

    public Task<string?> UpsertRow(ReminderEntry entry)
    {
        var written = $"{Interlocked.Increment(ref etag)}";
        rows[(entry.GrainId, entry.ReminderName)] = new()
        {
            GrainId = entry.GrainId,
            ReminderName = entry.ReminderName,
            StartAt = entry.StartAt,
            Period = entry.Period,
            ETag = written,
        };
        return Task.FromResult<string?>(written);
    }

    public Task<bool> RemoveRow(GrainId grainId, string reminderName, string eTag) => Task.FromResult(
        rows.TryGetValue((grainId, reminderName), out var row) && row.ETag == eTag && rows.TryRemove(new((grainId, reminderName), row)));

    public Task TestOnlyClearTable()
    {
        rows.Clear();
        return Task.CompletedTask;
    }
}

/// <summary>A grain storage that outlives silos and copies what it is given.</summary>
internal sealed class DurableStorage : IGrainStorage
{
    private static readonly JsonSerializerOptions Json = new() { IncludeFields = true };

    private readonly Dictionary<(string, GrainId), (string Text, int Version)> rows = [];
    private readonly Lock sync = new();

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        lock (sync)
        {
            grainState.RecordExists = rows.TryGetValue((stateName, grainId), out var row);
            grainState.ETag = grainState.RecordExists ? $"{row.Version}" : null;
            grainState.State = grainState.RecordExists ? JsonSerializer.Deserialize<T>(row.Text, Json)! : Activator.CreateInstance<T>();
        }

        return Task.CompletedTask;
    }

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        lock (sync)
        {
            var version = Check(stateName, grainId, grainState) + 1;
            rows[(stateName, grainId)] = (JsonSerializer.Serialize(grainState.State, Json), version);
            grainState.ETag = $"{version}";
            grainState.RecordExists = true;
        }

        return Task.CompletedTask;
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        lock (sync)
        {
            Check(stateName, grainId, grainState);
            rows.Remove((stateName, grainId));
            grainState.ETag = null;
            grainState.RecordExists = false;
            grainState.State = Activator.CreateInstance<T>();
        }

        return Task.CompletedTask;
    }

    private int Check<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var exists = rows.TryGetValue((stateName, grainId), out var row);
        var stored = exists ? $"{row.Version}" : null;
        return stored == grainState.ETag
            ? row.Version
            : throw new InconsistentStateException($"State '{stateName}' of {grainId} was changed.", stored, grainState.ETag);
    }
}
