namespace Governor.Watchers.Client;

/// <summary>One request to an API server.</summary>
/// <param name="Verb">Kubernetes' word for it (get, list, watch, apply, patch, delete, …), for metrics.</param>
/// <param name="Path">Relative to the server's URL, without a leading slash, with its query.</param>
/// <param name="What">What it is about, for messages: <c>Widget ns/name</c>.</param>
/// <param name="Idempotent">May be sent again although the server may have acted on it already.</param>
internal sealed record ApiRequest(string Verb, HttpMethod Method, string Path, string What, bool Idempotent = true)
{
    public ReadOnlyMemory<byte> Body { get; init; }
    public string ContentType { get; init; } = "application/json";

    /// <summary>Send once, whatever comes back.</summary>
    public bool Once { get; init; }

    public static ApiRequest Get(string path, string what) => new("get", HttpMethod.Get, path, what);

    public static ApiRequest List(string path, string what) => new("list", HttpMethod.Get, path, what);
}

/// <summary>A whole answer. The body is borrowed: dispose when it has been read.</summary>
internal sealed class ApiAnswer(int code, PooledBody body, TimeSpan? retryAfter) : IDisposable
{
    public int Code => code;
    public bool IsSuccess => code is >= 200 and < 300;
    public ReadOnlySpan<byte> Body => body.Span;
    public TimeSpan? RetryAfter => retryAfter;

    public StatusAnswer Status() => StatusAnswer.Read(code, body.Span);

    public void Dispose() => body.Dispose();
}
