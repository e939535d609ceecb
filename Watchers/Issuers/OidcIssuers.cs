using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Watchers.Issuers;

/// <summary>Asks OpenID Connect issuers over HTTPS. Follows no redirect, uses no proxy, sends no credentials, and reads a bounded answer.</summary>
internal sealed class OidcIssuers : IIssuers
{
    private const int MostBytes = 64 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public async Task<string?> AskAsync(string issuer, string caBundle, CancellationToken cancellation)
    {
        var document = new Uri(issuer.TrimEnd('/') + "/.well-known/openid-configuration");
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            using var client = Client(caBundle);
            using var answer = await client.GetAsync(document, HttpCompletionOption.ResponseContentRead, patience.Token);
            return answer.StatusCode == HttpStatusCode.OK
                ? Judge(issuer, await answer.Content.ReadAsByteArrayAsync(patience.Token))
                : $"{document}: expected 200, found {(int)answer.StatusCode}";
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return $"{document}: expected an answer within {Patience.TotalSeconds} s, found none";
        }
        catch (Exception e) when (e is HttpRequestException or CryptographicException)
        {
            return $"{document}: {e.Message}";
        }
    }

    private static string? Judge(string issuer, byte[] body)
    {
        try
        {
            using var parsed = JsonDocument.Parse(body);
            var found = parsed.RootElement.ValueKind == JsonValueKind.Object && parsed.RootElement.TryGetProperty("issuer", out var said) ? said.ToString() : "none";
            return found == issuer ? null : $"discovery document: expected issuer '{issuer}', found '{found}'";
        }
        catch (JsonException e)
        {
            return $"discovery document: expected JSON, found something else: {e.Message}";
        }
    }

    private static HttpClient Client(string caBundle)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false };
        if (caBundle.Length > 0)
        {
            var roots = new X509Certificate2Collection();
            roots.ImportFromPem(caBundle);
            handler.SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck },
            };
            handler.SslOptions.CertificateChainPolicy.CustomTrustStore.AddRange(roots);
        }
        return new HttpClient(handler, disposeHandler: true) { MaxResponseContentBufferSize = MostBytes, Timeout = Timeout.InfiniteTimeSpan };
    }
}
