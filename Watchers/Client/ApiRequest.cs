using Governor.Grains.Interfaces.Ports;

namespace Governor.Watchers.Client;

/// <summary>One request to an API server.</summary>
/// <param name="Verb">Kubernetes' word for it (get, list, watch, apply, patch, delete, …), for metrics.</param>
/// <param name="Path">Relative to the server's URL, without a leading slash, with its query.</param>
/// <param name="What">What it is about, for messages: <c>Widget ns/name</c>.</param>
/// <param name="Idempotent">May be sent again although the server may have acted on it already.</param>
internal sealed record ApiRequest(string Verb, HttpMethod Method, string Path, string What, bool Idempotent = true)
{
    public const string Json = "application/json";

    public ReadOnlyMemory<byte> Body { get; init; }
    public string ContentType { get; init; } = Json;
    public string Accept { get; init; } = Json;

    /// <summary>The tag of the answer that is known already: 304 when it has not changed.</summary>
    public string KnownTag { get; init; } = "";

    /// <summary>Send once, whatever comes back.</summary>
    public bool Once { get; init; }

    public static ApiRequest Get(string path, string what) => new("get", HttpMethod.Get, path, what);

    public static ApiRequest List(string path, string what) => new("list", HttpMethod.Get, path, what);
}

/// <summary>A whole answer. The body is borrowed: dispose when it has been read.</summary>
internal sealed class ApiAnswer(int code, PooledBody body, AnswerHeaders headers) : IDisposable
{
    public int Code => code;
    public bool IsSuccess => code is >= 200 and < 300;
    public ReadOnlySpan<byte> Body => body.Span;
    public TimeSpan? RetryAfter => headers.RetryAfter;
    public string Tag => headers.Tag;

    /// <summary>
    /// Load was shed: by API priority and fairness, or by somebody in front of the server. Not so an eviction that a disruption budget
    /// forbids, which has the same code.
    /// </summary>
    public bool IsThrottled => code == 429 && Status().Causes.All(cause => cause.Reason != "DisruptionBudget");

    public StatusAnswer Status() => StatusAnswer.Read(code, body.Span) switch
    {
        var status when code == 429 && headers.PriorityLevel.Length > 0 => status with { Message = $"{status.Message} (priority level {headers.PriorityLevel}, flow schema {headers.FlowSchema})" },
        var status => status,
    };

    public void Dispose() => body.Dispose();
}

/// <summary>What is read of an answer's headers.</summary>
/// <param name="PriorityLevel">UID of the priority level configuration that the request was counted against; empty where it was not.</param>
internal readonly record struct AnswerHeaders(TimeSpan? RetryAfter, string Tag, string PriorityLevel, string FlowSchema)
{
    public static AnswerHeaders Of(HttpResponseMessage response, DateTimeOffset now) => new(
        response.Headers.RetryAfter switch
        {
            { Delta: { } delta } when delta >= TimeSpan.Zero => delta,
            { Date: { } date } => date - now is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero,
            _ => null,
        },
        response.Headers.ETag?.ToString() ?? "",
        Text(response, "X-Kubernetes-PF-PriorityLevel-UID"),
        Text(response, "X-Kubernetes-PF-FlowSchema-UID"));

    private static string Text(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) && values.FirstOrDefault() is { Length: <= 64 } value ? value : "";
}
