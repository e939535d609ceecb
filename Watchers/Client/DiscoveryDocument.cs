using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Text.Json;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Watchers.Client;

/// <summary>Reads what an API server says about the kinds that it serves, in the old form and in the aggregated one (KEP-3352).</summary>
internal static class DiscoveryDocument
{
    /// <summary>Far above what anybody serves; more would be an attack on our memory.</summary>
    private const int MostKinds = 20_000;

    private const int MostShared = 10_000;

    // The same kinds are served by every cluster: one description in memory serves them all. Bounded, because a cluster may serve any kind.
    private static readonly ConcurrentDictionary<ResourceDescription, ResourceDescription> Shared = new();

    /// <summary>The kinds of one group version, from its APIResourceList.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static FrozenDictionary<string, ResourceDescription> ReadResources(ReadOnlySpan<byte> json, string group, string version) => Guard(json, root =>
    {
        if (Kind(root) != "APIResourceList")
            throw new FormatException($"expected an APIResourceList, found a '{Kind(root)}'");
        var entries = Items(root, "resources").Select(r => (Name: Text(r, "name"), Kind: Text(r, "kind"), Resource: r)).ToList();
        var withStatus = entries.Where(e => e.Name.EndsWith("/status", StringComparison.Ordinal))
            .Select(e => e.Name[..^"/status".Length]).ToHashSet(StringComparer.Ordinal);
        return Collect(entries
            .Where(e => e.Name.Length > 0 && !e.Name.Contains('/', StringComparison.Ordinal))
            .Select(e => (
                new ResourceDescription(
                    new GroupVersionKind(group, version, e.Kind), e.Name, e.Resource.GetProperty("namespaced").GetBoolean(), withStatus.Contains(e.Name)),
                CanBeListed(e.Resource))));
    });

    /// <summary>
    /// The kinds of every group version, from an APIGroupDiscoveryList; null when the document is another one: the server knows no
    /// aggregated discovery. A group version whose own server did not answer the aggregator lately is left out: nothing is known of it.
    /// </summary>
    /// <exception cref="FormatException">It is no discovery document at all.</exception>
    public static Dictionary<(string Group, string Version), FrozenDictionary<string, ResourceDescription>>? ReadAggregated(ReadOnlySpan<byte> json) =>
        Guard<Dictionary<(string, string), FrozenDictionary<string, ResourceDescription>>?>(json, root =>
        {
            if (Kind(root) != "APIGroupDiscoveryList")
                return Kind(root) is "APIGroupList" or "APIVersions" ? null : throw new FormatException($"expected a discovery document, found a '{Kind(root)}'");
            var made = new Dictionary<(string, string), FrozenDictionary<string, ResourceDescription>>();
            foreach (var item in Items(root, "items"))
            {
                var group = item.TryGetProperty("metadata", out var metadata) ? Text(metadata, "name") : "";
                foreach (var version in Items(item, "versions").Where(v => Text(v, "freshness") != "Stale"))
                    made[(group, Text(version, "version"))] = Collect(Items(version, "resources")
                        .Where(r => r.TryGetProperty("responseKind", out var kind) && kind.ValueKind == JsonValueKind.Object)
                        .Select(r => (
                            new ResourceDescription(
                                new GroupVersionKind(group, Text(version, "version"), Text(r.GetProperty("responseKind"), "kind")),
                                Text(r, "resource"), Text(r, "scope") == "Namespaced",
                                Items(r, "subresources").Any(s => Text(s, "subresource") == "status")),
                            CanBeListed(r))));
            }
            return made.Values.Sum(kinds => (long)kinds.Count) <= MostKinds ? made : throw TooMany();
        });

    /// <summary>A kind may be served twice, once to be read and once only to be created (as with some reviews): the readable one counts.</summary>
    private static FrozenDictionary<string, ResourceDescription> Collect(IEnumerable<(ResourceDescription Resource, bool CanBeListed)> resources)
    {
        var made = new Dictionary<string, ResourceDescription>(StringComparer.Ordinal);
        foreach (var (resource, _) in resources.OrderByDescending(r => r.CanBeListed))
            if (resource.Kind.Kind.Length > 0 && IsSegment(resource.Plural))
                made.TryAdd(resource.Kind.Kind, Share(resource));
        return made.Count <= MostKinds ? made.ToFrozenDictionary(StringComparer.Ordinal) : throw TooMany();
    }

    private static FormatException TooMany() => new($"expected at most {MostKinds} kinds, found more");

    /// <summary>The plural becomes a part of URLs: what is none is not taken from a server.</summary>
    private static bool IsSegment(string plural) => plural.Length is > 0 and <= 253 && plural.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.') && plural is not ("." or "..");

    private static ResourceDescription Share(ResourceDescription resource)
    {
        if (Shared.TryGetValue(resource, out var same))
            return same;
        if (Shared.Count < MostShared)
            Shared.TryAdd(resource, resource);
        return resource;
    }

    private static bool CanBeListed(JsonElement resource) => Items(resource, "verbs").Any(v => v.ValueKind == JsonValueKind.String && v.ValueEquals("list"));

    private static string Kind(JsonElement root) => root.ValueKind == JsonValueKind.Object ? Text(root, "kind") : "";

    private static string Text(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    /// <summary>Go's empty list is null, and may be left out.</summary>
    private static JsonElement.ArrayEnumerator Items(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : default;

    private static T Guard<T>(ReadOnlySpan<byte> json, Func<JsonElement, T> read)
    {
        try
        {
            return read(JsonElement.Parse(json));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new FormatException($"expected a discovery document, found: {e.Message}", e);
        }
    }
}
