using Governor.Sandbox.Auth;
using Microsoft.AspNetCore.Http;

namespace Governor.Sandbox.Api;

/// <summary>What a request's method and path ask for.</summary>
internal sealed record RequestInfo(
    string Verb, bool IsResource, string Group, string Version, string Namespace, string Plural, string Name, string Subresource, string Path)
{
    public bool IsCore => Group.Length == 0;

    public AccessRequest ToAccess() => IsResource
        ? new AccessRequest(Verb, Group, Plural, Subresource, Namespace, Name)
        : AccessRequest.ToPath(Verb, Path);

    public static RequestInfo Parse(HttpRequest request)
    {
        var path = request.Path.Value ?? "/";
        var method = request.Method.ToLowerInvariant();
        var parts = new Queue<string>(path.Split('/', StringSplitOptions.RemoveEmptyEntries));
        var outside = new RequestInfo(method, false, "", "", "", "", "", "", path);
        if (parts.Count < 3 || parts.Peek() is not ("api" or "apis"))
            return outside;
        var isCore = parts.Dequeue() == "api";
        var group = isCore ? "" : parts.Dequeue();
        if (parts.Count < 2)
            return outside;
        var version = parts.Dequeue();
        var isWatchPath = parts.Peek() == "watch";
        if (isWatchPath)
            parts.Dequeue();
        var @namespace = "";
        if (parts.Count > 1 && parts.Peek() == "namespaces" && !IsNamespaceItself(parts))
        {
            parts.Dequeue();
            @namespace = parts.Dequeue();
        }
        var plural = parts.TryDequeue(out var p) ? p : "";
        var name = parts.TryDequeue(out var n) ? n : "";
        var subresource = string.Join('/', parts);
        if (plural.Length == 0)
            return outside;
        var access = plural == "namespaces" && group.Length == 0 ? name : @namespace;
        return new RequestInfo(VerbOf(request, method, name, isWatchPath), true, group, version, access, plural,
            name.Length > 0 ? name : NameInSelector(request, method), subresource, path);
    }

    /// <summary>The name in the path; <see cref="Name"/> may come from a field selector instead.</summary>
    public bool NamesOneObject => Verb is not ("list" or "watch" or "create" or "deletecollection") || Subresource.Length > 0;

    private static bool IsNamespaceItself(Queue<string> parts) =>
        parts.Count == 2 || (parts.Count == 3 && parts.ElementAt(2) is "status" or "finalize");

    private static string VerbOf(HttpRequest request, string method, string name, bool isWatchPath) => method switch
    {
        "get" or "head" when isWatchPath => "watch",
        "get" or "head" when name.Length > 0 => "get",
        "get" or "head" => IsWatch(request) ? "watch" : "list",
        "post" => "create",
        "put" => "update",
        "patch" => "patch",
        "delete" => name.Length > 0 ? "delete" : "deletecollection",
        _ => "",
    };

    private static bool IsWatch(HttpRequest request) =>
        request.Query.TryGetValue("watch", out var value) && value.ToString() is not ("false" or "0" or "False" or "f" or "F" or "FALSE");

    private static string NameInSelector(HttpRequest request, string method)
    {
        var selector = request.Query["fieldSelector"].ToString();
        return method == "get" && selector.StartsWith("metadata.name=", StringComparison.Ordinal) && !selector.Contains(',', StringComparison.Ordinal)
            ? selector["metadata.name=".Length..].TrimStart('=')
            : "";
    }
}
