using Orleans.Runtime;

namespace Orleans
{
    /// <summary>A stored state and what the store knows of it.</summary>
    public interface IGrainState<T>
    {
        T? State { get; set; }

        /// <summary>The version that was read or written last; null when there is none.</summary>
        string? ETag { get; set; }

        bool RecordExists { get; set; }
    }

    /// <inheritdoc cref="IGrainState{T}"/>
    [GenerateSerializer]
    public sealed class GrainState<T> : IGrainState<T>
    {
        public GrainState()
        {
        }

        public GrainState(T? state) => State = state;

        public GrainState(T? state, string? eTag)
        {
            State = state;
            ETag = eTag;
        }

        [Id(0)]
        public T? State { get; set; }

        [Id(1)]
        public string? ETag { get; set; }

        [Id(2)]
        public bool RecordExists { get; set; }
    }
}

namespace Orleans.Storage
{
    /// <summary>Where grain states are kept; registered as a keyed service under the storage's name.</summary>
    public interface IGrainStorage
    {
        /// <summary>Fills in state, etag and existence.</summary>
        Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState);

        /// <exception cref="InconsistentStateException">The stored version is not the state's etag.</exception>
        Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState);

        /// <exception cref="InconsistentStateException">The stored version is not the state's etag.</exception>
        Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState);
    }
}

namespace Orleans.Core
{
    /// <summary>One stored state of a grain.</summary>
    public interface IStorage
    {
        string? Etag { get; }

        bool RecordExists { get; }

        Task ReadStateAsync();

        /// <exception cref="Orleans.Storage.InconsistentStateException">Somebody else wrote since this was read.</exception>
        Task WriteStateAsync();

        /// <exception cref="Orleans.Storage.InconsistentStateException">Somebody else wrote since this was read.</exception>
        Task ClearStateAsync();
    }

    /// <inheritdoc cref="IStorage"/>
    public interface IStorage<TState> : IStorage
    {
        TState State { get; set; }
    }
}

namespace Orleans.Runtime
{
    /// <summary>A stored state that a constructor asks for with <see cref="PersistentStateAttribute"/>; read before <c>OnActivateAsync</c>.</summary>
    public interface IPersistentState<TState> : Core.IStorage<TState>;

    /// <summary>Which state, in which storage; without a storage name, the default storage.</summary>
    [AttributeUsage(AttributeTargets.Parameter)]
    public class PersistentStateAttribute(string stateName, string? storageName = null) : Attribute
    {
        public string StateName { get; } = stateName;

        public string? StorageName { get; } = storageName;
    }
}

namespace Orleans.Providers
{
    /// <summary>Names that mean the default.</summary>
    public static class ProviderConstants
    {
        public const string DEFAULT_STORAGE_PROVIDER_NAME = "Default";
    }
}
