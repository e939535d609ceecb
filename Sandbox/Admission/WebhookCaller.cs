using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Sandbox.Api;
using Governor.Sandbox.Store;

namespace Governor.Sandbox.Admission;

/// <summary>A webhook could not be asked, or answered nonsense: its failure policy decides.</summary>
internal sealed class WebhookException(string message) : Exception(message);

/// <summary>Posts reviews over TLS and reads the verdicts. Trusts what the webhook's caBundle says, and nothing else where it has one.</summary>
internal sealed class WebhookCaller : IDisposable
{
    /// <summary>On the Service of a webhook: <c>host:port</c> where it really listens, since a sandbox has no cluster network.</summary>
    private const string AddressAnnotation = "sandbox.governor.dev/address";

    private readonly ConcurrentDictionary<(string Host, string Bundle), HttpClient> _clients = new();
    private readonly ClusterCore _core;

    public WebhookCaller(ClusterCore core) => _core = core;

    /// <returns>The <c>response</c> of the review.</returns>
    /// <exception cref="WebhookException">No usable answer.</exception>
    public async Task<JsonObject> CallAsync(Webhook hook, JsonObject review, string uid, CancellationToken aborted)
    {
        var (url, host) = Target(hook);
        var client = ClientFor(hook, host);
        var address = $"{url}?timeout={hook.Timeout.TotalSeconds:0}s";
        using var deadline = new CancellationTokenSource(hook.Timeout, _core.Clock);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(aborted, deadline.Token);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent(JsonText.Bytes(review)) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using var answer = await client.SendAsync(request, stop.Token);
            var body = await answer.Content.ReadAsByteArrayAsync(stop.Token);
            return WebhookAnswer.Read(hook, (int)answer.StatusCode, answer.Content.Headers.ContentType?.ToString() ?? "", body, uid);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            throw new WebhookException($"failed to call webhook: Post \"{address}\": context deadline exceeded");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new WebhookException($"failed to call webhook: Post \"{address}\": {Why(e, new Uri(address))}");
        }
    }

    public void Dispose()
    {
        foreach (var client in _clients.Values)
            client.Dispose();
    }

    private (string Url, string Host) Target(Webhook hook)
    {
        if (hook.Client.FindText("url") is { Length: > 0 } url)
            return (url, new Uri(url).Host);
        var service = hook.Client.Find("service");
        var (ns, name) = (service.FindText("namespace"), service.FindText("name"));
        var found = _core.Store.Current.Find(new ResourceId("", "services"), new ObjectKey(ns, name))
            ?? throw new WebhookException($"failed to call webhook: service \"{name}\" not found");
        var host = $"{name}.{ns}.svc";
        var path = service.FindText("path") is { Length: > 0 } given ? given : "/";
        return found.Metadata.FindText("annotations", AddressAnnotation) is { Length: > 0 } address
            ? ($"https://{address}{path}", host)
            : throw new WebhookException($"failed to call webhook: no endpoints available for service \"{name}\"");
    }

    private HttpClient ClientFor(Webhook hook, string host)
    {
        var bundle = hook.Client.FindText("caBundle");
        return _clients.GetOrAdd((host, bundle), static key => Make(key.Host, key.Bundle));
    }

    private static HttpClient Make(string host, string bundle)
    {
        var tls = new SslClientAuthenticationOptions { TargetHost = host };
        if (bundle.Length > 0)
        {
            var trusted = new X509Certificate2Collection();
            try
            {
                trusted.ImportFromPem(Encoding.UTF8.GetString(Convert.FromBase64String(bundle)));
            }
            catch (Exception e) when (e is CryptographicException or FormatException)
            {
                trusted.Clear(); // said below
            }
            if (trusted.Count == 0)
                throw new WebhookException("could not get REST client: unable to load root certificates: unable to parse bytes as PEM block");
            tls.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            tls.CertificateChainPolicy.CustomTrustStore.AddRange(trusted);
        }
        var client = new HttpClient(new SocketsHttpHandler { SslOptions = tls, AllowAutoRedirect = false, UseProxy = false, UseCookies = false })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        client.DefaultRequestHeaders.TryAddWithoutValidation("User-Agent", "kube-apiserver-admission");
        client.DefaultRequestHeaders.TryAddWithoutValidation("Accept", "application/json, */*");
        return client;
    }

    private static string Why(Exception e, Uri address) => e switch
    {
        { InnerException: SocketException { SocketErrorCode: SocketError.ConnectionRefused } } => $"dial tcp {address.Host}:{address.Port}: connect: connection refused",
        { InnerException: AuthenticationException tls } when tls.Message.Contains("NameMismatch", StringComparison.Ordinal) => $"x509: certificate is not valid for {address.Host}",
        { InnerException: AuthenticationException } => "x509: certificate signed by unknown authority",
        HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded } => "EOF",
        _ => e.Message,
    };
}

/// <summary>Reads what a webhook answered, and complains in the words of the API server.</summary>
internal static class WebhookAnswer
{
    /// <exception cref="WebhookException">It is no verdict on this review.</exception>
    public static JsonObject Read(Webhook hook, int code, string contentType, byte[] body, string uid)
    {
        if (code != 200)
            throw Failed(code switch
            {
                404 => "the server could not find the requested resource",
                >= 500 => $"an error on the server (\"{Encoding.UTF8.GetString(body).TrimEnd().Replace("\"", "\\\"", StringComparison.Ordinal)}\") has prevented the request from succeeding",
                _ => $"the server responded with the status code {code} but did not return more information",
            });
        if (body.Length == 0)
            throw Failed($"0-length response with status code: 200 and content type: {contentType}");
        var review = Parse(body);
        if (review.Text("apiVersion") != "admission.k8s.io/v1" || review.Text("kind") != "AdmissionReview")
            throw Failed(review.Text("kind") == "AdmissionReview"
                ? $"converting ({review.Text("apiVersion").Split('/')[^1]}.AdmissionReview) to (v1.AdmissionReview): unknown conversion"
                : $"no kind \"{review.Text("kind")}\" is registered for version \"{review.Text("apiVersion")}\"");
        if (review.Child("response") is not { } response)
            throw Invalid("webhook response was absent");
        if (response.Text("uid") != uid)
            throw Invalid($"expected response.uid=\"{uid}\", got \"{response.Text("uid")}\"");
        var hasPatch = response.Text("patch").Length > 0;
        if (hasPatch && !hook.IsMutating)
            throw Invalid("validating webhook may not return response.patch");
        if (hasPatch && response.Flag("allowed") && response.Text("patchType") != "JSONPatch")
            throw Invalid(response.Text("patchType").Length == 0
                ? "webhook returned response.patch but not response.patchType"
                : $"webhook returned invalid response.patchType of \"{response.Text("patchType")}\"");
        return response;
    }

    private static JsonObject Parse(byte[] body)
    {
        const string type = "into Go value of type struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }";
        try
        {
            var node = JsonNode.Parse(body, null, JsonText.DocumentOptions);
            return node as JsonObject
                ?? throw Failed($"couldn't get version/kind; json parse error: json: cannot unmarshal {node?.GetValueKind().ToString().ToLowerInvariant() ?? "null"} {type}");
        }
        catch (JsonException)
        {
            // Go's YAML reader takes what is no JSON for a text.
            throw Failed($"couldn't get version/kind; json parse error: json: cannot unmarshal string {type}");
        }
    }

    private static WebhookException Failed(string why) => new($"failed to call webhook: {why}");

    private static WebhookException Invalid(string why) => new($"received invalid webhook response: {why}");
}
