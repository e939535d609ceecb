using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orleans;

namespace Governor.Domain.Kinds;

/// <summary>What a decision says about one condition: the condition without its history.</summary>
[GenerateSerializer, Immutable]
public sealed record ConditionClaim(string Type, ConditionStatus Status, string Reason, string Message)
{
    public static ConditionClaim Of(string type, bool holds, string reason, string message) =>
        new(type, holds ? ConditionStatus.True : ConditionStatus.False, reason, message);
}

/// <summary>Conditions as a list keyed by type (KEP-1623).</summary>
public static class Conditions
{
    /// <summary>The types that kstatus, <c>kubectl wait</c>, Flux and Argo CD read.</summary>
    public const string Ready = "Ready";

    /// <inheritdoc cref="Ready"/>
    public const string Reconciling = "Reconciling";

    /// <inheritdoc cref="Ready"/>
    public const string Stalled = "Stalled";

    /// <summary>
    /// The conditions after the claims: each claim replaces its type in place or is appended; the transition time moves only where the
    /// status changes; other types stay as they are.
    /// </summary>
    public static ImmutableArray<Condition> Apply(
        this ImmutableArray<Condition> current, IEnumerable<ConditionClaim> claims, long observedGeneration, DateTimeOffset now)
    {
        var next = (current.IsDefault ? [] : current).ToBuilder();
        foreach (var claim in claims)
        {
            var at = Find(next, claim.Type);
            var since = at >= 0 && next[at].Status == claim.Status ? next[at].LastTransitionTime : now;
            var made = new Condition(claim.Type, claim.Status, claim.Reason, claim.Message, since, observedGeneration);
            if (at >= 0)
                next[at] = made;
            else
                next.Add(made);
        }
        return next.ToImmutable();
    }

    /// <summary>The conditions after one claim; the same list when it changes nothing.</summary>
    public static ImmutableArray<Condition> Set(
        this ImmutableArray<Condition> current, string type, bool holds, string reason, string message, DateTimeOffset now, long observedGeneration)
    {
        var next = current.Apply([ConditionClaim.Of(type, holds, reason, message)], observedGeneration, now);
        return !current.IsDefault && next.SequenceEqual(current) ? current : next;
    }

    /// <summary>
    /// Ready, Reconciling and Stalled for a decision: ready, or waiting for something that will wake it, or stuck until a human edits.
    /// </summary>
    public static ImmutableArray<ConditionClaim> Standing(bool ready, bool stalled, string reason, string message) =>
    [
        ConditionClaim.Of(Ready, ready, reason, message),
        ConditionClaim.Of(Reconciling, !ready && !stalled, reason, message),
        ConditionClaim.Of(Stalled, !ready && stalled, reason, message),
    ];

    public static Condition? Find(this ImmutableArray<Condition> conditions, string type) =>
        conditions.IsDefault ? null : conditions.FirstOrDefault(condition => condition.Type == type);

    public static bool IsTrue(this ImmutableArray<Condition> conditions, string type) => conditions.Find(type)?.Status == ConditionStatus.True;

    /// <summary>The conditions in an object's status; what is not a condition is skipped.</summary>
    public static ImmutableArray<Condition> Of(KubeObject holder)
    {
        var list = holder.Find("status", "conditions");
        return list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray().Select(Read).OfType<Condition>()] : [];
    }

    /// <summary><c>status.conditions</c> as Kubernetes spells it; times in UTC and whole seconds.</summary>
    public static JsonArray ToJson(this ImmutableArray<Condition> conditions) =>
        new([.. (conditions.IsDefault ? [] : conditions).Select(condition => new JsonObject
        {
            ["type"] = condition.Type,
            ["status"] = condition.Status.ToString(),
            ["observedGeneration"] = condition.ObservedGeneration,
            ["lastTransitionTime"] = KubeTime.Format(condition.LastTransitionTime),
            ["reason"] = condition.Reason,
            ["message"] = condition.Message,
        })]);

    private static Condition? Read(JsonElement entry)
    {
        if (entry.ValueKind != JsonValueKind.Object || Text(entry, "type") is not { Length: > 0 } type)
            return null;
        var status = Text(entry, "status") switch
        {
            "True" => ConditionStatus.True,
            "False" => ConditionStatus.False,
            _ => ConditionStatus.Unknown,
        };
        _ = KubeTime.TryParse(Text(entry, "lastTransitionTime"), out var since);
        var generation = entry.TryGetProperty("observedGeneration", out var g) && g.ValueKind == JsonValueKind.Number && g.TryGetInt64(out var n) ? n : 0;
        return new Condition(type, status, Text(entry, "reason"), Text(entry, "message"), since, generation);
    }

    private static string Text(JsonElement entry, string name) =>
        entry.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static int Find(ImmutableArray<Condition>.Builder conditions, string type)
    {
        for (var i = 0; i < conditions.Count; i++)
            if (conditions[i].Type == type)
                return i;
        return -1;
    }
}
