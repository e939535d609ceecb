using System.Collections.Concurrent;
using System.Reflection;
using Governor.Embedded.Runtime.Calls;
using Governor.Embedded.Runtime.Storage;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Concurrency;
using Orleans.Configuration;
using Orleans.Runtime;
using Orleans.Serialization.Invocation;

namespace Governor.Embedded.Runtime.Activations;

/// <summary>What all activations of one grain class share.</summary>
internal sealed class GrainClass
{
    private readonly ConstructorInvoker constructor;
    private readonly Func<Activation, object?>[] arguments;
    private readonly ConcurrentDictionary<GrainMethod, MethodInfo> implementations = new();

    public GrainClass(Type type, GrainCollectionOptions collection)
    {
        Type = type;
        GrainType = TypeOf(type);
        IsReentrant = type.IsDefined(typeof(ReentrantAttribute), inherit: true);
        IsFilter = typeof(IIncomingGrainCallFilter).IsAssignableFrom(type);
        MayInterleave = PredicateOf(type);
        CollectionAge = AgeOf(type, collection);
        var chosen = ChooseConstructor(type);
        constructor = ConstructorInvoker.Create(chosen);
        arguments = Array.ConvertAll(chosen.GetParameters(), ArgumentFor);
    }

    public Type Type { get; }

    public GrainType GrainType { get; }

    public bool IsReentrant { get; }

    /// <summary>Whether its instances filter their own calls.</summary>
    public bool IsFilter { get; }

    public Func<object?, IInvokable, bool>? MayInterleave { get; }

    /// <summary>How long an activation may be idle; null for ever.</summary>
    public TimeSpan? CollectionAge { get; }

    public static GrainType TypeOf(Type type)
    {
        if (type.GetCustomAttribute<GrainTypeAttribute>() is { } named)
            return named.GrainType;
        var name = type.Name;
        if (name.Length > "Grain".Length && name.EndsWith("Grain", StringComparison.OrdinalIgnoreCase))
            name = name[..^"Grain".Length];
        return GrainType.Create(name.ToLowerInvariant());
    }

    public object Create(Activation activation)
    {
        var values = new object?[arguments.Length];
        for (var i = 0; i < values.Length; i++)
            values[i] = arguments[i](activation);
        return constructor.Invoke(values.AsSpan());
    }

    public MethodInfo ImplementationOf(GrainMethod method) => implementations.GetOrAdd(method, static (method, type) =>
    {
        var map = type.GetInterfaceMap(method.Interface);
        return map.TargetMethods[Array.IndexOf(map.InterfaceMethods, method.Method)];
    }, Type);

    private static ConstructorInfo ChooseConstructor(Type type)
    {
        var constructors = type.GetConstructors();
        return constructors.FirstOrDefault(candidate => candidate.IsDefined(typeof(ActivatorUtilitiesConstructorAttribute)))
            ?? constructors.MaxBy(candidate => candidate.GetParameters().Length)
            ?? throw new OrleansConfigurationException($"Grain class {type.FullName} has no public constructor.");
    }

    private static Func<Activation, object?> ArgumentFor(ParameterInfo parameter)
    {
        if (parameter.GetCustomAttribute<PersistentStateAttribute>() is { } stored)
            return PersistentStates.FactoryFor(parameter, stored);
        if (parameter.ParameterType == typeof(IGrainContext))
            return activation => activation;
        if (parameter.GetCustomAttribute<FromKeyedServicesAttribute>() is { } keyed)
            return activation => activation.ActivationServices.GetRequiredKeyedService(parameter.ParameterType, keyed.Key);
        return activation => activation.ActivationServices.GetService(parameter.ParameterType)
            ?? (parameter.HasDefaultValue
                ? parameter.DefaultValue
                : throw new InvalidOperationException(
                    $"Grain class {parameter.Member.DeclaringType?.FullName} needs {parameter.ParameterType.FullName} ('{parameter.Name}'), which is not registered."));
    }

    private static Func<object?, IInvokable, bool>? PredicateOf(Type type)
    {
        if (type.GetCustomAttribute<MayInterleaveAttribute>() is not { } attribute)
            return null;
        var method = type.GetMethod(
            attribute.CallbackMethodName, BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic, [typeof(IInvokable)]);
        if (method is null || method.ReturnType != typeof(bool))
            throw new OrleansConfigurationException(
                $"[MayInterleave] of {type.FullName} names '{attribute.CallbackMethodName}'; expected a method bool {attribute.CallbackMethodName}(IInvokable).");
        var invoker = MethodInvoker.Create(method);
        return (instance, call) => (bool)invoker.Invoke(method.IsStatic ? null : instance, call)!;
    }

    private static TimeSpan? AgeOf(Type type, GrainCollectionOptions collection)
    {
        if (type.IsDefined(typeof(KeepAliveAttribute), inherit: true))
            return null;
        if (type.FullName is { } name && collection.ClassSpecificCollectionAge.TryGetValue(name, out var specific))
            return specific;
        var age = type.GetCustomAttribute<CollectionAgeLimitAttribute>()?.AgeLimit ?? collection.CollectionAge;
        return age == Timeout.InfiniteTimeSpan ? null : age;
    }
}
