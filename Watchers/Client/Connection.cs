using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Governor.Grains.Interfaces.Ports;
using Governor.Watchers.Kubeconfig;

namespace Governor.Watchers.Client;

/// <summary>
/// The connection pool of one endpoint, and what every request through it carries. Another client certificate, or another authority in
/// the endpoint's file, means another pool: a connection keeps for good whom it was opened as and whom it trusted. Requests in the old
/// pool run to their end.
/// </summary>
internal sealed class Connection : IDisposable
{
    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(10);

    private readonly ClusterEndpoint _endpoint;
    private readonly KubernetesOptions _options;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _replaced = new();
    private readonly CancellationToken _replacedToken;
    private Pool _pool;
    private X509Certificate2Collection? _authorities;
    private long _renewedAt;

    private sealed record Pool(HttpMessageInvoker Http, ClientCertificate? Certificate, X509Certificate2Collection? Authorities);

    public Connection(ClusterEndpoint endpoint, KubernetesOptions options, TimeProvider time)
    {
        (_endpoint, _options, _time) = (endpoint, options, time);
        _authorities = endpoint.Authorities;
        _replacedToken = _replaced.Token; // outlives its source
        _pool = Open();
        _renewedAt = time.GetTimestamp();
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
        message.Headers.TryAddWithoutValidation("Accept", request.Accept);
        message.Headers.TryAddWithoutValidation("User-Agent", _options.UserAgent);
        if (request.KnownTag.Length > 0)
            message.Headers.TryAddWithoutValidation("If-None-Match", request.KnownTag);
        message.Headers.Host = _endpoint.TlsServerName; // also what the handler expects in the certificate and sends as SNI
        if (token is not null)
            message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (!request.Body.IsEmpty)
        {
            message.Content = new ReadOnlyMemoryContent(request.Body);
            message.Content.Headers.TryAddWithoutValidation("Content-Type", request.ContentType);
        }
        return await Current().SendAsync(message, cancellation);
    }

    /// <summary>The server could not be trusted: reads the authorities again where they are in a file, at most every ten seconds.</summary>
    public void Renew()
    {
        lock (_gate)
        {
            if (_endpoint.ReloadAuthorities is not { } reload || _time.GetElapsedTime(_renewedAt) < RenewEvery)
                return;
            _renewedAt = _time.GetTimestamp();
            try
            {
                if (reload() is { } authorities && !Same(authorities, _authorities))
                    _authorities = authorities;
            }
            catch (KubeconfigException)
            {
                // The file is just being written, or broken: whom we trusted, we trust, and the fault that brought us here is told.
            }
        }
    }

    public void Dispose()
    {
        _replaced.Cancel();
        _pool.Http.Dispose();
        _endpoint.Dispose();
        _replaced.Dispose();
    }

    private HttpMessageInvoker Current()
    {
        lock (_gate)
        {
            if (_pool.Certificate != _endpoint.CurrentCertificate || _pool.Authorities != _authorities)
                _pool = Open(); // the one before closes its connections one by one, as they fall idle
            return _pool.Http;
        }
    }

    private Pool Open()
    {
        var certificate = _endpoint.CurrentCertificate;
        return new Pool(new HttpMessageInvoker(Handler(certificate)), certificate, _authorities);
    }

    private SocketsHttpHandler Handler(ClientCertificate? certificate) => new()
    {
        AllowAutoRedirect = false, // a redirect would carry our credentials to wherever the answer says
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.GZip,
        ConnectTimeout = _options.ConnectTimeout,
        PooledConnectionLifetime = TimeSpan.FromMinutes(10), // follows DNS
        PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
        EnableMultipleHttp2Connections = true,
        KeepAlivePingDelay = TimeSpan.FromSeconds(30),
        KeepAlivePingTimeout = TimeSpan.FromSeconds(15),
        KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        UseProxy = _endpoint.Proxy is not null || _options.UseSystemProxy,
        Proxy = _endpoint.Proxy is { } proxy ? new WebProxy(proxy) { Credentials = CredentialsIn(proxy) } : null,
        SslOptions = Tls(certificate),
    };

    private static NetworkCredential? CredentialsIn(Uri proxy) => proxy.UserInfo.Split(':', 2) switch
    {
        [""] => null,
        [var user, var password] => new NetworkCredential(Uri.UnescapeDataString(user), Uri.UnescapeDataString(password)),
        var alone => new NetworkCredential(Uri.UnescapeDataString(alone[0]), ""),
    };

    private SslClientAuthenticationOptions Tls(ClientCertificate? certificate)
    {
        var tls = new SslClientAuthenticationOptions();
        if (certificate is not null)
            tls.ClientCertificateContext = SslStreamCertificateContext.Create(certificate.Leaf, certificate.Intermediates, offline: true);
#pragma warning disable CA5359 // insecure-skip-tls-verify, which the operator has to allow in the options first
        if (_endpoint.SkipTlsVerify)
            tls.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        if (!_endpoint.SkipTlsVerify && _authorities is { } authorities)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.AddRange(authorities);
            policy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid("1.3.6.1.5.5.7.3.1")); // server authentication
            tls.CertificateChainPolicy = policy;
        }
        return tls;
    }

    private static bool Same(X509Certificate2Collection one, X509Certificate2Collection? other) =>
        other is not null && one.Select(c => c.Thumbprint).SequenceEqual(other.Select(c => c.Thumbprint), StringComparer.Ordinal);
}
