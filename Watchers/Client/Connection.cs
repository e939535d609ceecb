using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Governor.Watchers.Kubeconfig;

namespace Governor.Watchers.Client;

/// <summary>The connection pool of one endpoint, and what every request through it carries.</summary>
internal sealed class Connection : IDisposable
{
    private readonly ClusterEndpoint _endpoint;
    private readonly HttpMessageInvoker _http;
    private readonly string _userAgent;
    private readonly CancellationTokenSource _replaced = new();
    private readonly CancellationToken _replacedToken;

    public Connection(ClusterEndpoint endpoint, KubernetesOptions options)
    {
        _endpoint = endpoint;
        _userAgent = options.UserAgent;
        _replacedToken = _replaced.Token; // outlives its source
        _http = new HttpMessageInvoker(Handler(endpoint, options));
    }

    /// <summary>Cancelled when another connection has taken this one's place.</summary>
    public CancellationToken Replaced => _replacedToken;

    public bool IsReplaced => _replacedToken.IsCancellationRequested;

    public Credential Credential => _endpoint.Credential;

    /// <summary>Sends, and returns when the headers of the answer are there.</summary>
    public async Task<HttpResponseMessage> SendAsync(ApiRequest request, string? token, CancellationToken cancellation)
    {
        using var message = new HttpRequestMessage(request.Method, new Uri(_endpoint.Server, request.Path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        message.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        message.Headers.TryAddWithoutValidation("User-Agent", _userAgent);
        message.Headers.Host = _endpoint.TlsServerName; // also what the handler expects in the certificate and sends as SNI
        if (token is not null)
            message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (!request.Body.IsEmpty)
        {
            message.Content = new ReadOnlyMemoryContent(request.Body);
            message.Content.Headers.TryAddWithoutValidation("Content-Type", request.ContentType);
        }
        return await _http.SendAsync(message, cancellation);
    }

    public void Dispose()
    {
        _replaced.Cancel();
        _http.Dispose();
        _endpoint.Dispose();
        _replaced.Dispose();
    }

    private static SocketsHttpHandler Handler(ClusterEndpoint endpoint, KubernetesOptions options) => new()
    {
        AllowAutoRedirect = false, // a redirect would carry our credentials to wherever the answer says
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.GZip,
        ConnectTimeout = options.ConnectTimeout,
        PooledConnectionLifetime = TimeSpan.FromMinutes(10), // follows DNS and renewed client certificates
        PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
        EnableMultipleHttp2Connections = true,
        KeepAlivePingDelay = TimeSpan.FromSeconds(30),
        KeepAlivePingTimeout = TimeSpan.FromSeconds(15),
        KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        UseProxy = endpoint.Proxy is not null || options.UseSystemProxy,
        Proxy = endpoint.Proxy is null ? null : new WebProxy(endpoint.Proxy),
        SslOptions = Tls(endpoint),
    };

    private static SslClientAuthenticationOptions Tls(ClusterEndpoint endpoint)
    {
        var tls = new SslClientAuthenticationOptions();
        if (endpoint.Certificate is { } own)
            tls.ClientCertificateContext = SslStreamCertificateContext.Create(own.Leaf, own.Intermediates, offline: true);
        else
            tls.LocalCertificateSelectionCallback = (_, _, _, _, _) => endpoint.Credential.Certificate!;
#pragma warning disable CA5359 // insecure-skip-tls-verify, which the operator has to allow in the options first
        if (endpoint.SkipTlsVerify)
            tls.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        if (!endpoint.SkipTlsVerify && endpoint.Authorities is { } authorities)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.AddRange(authorities);
            policy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid("1.3.6.1.5.5.7.3.1")); // server authentication
            tls.CertificateChainPolicy = policy;
        }
        return tls;
    }
}
