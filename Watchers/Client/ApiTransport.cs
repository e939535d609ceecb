using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Security.Authentication;
using Governor.Grains.Interfaces.Ports;
using Microsoft.Extensions.Logging;

namespace Governor.Watchers.Client;

/// <summary>
/// Sends requests to one cluster: waits for its turn, fails at once while the cluster is known to be unreachable, bounds time and
/// size, repeats what the server asked to have repeated.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "a semaphore without a wait handle holds nothing, and answers that are being read release it late")]
internal sealed partial class ApiTransport(
    string cluster, KubernetesOptions options, KubernetesMetrics metrics, TimeProvider time, ILogger logger) : IMeasuredCluster
{
    /// <summary>The reason of whatever is asked through a connection that another kubeconfig has taken the place of.</summary>
    public const string Replaced = "Replaced";

    private const string Untrusted = "Untrusted";

    private static readonly TimeSpan DefaultRetryAfter = TimeSpan.FromSeconds(1);

    private readonly FailureState _failures = new(cluster, options, time, logger);
    private readonly AdaptiveLimit _limit = new(cluster, options.MaxConcurrency, options.MaxQueuedRequests);

    /// <summary>How many answers above <see cref="PooledBody.Large"/> are held at a time, so that many of them do not add up.</summary>
    private readonly SemaphoreSlim _large = new(2, 2);

    public bool IsReachable => _failures.IsClosed;
    public int ConcurrencyLimit => _limit.Limit;
    public int QueuedRequests => _limit.Queued;

    /// <summary>Completes when the cluster answers again; complete while it does.</summary>
    public Task Recovered => _failures.Recovered;

    /// <summary>Any answer, whatever its code.</summary>
    /// <exception cref="KubernetesException">There is none, or it is larger than allowed.</exception>
    public async Task<ApiAnswer> SendAsync(Connection connection, ApiRequest request, CancellationToken cancellation)
    {
        var waited = TimeSpan.Zero;
        var refused = false;
        for (var attempt = 0; ; attempt++)
        {
            var answer = await SendOnceAsync(connection, request, cancellation);
            if (answer.Code == 401 && !refused && connection.Credential.Refused())
            {
                refused = true;
                answer.Dispose();
                continue;
            }
            if (PauseBeforeRetry(request, answer, attempt) is not { } pause || waited + pause > options.RetryBudget)
                return answer;
            LogRetry(logger, cluster, request.Verb, request.What, answer.Code, pause);
            metrics.Retry(cluster, request.Verb);
            answer.Dispose();
            waited += pause;
            await Task.Delay(pause, time, cancellation);
        }
    }

    /// <summary>Opens a watch: returns when the server has accepted it. It does not take a turn, for it would never give it back.</summary>
    /// <exception cref="KubernetesException">The server refused, or did not answer.</exception>
    public async Task<HttpResponseMessage> OpenAsync(Connection connection, ApiRequest request, CancellationToken cancellation)
    {
        _failures.ThrowIfDown();
        var token = await connection.Credential.TokenAsync(cancellation);
        return await AttemptAsync(connection, request, token, async (response, linked) =>
        {
            if (response.IsSuccessStatusCode)
                return response;
            if (response.StatusCode == HttpStatusCode.Unauthorized)
                connection.Credential.Refused();
            using (var answer = await ReadAsync(response, linked))
                throw answer.Status().ToException(Context(request));
        }, keepOpen: true, cancellation);
    }

    public string Context(ApiRequest request) => $"cluster '{cluster}': {request.Verb} {request.What}";

    private async Task<ApiAnswer> SendOnceAsync(Connection connection, ApiRequest request, CancellationToken cancellation)
    {
        _failures.ThrowIfDown();
        var token = await connection.Credential.TokenAsync(cancellation);
        var round = await _limit.EnterAsync(cancellation);
        var overloaded = false;
        try
        {
            var started = time.GetTimestamp();
            var answer = await AttemptAsync(connection, request, token, ReadAsync, keepOpen: false, cancellation);
            overloaded = answer.IsThrottled || time.GetElapsedTime(started) > options.RequestTimeout / 3;
            return answer;
        }
        catch (KubernetesException e)
        {
            overloaded = e.Reason == "Timeout";
            throw;
        }
        finally
        {
            _limit.Leave(round, overloaded);
        }
    }

    private async Task<ApiAnswer> ReadAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        using (response)
            return new ApiAnswer(
                (int)response.StatusCode,
                await PooledBody.ReadAsync(await response.Content.ReadAsStreamAsync(cancellation), options.MaxResponseBytes, _large, cancellation),
                AnswerHeaders.Of(response, time.GetUtcNow()));
    }

    /// <summary>One request on the wire, with its timeout, its verdict on the cluster and its measurement.</summary>
    private async Task<T> AttemptAsync<T>(
        Connection connection, ApiRequest request, string? token,
        Func<HttpResponseMessage, CancellationToken, Task<T>> read, bool keepOpen, CancellationToken cancellation)
    {
        var permit = _failures.Enter();
        var started = time.GetTimestamp();
        var code = 0;
        using var timeout = new CancellationTokenSource(options.RequestTimeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token, connection.Replaced);
        try
        {
            var response = await connection.SendAsync(request, token, linked.Token);
            code = (int)response.StatusCode;
            if (keepOpen)
                _failures.Answered(permit);
            var result = await read(response, linked.Token);
            if (!keepOpen)
                _failures.Answered(permit);
            return result;
        }
        catch (BodyTooLargeException e)
        {
            _failures.Answered(permit);
            throw new KubernetesException(413, "ResponseTooLarge", $"{Context(request)}: the answer: {e.Message}", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException or AuthenticationException
            or ObjectDisposedException or InvalidDataException)
        {
            code = 0;
            if (cancellation.IsCancellationRequested)
            {
                _failures.Abandoned(permit);
                throw new OperationCanceledException(e.Message, e, cancellation);
            }
            if (connection.IsReplaced)
            {
                _failures.Abandoned(permit);
                throw new KubernetesException(0, Replaced, $"{Context(request)}: the cluster's kubeconfig was replaced meanwhile", e);
            }
            var fault = timeout.IsCancellationRequested
                ? new KubernetesException(0, "Timeout", $"{Context(request)}: expected an answer within {options.RequestTimeout}, found none", e)
                : Unreachable(request, e);
            if (fault.Reason == Untrusted)
                connection.Renew(); // perhaps the cluster has a new authority, and the file that names it has been renewed, too
            _failures.Failed(permit, fault);
            throw fault;
        }
        catch
        {
            _failures.Abandoned(permit);
            throw;
        }
        finally
        {
            metrics.Request(cluster, request.Verb, code, time.GetElapsedTime(started));
        }
    }

    private KubernetesException Unreachable(ApiRequest request, Exception e)
    {
        var root = e.GetBaseException();
        return e is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } or AuthenticationException
            ? new KubernetesException(0, Untrusted, $"{Context(request)}: expected a server that the kubeconfig's certificate authority vouches for, found: {root.Message}", e)
            : new KubernetesException(0, "Unreachable", $"{Context(request)}: {root.Message}", e);
    }

    private static TimeSpan? PauseBeforeRetry(ApiRequest request, ApiAnswer answer, int attempt) => answer.Code switch
    {
        _ when request.Once => null,
        429 when answer.IsThrottled => Backoff.AtLeast(answer.RetryAfter ?? DefaultRetryAfter), // sent away before anything was done
        503 when request.Idempotent => Backoff.AtLeast(answer.RetryAfter ?? DefaultRetryAfter * Math.Pow(2, Math.Min(attempt, 10))),
        _ => null,
    };

    [LoggerMessage(Level = LogLevel.Debug, Message = "Cluster '{Cluster}' answered {Code} to {Verb} {What}; trying again in {Pause}.")]
    private static partial void LogRetry(ILogger logger, string cluster, string verb, string what, int code, TimeSpan pause);
}
