using System.Collections.Immutable;
using System.Text.Json;
using Governor.Domain.Kinds;

namespace Governor.Domain.Packs;

/// <summary>
/// What can be found out about a delivery before its first write, by asking the target to pretend. Only what will still be true when
/// the object's turn comes counts: what the pack itself changes before that is not held against it.
/// </summary>
public static class Preflight
{
    /// <summary>Whether applying the object may be rehearsed. Otherwise it is only looked at: what it hangs on comes with the same pack.</summary>
    public static bool MayBeRehearsed(GroupVersionKind kind, bool ownKind) =>
        !ownKind && kind is not { Group: "", Kind: "Pod" } && kind is not { Group: "rbac.authorization.k8s.io", Kind: "RoleBinding" or "ClusterRoleBinding" };

    /// <summary>Whether a refusal of the rehearsal says nothing about the performance.</summary>
    /// <param name="own">The names of the webhooks that the pack brings: an older release of them may be what refuses.</param>
    public static bool MayPassLater(int code, string message, ImmutableHashSet<string> own) =>
        // The API server's own fault, or a webhook's that does not answer: perhaps the pack brings the remedy.
        code == 500
        || message.Contains("does not support dry run", StringComparison.Ordinal)
        || message.Contains("exceeded quota", StringComparison.Ordinal)
        || own.Any(name => message.Contains($"admission webhook \"{name}\"", StringComparison.Ordinal));

    /// <summary>The names of the webhooks that a plan brings along.</summary>
    public static ImmutableHashSet<string> WebhooksOf(DeliveryPlan plan) =>
    [
        .. plan.Objects
            .Where(item => item.Gvk.Group == "admissionregistration.k8s.io" && item.Find("webhooks").ValueKind == JsonValueKind.Array)
            .SelectMany(item => item.Find("webhooks").EnumerateArray())
            .Select(webhook => StatusReading.Text(webhook, "name"))
            .Where(name => name.Length > 0),
    ];
}
