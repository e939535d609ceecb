using System.Text.Json;
using System.Text.Json.Nodes;

namespace Governor.Client.Tests.Support;

/// <summary>An answer as the tests look at it.</summary>
public sealed record Answer(int Code, string Text)
{
    private static readonly JsonDocumentOptions AnyDepth = new() { MaxDepth = 10_000 };

    public JsonObject Json => JsonNode.Parse(Text, null, AnyDepth)!.AsObject();

    public string Kind => Find("kind");
    public string Reason => Find("reason");
    public string Name => Find("metadata", "name");
    public string Uid => Find("metadata", "uid");
    public string Version => Find("metadata", "resourceVersion");
    public long Generation => At("metadata", "generation")?.GetValue<long>() ?? 0;
    public bool IsBeingDeleted => Find("metadata", "deletionTimestamp").Length > 0;

    public string[] Finalizers => [.. At("metadata", "finalizers")?.AsArray().Select(f => f!.GetValue<string>()) ?? []];

    /// <summary>The names in a list, sorted: a list that comes from a server's cache has no order of its own.</summary>
    public string[] Names => [.. Json["items"]!.AsArray().Select(item => item!["metadata"]!["name"]!.GetValue<string>()).Order(StringComparer.Ordinal)];

    /// <summary>What a refusal gives as its reasons: <c>reason field</c>, each once.</summary>
    public string[] Causes => [.. (At("details", "causes")?.AsArray() ?? [])
        .Select(cause => $"{cause!["reason"]?.GetValue<string>()} {cause["field"]?.GetValue<string>()}").Distinct().Order(StringComparer.Ordinal)];

    public JsonNode? At(params ReadOnlySpan<string> path)
    {
        JsonNode? at = Json;
        foreach (var step in path)
            at = (at as JsonObject)?[step];
        return at;
    }

    /// <summary>The text at a path; "" where there is none.</summary>
    public string Find(params ReadOnlySpan<string> path) => At(path) is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";

    public override string ToString() => $"{Code} {(Text.Length > 1500 ? Text[..1500] + "…" : Text)}";
}
