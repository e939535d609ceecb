using Governor.Grains.Interfaces.Ports;
using Governor.Grains.Watches;
using Governor.Journal.Log;
using Governor.Silo.Audit;
using Governor.Silo.Hosting;

namespace Governor.Silo.Api;

/// <summary><c>/livez</c>: the process turns. <c>/readyz</c>: it can do its work; says what is missing when it cannot.</summary>
internal static class HealthEndpoints
{
    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        var readiness = ActivatorUtilities.CreateInstance<Readiness>(routes.ServiceProvider);
        var board = routes.ServiceProvider.GetRequiredService<WitnessBoard>();
        var log = routes.ServiceProvider.GetRequiredService<LogHealth>();
        routes.MapGet("/livez", () => Results.Text("ok")).ExcludeFromDescription();
        routes.MapGet("/readyz", async (CancellationToken stop) =>
        {
            var report = await readiness.ReportAsync(stop);
            var doubts = string.Concat(board.Standings.Where(s => s.Alarm is not null).Select(s => $"\n[!]audit-log: {s.Place}: {s.Alarm}"));
            if (log.Current.Role is LogRole.Held or LogRole.Refusing)
                doubts += $"\n[!]audit-log: {log.Current.Role}: nothing is signed; the silo's log says why";
            return report is null ? Results.Text($"ok{doubts}") : Results.Text($"{report.TrimEnd('\n')}{doubts}\n", statusCode: StatusCodes.Status503ServiceUnavailable);
        }).ExcludeFromDescription();
    }
}

/// <summary>
/// Whether this silo can do its work. Anybody may ask, so it is looked into once a second at most, and said is what is wrong but not
/// how: that is in the log.
/// </summary>
internal sealed partial class Readiness(IJournal journal, IClusters clusters, Starter starter, ObservationGate gate, TimeProvider clock, ILogger<Readiness> logger)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private Task<string?>? _looking;
    private long _lookedAt;

    /// <returns>Null when everything is as it should be.</returns>
    public Task<string?> ReportAsync(CancellationToken stop)
    {
        lock (_lock)
        {
            if (_looking is null || (_looking.IsCompleted && clock.GetElapsedTime(_lookedAt) > Memory))
            {
                _lookedAt = clock.GetTimestamp();
                _looking = Task.Run(LookAsync, CancellationToken.None);
            }
            return _looking.WaitAsync(stop);
        }
    }

    private async Task<string?> LookAsync()
    {
        using var patience = new CancellationTokenSource(Patience, clock);
        var checks = await Task.WhenAll(
            CheckAsync("journal", async () =>
            {
                await journal.LoadAsync(new GrainKey("readyz", "readyz"), patience.Token);
                return null;
            }),
            CheckAsync("management-cluster", async () =>
            {
                await clusters.Management.ProbeAsync(patience.Token);
                return null;
            }),
            CheckAsync("streams", () => Task.FromResult(Streams())),
            CheckAsync("observation", () => Task.FromResult(gate.IsOpen ? null : "nothing is acted on until the streams are synced and what they showed has been told")));
        return checks.All(c => c.Fault is null)
            ? null
            : string.Concat(checks.Select(c => c.Fault is null ? $"[+]{c.Name} ok\n" : $"[-]{c.Name} failed: {c.Fault}\n"));
    }

    private string? Streams()
    {
        if (!starter.IsStarted)
            return "not started yet";
        var missing = gate.Unsynced;
        return missing.Count == 0
            ? null
            : $"{missing.Count} of {starter.Streams.Count} are not synced: {string.Join(", ", missing.Select(stream => WatchKey.Parse(stream).Kind.Kind).Distinct())}";
    }

    private async Task<(string Name, string? Fault)> CheckAsync(string name, Func<Task<string?>> check)
    {
        try
        {
            return (name, await check());
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            LogFault(logger, e, name);
            return (name, e is OperationCanceledException ? $"no answer within {Patience.TotalSeconds} s" : "unavailable");
        }
    }

    [LoggerMessage(LogLevel.Information, "not ready: {Check}")]
    private static partial void LogFault(ILogger logger, Exception exception, string check);
}
