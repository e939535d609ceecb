using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;

namespace Governor.Domain.Packs;

/// <summary>
/// Whose the objects of a delivery are: a pack lineage on its target, whatever versions come and go. Every owner writes under a field
/// manager of its own, so that the API server itself refuses when two of them claim one object, however close together they come.
/// </summary>
/// <param name="Instance">The PackInstance: <see cref="InstanceRules.KeyOf"/>.</param>
public readonly record struct PackOwner(ObjectKey Instance)
{
    /// <summary>On every object of a pack: the name of its PackInstance, as far as label values go.</summary>
    public const string Label = Prefix + "pack-instance";

    /// <summary>On every object of a pack: the full key of its PackInstance.</summary>
    public const string Annotation = Prefix + "pack-owner";

    /// <summary>
    /// On an object that exists because its owner made it: the owner. Only requests that can do nothing but create bring it along, so
    /// whoever reads it after a crash knows who made the object, although nobody lived to hear the answer.
    /// </summary>
    public const string CreatedAnnotation = Prefix + "pack-created";

    /// <summary>Under which packs were applied before every owner had a field manager of its own; what it owns may be taken over.</summary>
    public const string FormerManager = "conductor-pack-deploy";

    private const string Prefix = "infrastructure.ontai.dev/";
    private const string ManagerPrefix = FormerManager + ":";

    /// <summary>Kubernetes' limit.</summary>
    private const int LongestManager = 128;

    /// <summary>Names the owner, in conflicts too; shortened by a hash where it would be too long.</summary>
    public string FieldManager
    {
        get
        {
            var manager = $"{ManagerPrefix}{Instance}";
            if (manager.Length <= LongestManager)
                return manager;
            var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(manager)))[..16];
            return $"{manager[..(LongestManager - hash.Length - 1)]}~{hash}";
        }
    }

    /// <summary>Marks an object as this owner's. The same object gives the same bytes. What a pack says itself about who made its objects does not count.</summary>
    public KubeObject Mark(KubeObject item)
    {
        var copy = item.ToJsonObject();
        var metadata = copy["metadata"]!.AsObject();
        Entries(metadata, "labels")[Label] = LineageNames.LabelValue(Instance.Name);
        var annotations = Entries(metadata, "annotations");
        annotations[Annotation] = Instance.ToString();
        annotations.Remove(CreatedAnnotation);
        return KubeObject.From(copy);
    }

    /// <summary>Marks an object as made by this owner, beside <see cref="Mark"/>.</summary>
    public KubeObject MarkCreated(KubeObject marked)
    {
        var copy = marked.ToJsonObject();
        Entries(copy["metadata"]!.AsObject(), "annotations")[CreatedAnnotation] = Instance.ToString();
        return KubeObject.From(copy);
    }

    /// <summary>
    /// Whether an object on a target was made by this owner: it says so, and it was this owner's field manager that said it. A copy that
    /// somebody else made of the object says it as somebody else.
    /// </summary>
    public bool HasCreated(KubeObject live) =>
        live.Annotations.GetValueOrDefault(CreatedAnnotation) == Instance.ToString() && Applied(live, FieldManager, "f:metadata", "f:annotations", $"f:{CreatedAnnotation}");

    /// <summary>Whose an object on a target is, by its mark; null when it is nobody's.</summary>
    public static PackOwner? Of(KubeObject live) =>
        live.Annotations.GetValueOrDefault(Annotation) is { Length: > 0 } key ? new PackOwner(ObjectKey.Parse(key)) : null;

    /// <summary>Whether a field is one that only says where an object comes from: our marks, not the pack's content.</summary>
    public static bool IsMark(string field) =>
        field.StartsWith($".metadata.annotations.{Prefix}", StringComparison.Ordinal) || field.StartsWith($".metadata.labels.{Prefix}", StringComparison.Ordinal);

    /// <summary>Whether a field manager is the one of a pack.</summary>
    public static bool IsPack(string manager) => manager.StartsWith(ManagerPrefix, StringComparison.Ordinal);

    /// <summary>A field manager as people know it: the pack that it stands for, where it is one of ours.</summary>
    public static string Describe(string manager) =>
        IsPack(manager) ? $"pack instance {manager[ManagerPrefix.Length..]}" : $"'{manager}'";

    /// <summary>
    /// Whether Guardian was ahead of the pack with an account that both of them need: it applied the account in the second of its birth,
    /// and nobody but it and packs has a say in it. Who of the two was faster then makes no difference.
    /// </summary>
    /// <param name="guardian">Guardian's field manager.</param>
    public static bool IsGuardianAhead(KubeObject live, string guardian)
    {
        if (live.Gvk != KnownKinds.ServiceAccount || live.Find("metadata", "managedFields") is not { ValueKind: JsonValueKind.Array } entries)
            return false;
        var birth = live.FindText("metadata", "creationTimestamp");
        return entries.EnumerateArray().All(entry => StatusReading.Text(entry, "manager") is var manager && (manager == guardian || IsPack(manager)))
            && entries.EnumerateArray().Any(entry => StatusReading.Text(entry, "manager") == guardian && StatusReading.Text(entry, "time") == birth);
    }

    private static bool Applied(KubeObject live, string manager, params ReadOnlySpan<string> field)
    {
        if (live.Find("metadata", "managedFields") is not { ValueKind: JsonValueKind.Array } entries)
            return false;
        foreach (var entry in entries.EnumerateArray())
        {
            if (StatusReading.Text(entry, "manager") != manager || StatusReading.Text(entry, "operation") != "Apply" || !entry.TryGetProperty("fieldsV1", out var at))
                continue;
            var isThere = true;
            foreach (var name in field)
                isThere = isThere && at.ValueKind == JsonValueKind.Object && at.TryGetProperty(name, out at);
            if (isThere)
                return true;
        }
        return false;
    }

    private static JsonObject Entries(JsonObject metadata, string name)
    {
        if (metadata[name] is JsonObject entries)
            return entries;
        var made = new JsonObject();
        metadata[name] = made;
        return made;
    }
}
