using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace Governor.Sandbox.Tests;

/// <summary>An answer as the tests look at it.</summary>
public sealed record Answer(int Code, string Text, HttpResponseHeaders Headers, string ContentType)
{
    public JsonObject Json => JsonNode.Parse(Text)!.AsObject();

    public string Reason => Json["reason"]?.GetValue<string>() ?? "";

    public string Message => Json["message"]?.GetValue<string>() ?? "";

    public string Version => Json["metadata"]!["resourceVersion"]!.GetValue<string>();

    public string Uid => Json["metadata"]!["uid"]!.GetValue<string>();

    public IReadOnlyList<string> Warnings => Headers.TryGetValues("Warning", out var found) ? [.. found] : [];
}

/// <summary>Plain HTTP against a sandbox cluster, trusting its authority and nothing else.</summary>
public sealed class SandboxClient : IDisposable
{
    private readonly HttpClient _http;

    public SandboxClient(SandboxCluster cluster, string? token = null, Version? version = null)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, ResponseHeaderEncodingSelector = static (_, _) => Encoding.UTF8 };
        if (cluster.CertificateAuthority.Length > 0)
        {
            var authority = X509Certificate2.CreateFromPem(cluster.CertificateAuthority);
            handler.SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { authority },
                    RevocationMode = X509RevocationMode.NoCheck,
                },
            };
        }
        _http = new HttpClient(handler)
        {
            BaseAddress = cluster.Url,
            Timeout = TimeSpan.FromSeconds(60),
            DefaultRequestVersion = version ?? System.Net.HttpVersion.Version11,
        };
        Token = token ?? cluster.AdminToken;
    }

    /// <summary>Empty for no credentials.</summary>
    public string Token { get; set; }

    public Task<Answer> GetAsync(string path, string accept = "application/json") => SendAsync("GET", path, accept: accept);

    public Task<Answer> PostAsync(string path, string json) => SendAsync("POST", path, json);

    public Task<Answer> PutAsync(string path, JsonNode json) => SendAsync("PUT", path, json.ToJsonString());

    public Task<Answer> DeleteAsync(string path, string? json = null) => SendAsync("DELETE", path, json);

    public Task<Answer> MergeAsync(string path, string json) => SendAsync("PATCH", path, json, "application/merge-patch+json");

    public Task<Answer> ApplyAsync(string path, string yaml, string manager = "tests", bool force = false) =>
        SendAsync("PATCH", $"{path}?fieldManager={manager}{(force ? "&force=true" : "")}", yaml, "application/apply-patch+yaml");

    public Task<Answer> SendAsync(
        string method, string path, string? body = null, string contentType = "application/json", string accept = "application/json",
        IEnumerable<(string Name, string Value)>? headers = null) =>
        SendBytesAsync(method, path, body is null ? null : Encoding.UTF8.GetBytes(body), contentType, accept, headers);

    /// <summary>A list as it comes for someone who takes gzip: the encoding, and the bytes on the wire.</summary>
    public async Task<(string Encoding, long Bytes)> GetCompressedAsync(string path)
    {
        using var request = Request("GET", path, "application/json");
        request.Headers.TryAddWithoutValidation("Accept-Encoding", "gzip");
        using var response = await _http.SendAsync(request);
        return (string.Join(',', response.Content.Headers.ContentEncoding), (await response.Content.ReadAsByteArrayAsync()).Length);
    }

    public async Task<Answer> SendBytesAsync(
        string method, string path, byte[]? body = null, string contentType = "application/json", string accept = "application/json",
        IEnumerable<(string Name, string Value)>? headers = null)
    {
        using var request = Request(method, path, accept);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            if (contentType.Length > 0)
                request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }
        foreach (var (name, value) in headers ?? [])
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await _http.SendAsync(request);
        return new Answer((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response.Headers, response.Content.Headers.ContentType?.ToString() ?? "");
    }

    /// <summary>Opens a watch; returns once the server has answered with headers.</summary>
    public async Task<WatchReader> WatchAsync(string path, string accept = "application/json")
    {
        using var request = Request("GET", path.Contains("watch", StringComparison.Ordinal) ? path : path + (path.Contains('?', StringComparison.Ordinal) ? "&" : "?") + "watch=true", accept);
        var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return new WatchReader(response, await response.Content.ReadAsStreamAsync());
    }

    public void Dispose() => _http.Dispose();

    private HttpRequestMessage Request(string method, string path, string accept)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), path) { Version = _http.DefaultRequestVersion, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.TryAddWithoutValidation("User-Agent", "fixtures/1.0");
        if (accept.Length > 0)
            request.Headers.TryAddWithoutValidation("Accept", accept);
        if (Token.Length > 0)
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {Token}");
        return request;
    }
}

/// <summary>The events of one watch, in order.</summary>
public sealed class WatchReader : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly HttpResponseMessage _response;
    private readonly StreamReader _lines;

    public WatchReader(HttpResponseMessage response, Stream body)
    {
        _response = response;
        _lines = new StreamReader(body);
    }

    public int Code => (int)_response.StatusCode;

    /// <summary>The next event, or null when the stream ended in good order.</summary>
    public async Task<(string Type, JsonObject Object)?> NextAsync()
    {
        var line = await _lines.ReadLineAsync().WaitAsync(Limit);
        if (line is null)
            return null;
        var parsed = JsonNode.Parse(line)!.AsObject();
        return (parsed["type"]!.GetValue<string>(), parsed["object"]!.AsObject());
    }

    /// <summary>The next event as <c>TYPE name</c>; "end" when the stream ended in good order.</summary>
    public async Task<string> NextTextAsync() =>
        await NextAsync() is var (type, o) ? $"{type} {o["metadata"]?["name"]?.GetValue<string>()}".TrimEnd() : "end";

    public void Dispose()
    {
        _lines.Dispose();
        _response.Dispose();
    }
}
