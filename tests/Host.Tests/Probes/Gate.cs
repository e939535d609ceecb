using System.Collections.Concurrent;

namespace Governor.Host.Tests.Probes;

/// <summary>
/// A place in a grain where a test can wait for it and hold it. Grains and tests share the process on either host, and name a gate by
/// text, because arguments may be copied on the way.
/// </summary>
internal sealed class Gate
{
    private static readonly ConcurrentDictionary<string, Gate> Gates = new();
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    private readonly TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int passes;

    /// <summary>Somebody has come in.</summary>
    public bool IsEntered => entered.Task.IsCompleted;

    /// <summary>How often somebody came in.</summary>
    public int Passes => Volatile.Read(ref passes);

    public static Gate Of(string name) => Gates.GetOrAdd(name, _ => new());

    /// <summary>What a grain does at the gate: come in, wait until it is opened, leave.</summary>
    public async Task PassAsync()
    {
        Note();
        await opened.Task;
        left.TrySetResult();
    }

    /// <summary>Come in without waiting.</summary>
    public void Note()
    {
        Interlocked.Increment(ref passes);
        entered.TrySetResult();
    }

    public void Open() => opened.TrySetResult();

    public Task Entered() => entered.Task.WaitAsync(Bound);

    public Task Left() => left.Task.WaitAsync(Bound);
}

internal static class Bounded
{
    /// <summary>Every wait of a test has a bound; none depends on it.</summary>
    public static Task Soon(this Task task) => task.WaitAsync(TimeSpan.FromSeconds(60));

    public static Task<T> Soon<T>(this Task<T> task) => task.WaitAsync(TimeSpan.FromSeconds(60));
}
