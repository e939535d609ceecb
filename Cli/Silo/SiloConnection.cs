using System.CommandLine;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;

namespace Governor.Cli.Silo;

/// <summary>How the verbs that ask a silo find it and say who they are.</summary>
internal sealed class SiloConnection
{
    private readonly Option<string?> _server = new("--server", "-s") { Description = "The silo's URL; GOVERNOR_SERVER when absent" };

    private readonly Option<string?> _tokenFile = new("--token-file") { Description = "A file with a bearer token of the management cluster (kubectl create token …); GOVERNOR_TOKEN_FILE, or the token itself in GOVERNOR_TOKEN, when absent" };

    private readonly Option<string?> _authority = new("--certificate-authority") { Description = "A PEM file with the certificates that the silo's is checked against" };

    public void AddTo(Command command)
    {
        command.Options.Add(_server);
        command.Options.Add(_tokenFile);
        command.Options.Add(_authority);
    }

    /// <exception cref="UsageException">No server is named, or a file cannot be read.</exception>
    public HttpClient Open(ParseResult parsed)
    {
        var server = parsed.GetValue(_server) ?? Environment.GetEnvironmentVariable("GOVERNOR_SERVER");
        if (!Uri.TryCreate(server, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
            throw new UsageException($"--server: expected the silo's URL, found {(server is null ? "nothing" : $"'{server}'")}; give it, or set GOVERNOR_SERVER");
        var token = Token(parsed);
        if (token is not null && url.Scheme == "http" && !url.IsLoopback)
            throw new UsageException($"--server: {url}: a token is not sent without TLS to another machine; use https");
        var client = new HttpClient(Handler(parsed.GetValue(_authority))) { BaseAddress = url, Timeout = Timeout.InfiniteTimeSpan };
        if (token is not null)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    private string? Token(ParseResult parsed)
    {
        var file = parsed.GetValue(_tokenFile) ?? Environment.GetEnvironmentVariable("GOVERNOR_TOKEN_FILE");
        if (file is null)
            return Environment.GetEnvironmentVariable("GOVERNOR_TOKEN");
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--token-file: {e.Message}", e);
        }
    }

    private static SocketsHttpHandler Handler(string? authority)
    {
        var handler = new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.All, ConnectTimeout = TimeSpan.FromSeconds(10) };
        if (authority is null)
            return handler;
        var roots = new X509Certificate2Collection();
        try
        {
            roots.ImportFromPemFile(authority);
        }
        catch (Exception e) when (e is IOException or System.Security.Cryptography.CryptographicException)
        {
            throw new UsageException($"--certificate-authority: {authority}: {e.Message}", e);
        }
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(roots);
        return handler;
    }
}

/// <summary>Requests whose failures are said as a person can use them.</summary>
internal static class SiloRequests
{
    /// <returns>The answer, its headers read; of a successful status.</returns>
    /// <exception cref="SiloException">No answer, or a refusal.</exception>
    public static async Task<HttpResponseMessage> AskAsync(this HttpClient silo, string path, CancellationToken cancellation, params IReadOnlyList<HttpStatusCode> alsoGood)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        return await silo.SendAsync(request, path, cancellation, alsoGood);
    }

    /// <summary>Asks a question that is an object.</summary>
    /// <returns>The answer.</returns>
    /// <exception cref="SiloException">No answer, or a refusal.</exception>
    /// <exception cref="UsageException">The silo says that the question cannot be meant.</exception>
    public static async Task<JsonObject> AskAsync(this HttpClient silo, string path, JsonObject question, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative)) { Content = JsonContent.Create(question) };
        using var answer = await silo.SendAsync(request, path, cancellation, HttpStatusCode.BadRequest);
        var text = await answer.Content.ReadAsStringAsync(cancellation);
        if (answer.StatusCode == HttpStatusCode.BadRequest)
            throw new UsageException(Detail(text));
        return JsonNode.Parse(text) as JsonObject ?? throw new SiloException($"{silo.BaseAddress}{path.TrimStart('/')}: expected an object, found {text}");
    }

    private static async Task<HttpResponseMessage> SendAsync(
        this HttpClient silo, HttpRequestMessage request, string path, CancellationToken cancellation, params IReadOnlyList<HttpStatusCode> alsoGood)
    {
        HttpResponseMessage answer;
        try
        {
            answer = await silo.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        }
        catch (HttpRequestException e)
        {
            throw new SiloException($"{silo.BaseAddress} does not answer: {e.Message}", e);
        }
        if (answer.IsSuccessStatusCode || alsoGood.Contains(answer.StatusCode))
            return answer;
        var detail = await answer.Content.ReadAsStringAsync(cancellation);
        answer.Dispose();
        throw new SiloException($"{silo.BaseAddress}{path.TrimStart('/')} answers {(int)answer.StatusCode}: {Detail(detail)}{(answer.StatusCode == HttpStatusCode.Unauthorized ? " (--token-file, GOVERNOR_TOKEN)" : "")}");
    }

    private static string Detail(string body)
    {
        try
        {
            var problem = JsonNode.Parse(body);
            return problem?["detail"]?.ToString() ?? problem?["title"]?.ToString() ?? body;
        }
        catch (System.Text.Json.JsonException)
        {
            return body.Length <= 200 ? body : body[..200];
        }
    }
}

/// <summary>The silo does not answer, or refuses.</summary>
public sealed class SiloException(string message, Exception? inner = null) : Exception(message, inner);
