using System.Collections.Concurrent;

namespace Governor.Sandbox.Api;

/// <summary>How often what was asked for: shows who polls.</summary>
internal sealed class RequestCounts
{
    private readonly ConcurrentDictionary<string, long> _counts = new(StringComparer.Ordinal);

    public void Count(RequestInfo info) => _counts.AddOrUpdate(Name(info), 1, static (_, count) => count + 1);

    public IReadOnlyDictionary<string, long> Snapshot() => new Dictionary<string, long>(_counts);

    private static string Name(RequestInfo info) => info.IsResource
        ? $"{info.Verb} {info.Plural}{(info.IsCore ? "" : $".{info.Group}")}{(info.Subresource.Length == 0 ? "" : $"/{info.Subresource}")}"
        : $"{info.Verb} {info.Path}";
}
