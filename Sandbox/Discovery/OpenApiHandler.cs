using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Governor.Sandbox.Api;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Governor.Sandbox.Discovery;

/// <summary>OpenAPI v3 per group version, by hash and cacheable; and a v2 document that says next to nothing.</summary>
internal sealed class OpenApiHandler
{
    private readonly ClusterCore _core;
    private readonly Lock _gate = new();
    private KindTable? _builtFrom;
    private Dictionary<string, (byte[] Document, string Hash)> _documents = [];

    public OpenApiHandler(ClusterCore core) => _core = core;

    public Task HandleAsync(HttpContext http, string[] parts)
    {
        var documents = Documents();
        if (parts is ["openapi", "v2"])
            return SendAsync(http, OpenApiDocuments.Version2(http.Request), null);
        if (parts is ["openapi", "v3"])
            return SendAsync(http, Index(documents), null);
        if (parts.Length < 3 || parts[1] != "v3" || !documents.TryGetValue(string.Join('/', parts[2..]), out var found))
            throw ApiException.PageNotFound();
        var asked = http.Request.Query["hash"].ToString();
        if (asked.Length == 0 || asked == found.Hash)
            return SendAsync(http, found.Document, asked);
        http.Response.Headers.ETag = $"\"{found.Hash}\"";
        http.Response.Redirect($"{http.Request.Path}?hash={found.Hash}", true);
        return Task.CompletedTask;
    }

    private static async Task SendAsync(HttpContext http, byte[] document, string? hash)
    {
        var etag = $"\"{Convert.ToHexString(SHA512.HashData(document))}\"";
        http.Response.Headers.ETag = etag;
        http.Response.Headers.Vary = "Accept";
        if (hash is { Length: > 0 })
            http.Response.Headers.CacheControl = "public, immutable";
        if (http.Request.Headers.IfNoneMatch.ToString() == etag)
        {
            http.Response.StatusCode = 304;
            return;
        }
        var wantsProtobuf = http.Request.Headers[HeaderNames.Accept].ToString().StartsWith("application/com.github.proto-openapi.spec.v2", StringComparison.Ordinal);
        http.Response.ContentType = wantsProtobuf ? "application/octet-stream" : "application/json";
        await http.Response.Body.WriteAsync(document);
    }

    private Dictionary<string, (byte[] Document, string Hash)> Documents()
    {
        var kinds = _core.Kinds;
        lock (_gate)
        {
            if (ReferenceEquals(kinds, _builtFrom))
                return _documents;
            _documents = kinds.All.GroupBy(r => r.Gvk.Group.Length == 0 ? "api/v1" : $"apis/{r.Gvk.Group}/{r.Gvk.Version}").ToDictionary(g => g.Key, g =>
            {
                var document = JsonText.Bytes(OpenApiDocuments.Version3(g));
                return (document, Convert.ToHexString(SHA512.HashData(document)));
            });
            _builtFrom = kinds;
            return _documents;
        }
    }

    private static byte[] Index(Dictionary<string, (byte[] Document, string Hash)> documents)
    {
        var paths = new JsonObject();
        foreach (var (name, document) in documents.OrderBy(d => d.Key, StringComparer.Ordinal))
            paths[name] = new JsonObject { ["serverRelativeURL"] = $"/openapi/v3/{name}?hash={document.Hash}" };
        return JsonText.Bytes(new JsonObject { ["paths"] = paths });
    }
}
