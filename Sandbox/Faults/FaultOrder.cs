using System.Text.Json;
using System.Text.Json.Serialization;
using Governor.Sandbox.Api;

namespace Governor.Sandbox.Faults;

/// <summary>One switch as a person writes it in JSON: what shall happen, to what, how often.</summary>
internal sealed record FaultOrder
{
    private static readonly JsonSerializerOptions Form = new(JsonSerializerDefaults.Web)
    {
        PropertyNameCaseInsensitive = false,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
        AllowDuplicateProperties = false,
    };

    public string Effect { get; init; } = "";
    public FaultTarget? On { get; init; }

    /// <summary>The first match that is hit, counted from 1.</summary>
    public int From { get; init; } = 1;

    /// <summary>How many matches after that may be hit.</summary>
    public int Count { get; init; } = 1;

    /// <summary>Without an end; <see cref="Count"/> says nothing then.</summary>
    public bool Forever { get; init; }

    public double Probability { get; init; } = 1;
    public int? Code { get; init; }
    public string Reason { get; init; } = "";
    public string Message { get; init; } = "";
    public int RetryAfterSeconds { get; init; }
    public bool AsText { get; init; }
    public double? Milliseconds { get; init; }
    public double? MedianMilliseconds { get; init; }
    public double? P99Milliseconds { get; init; }
    public long? AfterBytes { get; init; }
    public long? ResourceVersion { get; init; }
    public int? Changes { get; init; }
    public double? Seconds { get; init; }
    public string Behaviour { get; init; } = "";

    /// <exception cref="ApiException">400, saying what was expected and found.</exception>
    public static FaultOrder Read(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize<FaultOrder>(json, Form) is { } order && order.Effect is not null
                ? order.Checked()
                : throw ApiException.BadRequest("fault: expected a JSON object, found null");
        }
        catch (JsonException e)
        {
            throw ApiException.BadRequest($"fault: {e.Message}");
        }
    }

    public JsonElement ToJson() => JsonSerializer.SerializeToElement(this, Form);

    /// <summary>The effect on a request; null when this is no switch for requests.</summary>
    public FaultEffect? ToEffect() => Effect switch
    {
        "fail" => new FaultEffect.Fail(Demand(Code, "code"), Reason, Message, RetryAfterSeconds, AsText),
        "delay" => new FaultEffect.Delay(Span(Milliseconds, "milliseconds")),
        "latency" => new FaultEffect.Latency(Span(MedianMilliseconds, "medianMilliseconds"), Span(P99Milliseconds, "p99Milliseconds")),
        "drop-before" => new FaultEffect.DropBefore(),
        "drop-after" => new FaultEffect.DropAfter(),
        "break-body" => new FaultEffect.BreakBody(Demand(AfterBytes, "afterBytes")),
        "silence" => new FaultEffect.Silence(),
        "stale" => new FaultEffect.Stale(Demand(ResourceVersion, "resourceVersion")),
        "lag" => new FaultEffect.Lag(Demand(Changes, "changes")),
        _ => null,
    };

    /// <summary>What becomes of a watch event; null when this is no switch for events.</summary>
    public EventFate? ToFate() => Effect.StartsWith("event-", StringComparison.Ordinal) && Enum.TryParse<EventFate>(Effect["event-".Length..], true, out var fate) && Enum.IsDefined(fate)
        ? fate
        : null;

    public bool Matches(FaultRequest r) => On is not { } on
        || (Is(on.Verb, r.Verb) && Is(on.Group, r.Group) && Is(on.Resource, r.Resource) && Is(on.Namespace, r.Namespace) && Is(on.Name, r.Name)
            && Is(on.Path, r.Path) && Is(on.User, r.User) && Within(on.UserAgent, r.UserAgent));

    public bool Matches(FaultEvent e) => On is not { } on
        || (Is(on.Type, e.Type) && Is(on.Group, e.Group) && Is(on.Resource, e.Resource) && Is(on.Namespace, e.Namespace) && Is(on.Name, e.Name)
            && Is(on.User, e.User) && Within(on.UserAgent, e.UserAgent));

    public T Demand<T>(T? value, string field) where T : struct =>
        value ?? throw ApiException.BadRequest($"fault: effect \"{Effect}\": expected {field}, found none");

    private FaultOrder Checked()
    {
        if (From < 1 || Count < 0 || Probability is not (>= 0 and <= 1))
            throw ApiException.BadRequest($"fault: expected from >= 1, count >= 0 and probability from 0 to 1, found {From}, {Count} and {Probability}");
        if (Code is < 400 or > 599)
            throw ApiException.BadRequest($"fault: code: expected 400 to 599, found {Code}");
        if (ToFate() is null ? On?.Type is { Length: > 0 } : On is { Verb.Length: > 0 } or { Path.Length: > 0 })
            throw ApiException.BadRequest($"fault: effect \"{Effect}\": on.type is for effects on events, on.verb and on.path for effects on requests");
        return this;
    }

    private TimeSpan Span(double? milliseconds, string field) => Demand(milliseconds, field) is var value and >= 0 and <= 3_600_000
        ? TimeSpan.FromMilliseconds(value)
        : throw ApiException.BadRequest($"fault: {field}: expected 0 to 3600000, found {milliseconds}");

    private static bool Is(string? wanted, string found) => wanted is null || wanted == found;

    private static bool Within(string? wanted, string found) => wanted is null || found.Contains(wanted, StringComparison.Ordinal);
}

/// <summary>Which requests or events are meant: whatever is said has to be so, what is not said may be anything.</summary>
/// <param name="Type">Of an event: ADDED, MODIFIED, DELETED or BOOKMARK.</param>
/// <param name="Group">"" for the core group.</param>
/// <param name="Resource">The plural, with the subresource after a slash.</param>
/// <param name="UserAgent">A part of it.</param>
internal sealed record FaultTarget(
    string? Verb = null, string? Type = null, string? Group = null, string? Resource = null, string? Namespace = null, string? Name = null,
    string? Path = null, string? User = null, string? UserAgent = null);
