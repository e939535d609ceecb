using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Silo.Audit;

/// <summary>
/// Shows the log's newest checkpoint to one place, for as long as there is one: one at a time, never an older one, and after a fault
/// with longer and longer pauses. A place that hangs holds up nobody but its own courier.
/// </summary>
internal abstract class Courier(string place, Newest<LogCheckpoint> newest, WitnessBoard board, AuditOptions options, TimeProvider clock)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

    protected string Place { get; } = place;

    protected Newest<LogCheckpoint> Newest { get; } = newest;

    protected WitnessBoard Board { get; } = board;

    protected AuditOptions Options { get; } = options;

    protected TimeProvider Clock { get; } = clock;

    public async Task RunAsync(CancellationToken stopping)
    {
        var faults = 0;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await GoAsync(() => faults = 0, stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // Whatever it is, it is this place's alone.
                Board.Failed(Place, e is OperationCanceledException or TimeoutException ? "no answer in time" : e.Message);
            }
            await Task.Delay(PauseAfter(faults++), Clock, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Goes on until something fails, or for ever.</summary>
    /// <param name="delivered">To be called whenever something arrived.</param>
    protected abstract Task GoAsync(Action delivered, CancellationToken stopping);

    /// <summary>Waits for something newer than what was delivered, and for the interval.</summary>
    protected async Task<LogCheckpoint> NextAsync(LogCheckpoint? delivered, CancellationToken stopping)
    {
        if (delivered is not null)
            await Task.Delay(Options.PublishInterval, Clock, stopping);
        while (true)
        {
            var changed = Newest.Changed;
            if (Newest.Value is { } value && value.Checkpoint != delivered?.Checkpoint)
                return value;
            await changed.WaitAsync(stopping);
        }
    }

    [SuppressMessage("Security", "CA5394", Justification = "jitter against synchronised clients is no secret")]
    private static TimeSpan PauseAfter(int faults)
    {
        var full = Math.Min(LongestPause.TotalMilliseconds, FirstPause.TotalMilliseconds * Math.Pow(2, Math.Min(faults, 20)));
        return TimeSpan.FromMilliseconds(full * (0.5 + Random.Shared.NextDouble() / 2));
    }
}
