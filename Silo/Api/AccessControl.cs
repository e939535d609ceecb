using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Silo.Api;

/// <summary>What a caller has to be allowed to do on the management cluster before an endpoint answers.</summary>
internal sealed record RequiredAccess(string Verb, string Group, string Resource);

/// <summary>
/// Authenticates with the management cluster's TokenReview and authorises with its SubjectAccessReview: whoever may read the objects
/// with kubectl may read what we know of them, and nobody else.
/// </summary>
internal sealed class AccessControl(RequestDelegate next, AccessReviews reviews)
{
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
        AccessVerdict verdict;
        try
        {
            verdict = await reviews.JudgeAsync(token, access, context.RequestAborted);
        }
        catch (KubernetesException e)
        {
            await RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, $"the management cluster cannot say who you are: {e.Reason}");
            return;
        }
        if (verdict.User is null)
            await RefuseAsync(context, StatusCodes.Status401Unauthorized, "the management cluster does not know this token");
        else if (!verdict.Allowed)
            await RefuseAsync(context, StatusCodes.Status403Forbidden, $"{verdict.User} cannot {access.Verb} resource \"{access.Resource}\" in API group \"{access.Group}\" at the cluster scope");
        else
            await next(context);
    }

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
