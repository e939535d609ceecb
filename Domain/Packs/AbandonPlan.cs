using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Signing;

namespace Governor.Domain.Packs;

/// <summary>What a removal cannot reach shall be left where it is, for good.</summary>
/// <param name="Removal">The <see cref="RemovalOrder.Id"/> that is given up.</param>
/// <param name="Objects">What is left, so that whoever approves sees it.</param>
public sealed record AbandonPlan(ObjectKey Instance, string Cluster, string Removal, ImmutableArray<string> Objects, string Reason)
{
    public const string Action = "packinstance.abandon";

    /// <summary>The resource that abandoning is asked for (<c>create</c>) as; it exists in roles only.</summary>
    public const string Resource = "packabandonments";

    public Address Executor => InstanceRules.AddressOf(Instance);

    public static AbandonPlan Of(ObjectKey instance, string cluster, RemovalOrder order, string reason) =>
        new(instance, cluster, order.Id, [.. order.Pending.Select(entry => $"{entry.ApiVersion} {Inventory.Describe(entry)} {entry.Uid}")], reason);

    public bool Equals(AbandonPlan? other) =>
        other is not null && Instance == other.Instance && Cluster == other.Cluster && Removal == other.Removal && Reason == other.Reason && Objects.SequenceEqual(other.Objects);

    public override int GetHashCode() => HashCode.Combine(Instance, Cluster, Removal, Reason);

    /// <summary>Canonical; the action is in it, so that the digest covers it.</summary>
    public string ToJson() => Encoding.UTF8.GetString(CanonicalJson.Encode(new JsonObject
    {
        ["action"] = Action,
        ["cluster"] = Cluster,
        ["instance"] = Instance.ToString(),
        ["objects"] = new JsonArray([.. Objects.Select(entry => (JsonNode?)entry)]),
        ["reason"] = Reason,
        ["removal"] = Removal,
    }));

    /// <summary>Accepts exactly what <see cref="ToJson"/> produces.</summary>
    public static bool TryParse(string json, [NotNullWhen(true)] out AbandonPlan? plan, [NotNullWhen(false)] out string? fault)
    {
        plan = null;
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            plan = new AbandonPlan(
                ObjectKey.Parse(Text(root, "instance")), Text(root, "cluster"), Text(root, "removal"),
                [.. root.GetProperty("objects").EnumerateArray().Select(entry => entry.GetString() ?? "")], Text(root, "reason"));
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or KeyNotFoundException)
        {
            fault = $"something else: {e.Message}";
            return false;
        }
        fault = string.IsNullOrWhiteSpace(plan.Reason) ? "no reason" : plan.ToJson() == json ? null : "text that is not in canonical form, or with more in it";
        if (fault is not null)
            plan = null;
        return plan is not null;
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString() ?? "";
}
