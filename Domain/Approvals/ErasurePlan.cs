using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Signing;

namespace Governor.Domain.Approvals;

/// <summary>A record of the log whose payload shall be erased: which, and what it is, so that whoever approves sees it.</summary>
/// <param name="Leaf">Its index in the log.</param>
/// <param name="Record">Its leaf hash in base64: should another record ever stand at this index, it is not the one that was meant.</param>
/// <param name="Subject">What it is about.</param>
/// <param name="Event">Its action.</param>
public sealed record ErasureTarget(long Leaf, string Record, string Subject, string Event);

/// <summary>The payloads of some records shall be erased.</summary>
/// <param name="Leaves">Ascending, each once.</param>
public sealed record ErasurePlan(ImmutableArray<ErasureTarget> Leaves, string Reason)
{
    public const string Action = "audit.erase";

    /// <summary>Whoever approves should be able to read what they approve.</summary>
    public const int MostLeaves = 256;

    /// <summary>Canonical; the action is in it, so that the digest covers it.</summary>
    public string ToJson() => Encoding.UTF8.GetString(CanonicalJson.Encode(new JsonObject
    {
        ["action"] = Action,
        ["leaves"] = new JsonArray([.. Leaves.Select(JsonNode? (target) => new JsonObject
        {
            ["event"] = target.Event,
            ["leaf"] = target.Leaf,
            ["record"] = target.Record,
            ["subject"] = target.Subject,
        })]),
        ["reason"] = Reason,
    }));

    /// <summary>Accepts exactly what <see cref="ToJson"/> produces.</summary>
    public static bool TryParse(string json, [NotNullWhen(true)] out ErasurePlan? plan, [NotNullWhen(false)] out string? fault)
    {
        plan = null;
        try
        {
            using var document = JsonDocument.Parse(json);
            plan = Read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or KeyNotFoundException)
        {
            fault = $"something else: {e.Message}";
            return false;
        }
        fault = FaultOf(plan) ?? (plan.ToJson() == json ? null : "text that is not in canonical form, or with more in it");
        if (fault is not null)
            plan = null;
        return plan is not null;
    }

    private static ErasurePlan Read(JsonElement root) => new(
        [.. root.GetProperty("leaves").EnumerateArray().Select(target => new ErasureTarget(
            target.GetProperty("leaf").GetInt64(), Text(target, "record"), Text(target, "subject"), Text(target, "event")))],
        Text(root, "reason"));

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString() ?? "";

    private static string? FaultOf(ErasurePlan plan) =>
        plan.Leaves.Length is 0 or > MostLeaves ? $"{plan.Leaves.Length} leaves; one to {MostLeaves} can be erased by one plan"
        : plan.Leaves[0].Leaf < 0 ? $"leaf {plan.Leaves[0].Leaf}"
        : plan.Leaves.Zip(plan.Leaves.Skip(1)).Any(pair => pair.First.Leaf >= pair.Second.Leaf) ? "leaves that do not ascend"
        : string.IsNullOrWhiteSpace(plan.Reason) ? "no reason"
        : null;
}
