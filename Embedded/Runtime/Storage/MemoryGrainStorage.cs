using System.Collections.Concurrent;
using System.Globalization;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace Governor.Embedded.Runtime.Storage;

/// <summary>Keeps states as long as the process lives.</summary>
internal sealed class MemoryGrainStorage(string name) : IGrainStorage
{
    private readonly ConcurrentDictionary<(string, GrainId), Row> rows = new();
    private readonly Lock sync = new();

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        rows.TryGetValue((stateName, grainId), out var row);
        grainState.RecordExists = row is not null;
        grainState.ETag = row?.Etag;
        grainState.State = row is null ? default : StateJson.Read<T>(row.Text);
        return Task.CompletedTask;
    }

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var text = StateJson.Write(grainState.State);
        lock (sync)
        {
            var version = Check(stateName, grainId, grainState);
            var row = new Row(text, version + 1);
            rows[(stateName, grainId)] = row;
            grainState.ETag = row.Etag;
            grainState.RecordExists = true;
        }

        return Task.CompletedTask;
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        lock (sync)
        {
            Check(stateName, grainId, grainState);
            rows.TryRemove((stateName, grainId), out _);
            grainState.ETag = null;
            grainState.RecordExists = false;
            grainState.State = default;
        }

        return Task.CompletedTask;
    }

    private long Check<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        rows.TryGetValue((stateName, grainId), out var row);
        if (row?.Etag != grainState.ETag)
            throw new InconsistentStateException($"State '{stateName}' of {grainId} in the memory storage '{name}' was changed.", row?.Etag, grainState.ETag);
        return row?.Version ?? 0;
    }

    private sealed record Row(string Text, long Version)
    {
        public string Etag { get; } = Version.ToString(CultureInfo.InvariantCulture);
    }
}
