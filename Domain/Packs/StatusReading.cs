using System.Text.Json;
using Governor.Domain.Kinds;

namespace Governor.Domain.Packs;

/// <summary>A condition as some controller wrote it: nothing in it is taken for granted.</summary>
internal sealed record SeenCondition(string Status, string Reason, string Message, long? ObservedGeneration)
{
    public override string ToString() => (Reason, Message) switch
    {
        ("", "") => $"its condition is {Status}",
        (_, "") => Reason,
        ("", _) => Message,
        _ => $"{Reason}: {Message}",
    };
}

/// <summary>Reads the statuses of objects of any kind.</summary>
internal static class StatusReading
{
    internal static long? Number(this KubeObject item, params ReadOnlySpan<string> path) =>
        item.Find(path) is { ValueKind: JsonValueKind.Number } found && found.TryGetInt64(out var value) ? value : null;

    internal static bool IsTrue(this KubeObject item, params ReadOnlySpan<string> path) => item.Find(path).ValueKind == JsonValueKind.True;

    internal static SeenCondition? ConditionOf(this KubeObject item, string type)
    {
        if (item.Find("status", "conditions") is not { ValueKind: JsonValueKind.Array } conditions)
            return null;
        foreach (var condition in conditions.EnumerateArray())
            if (Text(condition, "type") == type)
                return new SeenCondition(Text(condition, "status"), Text(condition, "reason"), Text(condition, "message"), Generation(condition));
        return null;
    }

    internal static string Text(JsonElement element, string property) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(property, out var v) && v.ValueKind == JsonValueKind.String ? v.GetString()! : "";

    private static long? Generation(JsonElement condition) =>
        condition.TryGetProperty("observedGeneration", out var seen) && seen.ValueKind == JsonValueKind.Number && seen.TryGetInt64(out var value) ? value : null;
}
