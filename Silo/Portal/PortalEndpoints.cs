using System.Reflection;

namespace Governor.Silo.Portal;

/// <summary>One page that shows what waits for what. It holds no secrets: it asks the API with the token that the person gives it.</summary>
internal static class PortalEndpoints
{
    private static readonly Lazy<byte[]> Page = new(Read);

    public static void MapPortal(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", () => Results.Redirect("/portal")).ExcludeFromDescription();
        routes.MapGet("/portal", (HttpContext context) =>
        {
            context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'";
            context.Response.Headers.XContentTypeOptions = "nosniff";
            context.Response.Headers["Referrer-Policy"] = "no-referrer";
            return Results.Bytes(Page.Value, "text/html; charset=utf-8");
        }).ExcludeFromDescription();
    }

    private static byte[] Read()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("Governor.Silo.Portal.portal.html")!;
        using var buffer = new MemoryStream();
        stream.CopyTo(buffer);
        return buffer.ToArray();
    }
}
