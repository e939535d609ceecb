using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Governor.Silo.Api;

/// <summary>
/// Reads what a caller sends: <c>application/json</c> and nothing that a browser would send from another page without asking, every
/// member known and given once.
/// </summary>
internal static class JsonBody
{
    /// <summary>No request of ours is larger, by far.</summary>
    public const int MaximumBytes = 64 * 1024;

    private static readonly JsonSerializerOptions Strict = new(JsonSerializerDefaults.Web)
    {
        AllowDuplicateProperties = false,
        MaxDepth = 16,
        NumberHandling = JsonNumberHandling.Strict,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    /// <summary>The body, or what is wrong with it.</summary>
    public static async Task<(T? Body, ProblemHttpResult? Problem)> ReadAsync<T>(HttpRequest request)
        where T : class
    {
        if (request.ContentType != "application/json" && !request.HasJsonContentType())
            return (null, Wrong(StatusCodes.Status415UnsupportedMediaType, TypeFault(request)));
        var read = await ReadAsync(request.BodyReader, request.HttpContext.RequestAborted);
        try
        {
            if (read.Buffer.Length > MaximumBytes)
                return (null, Wrong(StatusCodes.Status413PayloadTooLarge, $"body: expected at most {MaximumBytes} bytes, found more"));
            var body = read.Buffer.IsSingleSegment
                ? JsonSerializer.Deserialize<T>(read.Buffer.FirstSpan, Strict)
                : JsonSerializer.Deserialize<T>(read.Buffer.ToArray(), Strict);
            return body is null ? (null, Wrong(StatusCodes.Status400BadRequest, "body: expected an object, found null")) : (body, null);
        }
        catch (JsonException e)
        {
            return (null, Wrong(StatusCodes.Status400BadRequest, $"body{e.Path?.TrimStart('$')}: {e.Message}"));
        }
        finally
        {
            request.BodyReader.AdvanceTo(read.Buffer.End);
        }
    }

    /// <summary>All of it, or more than we take.</summary>
    private static async ValueTask<ReadResult> ReadAsync(PipeReader body, CancellationToken cancellation)
    {
        while (true)
        {
            var read = await body.ReadAsync(cancellation);
            if (read.IsCompleted || read.Buffer.Length > MaximumBytes)
                return read;
            body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    /// <summary>Routing refuses other types before an endpoint sees them, and does not say why.</summary>
    public static void Explain(ProblemDetailsContext context)
    {
        if (context.ProblemDetails is { Status: StatusCodes.Status415UnsupportedMediaType, Detail: null } problem)
            problem.Detail = TypeFault(context.HttpContext.Request);
    }

    private static string TypeFault(HttpRequest request) => $"Content-Type: expected application/json, found '{request.ContentType}'";

    private static ProblemHttpResult Wrong(int status, string detail) => TypedResults.Problem(detail, statusCode: status);
}
