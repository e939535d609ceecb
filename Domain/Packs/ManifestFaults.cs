using System.Text.Json;
using Governor.Domain.Kinds;

namespace Governor.Domain.Packs;

/// <summary>What no manifest may hold, whatever its kind: it would be read as something else than it says, or as another object.</summary>
internal static class ManifestFaults
{
    private const int LongestName = 253;

    /// <summary>The server writes these. In a manifest they are left over from a live object, and turn applying it into something else.</summary>
    private static readonly string[] Servers = ["managedFields", "resourceVersion", "uid", "deletionTimestamp", "deletionGracePeriodSeconds"];

    /// <summary>The first fault, or null.</summary>
    internal static string? Of(KubeObject item)
    {
        if (item.Find("metadata", "name") is { ValueKind: not (JsonValueKind.String or JsonValueKind.Undefined or JsonValueKind.Null) } odd)
            return $"metadata.name: expected text, found {odd.GetRawText()}";
        if (item.Name.Length == 0)
            return item.FindText("metadata", "generateName").Length > 0
                ? "metadata.name: expected a name, found only generateName, which would make another object each time"
                : "metadata.name: expected a name, found none";
        foreach (var (field, name) in (ReadOnlySpan<(string, string)>)[("name", item.Name), ("namespace", item.Namespace)])
            if (name is "." or ".." || name.Length > LongestName || name.AsSpan().ContainsAny("/%\\") || name.Any(char.IsControl))
                return $"metadata.{field}: expected at most {LongestName} characters without '/', '\\' and '%', found '{Shown(name)}'";
        foreach (var field in Servers)
            if (item.Find("metadata", field) is { ValueKind: not (JsonValueKind.Undefined or JsonValueKind.Null) })
                return $"metadata.{field}: expected a manifest, found what only the server writes; leave it out";
        foreach (var field in (ReadOnlySpan<string>)["labels", "annotations"])
            if (item.Find("metadata", field) is { ValueKind: not (JsonValueKind.Object or JsonValueKind.Undefined or JsonValueKind.Null) } entries)
                return $"metadata.{field}: expected a mapping, found {entries.ValueKind}";
        return null;
    }

    private static string Shown(string name) => new([.. name.Take(80).Select(c => char.IsControl(c) ? '?' : c)]);
}
