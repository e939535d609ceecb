using System.Text;
using Governor.Grains.Interfaces;
using Governor.Grains.Interfaces.Ports;
using Governor.Silo.Hosting;
using Orleans;

namespace Governor.Silo.Api;

/// <summary><c>/livez</c>: the process turns. <c>/readyz</c>: it can do its work; says what is missing when it cannot.</summary>
internal static class HealthEndpoints
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/livez", () => Results.Text("ok")).ExcludeFromDescription();
        routes.MapGet("/readyz", ReadyAsync).ExcludeFromDescription();
    }

    private static async Task<IResult> ReadyAsync(IJournal journal, IClusters clusters, IGrainFactory grains, Starter starter, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Patience);
        var checks = await Task.WhenAll(
            CheckAsync("journal", () => journal.PendingAsync(patience.Token)),
            CheckAsync("management-cluster", () => clusters.Management.ProbeAsync(patience.Token)),
            CheckAsync("streams", () => StreamsAsync(grains, starter).WaitAsync(patience.Token)));
        var report = new StringBuilder();
        foreach (var (name, fault) in checks)
            report.AppendLine(fault is null ? $"[+]{name} ok" : $"[-]{name} failed: {fault}");
        return checks.All(c => c.Fault is null) ? Results.Text("ok") : Results.Text(report.ToString(), statusCode: StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task StreamsAsync(IGrainFactory grains, Starter starter)
    {
        if (!starter.IsStarted)
            throw new InvalidOperationException("the streams have not been started yet");
        var synced = await Task.WhenAll(starter.Streams.Select(async stream => (stream, Synced: await grains.GetGrain<IWatchGrain>(stream).IsSyncedAsync())));
        var missing = synced.Where(s => !s.Synced).Select(s => s.stream).ToList();
        if (missing.Count > 0)
            throw new InvalidOperationException($"not synced yet: {string.Join(", ", missing)}");
    }

    private static async Task<(string Name, string? Fault)> CheckAsync(string name, Func<Task> check)
    {
        try
        {
            await check();
            return (name, null);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return (name, e is OperationCanceledException ? $"no answer within {Patience.TotalSeconds} s" : e.Message);
        }
    }
}
