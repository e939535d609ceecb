using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Governor.Registry;

/// <summary>One request to a registry: where, in whose name, and whether it may be answered from elsewhere.</summary>
internal sealed record OciRequest(HttpMethod Method, Uri Uri, RepositoryName Repository, string What)
{
    /// <summary>What the token must allow: <c>pull</c> or <c>pull,push</c>.</summary>
    internal string Actions { get; init; } = "pull";

    /// <summary>Only blobs are: a manifest comes from the registry that was named.</summary>
    internal bool FollowRedirects { get; init; }

    /// <summary>Statuses beyond 200 to 299 that the caller reads itself.</summary>
    internal HttpStatusCode[] Expected { get; init; } = [];

    internal Func<HttpContent>? Content { get; init; }

    internal string[] Accept { get; init; } = [];
}

/// <summary>Sends requests with authorization, redirects under policy, timeouts, and a bounded number of further attempts.</summary>
internal sealed partial class OciTransport : IDisposable
{
    private const int MaxRedirects = 5;
    private static readonly TimeSpan LongestRetryDelay = TimeSpan.FromSeconds(10);

    private readonly HttpClient _http;
    private readonly RegistryAuthorizer _authorizer;
    private readonly RegistryOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;

    internal OciTransport(RegistryOptions options, TimeProvider clock, ILogger logger)
    {
        _options = options;
        _clock = clock;
        _logger = logger;
        Hosts = new HostPolicy(options.InsecureHosts);
        // Redirects are ours to judge, and content is hashed as it is stored: no decompression on the way.
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = options.ResponseTimeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            MaxConnectionsPerServer = 16,
        })
        { Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("governor", typeof(OciTransport).Assembly.GetName().Version?.ToString(3)));
        _authorizer = new RegistryAuthorizer(_http, Hosts, options, clock);
    }

    internal HostPolicy Hosts { get; }

    public void Dispose() => _http.Dispose();

    /// <summary>Sends and reads the answer; both are tried again together when either fails transiently.</summary>
    /// <exception cref="RegistryException">Every failure but cancellation by the caller.</exception>
    internal async Task<T> SendAsync<T>(OciRequest request, Func<HttpResponseMessage, CancellationToken, Task<T>> read, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            RegistryException failure;
            TimeSpan? asked = null;
            try
            {
                using var response = await ExchangeAsync(request, cancellation).ConfigureAwait(false);
                if (response.IsSuccessStatusCode || request.Expected.Contains(response.StatusCode))
                    return await ReadAsync(response, read, cancellation).ConfigureAwait(false);
                asked = response.Headers.RetryAfter?.Delta;
                failure = await RefusalAsync(request, response, cancellation).ConfigureAwait(false);
            }
            catch (RegistryException e)
            {
                failure = e;
            }
            catch (Exception e) when (!cancellation.IsCancellationRequested && e is HttpRequestException or IOException or OperationCanceledException or TimeoutException)
            {
                failure = new RegistryException(
                    RegistryReasons.RegistryUnreachable, $"{request.What}: expected an answer from {request.Uri.Authority}, found {Cause(e)}", transient: true, e);
            }
            cancellation.ThrowIfCancellationRequested();
            if (!failure.IsTransient || attempt >= _options.Attempts)
                throw failure;
            var delay = Delay(attempt, asked);
            LogRetry(attempt, _options.Attempts, delay, failure.Message);
            await Task.Delay(delay, _clock, cancellation).ConfigureAwait(false);
        }
    }

    private async Task<T> ReadAsync<T>(HttpResponseMessage response, Func<HttpResponseMessage, CancellationToken, Task<T>> read, CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(_options.TransferTimeout, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
        return await read(response, either.Token).ConfigureAwait(false);
    }

    /// <summary>One attempt: the request, a challenge answered at most once, redirects where they are allowed.</summary>
    private async Task<HttpResponseMessage> ExchangeAsync(OciRequest request, CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(_options.ResponseTimeout, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
        var uri = request.Uri;
        var authorization = _authorizer.Remembered(request.Repository, request.Actions);
        var answered = false;
        for (var hops = 0; ; )
        {
            var response = await SendOnceAsync(request, uri, authorization, either.Token).ConfigureAwait(false);
            try
            {
                var isRedirect = response.StatusCode is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
                    or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;
                if (response.StatusCode == HttpStatusCode.Unauthorized && !answered && IsRegistry(uri, request))
                {
                    answered = true;
                    authorization = await _authorizer.AnswerAsync(response, uri, request.Repository, request.Actions, either.Token).ConfigureAwait(false);
                }
                else if (isRedirect)
                {
                    if (!request.FollowRedirects || ++hops > MaxRedirects)
                        throw new RegistryException(
                            RegistryReasons.RedirectRefused,
                            $"{request.What}: expected {(request.FollowRedirects ? $"at most {MaxRedirects} redirects" : "no redirect")}, found one from {uri.Authority}");
                    uri = Hosts.Follow(uri, response.Headers.Location);
                }
                else
                {
                    return response;
                }
            }
            catch
            {
                response.Dispose();
                throw;
            }
            response.Dispose();
        }
    }

    private Task<HttpResponseMessage> SendOnceAsync(OciRequest request, Uri uri, AuthenticationHeaderValue? authorization, CancellationToken cancellation)
    {
        var message = new HttpRequestMessage(request.Method, uri) { Content = request.Content?.Invoke() };
        foreach (var type in request.Accept)
            message.Headers.Accept.ParseAdd(type);
        if (IsRegistry(uri, request))
            message.Headers.Authorization = authorization;
        return _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellation);
    }

    /// <summary>Credentials are for the registry, not for the storage it sends us to.</summary>
    private bool IsRegistry(Uri uri, OciRequest request) => Hosts.Base(request.Repository) is var home && uri.Scheme == home.Scheme && uri.Authority == home.Authority;

    private async Task<RegistryException> RefusalAsync(OciRequest request, HttpResponseMessage response, CancellationToken cancellation)
    {
        var status = (int)response.StatusCode;
        var (reason, transient) = status switch
        {
            404 => (RegistryReasons.LayerNotFound, false),
            401 or 403 => (RegistryReasons.RegistryDenied, false),
            408 or 429 or 500 or 502 or 503 or 504 => (RegistryReasons.RegistryUnreachable, true),
            _ => (RegistryReasons.RegistryRefused, false),
        };
        var said = await ErrorTextAsync(response, cancellation).ConfigureAwait(false);
        return new RegistryException(
            reason, $"{request.What}: expected {request.Uri.Authority} to have or take it, found status {status}{(said.Length == 0 ? "" : $": {said}")}", transient);
    }

    /// <summary>The first error of the specification's error body, made harmless for logs and conditions; "" where there is none.</summary>
    private async Task<string> ErrorTextAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        try
        {
            var body = await BoundedContent.ReadAsync(response.Content, 16 * 1024, "error", null, _options, _clock, cancellation).ConfigureAwait(false);
            using var document = JsonDocument.Parse(body);
            var first = document.RootElement.GetProperty("errors")[0];
            var text = $"{first.GetProperty("code").GetString()}: {first.GetProperty("message").GetString()}";
            return new string([.. text.Take(200).Select(c => char.IsControl(c) ? ' ' : c)]);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellation.IsCancellationRequested)
        {
            return ""; // an error without a readable body is an error all the same: the status has been reported
        }
    }

    private TimeSpan Delay(int attempt, TimeSpan? asked)
    {
        var own = _options.RetryDelay * Math.Pow(2, attempt - 1) * (0.5 + (RandomNumberGenerator.GetInt32(1000) / 1000.0));
        var chosen = asked > own ? asked.Value : own;
        return chosen < LongestRetryDelay ? chosen : LongestRetryDelay;
    }

    private static string Cause(Exception e)
    {
        if (e is OperationCanceledException)
            return "none in time";
        var text = new StringBuilder(e.Message);
        for (var inner = e.InnerException; inner is not null; inner = inner.InnerException)
            if (!text.ToString().Contains(inner.Message, StringComparison.Ordinal))
                text.Append(": ").Append(inner.Message);
        return text.ToString();
    }

    [LoggerMessage(1, LogLevel.Warning, "Registry attempt {Attempt} of {Attempts} failed, trying again in {Delay}: {Problem}")]
    private partial void LogRetry(int attempt, int attempts, TimeSpan delay, string problem);
}
