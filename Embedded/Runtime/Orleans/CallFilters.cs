using System.Reflection;
using Orleans.Runtime;
using Orleans.Serialization.Invocation;

namespace Orleans;

/// <summary>A grain call on its way, as filters see it.</summary>
public interface IGrainCallContext
{
    /// <summary>The request: its method and arguments.</summary>
    IInvokable Request { get; }

    /// <summary>The grain (incoming) or its reference (outgoing).</summary>
    object Grain { get; }

    GrainId? SourceId { get; }

    GrainId TargetId { get; }

    GrainInterfaceType InterfaceType { get; }

    string InterfaceName { get; }

    string MethodName { get; }

    MethodInfo InterfaceMethod { get; }

    /// <summary>The result; a filter that does not call <see cref="Invoke"/> sets it.</summary>
    object? Result { get; set; }

    Response? Response { get; set; }

    /// <summary>Goes on to the next filter, in the end to the grain. Its exception comes out here.</summary>
    Task Invoke();
}

/// <summary>A call as filters on the grain's side see it.</summary>
public interface IIncomingGrainCallContext : IGrainCallContext
{
    IGrainContext TargetContext { get; }

    MethodInfo ImplementationMethod { get; }
}

/// <summary>A call as filters on the caller's side see it.</summary>
public interface IOutgoingGrainCallContext : IGrainCallContext
{
    IGrainContext? SourceContext { get; }
}

/// <summary>Runs around every call to a grain, in the grain's turn; a grain class may implement it for itself.</summary>
public interface IIncomingGrainCallFilter
{
    Task Invoke(IIncomingGrainCallContext context);
}

/// <summary>Runs around every call on the caller's side.</summary>
public interface IOutgoingGrainCallFilter
{
    Task Invoke(IOutgoingGrainCallContext context);
}

public delegate Task IncomingGrainCallFilterDelegate(IIncomingGrainCallContext context);

public delegate Task OutgoingGrainCallFilterDelegate(IOutgoingGrainCallContext context);
