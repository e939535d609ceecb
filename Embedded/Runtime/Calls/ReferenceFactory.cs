using System.Collections.Concurrent;
using Governor.Embedded.Runtime.Activations;
using Governor.Embedded.Runtime.Hosting;
using Orleans;
using Orleans.Runtime;

namespace Governor.Embedded.Runtime.Calls;

/// <summary>Makes references; the emitted classes are shared by all silos of the process.</summary>
internal sealed class ReferenceFactory(Silo silo)
{
    private static readonly ConcurrentDictionary<Type, Lazy<Emitted>> Classes = new();

    public GrainReference Create(Type interfaceType, GrainId id)
    {
        var emitted = Classes.GetOrAdd(interfaceType, static type => new(() => new(ProxyEmitter.Emit(type), GrainMethod.NameOf(type)))).Value;
        return emitted.Create(silo, id, emitted.InterfaceType);
    }

    private sealed record Emitted(ProxyEmitter.Factory Create, GrainInterfaceType InterfaceType);
}

/// <summary>The grain factory that grains and outside code are given.</summary>
internal sealed class GrainFactory(Silo silo) : IClusterClient
{
    public IServiceProvider ServiceProvider => silo.Services;

    public TGrainInterface GetGrain<TGrainInterface>(string primaryKey, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithStringKey =>
        (TGrainInterface)(object)Create(typeof(TGrainInterface), primaryKey, grainClassNamePrefix);

    public TGrainInterface GetGrain<TGrainInterface>(GrainId grainId)
        where TGrainInterface : IAddressable =>
        (TGrainInterface)(object)silo.References.Create(typeof(TGrainInterface), grainId);

    public IGrain GetGrain(Type grainInterfaceType, string grainPrimaryKey) =>
        (IGrain)(object)Create(grainInterfaceType, grainPrimaryKey, null);

    public IAddressable GetGrain(GrainId grainId) => new GrainReference(silo, grainId, default);

    private GrainReference Create(Type interfaceType, string key, string? prefix)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(key);
        var type = silo.Classes.Implementing(interfaceType, prefix).GrainType;
        return silo.References.Create(interfaceType, GrainId.Create(type, key));
    }
}
