using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace Governor.Sieve.Tests.Support;

/// <summary>
/// What the silos of a run store of their streams, out of reach for a dead one: it is ended in good order, and would leave behind how far
/// it had come, which a silo that dies does not.
/// </summary>
internal sealed class MortalStorage(IGrainStorage storage, Life life, int generation) : IGrainStorage
{
    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        life.ThrowIfDead(generation);
        return storage.ReadStateAsync(stateName, grainId, grainState);
    }

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        life.ThrowIfDead(generation);
        return storage.WriteStateAsync(stateName, grainId, grainState);
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        life.ThrowIfDead(generation);
        return storage.ClearStateAsync(stateName, grainId, grainState);
    }
}
