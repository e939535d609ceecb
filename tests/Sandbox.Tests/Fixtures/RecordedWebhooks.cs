using System.Text.Json.Nodes;
using Governor.Sandbox.Tests.Admission;

namespace Governor.Sandbox.Tests.Fixtures;

/// <summary>A webhook server that answers what the recorded webhooks answered, and compares the reviews with the recorded ones.</summary>
public sealed class RecordedWebhooks
{
    private const string Configurations = "/apis/admissionregistration.k8s.io/v1";

    private readonly WebhookServer _server;
    private readonly Queue<Exchange> _expected = new();
    private readonly List<(Exchange Exchange, JsonObject Review)> _met = [];
    private readonly List<string> _differences = [];

    public RecordedWebhooks(WebhookServer server)
    {
        _server = server;
        server.Answer = Answer;
    }

    /// <summary>The caBundle to put in place of the recorded one.</summary>
    public Queue<string> Bundles { get; } = new();

    public void Expect(IEnumerable<Exchange> reviews)
    {
        lock (_expected)
        {
            _expected.Clear();
            foreach (var review in reviews)
                _expected.Enqueue(review);
        }
    }

    /// <summary>The body with the address and the certificate of this server.</summary>
    public string? Own(string body) => body.Contains("\"caBundle\"", StringComparison.Ordinal)
        ? body.Replace("https://127.0.0.1:45679", _server.Url.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal)
            .Replace("\"REDACTED\"", $"\"{(Bundles.TryDequeue(out var other) ? other : _server.Bundle)}\"", StringComparison.Ordinal)
        : null;

    public async Task RemoveConfigurationsAsync(SandboxClient admin)
    {
        foreach (var plural in (string[])["validatingwebhookconfigurations", "mutatingwebhookconfigurations"])
            await admin.DeleteAsync($"{Configurations}/{plural}");
    }

    /// <summary>What differs between the reviews that came and the recorded ones since the last time.</summary>
    public IReadOnlyList<string> Compare(Action<JsonNode?, JsonNode?, Action<string>> compare)
    {
        lock (_expected)
        {
            foreach (var missing in _expected)
                _differences.Add($"{missing.Title[4..]}: the webhook was not called");
            foreach (var (exchange, review) in _met.Where(m => m.Exchange.RequestBody.Length > 0))
                compare(JsonNode.Parse(exchange.RequestBody), review, difference => _differences.Add($"{exchange.Title[4..]}: {difference}"));
            var found = _differences.ToArray();
            _differences.Clear();
            _met.Clear();
            _expected.Clear();
            return found;
        }
    }

    private WebhookReply? Answer(string path, JsonObject review)
    {
        lock (_expected)
        {
            if (!_expected.TryDequeue(out var exchange))
            {
                _differences.Add($"0 the webhook was called at {path} and should not have been: {review["request"]!.ToJsonString()}");
                return WebhookServer.Allow(review);
            }
            if (exchange.Path != path)
                _differences.Add($"{exchange.Title[4..]}: expected the path {exchange.Path}, found {path}");
            _met.Add((exchange, review));
            if (path.StartsWith("/slow", StringComparison.Ordinal))
                return null;
            var uid = review["request"]!["uid"]!.GetValue<string>();
            var type = exchange.Headers.FirstOrDefault(h => h.Name == "Content-Type").Value ?? "application/json";
            return new WebhookReply(exchange.Code, type, WithUid(exchange.Body, uid));
        }
    }

    private static string WithUid(string body, string uid)
    {
        if (!body.StartsWith('{') || JsonNode.Parse(body) is not JsonObject answer)
            return body;
        if (answer["response"]?["uid"]?.GetValue<string>() is { Length: > 10 })
            answer["response"]!["uid"] = uid;
        return answer.ToJsonString();
    }
}
