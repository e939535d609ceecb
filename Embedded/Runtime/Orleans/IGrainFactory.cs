using Orleans.Runtime;

namespace Orleans;

/// <summary>Makes references to grains; making one neither activates nor calls the grain.</summary>
public interface IGrainFactory
{
    /// <exception cref="ArgumentException">No class, or no single class, implements the interface.</exception>
    TGrainInterface GetGrain<TGrainInterface>(string primaryKey, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithStringKey;

    TGrainInterface GetGrain<TGrainInterface>(GrainId grainId)
        where TGrainInterface : IAddressable;

    IGrain GetGrain(Type grainInterfaceType, string grainPrimaryKey);

    IAddressable GetGrain(GrainId grainId);
}

/// <summary>The grain factory as code outside grains sees it.</summary>
public interface IClusterClient : IGrainFactory
{
    IServiceProvider ServiceProvider { get; }
}
