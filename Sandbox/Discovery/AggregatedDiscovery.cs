using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Governor.Sandbox.Api;
using Microsoft.AspNetCore.Http;

namespace Governor.Sandbox.Discovery;

/// <summary>All groups, versions and resources in one document with an ETag, as newer API servers offer.</summary>
internal static class AggregatedDiscovery
{
    public static async Task SendAsync(HttpContext http, IEnumerable<ServedResource> resources, bool isCore, string version)
    {
        var groups = resources.Where(r => r.Gvk.Group.Length == 0 == isCore).GroupBy(r => r.Gvk.Group);
        var document = JsonText.Bytes(new JsonObject
        {
            ["kind"] = "APIGroupDiscoveryList",
            ["apiVersion"] = $"apidiscovery.k8s.io/{version}",
            ["metadata"] = new JsonObject(),
            ["items"] = new JsonArray([.. groups.Select(Group)]),
        });
        var etag = $"\"{Convert.ToHexString(SHA512.HashData(document))}\"";
        http.Response.Headers.ETag = etag;
        http.Response.Headers.Vary = "Accept";
        if (http.Request.Headers.IfNoneMatch.ToString() == etag)
        {
            http.Response.StatusCode = 304;
            return;
        }
        http.Response.ContentType = $"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList";
        await http.Response.Body.WriteAsync(document);
    }

    private static JsonNode? Group(IGrouping<string, ServedResource> group) => new JsonObject
    {
        ["metadata"] = group.Key.Length == 0
            ? new JsonObject { ["creationTimestamp"] = null }
            : new JsonObject { ["name"] = group.Key, ["creationTimestamp"] = null },
        ["versions"] = new JsonArray([.. group.GroupBy(r => r.Gvk.Version).OrderBy(v => v.Key, VersionOrder.Instance).Select(v => (JsonNode?)new JsonObject
        {
            ["version"] = v.Key,
            ["resources"] = new JsonArray([.. v.Select(Resource)]),
            ["freshness"] = "Current",
        })]),
    };

    private static JsonNode? Resource(ServedResource r)
    {
        var (entry, subresources) = (DiscoveryHandler.Entries(r).First()!.AsObject(), DiscoveryHandler.Entries(r).Skip(1).Select(s => s!.AsObject()).ToArray());
        var made = new JsonObject
        {
            ["resource"] = r.Plural,
            ["responseKind"] = Kind(r.Gvk.Group, r.Gvk.Version, r.Gvk.Kind),
            ["scope"] = r.IsNamespaced ? "Namespaced" : "Cluster",
            ["singularResource"] = r.Singular,
        };
        foreach (var list in (ReadOnlySpan<string>)["verbs", "shortNames", "categories"])
            if (entry[list] is { } value)
                made[list] = value.DeepClone();
        if (subresources.Length > 0)
            made["subresources"] = new JsonArray([.. subresources.Select(s => (JsonNode?)new JsonObject
            {
                ["subresource"] = s.Text("name").Split('/')[1],
                ["responseKind"] = Kind(s.ContainsKey("group") ? s.Text("group") : r.Gvk.Group, s.ContainsKey("version") ? s.Text("version") : r.Gvk.Version, s.Text("kind")),
                ["verbs"] = s["verbs"]!.DeepClone(),
            })]);
        return made;
    }

    private static JsonObject Kind(string group, string version, string kind) => new() { ["group"] = group, ["version"] = version, ["kind"] = kind };
}
