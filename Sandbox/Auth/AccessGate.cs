using Governor.Sandbox.Api;
using Microsoft.AspNetCore.Http;

namespace Governor.Sandbox.Auth;

/// <summary>Who asks, on whose behalf, and whether he may.</summary>
internal sealed class AccessGate
{
    private readonly ClusterCore _core;

    public AccessGate(ClusterCore core) => _core = core;

    /// <exception cref="ApiException">401 for a token that proves nothing. No credentials at all are anonymous.</exception>
    public UserIdentity Authenticate(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        if (!header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) || header[7..].Trim() is not { Length: > 0 } token)
            return UserIdentity.Anonymous;
        return _core.Tokens.Verify(token, [Tokens.ApiAudience]).User ?? throw ApiException.Unauthorized();
    }

    /// <exception cref="ApiException">403 without the right to impersonate.</exception>
    public UserIdentity Impersonate(HttpRequest request, UserIdentity user)
    {
        var name = request.Headers["Impersonate-User"].ToString();
        var groups = request.Headers["Impersonate-Group"].OfType<string>().ToArray();
        if (name.Length == 0)
            return groups.Length == 0
                ? user
                : throw new ApiException(500, "", $"Internal Server Error: \"{request.Path}\": requested [{{Group  {groups[0]}    }}] without impersonating a user") { IsPlainText = true };
        Demand(user, new AccessRequest("impersonate", "", "users", "", "", name));
        foreach (var group in groups)
            Demand(user, new AccessRequest("impersonate", "", "groups", "", "", group));
        if (name.StartsWith("system:serviceaccount:", StringComparison.Ordinal) && groups.Length == 0 && name.Split(':') is { Length: 4 } parts)
            return UserIdentity.ServiceAccount(parts[2], parts[3], "");
        return UserIdentity.Of(name, request.Headers["Impersonate-Uid"].ToString(), groups) with { Extra = ImpersonatedExtra(request) };
    }

    private static Dictionary<string, IReadOnlyList<string>> ImpersonatedExtra(HttpRequest request)
    {
        const string prefix = "Impersonate-Extra-";
        return request.Headers.Where(h => h.Key.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            .ToDictionary(h => Uri.UnescapeDataString(h.Key[prefix.Length..].ToLowerInvariant()), h => (IReadOnlyList<string>)[.. h.Value.OfType<string>()]);
    }

    /// <exception cref="ApiException">403 in the words of the API server.</exception>
    public void Authorize(UserIdentity user, RequestInfo info) => Demand(user, info.ToAccess());

    private void Demand(UserIdentity user, AccessRequest request)
    {
        var verdict = _core.Authorizer.Decide(user, request);
        if (!verdict.IsAllowed)
            throw Forbidden(user, request, verdict.Reason);
    }

    /// <param name="because">What is wrong with the bindings; empty when nothing is.</param>
    public static ApiException Forbidden(UserIdentity user, AccessRequest request, string because = "")
    {
        if (request.IsPath)
            return new ApiException(403, "Forbidden", $"forbidden: User \"{user.Name}\" cannot {request.Verb} path \"{request.Path}\"", []);
        var qualified = request.Group.Length == 0 ? request.Resource : $"{request.Resource}.{request.Group}";
        var subject = request.Name.Length > 0 ? $"{qualified} \"{request.Name}\"" : qualified;
        var where = request.Namespace.Length > 0 ? $"in the namespace \"{request.Namespace}\"" : "at the cluster scope";
        var details = new System.Text.Json.Nodes.JsonObject();
        if (request.Name.Length > 0)
            details["name"] = request.Name;
        if (request.Group.Length > 0)
            details["group"] = request.Group;
        details["kind"] = request.Resource;
        return new ApiException(403, "Forbidden",
            $"{subject} is forbidden: User \"{user.Name}\" cannot {request.Verb} resource \"{request.ResourceWithSubresource}\" in API group \"{request.Group}\" {where}{(because.Length > 0 ? $": {because}" : "")}", details);
    }
}
