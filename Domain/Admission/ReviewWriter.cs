using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Governor.Domain.Admission;

/// <summary>Writes what the API server is answered.</summary>
public static class ReviewWriter
{
    // All warnings together are cut at 4096 bytes by the API server, each at 256 when they are more.
    private const int MostWarnings = 8;
    private const int LongestWarning = 480;
    private const int LongestMessage = 4096;

    public static byte[] Write(string uid, AdmissionVerdict verdict)
    {
        var response = new JsonObject { ["uid"] = uid, ["allowed"] = verdict.Allowed };
        if (!verdict.Allowed)
            response["status"] = new JsonObject
            {
                ["code"] = 403,
                ["reason"] = "Forbidden",
                ["message"] = Objection.Shown(verdict.Message, LongestMessage),
            };
        else if (!verdict.Objections.IsEmpty)
            response["warnings"] = Warnings(verdict.Objections);
        if (verdict is { Allowed: true, Patch: { Count: > 0 } patch })
        {
            response["patchType"] = "JSONPatch";
            response["patch"] = Convert.ToBase64String(JsonSerializer.SerializeToUtf8Bytes<JsonNode>(patch));
        }
        return JsonSerializer.SerializeToUtf8Bytes<JsonNode>(new JsonObject
        {
            ["apiVersion"] = ReviewReader.ApiVersion,
            ["kind"] = ReviewReader.Kind,
            ["response"] = response,
        });
    }

    private static JsonArray Warnings(ImmutableArray<Objection> objections) =>
        [.. objections.Take(MostWarnings).Select(objection => JsonValue.Create(Objection.Shown($"would be denied: {objection.Message}", LongestWarning)))];
}
