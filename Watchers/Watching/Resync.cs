namespace Governor.Watchers.Watching;

/// <summary>
/// When a stream lists again although nothing seems wrong. An event that a server never sent leaves no trace in the stream: only a
/// list shows that something was missed. A quarter of the time is drawn, so that not all streams list at once.
/// </summary>
internal sealed class Resync(TimeSpan every, TimeProvider time) : IDisposable
{
    private CancellationTokenSource _due = new(Timeout.InfiniteTimeSpan, time);

    /// <summary>Cancelled when it is time.</summary>
    public CancellationToken Due => _due.Token;

    public bool IsDue => _due.IsCancellationRequested;

    /// <summary>Everything was listed just now.</summary>
    public void Done() => In(every * (1 - (Random.Shared.NextDouble() / 4)));

    /// <summary>It could not be done just now; meanwhile the stream goes on from where it was.</summary>
    public void Postpone(TimeSpan by) => In(by);

    public void Dispose() => _due.Dispose();

    private void In(TimeSpan pause)
    {
        _due.Dispose();
        _due = new CancellationTokenSource(pause, time);
    }
}
