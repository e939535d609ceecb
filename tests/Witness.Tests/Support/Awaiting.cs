using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;

[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")] // file modes and signals

namespace Governor.Witness.Tests.Support;

/// <summary>Waits with a bound that say what they waited for and what they saw.</summary>
internal static class Awaiting
{
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(60);

    public static async Task DoneAsync(Task task, string what, Func<string> seen)
    {
        try
        {
            await task.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"waited {Patience.TotalSeconds} s for {what}; saw: {seen()}");
        }
    }

    /// <summary>Watches one ConfigMap until it is as it should be.</summary>
    public static async Task<KubeObject> MapAsync(ICluster cluster, string name, string what, Func<KubeObject, bool> holds, Func<string>? context = null)
    {
        using var patience = new CancellationTokenSource(Patience);
        KubeObject? last = null;
        try
        {
            await foreach (var seen in cluster.WatchAsync(new WatchRequest(KnownKinds.ConfigMap, "ont-system", name), patience.Token))
            {
                last = seen.Object ?? last;
                if (seen is { Type: WatchEventType.Present, Object: { } now } && holds(now))
                    return now;
            }
        }
        catch (OperationCanceledException)
        {
            // said below
        }
        throw new TimeoutException($"waited {Patience.TotalSeconds} s for {what}; last seen: {last?.Root.ToString() ?? "nothing"}\n{context?.Invoke()}");
    }
}
