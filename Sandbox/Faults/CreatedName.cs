using System.Text.Json;
using Governor.Sandbox.Api;
using Microsoft.AspNetCore.Http;

namespace Governor.Sandbox.Faults;

/// <summary>The name of an object that is about to be created stands in the body and not in the path.</summary>
internal static class CreatedName
{
    private const long Limit = ResourceHandler.BodyLimit + 1L;

    /// <summary>The name in a JSON body, which can be read again afterwards; "" where there is none.</summary>
    public static async Task<string> PeekAsync(HttpRequest request)
    {
        request.EnableBuffering(64 * 1024, Limit);
        try
        {
            using var body = await JsonDocument.ParseAsync(request.Body, cancellationToken: request.HttpContext.RequestAborted);
            return body.RootElement.ValueKind == JsonValueKind.Object
                && body.RootElement.TryGetProperty("metadata", out var metadata) && metadata.ValueKind == JsonValueKind.Object
                && metadata.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String
                    ? name.GetString()!
                    : "";
        }
        catch (IOException)
        {
            throw new ApiException(413, "RequestEntityTooLarge", $"Request entity too large: limit is {ResourceHandler.BodyLimit}");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return ""; // YAML or protobuf: whoever reads the body says what is wrong with it
        }
        finally
        {
            request.Body.Position = 0;
        }
    }
}
