using System.IO.Compression;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Governor.Sandbox.Api;

/// <summary>Writes answers: JSON or YAML documents, Status documents, plain text.</summary>
internal static class Answers
{
    /// <summary>Answers of so many bytes are compressed for those who take it.</summary>
    private const int CompressedFrom = 128 * 1024;

    public static Task Json(HttpContext http, int code, JsonNode body) => Bytes(http, code, JsonText.Bytes(body, WantsIndented(http)));

    public static async Task Bytes(HttpContext http, int code, ReadOnlyMemory<byte> json)
    {
        http.Response.StatusCode = code;
        if (MediaRange.Of(http.Request) is { IsYaml: true })
        {
            http.Response.ContentType = "application/yaml";
            await http.Response.WriteAsync(YamlText.Write(JsonNode.Parse(json.Span, null, JsonText.DocumentOptions)));
            return;
        }
        http.Response.ContentType = "application/json";
        if (HttpMethods.IsHead(http.Request.Method))
            return;
        if (json.Length < CompressedFrom || !http.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.Ordinal))
        {
            await http.Response.Body.WriteAsync(json);
            await http.Response.Body.WriteAsync("\n"u8.ToArray());
            return;
        }
        http.Response.Headers.ContentEncoding = "gzip";
        http.Response.Headers.Vary = "Accept-Encoding";
        await using var compressed = new GZipStream(http.Response.Body, CompressionLevel.Fastest, leaveOpen: true);
        await compressed.WriteAsync(json);
        await compressed.WriteAsync("\n"u8.ToArray());
    }

    public static Task Text(HttpContext http, int code, string text)
    {
        http.Response.StatusCode = code;
        http.Response.ContentType = "text/plain; charset=utf-8";
        http.Response.Headers.XContentTypeOptions = "nosniff";
        return http.Response.WriteAsync(text);
    }

    public static Task Failure(HttpContext http, ApiException e)
    {
        if (e.RetryAfter > 0)
            http.Response.Headers.RetryAfter = $"{e.RetryAfter}";
        if (e.Code == 403)
            http.Response.Headers.XContentTypeOptions = "nosniff";
        return e.IsPlainText ? Text(http, e.Code, e.Message + "\n") : Json(http, e.Code, e.ToStatus());
    }

    public static void Warn(HttpContext http, IEnumerable<string> warnings)
    {
        foreach (var warning in warnings)
            http.Response.Headers.Append("Warning", $"299 - \"{warning.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"");
    }

    private static bool WantsIndented(HttpContext http)
    {
        if (http.Request.Query.TryGetValue("pretty", out var pretty))
            return pretty.ToString() is not ("false" or "0");
        var agent = http.Request.Headers.UserAgent.ToString();
        return agent.StartsWith("curl", StringComparison.Ordinal) || agent.StartsWith("Wget", StringComparison.Ordinal) || agent.StartsWith("Mozilla", StringComparison.Ordinal);
    }
}
