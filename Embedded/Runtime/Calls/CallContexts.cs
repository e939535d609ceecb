using System.Reflection;
using Governor.Embedded.Runtime.Activations;
using Orleans;
using Orleans.Runtime;
using Orleans.Serialization.Invocation;

namespace Governor.Embedded.Runtime.Calls;

/// <summary>What incoming and outgoing filters see alike.</summary>
internal abstract class CallContext(GrainCall call) : IGrainCallContext
{
    private int next;

    public IInvokable Request => call;

    public abstract object Grain { get; }

    public GrainId? SourceId => call.Source?.GrainId;

    public GrainId TargetId => call.Reference?.GrainId ?? call.Target!.GrainId;

    public GrainInterfaceType InterfaceType => call.Method.InterfaceType;

    public string InterfaceName => call.Method.InterfaceType.ToString();

    public string MethodName => call.Method.Method.Name;

    public MethodInfo InterfaceMethod => call.Method.Method;

    public Response? Response { get; set; }

    public object? Result
    {
        get => Response?.Result;
        set
        {
            if (Response is { } response && !ReferenceEquals(response, Response.Completed))
                response.Result = value;
            else
                Response = Response.FromResult(value);
        }
    }

    protected GrainCall Call => call;

    public async Task Invoke()
    {
        if (await TryInvokeFilter(next++))
            return;
        Response = Response.FromResult(await InvokeTarget());
    }

    /// <summary>Runs the filter at that position; false when there is none.</summary>
    protected abstract ValueTask<bool> TryInvokeFilter(int position);

    protected abstract Task<object?> InvokeTarget();
}

internal sealed class IncomingCallContext(GrainCall call, Activation target, IIncomingGrainCallFilter[] filters)
    : CallContext(call), IIncomingGrainCallContext
{
    public override object Grain => target.GrainInstance!;

    public IGrainContext TargetContext => target;

    public MethodInfo ImplementationMethod => target.Class.ImplementationOf(Call.Method);

    protected override async ValueTask<bool> TryInvokeFilter(int position)
    {
        var filter = position < filters.Length ? filters[position]
            : position == filters.Length ? Grain as IIncomingGrainCallFilter
            : null;
        if (filter is null)
            return false;
        await filter.Invoke(this);
        return true;
    }

    protected override async Task<object?> InvokeTarget()
    {
        var running = Call.InvokeTarget(Grain);
        try
        {
            await running;
        }
        catch (Exception exception)
        {
            target.OnFailure(exception);
            throw;
        }

        return Call.ResultOf(running);
    }
}

internal sealed class OutgoingCallContext(
    IOutgoingGrainCallFilter[] filters, GrainReference reference, GrainCall call, Activation? source, Func<Task<object?>> send)
    : CallContext(call), IOutgoingGrainCallContext
{
    public override object Grain => reference;

    public IGrainContext? SourceContext => source;

    protected override async ValueTask<bool> TryInvokeFilter(int position)
    {
        if (position >= filters.Length)
            return false;
        await filters[position].Invoke(this);
        return true;
    }

    protected override Task<object?> InvokeTarget() => send();
}
