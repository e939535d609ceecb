using Orleans;
using Orleans.Runtime;

namespace Governor.Host.Tests.Probes;

public sealed class TimerProbeGrain : Grain, ITimerProbeGrain
{
    private IGrainTimer? timer;

    public Task Start(string gate, TimeSpan dueTime, TimeSpan period)
    {
        timer = this.RegisterGrainTimer(static gate => Noted(gate), gate, dueTime, period);
        return Task.CompletedTask;
    }

    public Task Change(TimeSpan dueTime, TimeSpan period)
    {
        timer!.Change(dueTime, period);
        return Task.CompletedTask;
    }

    public Task Stop()
    {
        timer!.Dispose();
        return Task.CompletedTask;
    }

    public async Task<int> PlainTicksDuringRequest(string plain, string interleaving)
    {
        var often = TimeSpan.FromMilliseconds(5);
        this.RegisterGrainTimer(static gate => Noted(gate), plain, often, often);
        var enough = new TaskCompletionSource();
        this.RegisterGrainTimer(
            _ =>
            {
                Gate.Of(interleaving).Note();
                if (Gate.Of(interleaving).Passes == 3)
                    enough.SetResult();
                return Task.CompletedTask;
            },
            new GrainTimerCreationOptions { DueTime = often * 4, Period = often, Interleave = true });
        await enough.Task;
        return Gate.Of(plain).Passes;
    }

    public Task StartFailing(string gate)
    {
        this.RegisterGrainTimer(
            () =>
            {
                Gate.Of(gate).Note();
                if (Gate.Of(gate).Passes == 1)
                    throw new InvalidOperationException("a tick that fails");
                Gate.Of(gate + "/again").Note();
                return Task.CompletedTask;
            },
            TimeSpan.FromMilliseconds(5),
            TimeSpan.FromMilliseconds(5));
        return Task.CompletedTask;
    }

    public Task StartHolding(string gate)
    {
        this.RegisterGrainTimer(() => Gate.Of(gate).PassAsync(), TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        return Task.CompletedTask;
    }

    public Task Touch() => Task.CompletedTask;

    public Task EndWhenIdle()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) =>
        Noted(this.GetPrimaryKeyString() + "/down");

    private static Task Noted(string gate)
    {
        Gate.Of(gate).Note();
        return Task.CompletedTask;
    }
}

public sealed class ReminderProbeGrain : Grain, IReminderProbeGrain, IRemindable
{
    public Task Remind(string name, TimeSpan dueTime) => this.RegisterOrUpdateReminder(name, dueTime, TimeSpan.FromMinutes(1));

    public async Task Forget(string name)
    {
        if (await this.GetReminder(name) is { } reminder)
            await this.UnregisterReminder(reminder);
    }

    public async Task<string[]> Names() => [.. (await this.GetReminders()).Select(reminder => reminder.ReminderName)];

    public Task ReceiveReminder(string reminderName, TickStatus status)
    {
        Gate.Of($"{this.GetPrimaryKeyString()}/{reminderName}").Note();
        return Task.CompletedTask;
    }
}

[GenerateSerializer]
public sealed class ProbeState
{
    [Id(0)]
    public int Value { get; set; }
}

public sealed class StateProbeGrain(
    [PersistentState("probe")] IPersistentState<ProbeState> state,
    [PersistentState("probe", "Other")] IPersistentState<ProbeState> other) : Grain, IStateProbeGrain
{
    private readonly int number = Numbers.Next();

    public Task<(int Value, bool Exists, string? Etag)> Read() => Task.FromResult((state.State.Value, state.RecordExists, state.Etag));

    public Task Write(int value)
    {
        state.State.Value = value;
        return state.WriteStateAsync();
    }

    public Task Reread() => state.ReadStateAsync();

    public Task Clear() => state.ClearStateAsync();

    public async Task<int> WriteOther(int value)
    {
        other.State.Value = value;
        await other.WriteStateAsync();
        return state.State.Value;
    }

    public Task EndWhenIdle()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    public Task<int> ActivationNumber() => Task.FromResult(number);
}
