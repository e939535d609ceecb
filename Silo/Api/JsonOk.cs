using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.Options;

namespace Governor.Silo.Api;

/// <summary>
/// 200 with a small body that is written at once, with its length: framework results send it in chunks, which costs the client more than
/// the answer is worth where thousands are asked for in a second.
/// </summary>
internal sealed class JsonOk<T>(T value) : IResult, IEndpointMetadataProvider
{
    private const string Json = "application/json; charset=utf-8";

    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder) =>
        builder.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(T), ["application/json"]));

    public Task ExecuteAsync(HttpContext httpContext)
    {
        var options = httpContext.RequestServices.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions;
        var body = JsonSerializer.SerializeToUtf8Bytes(value, options);
        var response = httpContext.Response;
        (response.ContentType, response.ContentLength) = (Json, body.Length);
        return response.Body.WriteAsync(body, httpContext.RequestAborted).AsTask();
    }
}
