using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Sandbox.Api;
using Governor.Sandbox.Discovery;
using Governor.Sandbox.Store;

namespace Governor.Sandbox.Admission;

/// <summary>One webhook of one configuration: what it wants to see, and how it is reached.</summary>
internal sealed class Webhook
{
    private static readonly ResourceId Namespaces = new("", "namespaces");

    private readonly JsonElement _json;
    private readonly LabelSelector _namespaces;
    private readonly LabelSelector _objects;

    public Webhook(JsonElement json, bool isMutating)
    {
        _json = json;
        _namespaces = LabelSelector.Of(json.Find("namespaceSelector"));
        _objects = LabelSelector.Of(json.Find("objectSelector"));
        IsMutating = isMutating;
        Name = json.FindText("name");
        Timeout = TimeSpan.FromSeconds(json.Find("timeoutSeconds") is { ValueKind: JsonValueKind.Number } seconds ? seconds.GetInt32() : 10);
    }

    public string Name { get; }
    public bool IsMutating { get; }
    public TimeSpan Timeout { get; }
    public bool IsIgnoredWhenBroken => _json.FindText("failurePolicy") == "Ignore";
    public bool IsReinvoked => _json.FindText("reinvocationPolicy") == "IfNeeded";
    public JsonElement Client => _json.Find("clientConfig");

    /// <summary>The version in which the webhook sees the write; null when it does not see it.</summary>
    public string? Match(AdmissionAttempt attempt, KindTable kinds, StoreState state)
    {
        var resource = attempt.Context.Resource;
        var version = Rules(attempt, resource.Gvk.Version) ? resource.Gvk.Version : null;
        if (version is null && _json.FindText("matchPolicy") != "Exact")
            version = kinds.All.Where(r => r.Id == resource.Id).Select(r => r.Gvk.Version).FirstOrDefault(v => Rules(attempt, v));
        return version is not null && SelectsNamespace(attempt, state) && SelectsObject(attempt) ? version : null;
    }

    private bool Rules(AdmissionAttempt attempt, string version) =>
        _json.Find("rules") is { ValueKind: JsonValueKind.Array } rules && rules.EnumerateArray().Any(rule => Rules(rule, attempt, version));

    private static bool Rules(JsonElement rule, AdmissionAttempt attempt, string version)
    {
        var resource = attempt.Context.Resource;
        return Has(rule, "operations", attempt.Operation) && Has(rule, "apiGroups", resource.Gvk.Group) && Has(rule, "apiVersions", version)
            && Texts(rule, "resources").Any(r => CoversResource(r, attempt.Resource, attempt.Context.Subresource))
            && rule.FindText("scope") switch { "Namespaced" => resource.IsNamespaced, "Cluster" => !resource.IsNamespaced, _ => true };
    }

    private static bool CoversResource(string pattern, string resource, string subresource)
    {
        var slash = pattern.IndexOf('/', StringComparison.Ordinal);
        var (wanted, wantedSub) = slash < 0 ? (pattern, "") : (pattern[..slash], pattern[(slash + 1)..]);
        return (wanted == "*" || wanted == resource) && (wantedSub == subresource || (slash >= 0 && wantedSub == "*"));
    }

    private bool SelectsNamespace(AdmissionAttempt attempt, StoreState state)
    {
        var context = attempt.Context;
        if (_namespaces.IsEverything)
            return true;
        if (context.Resource.Id == Namespaces)
            return _namespaces.Matches(Labels(attempt.Object ?? attempt.Old));
        return !context.Resource.IsNamespaced
            || (state.Find(Namespaces, new ObjectKey("", context.Namespace)) is { } found && _namespaces.Matches(found));
    }

    private bool SelectsObject(AdmissionAttempt attempt) =>
        _objects.IsEverything
        || (attempt.Object is not null && _objects.Matches(Labels(attempt.Object)))
        || (attempt.Old is not null && _objects.Matches(Labels(attempt.Old)));

    private static JsonElement Labels(JsonObject? o) => JsonSerializer.SerializeToElement(o?.Child("metadata")?.Child("labels"));

    private static bool Has(JsonElement rule, string list, string wanted) => Texts(rule, list).Any(t => t == "*" || t == wanted);

    private static IEnumerable<string> Texts(JsonElement rule, string list) =>
        rule.Find(list) is { ValueKind: JsonValueKind.Array } found ? found.EnumerateArray().Select(t => t.GetString() ?? "") : [];
}
