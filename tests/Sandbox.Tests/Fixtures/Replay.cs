using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Governor.Sandbox.Tests.Fixtures;

/// <summary>
/// Sends recorded requests to a sandbox and compares the answers with the recorded ones. Uids, resourceVersions, times, generated names and
/// continue tokens are matched by shape: the first pair that meets is learned, and from then on the pair has to stay together, so that
/// "same resourceVersion as before" is compared too.
/// </summary>
public sealed partial class Replay
{
    private static readonly string[] Times = ["creationTimestamp", "time", "deletionTimestamp", "lastTransitionTime", "lastUpdateTime", "startTime", "completionTime", "lastProbeTime"];

    private readonly SandboxCluster _cluster;
    private readonly Dictionary<string, string> _learned = new(StringComparer.Ordinal);

    /// <summary>The service account token of the exchanges by "bearer".</summary>
    public string Bearer { get; set; } = "";

    /// <summary>Answers as the recorded webhooks did; without it, files that call webhooks cannot be replayed.</summary>
    public RecordedWebhooks? Webhooks { get; init; }

    public Replay(SandboxCluster cluster) => _cluster = cluster;

    /// <returns>What differs, one line each.</returns>
    public async Task<IReadOnlyList<string>> PlayAsync(string file, Func<Exchange, bool>? only = null)
    {
        var differences = new List<string>();
        using var client = new SandboxClient(_cluster);
        var streams = new List<(Exchange Exchange, WatchReader Reader)>();
        var exchanges = FixtureFile.Read(file).Where(e => e.Code > 0 && (only?.Invoke(e) ?? true)).ToList();
        for (var i = 0; i < exchanges.Count; i++)
        {
            var exchange = exchanges[i];
            if (exchange.IsReview)
                continue;
            Webhooks?.Expect(exchanges.Skip(i + 1).TakeWhile(e => e.IsReview));
            if (Webhooks is not null && exchange.Title.EndsWith("the configuration", StringComparison.Ordinal) && i > 0 && !exchanges[i - 1].Title.EndsWith("the configuration", StringComparison.Ordinal))
                await Webhooks.RemoveConfigurationsAsync(client);
            if (exchange.IsStream)
            {
                LearnVersion(exchange.Path);
                streams.Add((exchange, await client.WatchAsync(Known(exchange.Path), exchange.RequestHeader("Accept") ?? "")));
                continue;
            }
            client.Token = exchange.Who switch { "admin" or "kubectl" => _cluster.AdminToken, "bearer" => Bearer, "anonymous" => "", _ => _cluster.TokenFor(exchange.Who) };
            var accept = exchange.RequestHeader("Accept") ?? "";
            var passed = exchange.RequestHeaders.Where(h => h.Name.StartsWith("Impersonate", StringComparison.Ordinal));
            await LearnTargetAsync(client, exchange);
            var body = exchange.RequestBody.Length > 0 || exchange.RequestHeader("Content-Type") is not null ? Known(Webhooks?.Own(exchange.RequestBody) ?? exchange.RequestBody) : null;
            var answer = await client.SendAsync(exchange.Method, Known(exchange.Path), body, exchange.RequestHeader("Content-Type") ?? "", accept, passed);
            Compare(exchange, answer, difference => differences.Add($"{file} {exchange.Title[4..]}: {difference}"));
            await _cluster.IdleAsync();
            if (Webhooks is not null)
                differences.AddRange(Webhooks.Compare((e, f, report) => CompareNodes(e, f, "", report)).Select(d => $"{file} {d}"));
        }
        foreach (var (exchange, reader) in streams)
            await CompareStreamAsync(exchange, reader, difference => differences.Add($"{file} {exchange.Title[4..]}: {difference}"));
        return differences;
    }

    /// <summary>A resourceVersion that no recorded answer brought stands for "now".</summary>
    private void LearnVersion(string path)
    {
        if (Version().Match(path) is { Success: true } match && match.Groups[2].Value.Length >= 3)
            _learned.TryAdd(match.Groups[2].Value, $"{_cluster.ResourceVersion}");
    }

    private async Task CompareStreamAsync(Exchange exchange, WatchReader reader, Action<string> report)
    {
        using (reader)
            try
            {
                for (var i = 0; i < exchange.Lines.Count; i++)
                {
                    if (await reader.NextAsync() is not var (type, o))
                    {
                        report($"line {i}: the stream has ended, expected {exchange.Lines[i][..Math.Min(100, exchange.Lines[i].Length)]}");
                        return;
                    }
                    var line = i;
                    CompareNodes(JsonNode.Parse(exchange.Lines[i]), new JsonObject { ["type"] = type, ["object"] = o.DeepClone() }, "", difference => report($"line {line}: {difference}"));
                }
                if (exchange.EndsWell && await reader.NextAsync() is var (extra, extraObject))
                    report($"expected the end, found {extra} {extraObject["metadata"]?["name"]}");
            }
            catch (TimeoutException)
            {
                report("a line or the end of the stream did not come");
            }
    }

