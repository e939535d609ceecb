using Microsoft.AspNetCore.Http;

namespace Governor.Sandbox.Api;

/// <summary>The form in which an answer is wanted: the first entry of Accept that can be served.</summary>
internal sealed record MediaRange(bool IsYaml, string As, string Group, string Version)
{
    private const string Served = "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf";

    private static readonly MediaRange Json = new(false, "", "", "");

    public bool IsTable => As == "Table";
    public bool IsPartial => As is "PartialObjectMetadata" or "PartialObjectMetadataList";

    /// <summary>Null when nothing in Accept can be served.</summary>
    public static MediaRange? Of(HttpRequest request) =>
        request.Headers.Accept.ToString().Length == 0 ? Json : Wanted(request).FirstOrDefault(m => m.IsKnown);

    /// <summary>The version of aggregated discovery that is wanted before anything else; null when it is not.</summary>
    public static string? AggregatedDiscovery(HttpRequest request) =>
        Wanted(request).FirstOrDefault() is { As: "APIGroupDiscoveryList", Group: "apidiscovery.k8s.io", Version: "v2" or "v2beta1" } first ? first.Version : null;

    private static IEnumerable<MediaRange> Wanted(HttpRequest request)
    {
        var accept = request.Headers.Accept.ToString();
        foreach (var entry in accept.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var parts = entry.Split(';', StringSplitOptions.TrimEntries);
            var parameters = parts.Skip(1).Select(p => p.Split('=', 2)).Where(p => p.Length == 2).ToLookup(p => p[0], p => p[1]);
            var made = new MediaRange(parts[0] == "application/yaml", parameters["as"].FirstOrDefault(""), parameters["g"].FirstOrDefault(""), parameters["v"].FirstOrDefault(""));
            if (parts[0] is "application/json" or "application/yaml" or "*/*" or "application/*")
                yield return made;
        }
    }

    /// <exception cref="ApiException">406.</exception>
    public static MediaRange Require(HttpRequest request) => Of(request) ?? throw new ApiException(406, "NotAcceptable", Served);

    private bool IsKnown => As.Length == 0 || ((IsTable || IsPartial) && Group == "meta.k8s.io" && Version is "v1" or "v1beta1");
}
