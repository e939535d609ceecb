using System.Text.Json.Nodes;
using Governor.Sandbox.Api;
using Microsoft.AspNetCore.Http;

namespace Governor.Sandbox.Discovery;

/// <summary>Everything that is no resource: discovery, OpenAPI, health, version.</summary>
internal sealed class DiscoveryHandler
{
    private static readonly string[] Checks = ["ping", "log", "etcd", "poststarthook/start-apiextensions-controllers", "poststarthook/crd-informer-synced", "poststarthook/rbac/bootstrap-roles"];

    private readonly ClusterCore _core;
    private readonly OpenApiHandler _openApi;

    public DiscoveryHandler(ClusterCore core)
    {
        _core = core;
        _openApi = new OpenApiHandler(core);
    }

    public Task HandleAsync(HttpContext http, RequestInfo info)
    {
        var parts = info.Path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return parts switch
        {
            ["version"] => Answers.Json(http, 200, Version()),
            ["healthz" or "livez" or "readyz", ..] => HealthAsync(http, parts),
            ["api" or "apis"] when _core.Options.AggregatedDiscovery && MediaRange.AggregatedDiscovery(http.Request) is { } version => AggregatedDiscovery.SendAsync(http, _core.Kinds.All, parts[0] == "api", version),
            ["api"] => DocumentAsync(http, ApiVersions(http)),
            ["api", "v1"] => DocumentAsync(http, ResourceList("", "v1")),
            ["apis"] => DocumentAsync(http, GroupList()),
            ["apis", var group] => DocumentAsync(http, Group(group)),
            ["apis", var group, var version] => DocumentAsync(http, ResourceList(group, version)),
            ["openapi", ..] => _openApi.HandleAsync(http, parts),
            _ => throw ApiException.PageNotFound(),
        };
    }

    private static Task DocumentAsync(HttpContext http, JsonObject document)
    {
        MediaRange.Require(http.Request);
        return Answers.Json(http, 200, document);
    }

    private static Task HealthAsync(HttpContext http, string[] parts)
    {
        if (parts.Length > 1)
            return Checks.Contains(string.Join('/', parts[1..])) ? Answers.Text(http, 200, "ok") : throw ApiException.PageNotFound();
        if (!http.Request.Query.ContainsKey("verbose"))
            return Answers.Text(http, 200, "ok");
        var excluded = http.Request.Query["exclude"];
        var lines = Checks.Select(check => excluded.Contains(check) ? $"[+]{check} excluded: ok\n" : $"[+]{check} ok\n");
        return Answers.Text(http, 200, $"{string.Concat(lines)}{parts[0]} check passed\n");
    }

    private static JsonObject Version() => new()
    {
        ["major"] = "1",
        ["minor"] = "26",
        ["gitVersion"] = "v1.26.4",
        ["gitCommit"] = "sandbox",
        ["gitTreeState"] = "clean",
        ["buildDate"] = "2023-10-20T19:28:29Z",
        ["goVersion"] = "none",
        ["compiler"] = "none",
        ["platform"] = "linux/amd64",
    };

    private static JsonObject ApiVersions(HttpContext http) => new()
    {
        ["kind"] = "APIVersions",
        ["versions"] = new JsonArray("v1"),
        ["serverAddressByClientCIDRs"] = new JsonArray(new JsonObject { ["clientCIDR"] = "0.0.0.0/0", ["serverAddress"] = http.Request.Host.Value }),
    };

    private JsonObject GroupList() => new()
    {
        ["kind"] = "APIGroupList",
        ["apiVersion"] = "v1",
        ["groups"] = new JsonArray(Groups().Select(g => (JsonNode?)GroupEntry(g.Key, g)).ToArray()),
    };

    private JsonObject Group(string name)
    {
        var group = Groups().FirstOrDefault(g => g.Key == name) ?? throw ApiException.PageNotFound();
        var made = new JsonObject { ["kind"] = "APIGroup", ["apiVersion"] = "v1" };
        foreach (var (key, value) in GroupEntry(name, group).ToArray())
            made[key] = value?.DeepClone();
        return made;
    }

    private IEnumerable<IGrouping<string, ServedResource>> Groups() =>
        _core.Kinds.All.Where(r => r.Gvk.Group.Length > 0).GroupBy(r => r.Gvk.Group);

