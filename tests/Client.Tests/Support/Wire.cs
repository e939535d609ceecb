using System.Text;
using System.Text.Json.Nodes;
using Governor.Watchers.Client;

namespace Governor.Client.Tests.Support;

/// <summary>Requests as they go over the wire, with the product's connection and credentials and nothing of its reading.</summary>
internal sealed class Wire(Session session)
{
    public const string Merge = "application/merge-patch+json";
    public const string Apply = "application/apply-patch+yaml";

    public Task<Answer> GetAsync(string path, string accept = "application/json") => SendAsync("GET", path, accept: accept);

    public Task<Answer> PostAsync(string path, string body) => SendAsync("POST", path, body);

    public Task<Answer> PutAsync(string path, JsonNode body) => SendAsync("PUT", path, body.ToJsonString());

    public Task<Answer> MergeAsync(string path, string patch) => SendAsync("PATCH", path, patch, Merge);

    public Task<Answer> ApplyAsync(string path, string manager, string body, bool force = false, string more = "") =>
        SendAsync("PATCH", $"{path}?fieldManager={manager}{(force ? "&force=true" : "")}{more}", body, Apply);

    /// <param name="options">The members of DeleteOptions.</param>
    public Task<Answer> DeleteAsync(string path, string options = "") =>
        SendAsync("DELETE", path, $$"""{"kind":"DeleteOptions","apiVersion":"v1"{{(options.Length > 0 ? "," + options : "")}}}""");

    public async Task<Answer> SendAsync(
        string method, string path, string? body = null, string contentType = "application/json", string accept = "application/json")
    {
        var request = new ApiRequest("conformance", new HttpMethod(method), path, path, Idempotent: method == "GET")
        {
            Accept = accept, ContentType = contentType, Body = body is null ? default : Encoding.UTF8.GetBytes(body),
        };
        using var answer = await session.SendAsync(request, CancellationToken.None);
        return new Answer(answer.Code, Encoding.UTF8.GetString(answer.Body));
    }

    /// <summary>Opens a watch; returns once the server has accepted it, from when on no event is missed.</summary>
    public async Task<WatchReader> WatchAsync(string path)
    {
        var request = new ApiRequest("watch", HttpMethod.Get, path + (path.Contains('?', StringComparison.Ordinal) ? "&" : "?") + "watch=true", path);
        var response = await session.Transport.OpenAsync(session.Connection, request, CancellationToken.None);
        return new WatchReader(response, await response.Content.ReadAsStreamAsync());
    }
}

/// <summary>The events of one watch, in order.</summary>
internal sealed class WatchReader(HttpResponseMessage response, Stream body) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly StreamReader _lines = new(body);

    /// <summary>The next event; null when the server ended the watch in good order.</summary>
    public async Task<WatchLine?> NextAsync()
    {
        string? line;
        try
        {
            line = await _lines.ReadLineAsync().WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"waited {Patience} in vain for the next event of a watch");
        }
        var parsed = line is null ? null : JsonNode.Parse(line)!;
        return parsed is null ? null : new WatchLine(parsed["type"]!.GetValue<string>(), new Answer(200, parsed["object"]!.ToJsonString()));
    }

    /// <summary>The next event, which there has to be.</summary>
    public async Task<WatchLine> EventAsync() => await NextAsync() ?? throw new InvalidOperationException("expected an event, found the end of the watch");

    /// <summary>Reads on until such an event comes.</summary>
    public async Task<WatchLine> UntilAsync(Func<WatchLine, bool> wanted)
    {
        while (true)
            if (await EventAsync() is var next && wanted(next))
                return next;
    }

    public void Dispose()
    {
        response.Dispose();
        _lines.Dispose();
    }
}

internal sealed record WatchLine(string Type, Answer Object)
{
    public override string ToString() => $"{Type} {Object.Name}";
}
