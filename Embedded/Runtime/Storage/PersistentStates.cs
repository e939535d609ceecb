using System.Reflection;
using System.Runtime.CompilerServices;
using Governor.Embedded.Runtime.Activations;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace Governor.Embedded.Runtime.Storage;

/// <summary>Makes the stored states that grain constructors ask for.</summary>
internal static class PersistentStates
{
    private static readonly MethodInfo Open = typeof(PersistentStates).GetMethod(nameof(Create), BindingFlags.Static | BindingFlags.NonPublic)!;

    private delegate object Maker(Activation activation, PersistentStateAttribute attribute);

    public static Func<Activation, object?> FactoryFor(ParameterInfo parameter, PersistentStateAttribute attribute)
    {
        var type = parameter.ParameterType;
        if (!type.IsGenericType || type.GetGenericTypeDefinition() != typeof(IPersistentState<>))
        {
            throw new OrleansConfigurationException(
                $"[PersistentState] stands on '{parameter.Name}' of {parameter.Member.DeclaringType?.FullName}: expected IPersistentState<T>, found {type}.");
        }

        var make = Open.MakeGenericMethod(type.GetGenericArguments()).CreateDelegate<Maker>();
        return activation => make(activation, attribute);
    }

    private static PersistentState<T> Create<T>(Activation activation, PersistentStateAttribute attribute)
    {
        var services = activation.Silo.Services;
        var storage = (attribute.StorageName is { } name ? services.GetKeyedService<IGrainStorage>(name) : services.GetService<IGrainStorage>())
            ?? throw new BadProviderConfigException(
                $"State '{attribute.StateName}' of {activation.Class.Type.FullName} asks for {DescriptionOf(attribute)}, which is not registered.");
        var state = new PersistentState<T>(attribute.StateName, activation.GrainId, storage);
        activation.Lifecycle.Subscribe(attribute.StateName, GrainLifecycleStage.SetupState, state);
        return state;
    }

    private static string DescriptionOf(PersistentStateAttribute attribute) =>
        attribute.StorageName is { } name ? $"the storage '{name}'" : "the default storage";
}

/// <summary>One stored state of one activation.</summary>
internal sealed class PersistentState<T>(string name, GrainId grainId, IGrainStorage storage) : IPersistentState<T>, ILifecycleObserver
{
    private readonly GrainState<T> record = new(Empty());

    public T State
    {
        get => record.State!;
        set => record.State = value;
    }

    public string? Etag => record.ETag;

    public bool RecordExists => record.RecordExists;

    public async Task ReadStateAsync()
    {
        await storage.ReadStateAsync(name, grainId, record);
        record.State ??= Empty();
    }

    public Task WriteStateAsync() => storage.WriteStateAsync(name, grainId, record);

    public async Task ClearStateAsync()
    {
        await storage.ClearStateAsync(name, grainId, record);
        record.State ??= Empty();
    }

    Task ILifecycleObserver.OnStart(CancellationToken cancellationToken) => ReadStateAsync();

    Task ILifecycleObserver.OnStop(CancellationToken cancellationToken) => Task.CompletedTask;

    private static T Empty() =>
        typeof(T).IsValueType || typeof(T) == typeof(string) || typeof(T).IsArray ? default!
        : typeof(T).GetConstructor(Type.EmptyTypes) is null ? (T)RuntimeHelpers.GetUninitializedObject(typeof(T))
        : Activator.CreateInstance<T>();
}
