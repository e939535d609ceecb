using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Governor.Sandbox.Discovery;
using Microsoft.AspNetCore.Http;

namespace Governor.Sandbox.Api;

/// <summary>Bodies of writes: JSON, YAML, and protobuf for the few built-in kinds that kubectl sends so.</summary>
internal static partial class ObjectBody
{
    /// <exception cref="ApiException">400 or 415 when the body is not what the URL says.</exception>
    public static (JsonObject Object, IReadOnlyList<string> Duplicates) Read(HttpRequest request, ServedResource resource, byte[] body, string? kind = null)
    {
        var expected = kind ?? resource.Gvk.Kind;
        var type = (request.ContentType ?? "application/json").Split(';')[0].Trim();
        var duplicates = new List<string>();
        var node = type switch
        {
            "application/json" or "" => Parse(body, expected, duplicates),
            "application/yaml" => YamlBody.ReadAny(body),
            "application/vnd.kubernetes.protobuf" when !resource.IsCustom => ProtobufBody.Read(body, type),
            _ => throw new ApiException(415, "UnsupportedMediaType", "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf"),
        };
        var o = node as JsonObject ?? throw Unrecognized(expected, "couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }", body);
        if (kind is not null)
            return (o, duplicates);
        CheckType(o, resource, body);
        ObjectRules.CheckShape(resource, o);
        CheckMaps(o, resource);
        return (o, duplicates);
    }

    public static JsonNode? ReadPatch(byte[] body)
    {
        try
        {
            return BodyReader.Read(body);
        }
        catch (JsonException)
        {
            throw ApiException.BadRequest("error decoding patch: unexpected end of JSON input");
        }
    }

    public static JsonObject ReadOptions(HttpRequest request, byte[] body) =>
        (request.ContentType ?? "").StartsWith("application/vnd.kubernetes.protobuf", StringComparison.Ordinal)
            ? ProtobufBody.Read(body, "application/vnd.kubernetes.protobuf").AsObject()
            : YamlBody.ReadAny(body) as JsonObject ?? [];

    private static JsonNode? Parse(byte[] body, string kind, List<string> duplicates)
    {
        try
        {
            return BodyReader.Read(body, duplicates);
        }
        catch (JsonException e)
        {
            var start = body.AsSpan().TrimStart(" \n\r\t"u8);
            var why = start.Length == 0 || start[0] is (byte)'{' or (byte)'['
                ? e.Message is "exceeded max depth" || e.Message.StartsWith("json: ", StringComparison.Ordinal)
                    || (e.Message.Contains("invalid", StringComparison.Ordinal) && !e.Message.Contains("end of", StringComparison.Ordinal)) ? e.Message : "unexpected end of JSON input"
                : $"invalid character '{(char)start[0]}' looking for beginning of value";
            throw Unrecognized(kind, $"couldn't get version/kind; json parse error: {why}", body);
        }
    }

    private static void CheckType(JsonObject o, ServedResource resource, byte[] body)
    {
        var apiVersion = o.Text("apiVersion");
        var kind = o.Text("kind");
        if (kind.Length == 0)
            throw Unrecognized(resource.Gvk.Kind, $"Object 'Kind' is missing in '{System.Text.Encoding.UTF8.GetString(body)}'", body);
        if (apiVersion != resource.Gvk.ApiVersion && !resource.IsCustom && apiVersion.Length > 0)
            throw ObjectRules.CannotHandle(resource, $"no kind \"{kind}\" is registered for version \"{apiVersion}\" in scheme \"k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30\"").For(kind, apiVersion, resource);
        if (apiVersion != resource.Gvk.ApiVersion)
            throw ApiException.BadRequest($"the API version in the data ({apiVersion}) does not match the expected API version ({resource.Gvk.ApiVersion})");
        if (kind == resource.Gvk.Kind)
            return;
        throw resource.IsCustom
            ? ApiException.Invalid(resource.Gvk.Group, kind, o.Metadata().Text("name"), [Cause.Invalid("kind", $"\"{kind}\"", $"must be {resource.Gvk.Kind}")])
            : ApiException.BadRequest($"{kind} in version \"{resource.Gvk.Version}\" cannot be handled as a {resource.Gvk.Kind}: converting ({kind}) to ({resource.Gvk.Kind}): unknown conversion");
    }

    private static ApiException For(this ApiException e, string kind, string apiVersion, ServedResource resource) =>
        ApiException.BadRequest($"{kind} in version \"{apiVersion.Split('/')[^1]}\" cannot be handled as a {resource.Gvk.Kind}: {e.Message[(e.Message.IndexOf(": ", StringComparison.Ordinal) + 2)..]}");

    private static void CheckMaps(JsonObject o, ServedResource resource)
    {
        if (resource.IsCustom)
            return;
        foreach (var time in (ReadOnlySpan<string>)["acquireTime", "renewTime"])
            if (resource.Gvk.Kind == "Lease" && o.Child("spec")?.Text(time) is { Length: > 0 } stamp && !MicroTime().IsMatch(stamp))
                throw ObjectRules.CannotHandle(resource, $"parsing time \"{stamp}\" as \"2006-01-02T15:04:05.000000Z07:00\": cannot parse \"{stamp[Math.Min(19, stamp.Length)..]}\" as \".000000\"");
        foreach (var map in (ReadOnlySpan<string>)["data", "stringData", "binaryData"])
            foreach (var (_, value) in o.Child(map) ?? [])
                if (value is not null && value.GetValueKind() != JsonValueKind.String)
                    throw ObjectRules.CannotHandle(resource, $"json: cannot unmarshal {value.GetValueKind().ToString().ToLowerInvariant()} into Go struct field {resource.Gvk.Kind}.{map} of type string");
                else if (value is not null && (map == "binaryData" || (map == "data" && resource.Gvk.Kind == "Secret")))
                    CheckBase64(resource, value.GetValue<string>());
    }

    /// <exception cref="ApiException">400 that names the first byte that is no base64.</exception>
    private static void CheckBase64(ServedResource resource, string text)
    {
        if (Convert.TryFromBase64String(text, new byte[text.Length], out _))
            return;
        var at = 0;
        while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] is '+' or '/'))
            at++;
        throw ObjectRules.CannotHandle(resource, $"illegal base64 data at input byte {at}");
    }

    /// <summary>Six decimals, no more and no fewer.</summary>
    [GeneratedRegex(@"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)\z")]
    private static partial Regex MicroTime();

    private static ApiException Unrecognized(string kind, string why, byte[] body) =>
        ApiException.BadRequest($"the object provided is unrecognized (must be of type {kind}): {why} ({BodyReader.Excerpt(body)})");
}
