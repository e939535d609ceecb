using System.Collections.Immutable;
using System.Net;
using System.Text;
using System.Text.Json;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Watchers.Client;

/// <summary>Reads what an API server says when it says no: a Status document, or plain text from one of the layers before it.</summary>
internal sealed record StatusAnswer(int Code, string Reason, string Message, bool IsStatus, string ContinueToken, bool NamesObject)
{
    /// <summary>The reason of an answer that no API server gives: something stands between us.</summary>
    public const string NotAnApiServer = "NotAnApiServer";

    private const int LongestMessage = 4096;
    private const int MostCauses = 200;

    public ImmutableArray<StatusCause> Causes { get; init; } = [];

    /// <summary>
    /// It is a Status, or the text that a path without a handler has. A proxy's or load balancer's own 404 says nothing about what the
    /// cluster has.
    /// </summary>
    public bool IsFromApiServer => IsStatus || (Code == 404 && Message == "404 page not found");

    public static StatusAnswer Read(int httpCode, ReadOnlySpan<byte> body)
    {
        if (TryRead(body) is { } root)
            return Read(httpCode, root);
        var text = Encoding.UTF8.GetString(body[..Math.Min(body.Length, LongestMessage)]).Trim();
        return new StatusAnswer(httpCode, ReasonOf(httpCode), text.Length == 0 ? ReasonOf(httpCode) : text, false, "", false);
    }

    /// <param name="httpCode">Used where the document has no code of its own.</param>
    public static StatusAnswer Read(int httpCode, JsonElement root)
    {
        var code = root.TryGetProperty("code", out var c) && c.ValueKind == JsonValueKind.Number && c.TryGetInt32(out var n) && n >= 400 ? n : httpCode;
        var reason = Text(root, "reason");
        var details = root.TryGetProperty("details", out var d) && d.ValueKind == JsonValueKind.Object ? d : default;
        var message = Text(root, "message");
        if (message.Length == 0)
            message = ReasonOf(code);
        var causes = ReadCauses(details);
        (code, reason) = Correct(code, reason, message);
        return new StatusAnswer(
            code, reason, Shorten(WithCauses(message, causes)), true,
            root.TryGetProperty("metadata", out var m) && m.ValueKind == JsonValueKind.Object ? Text(m, "continue") : "",
            details.ValueKind == JsonValueKind.Object && Text(details, "name").Length > 0) { Causes = causes };
    }

    public KubernetesException ToException(string context) => Code == 404 && !IsFromApiServer
        ? new(502, NotAnApiServer, $"{context}: expected an answer of an API server, found a 404 of something else: {Message}")
        : new(Code, Reason, $"{context}: {Message}") { Causes = Causes };

    /// <summary>
    /// Server-side apply answers bodies that do not fit the schema, and etcd objects that are too large, with a bare 500, which would
    /// be tried again for ever. They are what they are: a bad request.
    /// </summary>
    private static (int Code, string Reason) Correct(int code, string reason, string message)
    {
        if (code == 500 && message.StartsWith("failed to create typed patch object", StringComparison.Ordinal))
            return (422, "Invalid");
        if (code == 500 && reason.Length == 0 && (message.Contains("request is too large", StringComparison.Ordinal)
            || message.Contains("message larger than max", StringComparison.Ordinal)))
            return (413, "RequestEntityTooLarge");
        return (code, reason.Length > 0 ? reason : ReasonOf(code));
    }

    private static ImmutableArray<StatusCause> ReadCauses(JsonElement details) =>
        details.ValueKind == JsonValueKind.Object && details.TryGetProperty("causes", out var causes) && causes.ValueKind == JsonValueKind.Array
            ? [.. causes.EnumerateArray().Where(c => c.ValueKind == JsonValueKind.Object).Take(MostCauses)
                .Select(c => new StatusCause(Text(c, "reason"), Text(c, "field") is "<nil>" ? "" : Text(c, "field"), Shorten(Text(c, "message"))))]
            : [];

    /// <summary>Adds the causes that the message does not tell already: each field once, with what is wrong or who owns it.</summary>
    private static string WithCauses(string message, ImmutableArray<StatusCause> causes)
    {
        var isConflict = causes.Any(cause => cause.Reason == "FieldManagerConflict");
        var told = causes
            .Where(cause => cause.Field.Length > 0 && (isConflict || !message.Contains(cause.Message, StringComparison.Ordinal)))
            .Select(cause => $"{cause.Field}: {cause.Message}")
            .Distinct(StringComparer.Ordinal)
            .ToList();
        if (told.Count == 0)
            return message;
        var head = isConflict ? message.Split('\n', 2)[0].TrimEnd(':') : message;
        return $"{head}: {string.Join("; ", told)}";
    }

    private static JsonElement? TryRead(ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty || body.TrimStart((byte)' ') is not [(byte)'{', ..])
            return null;
        try
        {
            var root = JsonElement.Parse(body);
            return root.ValueKind == JsonValueKind.Object && Text(root, "kind") == "Status" ? root : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Text(JsonElement parent, string name)
    {
        try
        {
            return parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
        }
        catch (InvalidOperationException) // invalid UTF-8
        {
            return "";
        }
    }

    private static string ReasonOf(int code) => code switch
    {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        405 => "MethodNotAllowed",
        409 => "Conflict",
        410 => "Expired",
        413 => "RequestEntityTooLarge",
        415 => "UnsupportedMediaType",
        422 => "Invalid",
        429 => "TooManyRequests",
        500 => "InternalError",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => ((HttpStatusCode)code).ToString(),
    };

    private static string Shorten(string text) => text.Length <= LongestMessage ? text : text[..LongestMessage] + "…";
}
