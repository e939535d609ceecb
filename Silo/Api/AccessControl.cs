using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Silo.Api;

/// <summary>What a caller has to be allowed to do on the management cluster before an endpoint answers.</summary>
internal sealed record RequiredAccess(string Verb, string Group, string Resource);

/// <summary>
/// Authenticates with the management cluster's TokenReview and authorises with its SubjectAccessReview: whoever may read the objects
/// with kubectl may read what we know of them, and nobody else. Answers are remembered for ten seconds, as the API server does.
/// </summary>
internal sealed class AccessControl(RequestDelegate next, IClusters clusters, TimeProvider clock)
{
    private const int Remembered = 10_000;

    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<(string Token, RequiredAccess? Access), (Verdict Verdict, DateTimeOffset Until)> _known = new();

    public async Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<RequiredAccess>() is not { } access)
        {
            await next(context);
            return;
        }
        var token = BearerToken(context.Request);
        if (token is null)
        {
            await RefuseAsync(context, StatusCodes.Status401Unauthorized, "expected 'Authorization: Bearer <token>' with a token of the management cluster, found none");
            return;
        }
        Verdict verdict;
        try
        {
            verdict = await JudgeAsync(token, access, context.RequestAborted);
        }
        catch (KubernetesException e)
        {
            await RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, $"the management cluster cannot say who you are: {e.Message}");
            return;
        }
        if (verdict.User is null)
            await RefuseAsync(context, StatusCodes.Status401Unauthorized, "the management cluster does not know this token");
        else if (!verdict.Allowed)
            await RefuseAsync(context, StatusCodes.Status403Forbidden, $"{verdict.User} cannot {access.Verb} resource \"{access.Resource}\" in API group \"{access.Group}\" at the cluster scope");
        else
            await next(context);
    }

    private async Task<Verdict> JudgeAsync(string token, RequiredAccess access, CancellationToken cancellation)
    {
        var key = (Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token))), access);
        var now = clock.GetUtcNow();
        if (_known.TryGetValue(key, out var known) && known.Until > now)
            return known.Verdict;
        var verdict = await AskAsync(token, access, cancellation);
        if (_known.Count >= Remembered)
            _known.Clear();
        _known[key] = (verdict, now + Memory);
        return verdict;
    }

    private async Task<Verdict> AskAsync(string token, RequiredAccess access, CancellationToken cancellation)
    {
        var who = await clusters.Management.CreateAsync(Review("authentication.k8s.io/v1", "TokenReview", new JsonObject { ["token"] = token }), cancellation);
        if (!IsTrue(who.Find("status", "authenticated")))
            return new Verdict(null, false);
        var user = who.FindText("status", "user", "username");
        var spec = new JsonObject
        {
            ["user"] = user,
            ["resourceAttributes"] = new JsonObject { ["verb"] = access.Verb, ["group"] = access.Group, ["resource"] = access.Resource },
        };
        if (who.Find("status", "user", "groups") is { ValueKind: JsonValueKind.Array } groups)
            spec["groups"] = JsonNode.Parse(groups.GetRawText());
        var may = await clusters.Management.CreateAsync(Review("authorization.k8s.io/v1", "SubjectAccessReview", spec), cancellation);
        return new Verdict(user, IsTrue(may.Find("status", "allowed")));
    }

    private static KubeObject Review(string apiVersion, string kind, JsonObject spec) => KubeObject.From(
        new JsonObject { ["apiVersion"] = apiVersion, ["kind"] = kind, ["metadata"] = new JsonObject(), ["spec"] = spec });

    private static bool IsTrue(JsonElement element) => element.ValueKind == JsonValueKind.True;

    private static string? BearerToken(HttpRequest request)
    {
        const string Scheme = "Bearer ";
        var header = request.Headers.Authorization.ToString();
        return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) && header.Length > Scheme.Length ? header[Scheme.Length..].Trim() : null;
    }

    private static Task RefuseAsync(HttpContext context, int status, string detail)
    {
        if (status == StatusCodes.Status401Unauthorized)
            context.Response.Headers.WWWAuthenticate = "Bearer";
        return TypedResults.Problem(detail, statusCode: status).ExecuteAsync(context);
    }

    private sealed record Verdict(string? User, bool Allowed);
}

internal static class AccessExtensions
{
    /// <summary>Whoever may list the kind everywhere may call this.</summary>
    public static RouteHandlerBuilder Reads(this RouteHandlerBuilder endpoint, GroupVersionKind kind, string operation) =>
        endpoint.WithName(operation)
            .WithMetadata(new RequiredAccess("list", kind.Group, KindTable.Default.Get(kind).Plural))
            .ProducesProblem(StatusCodes.Status401Unauthorized)
            .ProducesProblem(StatusCodes.Status403Forbidden)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
}