    /// <summary>Objects that the recorder had made before are met first in a request: the sandbox's own stands for them.</summary>
    private async Task LearnTargetAsync(SandboxClient client, Exchange exchange)
    {
        if (!exchange.RequestBody.StartsWith('{') || exchange.Method is not ("PUT" or "PATCH" or "DELETE"))
            return;
        var uid = Uid().Match(exchange.RequestBody).Groups[1].Value;
        var version = Version().Match(exchange.RequestBody).Groups[2].Value;
        var isNew = uid.Length > 0 && uid.Distinct().Count() > 3 && !_learned.ContainsKey(uid);
        if (!isNew && exchange is { Method: "PUT" or "PATCH", Code: 200 } && version.Length >= 3 && !_learned.ContainsKey(version)
            && await client.GetAsync(exchange.Path.Split('?')[0]) is { Code: 200 } put)
            _learned[version] = put.Version;
        if (!isNew || await client.GetAsync(exchange.Path.Split('?')[0]) is not { Code: 200 } target)
            return;
        _learned[uid] = target.Uid;
        if (version.Length > 0)
            _learned.TryAdd(version, target.Version);
    }

    private void Compare(Exchange exchange, Answer answer, Action<string> report)
    {
        if (answer.Code != exchange.Code)
        {
            report($"expected {exchange.Code}, found {answer.Code} {answer.Text.Trim()}");
            return;
        }
        var warnings = exchange.Headers.Where(h => h.Name == "Warning").Select(h => h.Value).ToArray();
        if (!warnings.SequenceEqual(answer.Warnings))
            report($"expected warnings [{string.Join("; ", warnings)}], found [{string.Join("; ", answer.Warnings)}]");
        if (exchange.Method == "HEAD" || exchange.Body.Length == 0)
            return;
        if (!exchange.Body.StartsWith('{'))
        {
            if (exchange.HasBody && !answer.ContentType.Contains("yaml", StringComparison.Ordinal) && answer.Text.Trim() != exchange.Body.Trim())
                report($"expected '{exchange.Body}', found '{answer.Text}'");
            return;
        }
        if (!answer.Text.StartsWith('{'))
        {
            report($"expected JSON, found '{answer.Text}'");
            return;
        }
        var expected = JsonNode.Parse(exchange.Body);
        var found = Reduce(exchange, answer.Json);
        if (found is not null)
            CompareNodes(expected, found, "", report);
    }

    /// <summary>The answer cut down as the recorder cut his; null where that is not known.</summary>
    private static JsonObject? Reduce(Exchange exchange, JsonObject answer)
    {
        if (exchange.HasBody)
            return answer;
        var remark = exchange.Remarks.FirstOrDefault(r => r.StartsWith("body", StringComparison.Ordinal)) ?? "";
        if (remark.StartsWith("body reduced to resourceVersion", StringComparison.Ordinal))
        {
            var made = new JsonObject { ["resourceVersion"] = answer["metadata"]!["resourceVersion"]?.DeepClone(), ["generation"] = answer["metadata"]!["generation"]?.DeepClone() };
            if (remark.Contains("managedFields", StringComparison.Ordinal))
                made["managedFields"] = answer["metadata"]!["managedFields"]?.DeepClone();
            made["spec"] = answer["spec"]?.DeepClone();
            made["status"] = answer["status"]?.DeepClone();
            return made;
        }
        if (remark.StartsWith("body reduced: items to name, deletionTimestamp and finalizers", StringComparison.Ordinal))
        {
            answer["items"] = new JsonArray(answer["items"]!.AsArray().Select(i => (JsonNode?)new JsonObject
            {
                ["name"] = i!["metadata"]!["name"]?.DeepClone(),
                ["deletionTimestamp"] = i["metadata"]!["deletionTimestamp"]?.DeepClone(),
                ["finalizers"] = i["metadata"]!["finalizers"]?.DeepClone(),
            }).ToArray());
            return answer;
        }
        if (remark.StartsWith("body reduced: items to their names", StringComparison.Ordinal))
        {
            answer["items"] = new JsonArray(answer["items"]!.AsArray().Select(i => i!["metadata"]!["name"]!.DeepClone()).ToArray());
            return answer;
        }
        return null;
    }

