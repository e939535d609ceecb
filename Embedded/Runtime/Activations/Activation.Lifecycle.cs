using Governor.Embedded.Runtime.Calls;
using Governor.Embedded.Runtime.Timers;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Runtime;

namespace Governor.Embedded.Runtime.Activations;

// How an activation begins and ends.
internal sealed partial class Activation
{
    public void Deactivate(DeactivationReason deactivationReason, CancellationToken cancellationToken = default)
    {
        lock (scheduler.Sync)
        {
            if (isEndRequested || state is State.Ending or State.Ended)
                return;
            isEndRequested = true;
            reason = deactivationReason;
            if (!scheduler.MarkDue())
                return;
        }

        scheduler.Schedule();
    }

    public void DelayDeactivation(TimeSpan timeSpan)
    {
        var until = timeSpan < TimeSpan.Zero && timeSpan != Timeout.InfiniteTimeSpan ? 0
            : timeSpan == Timeout.InfiniteTimeSpan || timeSpan == TimeSpan.MaxValue ? long.MaxValue
            : Silo.Clock.GetTimestamp() + (long)(timeSpan.TotalSeconds * Silo.Clock.TimestampFrequency);
        lock (scheduler.Sync)
            keepUntil = until;
    }

    /// <summary>Ends the activation when it has been idle for longer than its class allows.</summary>
    public void CollectWhenIdle(long now)
    {
        lock (scheduler.Sync)
        {
            if (state != State.Active || running > 0 || !waiting.IsEmpty || now < keepUntil)
                return;
            if (Class.CollectionAge is not { } age || Silo.Clock.GetElapsedTime(lastUsed, now) < age)
                return;
        }

        Deactivate(new(DeactivationReasonCode.ActivationIdle, $"Idle for {Class.CollectionAge} or longer."));
    }

    public IGrainTimer RegisterTimer(Func<CancellationToken, Task> callback, GrainTimerCreationOptions options)
    {
        var timer = new GrainTimer(this, callback, options);
        lock (scheduler.Sync)
        {
            if (state is State.Ending or State.Ended)
                throw new InvalidOperationException($"{GrainId} is ending; it can register no more timers.");
            (timers ??= new(1)).Add(timer);
        }

        timer.Change(options.DueTime, options.Period);
        return timer;
    }

    public void Remove(GrainTimer timer)
    {
        lock (scheduler.Sync)
            timers?.Remove(timer);
    }

    private async Task ActivateAsync()
    {
        using var limit = new CancellationTokenSource(Silo.Collection.ActivationTimeout, Silo.Clock);
        try
        {
            RequestContext.Current = waiting.First?.Context;
            GrainInstance = Class.Create(this);
            if (lifecycle is not null)
                await lifecycle.StartAsync(limit.Token);
            if (GrainInstance is IGrainBase grain)
                await WithLimit(grain.OnActivateAsync(limit.Token), limit.Token);
            RequestContext.Clear();
            BeActive();
        }
        catch (Exception exception)
        {
            LogActivationFailed(Silo.Logger, exception, GrainId);
            await AbandonAsync(limit.IsCancellationRequested
                ? new TimeoutException($"{GrainId} did not activate within {Silo.Collection.ActivationTimeout}.", exception)
                : exception);
        }
    }

    private void BeActive()
    {
        lock (scheduler.Sync)
        {
            state = State.Active;
            lastUsed = Silo.Clock.GetTimestamp();
            if (!scheduler.MarkDue())
                return;
        }

        scheduler.Schedule();
    }

    /// <summary>A grain that could not begin: whoever waits for it is told why, and the next request tries anew.</summary>
    private async Task AbandonAsync(Exception exception)
    {
        lock (scheduler.Sync)
        {
            state = State.Ending;
            reason = new(DeactivationReasonCode.ActivationFailed, exception, "The activation failed.");
        }

        await ReleaseAsync();
        foreach (var call in Close())
            call.Fail(exception);
    }

    private async Task EndAsync()
    {
        using var limit = new CancellationTokenSource(Silo.Collection.DeactivationTimeout, Silo.Clock);
        if (GrainInstance is not null)
            await EndGrainAsync(limit.Token);
        await ReleaseAsync();
        foreach (var call in Close())
            Silo.Calls.Forward(call, this);
    }

    private async Task EndGrainAsync(CancellationToken limit)
    {
        StopTimers();
        try
        {
            if (GrainInstance is IGrainBase grain)
                await WithLimit(grain.OnDeactivateAsync(reason, limit), limit);
            if (lifecycle is not null)
                await lifecycle.StopAsync(limit);
        }
        catch (Exception exception)
        {
            LogDeactivationFailed(Silo.Logger, exception, GrainId);
        }
    }

    /// <summary>The grain is handed a token; a grain that ignores it is not waited for past the limit.</summary>
    private static Task WithLimit(Task callback, CancellationToken limit) => callback.IsCompleted ? callback : callback.WaitAsync(limit);

    private void StopTimers()
    {
        GrainTimer[] all;
        lock (scheduler.Sync)
            all = timers?.ToArray() ?? [];
        foreach (var timer in all)
            timer.Dispose();
    }

    private async Task ReleaseAsync()
    {
        try
        {
            StopTimers();
            if (GrainInstance is IAsyncDisposable asyncDisposable)
                await asyncDisposable.DisposeAsync();
            else if (GrainInstance is IDisposable disposable)
                disposable.Dispose();
            if (scope is { } services)
                await services.DisposeAsync();
        }
        catch (Exception exception)
        {
            LogDeactivationFailed(Silo.Logger, exception, GrainId);
        }
    }

    /// <summary>Leaves the directory, so that the next activation can begin, and hands over the requests that had not begun.</summary>
    private List<GrainCall> Close()
    {
        Silo.Activations.Remove(this);
        var left = new List<GrainCall>();
        TaskCompletionSource? waiter;
        lock (scheduler.Sync)
        {
            state = State.Ended;
            while (waiting.TakeFirst() is { } call)
            {
                if (!call.IsLocalOnly)
                    left.Add(call);
            }

            GrainInstance = null;
            lifecycle = null;
            timers = null;
            waiter = ended;
        }

        waiter?.TrySetResult();
        return left;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{GrainId} could not be activated; its callers are told, and the next request tries again.")]
    private static partial void LogActivationFailed(ILogger logger, Exception exception, GrainId grainId);

    [LoggerMessage(Level = LogLevel.Error, Message = "{GrainId} failed while deactivating; it is gone from memory nevertheless.")]
    private static partial void LogDeactivationFailed(ILogger logger, Exception exception, GrainId grainId);
}
