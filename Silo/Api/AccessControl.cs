using Governor.Domain.Approvals;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using Governor.Grains.Interfaces.Ports;
using Microsoft.AspNetCore.Http.Features;

namespace Governor.Silo.Api;

/// <summary>What a caller has to be allowed to do on the management cluster before an endpoint answers.</summary>
internal sealed record RequiredAccess(string Verb, string Group, string Resource)
{
    /// <summary>
    /// Whoever is known but has not the right is let in too: the endpoint answers about the caller himself, and asks
    /// <see cref="AccessExtensions.MayAskAbout"/> before anything else.
    /// </summary>
    public bool OrAboutOneself { get; init; }

    public string Refusal(string caller) => $"{caller} cannot {Verb} resource \"{Resource}\" in API group \"{Group}\" at the cluster scope";
}

/// <summary>
/// Authenticates with the management cluster's TokenReview and authorises with its SubjectAccessReview: whoever may read the objects
/// with kubectl may read what we know of them, and nobody else; whoever changes something needs a right of its own. The endpoint finds
/// the <see cref="Caller"/> among the request's features.
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
        if (verdict.Caller is not { Name.Length: > 0 } caller)
            await RefuseAsync(context, StatusCodes.Status401Unauthorized, "the management cluster does not know this token");
        else if (!verdict.Allowed && !access.OrAboutOneself)
            await RefuseAsync(context, StatusCodes.Status403Forbidden, access.Refusal(caller.Name));
        else
            await AdmitAsync(context, caller, verdict);
    }

    private Task AdmitAsync(HttpContext context, Caller caller, AccessVerdict verdict)
    {
        context.Features.Set(caller);
        context.Features.Set(verdict);
        return next(context);
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
        endpoint.Needs(new RequiredAccess("list", kind.Group, KindTable.Default.Get(kind).Plural), operation);

    /// <summary>The right to a resource that exists in roles only.</summary>
    public static RouteHandlerBuilder Needs(this RouteHandlerBuilder endpoint, RequiredAccess access, string operation) =>
        endpoint.WithName(operation)
            .WithMetadata(access)
            .ProducesProblem(StatusCodes.Status401Unauthorized)
            .ProducesProblem(StatusCodes.Status403Forbidden)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);

    /// <summary>Who calls, as authenticated. Only behind <see cref="Needs"/>.</summary>
    public static Caller Caller(this HttpContext context) => context.Features.GetRequiredFeature<Caller>();

    /// <summary>Whether the caller has the right that the endpoint needs, and not only the one to ask about himself.</summary>
    public static bool MayAskAboutOthers(this HttpContext context) => context.Features.GetRequiredFeature<AccessVerdict>().Allowed;

    /// <summary>Whether it is about the caller, in no group that he is not in, or the caller has the right that the endpoint needs. Nobody is a group.</summary>
    public static bool MayAskAbout(this HttpContext context, Caller about) =>
        context.MayAskAboutOthers()
        || (context.Caller() is var caller && caller.Name == about.Name && Principal.Parse(about.Name).Kind != PrincipalKind.Group && about.Groups.All(caller.Groups.Contains));
}