    private void CompareNodes(JsonNode? expected, JsonNode? found, string path, Action<string> report)
    {
        switch (expected, found)
        {
            case (JsonObject e, JsonObject f):
                if (e.Any(m => AnyUid().IsMatch(m.Key))) // owners are told apart by their uids
                    e = new JsonObject(e.Select(m => KeyValuePair.Create(Known(m.Key), m.Value?.DeepClone())));
                foreach (var name in e.Select(p => p.Key).Union(f.Select(p => p.Key)))
                    CompareMember(e, f, name, path.Length == 0 ? name : $"{path}.{name}", report);
                return;
            case (JsonArray e, JsonArray f) when e.Count == f.Count:
                if (IsUnordered(path))
                    (e, f) = (Sorted(e), Sorted(f));
                if (path.EndsWith("managedFields", StringComparison.Ordinal) && e.Select(m => m!["time"]?.ToString()).Distinct().Count() > 1)
                    (e, f) = (ByManager(e), ByManager(f)); // the recorded order is that of the times, which differ here
                for (var i = 0; i < e.Count; i++)
                    CompareNodes(e[i], f[i], $"{path}[{i}]", report);
                return;
        }
        if (!JsonNode.DeepEquals(expected, found) && !SameText(expected, found, path))
            report($"{path}: expected {expected?.ToJsonString() ?? "null"}, found {found?.ToJsonString() ?? "null"}");
    }

    private void CompareMember(JsonObject expected, JsonObject found, string name, string path, Action<string> report)
    {
        var inStatusMessage = path is "message" || name == "continue";
        if (Times.Contains(name) && expected.ContainsKey(name) && found.ContainsKey(name))
            return;
        var isName = name == "name" && (expected["generateName"] is not null || path == "request.name");
        if (name is "uid" or "resourceVersion" || isName || inStatusMessage && name == "continue")
            Learn(expected[name], found[name], path, report);
        else
            CompareNodes(expected[name], found[name], path, report);
    }

    private void Learn(JsonNode? expected, JsonNode? found, string path, Action<string> report)
    {
        var (e, f) = (expected?.GetValue<string>(), found?.GetValue<string>());
        if (e is null || f is null || e.Length == 0 || f.Length == 0)
        {
            if (e != f)
                report($"{path}: expected {e ?? "nothing"}, found {f ?? "nothing"}");
        }
        else if (!_learned.TryAdd(e, f) && _learned[e] != f)
            report($"{path}: expected the same as before ({_learned[e]}), found {f}");
    }

    private bool SameText(JsonNode? expected, JsonNode? found, string path)
    {
        if (expected is not JsonValue e || found is not JsonValue f || !e.TryGetValue<string>(out var wanted) || !f.TryGetValue<string>(out var had))
            return false;
        if (path.EndsWith("message", StringComparison.Ordinal) || path.EndsWith("name", StringComparison.Ordinal))
            return Shapeless(Known(wanted)) == Shapeless(had);
        return false;
    }

    private static JsonArray ByManager(JsonArray a) =>
        new(a.OrderBy(m => $"{m!["manager"]} {m["operation"]} {m["subresource"]} {m["apiVersion"]}", StringComparer.Ordinal).Select(m => m!.DeepClone()).ToArray());

    private static bool IsUnordered(string path) => path == "items";

    private static JsonArray Sorted(JsonArray a) => new(a.OrderBy(i => i is JsonObject o ? $"{o["metadata"]?["namespace"]}/{o["metadata"]?["name"]}" : i!.ToJsonString(), StringComparer.Ordinal).Select(i => i!.DeepClone()).ToArray());

    /// <summary>Numbers of versions and generated suffixes do not matter in messages; neither does where a JSON text is cut.</summary>
    private static string Shapeless(string text) => Suffix().Replace(Number().Replace(AnyUid().Replace(text, "U"), "N"), "_S");

    private string Known(string text)
    {
        foreach (var (recorded, actual) in _learned.Where(l => l.Key.Length > 20))
            text = text.Replace(recorded, actual, StringComparison.Ordinal);
        text = Version().Replace(text, m => _learned.TryGetValue(m.Groups[2].Value, out var actual) ? m.Groups[1].Value + actual + m.Groups[3].Value : m.Value);
        return text;
    }

    [GeneratedRegex("(\"resourceVersion\": ?\"|resourceVersion=)(\\d+)(\"|&|$)")]
    private static partial Regex Version();

    [GeneratedRegex("\"uid\": ?\"([^\"]+)\"")]
    private static partial Regex Uid();

    [GeneratedRegex(@"\d{2,}")]
    private static partial Regex Number();

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")]
    private static partial Regex AnyUid();

    [GeneratedRegex("_[a-z0-9]{5}\\b")]
    private static partial Regex Suffix();
}
