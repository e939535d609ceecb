using Governor.Grains.Interfaces.Ports;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace Governor.Grains.Watches;

/// <summary>
/// Keeps the place of a stream: now and then, and only one that everything before it has been told and committed. From there a later
/// activation goes on, as long as the journal knows all that was told.
/// </summary>
internal sealed partial class Places(IPersistentState<WatchPlace> stored, IAuditReader journal, TimeProvider clock, ILogger logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);
    private static readonly string Build = typeof(Places).Assembly.ManifestModule.ModuleVersionId.ToString();

    private long? _storedAt;
    private Task _storing = Task.CompletedTask;

    /// <summary>Where to go on, or "" to begin from the beginning.</summary>
    public async Task<string> RestoreAsync(CancellationToken cancellation)
    {
        var place = stored.State;
        if (place.ResourceVersion.Length == 0 || place.Build != Build)
            return "";
        var events = await journal.CountAsync(cancellation);
        if (events >= place.Events)
            return place.ResourceVersion;
        LogOlder(logger, place.Events, events);
        return "";
    }

    /// <summary>Everything up to here is committed. Stored when the last time is long enough ago.</summary>
    public void Reach(string resourceVersion)
    {
        if (_storing.IsCompleted && resourceVersion != stored.State.ResourceVersion && (_storedAt is not { } at || clock.GetElapsedTime(at) >= Pause))
            _storing = StoreAsync(resourceVersion);
    }

    /// <summary>The last chance to store it.</summary>
    public async Task LeaveAsync(string? resourceVersion)
    {
        await _storing;
        if (resourceVersion is { Length: > 0 } && resourceVersion != stored.State.ResourceVersion)
            await StoreAsync(resourceVersion);
    }

    private async Task StoreAsync(string resourceVersion)
    {
        await Task.Yield();
        _storedAt = clock.GetTimestamp();
        try
        {
            var events = await journal.CountAsync(CancellationToken.None);
            stored.State = new WatchPlace { ResourceVersion = resourceVersion, Events = events, Build = Build };
            await stored.WriteStateAsync();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // What is lost is the place, not what was told: the next activation is told more than it needs.
            LogNotStored(logger, e);
        }
    }

    [LoggerMessage(LogLevel.Warning, "the place of a watch was stored when the journal had {Expected} events, but it has {Found}: it is an older journal. Everything is told again")]
    private static partial void LogOlder(ILogger logger, long expected, long found);

    [LoggerMessage(LogLevel.Warning, "the place of a watch could not be stored; the next activation may be told more than it needs")]
    private static partial void LogNotStored(ILogger logger, Exception exception);
}
