using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Grains.Watches;

/// <summary>
/// Tells what is in the box, many objects at a time and never two news of one object at once. Whoever puts something in never waits
/// for those who are told; only when the box holds more than its bytes does <see cref="RoomAsync"/> make him wait.
/// Not thread-safe: it lives on its grain's scheduler.
/// </summary>
/// <param name="tell">Tells one object's news; throws when it has to be told again.</param>
/// <param name="notTold">Somebody could not be told.</param>
/// <param name="moved">Something was told, or excused: perhaps everything is told now.</param>
public sealed class NewsPump(
    Func<WatchEvent, Task> tell, Action<WatchEvent, Exception, TimeSpan> notTold, Action moved, TimeProvider clock, CancellationToken stopping)
{
    private const int Parallelism = 32;

    /// <summary>How much may wait before the stream is read more slowly: the server, and at last its history, then holds the rest.</summary>
    private const long MostBytes = 64 * 1024 * 1024;

    private int _telling;
    private TaskCompletionSource? _room;

    public NewsBox Box { get; } = new();

    public void Put(WatchEvent seen)
    {
        Box.Put(seen);
        TellNext();
    }

    /// <summary>Completes when there is room for more.</summary>
    public Task RoomAsync() => Box.Bytes <= MostBytes
        ? Task.CompletedTask
        : (_room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task.WaitAsync(stopping);

    private void TellNext()
    {
        while (_telling < Parallelism && Box.Take() is { } seen)
        {
            _telling++;
            _ = TellAsync(seen);
        }
        if (_room is not null && Box.Bytes <= MostBytes)
        {
            _room.SetResult();
            _room = null;
        }
    }

    private async Task TellAsync(WatchEvent seen)
    {
        await Task.Yield();
        var rest = default(TimeSpan?);
        try
        {
            await tell(seen);
            Box.Told(seen.Key);
        }
        catch (Exception e) when (e is not OutOfMemoryException && !stopping.IsCancellationRequested)
        {
            rest = Box.NotTold(seen.Key);
            notTold(seen, e, rest.Value);
        }
        finally
        {
            _telling--;
            TellNext();
        }
        moved();
        if (rest is not null)
            await RestAsync(seen.Key, rest.Value);
    }

    private async Task RestAsync(ObjectKey key, TimeSpan rest)
    {
        await Task.Delay(rest, clock, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        if (stopping.IsCancellationRequested)
            return;
        Box.Rested(key);
        TellNext();
    }
}
