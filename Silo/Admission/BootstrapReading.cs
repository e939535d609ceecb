using System.Text.Json;
using Governor.Domain.Admission;
using Governor.Domain.Facts;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Silo.Admission;

/// <summary>
/// Whether the bootstrap window is open, as it is committed: while it may be, the journal is asked every time, so that no replica goes on
/// when another has closed it; once it is over, nobody has to be asked any more. What cannot be known is closed.
/// </summary>
internal sealed partial class BootstrapReading(IJournal journal, TimeProvider clock, ILogger<BootstrapReading> logger)
{
    private static readonly GrainKey Grain = new(Subjects.Bootstrap, BootstrapRules.Key);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private volatile bool _isOver;

    public async Task<bool> IsOpenAsync()
    {
        if (_isOver)
            return false;
        using var patience = new CancellationTokenSource(Patience, clock);
        try
        {
            var state = await ReadAsync(patience.Token);
            var now = clock.GetUtcNow();
            _isOver = state.IsOver(now);
            return state.IsOpen(now);
        }
        catch (Exception e) when (e is JournalUnavailableException or OperationCanceledException)
        {
            LogUnknown(logger, e);
            return false;
        }
    }

    public async Task<BootstrapState> ReadAsync(CancellationToken cancellation) =>
        await journal.LoadAsync(Grain, cancellation) is { } stored
            ? JsonSerializer.Deserialize<BootstrapState>(stored.State.Span, StateJson.Options)!
            : BootstrapState.Initial;

    [LoggerMessage(LogLevel.Warning, "Whether the bootstrap window is open cannot be read from the journal: it counts as closed")]
    private static partial void LogUnknown(ILogger logger, Exception exception);
}
