using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Sandbox.Api;

namespace Governor.Sandbox.Admission;

/// <summary>The document that goes to a webhook, and what its answer does.</summary>
internal static class AdmissionReview
{
    /// <param name="version">The version that the webhook's rule names: the object is shown in it.</param>
    public static JsonObject Of(AdmissionAttempt attempt, string version, string uid)
    {
        var context = attempt.Context;
        var gvk = context.Resource.Gvk;
        var request = new JsonObject
        {
            ["uid"] = uid,
            ["kind"] = Kind(attempt, version),
            ["resource"] = Resource(gvk.Group, version, attempt.Resource),
        };
        if (context.Subresource.Length > 0)
            request["subResource"] = context.Subresource;
        request["requestKind"] = Kind(attempt, gvk.Version);
        request["requestResource"] = Resource(gvk.Group, gvk.Version, attempt.Resource);
        if (context.Subresource.Length > 0)
            request["requestSubResource"] = context.Subresource;
        if ((attempt.Object ?? attempt.Old)!.Metadata().Text("name") is { Length: > 0 } name && !context.IsCollection)
            request["name"] = name;
        if (context.Resource.Plural == "namespaces" && !context.Resource.IsCustom)
            request["namespace"] = request["name"]?.DeepClone();
        else if (context.Namespace.Length > 0)
            request["namespace"] = context.Namespace;
        request["operation"] = attempt.Operation;
        request["userInfo"] = context.User.ToJson();
        request["object"] = Shown(attempt, attempt.Object, version);
        request["oldObject"] = Shown(attempt, attempt.Old, version);
        request["dryRun"] = attempt.IsDryRun;
        request["options"] = attempt.Options();
        return new JsonObject { ["kind"] = "AdmissionReview", ["apiVersion"] = "admission.k8s.io/v1", ["request"] = request };
    }

    /// <exception cref="ApiException">500 when the patch is none or does not apply; the failure policy does not help there.</exception>
    public static JsonObject? Patched(JsonObject response, JsonObject? o)
    {
        if (o is null || response.Text("patch") is not { Length: > 0 } encoded)
            return o;
        var text = Encoding.UTF8.GetString(Convert.FromBase64String(encoded));
        try
        {
            var operations = JsonNode.Parse(text, null, JsonText.DocumentOptions) as JsonArray
                ?? throw Internal("json: cannot unmarshal object into Go value of type jsonpatch.Patch");
            foreach (var operation in operations.OfType<JsonObject>())
                CheckTarget(o, operation);
            return Patches.Json(o.DeepClone(), operations).AsObject();
        }
        catch (JsonException)
        {
            throw Internal(text.Length == 0 ? "unexpected end of JSON input" : $"invalid character '{text[0]}' looking for beginning of value");
        }
        catch (ApiException e) when (e.Code == 422)
        {
            throw Internal("the patch does not apply to the object");
        }
    }

    public static ApiException Denied(string webhook, JsonObject? status)
    {
        var message = status?.Text("message") is { Length: > 0 } said ? ": " + said
            : status?.Text("reason") is { Length: > 0 } reason ? ": " + reason
            : " without explanation";
        var code = status?.Whole("code") is >= 400 and var asked ? (int)asked : 400;
        return new ApiException(code, status?.Text("reason") ?? "", $"admission webhook \"{webhook}\" denied the request{message}", status?.Child("details")?.DeepClone().AsObject());
    }

    public static ApiException Internal(string message) => new(500, "InternalError", $"Internal error occurred: {message}", new JsonObject
    {
        ["causes"] = new JsonArray(new JsonObject { ["message"] = message }),
    });

    private static void CheckTarget(JsonObject o, JsonObject operation)
    {
        var path = operation.Text("path");
        var steps = path.Split('/');
        if (operation.Text("op") is "remove" && o.At(steps.AsSpan(1, Math.Max(0, steps.Length - 2))) is JsonObject parent && !parent.ContainsKey(steps[^1]))
            throw Internal($"error in remove for path: '{path}': Unable to remove nonexistent key: {steps[^1]}: missing value");
    }

    private static JsonObject? Shown(AdmissionAttempt attempt, JsonObject? o, string version)
    {
        var made = o?.DeepClone().AsObject();
        if (made is not null && !attempt.IsScale)
            made["apiVersion"] = attempt.Context.Resource.Gvk.Group is { Length: > 0 } group ? $"{group}/{version}" : version;
        return made;
    }

    private static JsonObject Kind(AdmissionAttempt attempt, string version) => attempt.IsScale
        ? new JsonObject { ["group"] = "autoscaling", ["version"] = "v1", ["kind"] = "Scale" }
        : new JsonObject { ["group"] = attempt.Context.Resource.Gvk.Group, ["version"] = version, ["kind"] = attempt.Context.Resource.Gvk.Kind };

    private static JsonObject Resource(string group, string version, string resource) =>
        new() { ["group"] = group, ["version"] = version, ["resource"] = resource };
}
