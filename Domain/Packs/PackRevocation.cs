using System.Collections.Immutable;
using System.Text.Json;
using Governor.Domain.Kinds;

namespace Governor.Domain.Packs;

/// <summary>
/// How a human takes a pack back, and who it was. What is revoked is the content: it stays revoked when the object is deleted and declared
/// again, until the annotation is taken away from an object that carried it.
/// </summary>
public static class PackRevocation
{
    /// <summary>A human revokes a pack by writing the reason here.</summary>
    public const string Annotation = "ontai.dev/pack-revoked";

    /// <summary>Who revokes it. Where it is missing, the field manager that wrote <see cref="Annotation"/> stands in.</summary>
    public const string ByAnnotation = "ontai.dev/pack-revoked-by";

    /// <summary>What the object itself says; null when it says nothing.</summary>
    public static Revocation? CarriedBy(KubeObject pack) =>
        pack.Annotations.GetValueOrDefault(Annotation, "") is { Length: > 0 } why
            ? new Revocation(pack.Annotations.GetValueOrDefault(ByAnnotation, "") is { Length: > 0 } by ? by : WriterOf(pack, Annotation), why)
            : null;

    /// <summary>What is revoked under a name once this object was seen.</summary>
    public static ImmutableSortedDictionary<string, Revocation> After(PackState state, KubeObject pack, string contentDigest)
    {
        if (CarriedBy(pack) is { } carried)
            return state.Revocations.SetItem(contentDigest, carried);
        var isTakenBack = state.IsRevocationCarried && state.Exists && state.Uid == pack.Uid;
        return isTakenBack ? state.Revocations.Remove(contentDigest).Remove(state.ContentDigest) : state.Revocations;
    }

    // Who a person is the API server does not keep; through what they wrote it does.
    private static string WriterOf(KubeObject item, string annotation)
    {
        if (item.Find("metadata", "managedFields") is { ValueKind: JsonValueKind.Array } entries)
            foreach (var entry in entries.EnumerateArray())
                if (entry.ValueKind == JsonValueKind.Object
                    && entry.TryGetProperty("fieldsV1", out var fields) && Child(fields, "f:metadata") is { } metadata
                    && Child(metadata, "f:annotations") is { } annotations && Child(annotations, $"f:{annotation}") is not null
                    && entry.TryGetProperty("manager", out var manager) && manager.ValueKind == JsonValueKind.String)
                    return $"whoever writes as '{manager.GetString()}'";
        return "somebody unknown";
    }

    private static JsonElement? Child(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var child) ? child : null;
}
