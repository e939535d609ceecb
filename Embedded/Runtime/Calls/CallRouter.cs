using System.Runtime.ExceptionServices;
using Governor.Embedded.Runtime.Activations;
using Governor.Embedded.Runtime.Hosting;
using Orleans;
using Orleans.Runtime;

namespace Governor.Embedded.Runtime.Calls;

/// <summary>Takes a call from its caller to the one activation that serves it.</summary>
internal sealed class CallRouter(Silo silo, PendingCalls pending, IOutgoingGrainCallFilter[] filters, bool cancelOnTimeout)
{
    private const int MostForwards = 3;

    public Task Send(GrainReference reference, VoidCall call)
    {
        if (filters.Length > 0)
            return SendFiltered(reference, call);
        var completion = call.Completion = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Dispatch(reference, call);
        return completion.Task;
    }

    public Task<T> Send<T>(GrainReference reference, ValueCall<T> call)
    {
        if (filters.Length > 0)
            return SendFiltered(reference, call);
        var completion = call.Completion = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Dispatch(reference, call);
        return completion.Task;
    }

    public void SendOneWay(GrainReference reference, GrainCall call)
    {
        Prepare(reference, call);
        if (!Refuse(call))
            Deliver(reference, call);
    }

    /// <summary>Delivers what an activation that ended had not started.</summary>
    public void Forward(GrainCall call, Activation from)
    {
        if (call.IsSettled || call.Reference is null)
            return;
        if (!from.HasServed && ++call.Forwards > MostForwards)
        {
            call.Fail(new OrleansMessageRejectionException(
                $"{from.GrainId} ended {call.Forwards} times without serving a request. It may deactivate itself while activating. {call}"));
            return;
        }

        Deliver(call.Reference, call);
    }

    private void Dispatch(GrainReference reference, GrainCall call)
    {
        Prepare(reference, call);
        if (Refuse(call))
            return;
        if (call.Method.CancellationTokenIndex >= 0 && !HonourToken(call))
            return;
        pending.Add(call);
        Deliver(reference, call);
    }

    private static void Prepare(GrainReference reference, GrainCall call)
    {
        call.Reference = reference;
        call.Source = RuntimeContext.Current;
        call.Context = RequestContext.Current;
    }

    /// <summary>While draining, only grains may still call, to finish what they began.</summary>
    private bool Refuse(GrainCall call)
    {
        if (silo.Accepts(call.Source))
            return false;
        call.Fail(new SiloUnavailableException($"The silo is stopping and takes no more requests. {call}"));
        return true;
    }

    /// <summary>False when the caller's token is cancelled already.</summary>
    private bool HonourToken(GrainCall call)
    {
        var token = call.GetCancellationToken();
        if (cancelOnTimeout)
        {
            var linked = CancellationTokenSource.CreateLinkedTokenSource(token);
            call.SetArgument(call.Method.CancellationTokenIndex, linked.Token);
            call.CancelOnTimeout = linked;
        }

        if (!token.CanBeCanceled)
            return true;
        call.ObserveCancellation(token);
        return !call.IsSettled;
    }

    private void Deliver(GrainReference reference, GrainCall call)
    {
        if (reference.LastActivation is { } last && last.TryReceive(call))
            return;
        while (true)
        {
            if (!silo.Activations.TryGetOrCreate(reference, out var activation, out var refusal))
            {
                call.Fail(refusal);
                return;
            }

            reference.LastActivation = activation;
            if (activation.TryReceive(call))
                return;
        }
    }

    private async Task SendFiltered(GrainReference reference, VoidCall call)
    {
        var context = await RunFilters(reference, call);
        if (context.Response?.Exception is { } exception)
            ExceptionDispatchInfo.Throw(exception);
    }

    private async Task<T> SendFiltered<T>(GrainReference reference, ValueCall<T> call)
    {
        var context = await RunFilters(reference, call);
        if (context.Response?.Exception is { } exception)
            ExceptionDispatchInfo.Throw(exception);
        return context.Result is T result ? result : default!;
    }

    private async Task<OutgoingCallContext> RunFilters(GrainReference reference, GrainCall call)
    {
        var context = new OutgoingCallContext(filters, reference, call, RuntimeContext.Current, () =>
        {
            var promise = call.ExpectBoxed();
            Dispatch(reference, call);
            return promise;
        });
        await context.Invoke();
        return context;
    }
}