    private static JsonObject GroupEntry(string name, IEnumerable<ServedResource> resources)
    {
        var versions = resources.Select(r => r.Gvk.Version).Distinct().Order(VersionOrder.Instance)
            .Select(v => new JsonObject { ["groupVersion"] = $"{name}/{v}", ["version"] = v }).ToArray();
        return new JsonObject
        {
            ["name"] = name,
            ["versions"] = new JsonArray([.. versions]),
            ["preferredVersion"] = versions[0].DeepClone(),
        };
    }

    private JsonObject ResourceList(string group, string version)
    {
        var resources = _core.Kinds.All.Where(r => r.Gvk.Group == group && r.Gvk.Version == version).ToArray();
        if (resources.Length == 0)
            throw KindTable.IsBuiltinGroup(group) ? ApiException.NoSuchResource() : ApiException.PageNotFound();
        return new JsonObject
        {
            ["kind"] = "APIResourceList",
            ["apiVersion"] = "v1",
            ["groupVersion"] = group.Length == 0 ? version : $"{group}/{version}",
            ["resources"] = new JsonArray(resources.SelectMany(Entries).ToArray()),
        };
    }

    /// <summary>A resource and its subresources, as the list of a group version has them.</summary>
    public static IEnumerable<JsonNode?> Entries(ServedResource r)
    {
        var verbs = r.IsVirtual ? (string[])["create"]
            : r.IsCustom ? ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"]
            : ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
        var entry = Entry(r.Plural, r.IsCustom ? r.Singular : "", r.IsNamespaced, r.Gvk.Kind, verbs);
        if (r.ShortNames.Count > 0)
            entry["shortNames"] = JsonText.ArrayOf(r.ShortNames);
        if (r.Categories.Count > 0)
            entry["categories"] = JsonText.ArrayOf(r.Categories);
        if (!r.IsVirtual)
            entry["storageVersionHash"] = Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes($"{r.StorageApiVersion}/{r.Gvk.Kind}"))[..8]);
        yield return entry;
        if (r.HasStatus)
            yield return Entry(r.Plural + "/status", "", r.IsNamespaced, r.Gvk.Kind, ["get", "patch", "update"]);
        if (r.Scale is not null)
            yield return Foreign(Entry(r.Plural + "/scale", "", r.IsNamespaced, "Scale", ["get", "patch", "update"]), "autoscaling");
        if (r is { Plural: "serviceaccounts", IsCustom: false })
            yield return Foreign(Entry("serviceaccounts/token", "", true, "TokenRequest", ["create"]), "authentication.k8s.io");
        if (r is { Plural: "namespaces", IsCustom: false })
            yield return Entry("namespaces/finalize", "", false, "Namespace", ["update"]);
    }

    private static JsonObject Foreign(JsonObject entry, string group)
    {
        entry["group"] = group;
        entry["version"] = "v1";
        return entry;
    }

    private static JsonObject Entry(string name, string singular, bool namespaced, string kind, string[] verbs) => new()
    {
        ["name"] = name,
        ["singularName"] = singular,
        ["namespaced"] = namespaced,
        ["kind"] = kind,
        ["verbs"] = JsonText.ArrayOf(verbs),
    };
}

/// <summary>Kubernetes' order of API versions: stable before beta before alpha, newest first.</summary>
internal sealed class VersionOrder : IComparer<string>
{
    public static readonly VersionOrder Instance = new();

    public int Compare(string? x, string? y)
    {
        var (a, b) = (Rank(x!), Rank(y!));
        return b.CompareTo(a) is not 0 and var order ? order : string.CompareOrdinal(x, y);
    }

    private static (int Stability, int Major, int Minor) Rank(string version)
    {
        var match = System.Text.RegularExpressions.Regex.Match(version, @"\Av(\d+)(?:(alpha|beta)(\d+))?\z");
        if (!match.Success)
            return (-1, 0, 0);
        var stability = match.Groups[2].Value switch { "" => 2, "beta" => 1, _ => 0 };
        return (stability, Number(match.Groups[1]), match.Groups[3].Success ? Number(match.Groups[3]) : 0);
    }

    private static int Number(System.Text.RegularExpressions.Group group) => int.Parse(group.Value, System.Globalization.CultureInfo.InvariantCulture);
}
