using Governor.Domain.Kinds;
using Governor.Grains.Interfaces;
using Orleans;

namespace Governor.Grains.Tests.Support;

/// <summary>Sees every object that an actor is shown, before the actor does; and can make it wait, or fail.</summary>
public sealed class Showings : IIncomingGrainCallFilter
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly Lock _lock = new();
    private readonly List<Observation> _seen = [];
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Runs before the actor sees the object.</summary>
    public Func<Observation, Task>? Before { get; set; }

    public IReadOnlyList<Observation> Of(ObjectKey key)
    {
        lock (_lock)
            return [.. _seen.Where(o => o.Key == key)];
    }

    public async Task Invoke(IIncomingGrainCallContext context)
    {
        if (context.MethodName == nameof(IGoverned.ObserveAsync) && context.Request.GetArgument(0) is Observation observation)
        {
            TaskCompletionSource told;
            lock (_lock)
            {
                _seen.Add(observation);
                told = _more;
                _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
            told.TrySetResult();
            if (Before is { } before)
                await before(observation);
        }
        await context.Invoke();
    }

    /// <summary>Completes when the showings of an object are as expected.</summary>
    public async Task UntilAsync(ObjectKey key, Func<IReadOnlyList<Observation>, bool> holds, string what)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            Task more;
            lock (_lock)
                more = _more.Task;
            if (holds(Of(key)))
                return;
            try
            {
                await more.WaitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"waited {Patience.TotalSeconds} s for '{what}' of {key}; shown: {string.Join(", ", Of(key).Select(o => o.Object?.ResourceVersion ?? "gone"))}");
            }
        }
    }
}
