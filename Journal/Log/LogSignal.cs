namespace Governor.Journal.Log;

/// <summary>Lets somebody who waits for a checkpoint ask this process' sequencer not to wait for its interval.</summary>
public sealed class LogSignal
{
    private TaskCompletionSource _wanted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void WantCheckpoint() => Volatile.Read(ref _wanted).TrySetResult();

    /// <summary>Returns when a checkpoint is wanted, or after the interval.</summary>
    internal async Task WaitAsync(TimeSpan interval, TimeProvider clock, CancellationToken cancellation)
    {
        try
        {
            await Volatile.Read(ref _wanted).Task.WaitAsync(interval, clock, cancellation);
            Volatile.Write(ref _wanted, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        catch (TimeoutException)
        {
            // The interval is over, and nobody asked.
        }
    }
}
