using System.Reflection;
using Orleans;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace Governor.Embedded.Runtime.Calls;

/// <summary>What a call needs to know of its method, worked out once per interface method.</summary>
internal sealed class GrainMethod
{
    public GrainMethod(Type interfaceType, MethodInfo method)
    {
        Interface = interfaceType;
        Method = method;
        InterfaceType = NameOf(interfaceType);
        IsOneWay = method.IsDefined(typeof(OneWayAttribute)) || method.ReturnType == typeof(void);
        IsReadOnly = method.IsDefined(typeof(ReadOnlyAttribute));
        IsAlwaysInterleave = method.IsDefined(typeof(AlwaysInterleaveAttribute));
        ResponseTimeout = method.GetCustomAttribute<ResponseTimeoutAttribute>()?.Timeout;
        CancellationTokenIndex = Array.FindIndex(method.GetParameters(), p => p.ParameterType == typeof(CancellationToken));
    }

    public Type Interface { get; }

    public GrainInterfaceType InterfaceType { get; }

    public MethodInfo Method { get; }

    public bool IsOneWay { get; }

    public bool IsReadOnly { get; }

    public bool IsAlwaysInterleave { get; }

    public TimeSpan? ResponseTimeout { get; }

    /// <summary>The position of the cancellation token among the parameters; -1 without one.</summary>
    public int CancellationTokenIndex { get; }

    public static GrainInterfaceType NameOf(Type interfaceType) => new(interfaceType.FullName ?? interfaceType.Name);

    public override string ToString() => $"{Interface.Name}.{Method.Name}";
}
