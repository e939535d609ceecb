using System.Text.Json;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Tour.Tests.Support;

/// <summary>Waits with a bound that say what they waited for and what they saw.</summary>
internal static class Awaiting
{
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(60);

    /// <summary>Watches one object until it is as it should be.</summary>
    public static async Task<KubeObject> ObjectAsync(
        ICluster cluster, GroupVersionKind kind, ObjectKey key, string what, Func<KubeObject, bool> holds, Func<Task<string>> context,
        CancellationToken cancellation = default)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        KubeObject? last = null;
        try
        {
            await foreach (var seen in cluster.WatchAsync(new WatchRequest(kind, key.Namespace.Length > 0 ? key.Namespace : null, key.Name), patience.Token))
            {
                last = seen.Object ?? last;
                if (seen.Object is { } now && seen.Type == WatchEventType.Present && holds(now))
                    return now;
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // said below
        }
        throw new TimeoutException(
            $"waited {Patience.TotalSeconds} s for '{what}' of {kind.Kind} {key}; last seen: {(last is null ? "nothing" : last.Root.ToString())}\n{await context()}");
    }

    /// <summary>Waits for something that was armed before.</summary>
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

    /// <summary>The message of a condition that has this status, or null.</summary>
    public static string? Condition(this KubeObject item, string type, string status)
    {
        if (item.Find("status", "conditions") is not { ValueKind: JsonValueKind.Array } conditions)
            return null;
        foreach (var condition in conditions.EnumerateArray())
            if (condition.GetProperty("type").GetString() == type && condition.GetProperty("status").GetString() == status)
                return condition.GetProperty("message").GetString();
        return null;
    }
}
