using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Governor.Domain.Kinds;

/// <summary>Condition lists, as KEP-1623 wants them: one per type, the transition time moves only with the status.</summary>
public static class Conditions
{
    public const string Ready = "Ready";
    public const string Reconciling = "Reconciling";
    public const string Stalled = "Stalled";

    public static ImmutableArray<Condition> Set(
        this ImmutableArray<Condition> conditions, string type, bool status, string reason, string message, DateTimeOffset now, long generation)
    {
        var value = status ? ConditionStatus.True : ConditionStatus.False;
        for (var i = 0; i < conditions.Length; i++)
        {
            var old = conditions[i];
            if (old.Type != type)
                continue;
            var since = old.Status == value ? old.LastTransitionTime : now;
            var changed = new Condition(type, value, reason, message, since, generation);
            return changed == old ? conditions : conditions.SetItem(i, changed);
        }
        return conditions.Add(new Condition(type, value, reason, message, now, generation));
    }

    public static Condition? Of(this ImmutableArray<Condition> conditions, string type) => conditions.FirstOrDefault(c => c.Type == type);

    public static bool IsTrue(this ImmutableArray<Condition> conditions, string type) => conditions.Of(type)?.Status == ConditionStatus.True;

    public static JsonArray ToJson(this ImmutableArray<Condition> conditions) =>
        new([.. conditions.Select(c => (JsonNode)new JsonObject
        {
            ["type"] = c.Type,
            ["status"] = c.Status.ToString(),
            ["reason"] = c.Reason,
            ["message"] = c.Message,
            ["lastTransitionTime"] = Timestamp(c.LastTransitionTime),
            ["observedGeneration"] = c.ObservedGeneration,
        })]);

    /// <summary>RFC 3339 in UTC with whole seconds: what Kubernetes' Time is.</summary>
    public static string Timestamp(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
}
