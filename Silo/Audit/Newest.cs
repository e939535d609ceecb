namespace Governor.Silo.Audit;

/// <summary>A value that is replaced now and then, and that many can wait for. Who is slow sees the newest and misses those between.</summary>
internal sealed class Newest<T>
    where T : class
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T? _value;

    public T? Value
    {
        get
        {
            lock (_lock)
                return _value;
        }
    }

    /// <summary>Completes when the value is another one than at the time of the call.</summary>
    public Task Changed
    {
        get
        {
            lock (_lock)
                return _changed.Task;
        }
    }

    public void Set(T value)
    {
        TaskCompletionSource before;
        lock (_lock)
        {
            _value = value;
            (before, _changed) = (_changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        before.TrySetResult();
    }
}
