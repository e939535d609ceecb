using System.Text.Json.Nodes;
using Governor.Sandbox.Discovery;

namespace Governor.Sandbox.Api;

/// <summary>One entry of <c>details.causes</c>.</summary>
internal sealed record Cause(string Reason, string Message, string Field)
{
    public static Cause Invalid(string field, string shown, string message) =>
        new("FieldValueInvalid", $"Invalid value: {shown}: {message}", field);

    public static Cause Required(string field, string message = "") =>
        new("FieldValueRequired", message.Length == 0 ? "Required value" : $"Required value: {message}", field);

    public static Cause Forbidden(string field, string message) => new("FieldValueForbidden", $"Forbidden: {message}", field);

    public static Cause NotSupported(string field, string shown, IEnumerable<string> supported) =>
        new("FieldValueNotSupported", $"Unsupported value: {shown}: supported values: {string.Join(", ", supported.Select(s => $"\"{s}\""))}", field);

    public static Cause Duplicate(string field, string shown) => new("FieldValueDuplicate", $"Duplicate value: {shown}", field);
}

/// <summary>A request that ends in a Status document of Kubernetes, or in plain text.</summary>
internal sealed class ApiException : Exception
{
    public ApiException(int code, string reason, string message, JsonObject? details = null)
        : base(message)
    {
        Code = code;
        Reason = reason;
        Details = details;
    }

    public int Code { get; }
    public string Reason { get; }
    public JsonObject? Details { get; }

    /// <summary>Answered as text/plain instead of a Status.</summary>
    public bool IsPlainText { get; init; }

    /// <summary>A continue token for the rest of an expired list.</summary>
    public string Continue { get; init; } = "";

    public int RetryAfter { get; init; }

    public JsonObject ToStatus()
    {
        var status = new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = Continue.Length == 0 ? new JsonObject() : new JsonObject { ["continue"] = Continue },
            ["status"] = "Failure",
            ["message"] = Message,
        };
        if (Reason.Length > 0)
            status["reason"] = Reason;
        if (Details is not null)
            status["details"] = Details.DeepClone();
        status["code"] = Code;
        return status;
    }

    public static ApiException PageNotFound() => new(404, "", "404 page not found") { IsPlainText = true };

    public static ApiException NoSuchResource() =>
        new(404, "NotFound", "the server could not find the requested resource", []);

    public static ApiException MethodNotAllowed() =>
        new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", []);

    public static ApiException NotSupported(ServedResource resource, string verb) =>
        new(405, "MethodNotAllowed", $"{verb} is not supported on resources of kind \"{resource.QualifiedPlural}\"", About(resource, ""));

    public static ApiException BadRequest(string message) => new(400, "BadRequest", message);

    public static ApiException Internal(string message) => new(500, "", message);

    public static ApiException Unauthorized() => new(401, "Unauthorized", "Unauthorized");

    public static ApiException NotFound(ServedResource resource, string name) =>
        new(404, "NotFound", $"{resource.QualifiedPlural} \"{name}\" not found", About(resource, name));

    public static ApiException AlreadyExists(ServedResource resource, string name, bool terminating) =>
        new(409, "AlreadyExists", $"{(terminating ? "object is being deleted: " : "")}{resource.QualifiedPlural} \"{name}\" already exists", About(resource, name));

    public static ApiException Conflict(ServedResource resource, string name, string message) =>
        new(409, "Conflict", $"Operation cannot be fulfilled on {resource.QualifiedPlural} \"{name}\": {message}", About(resource, name));

    public static ApiException Modified(ServedResource resource, string name) =>
        Conflict(resource, name, "the object has been modified; please apply your changes to the latest version and try again");

    public static ApiException Forbidden(ServedResource resource, string name, string message, params Cause[] causes)
    {
        var details = About(resource, name);
        if (causes.Length > 0)
            details["causes"] = List(causes);
        return new ApiException(403, "Forbidden", $"{resource.QualifiedPlural} \"{name}\" is forbidden: {message}", details);
    }

    /// <summary>422 about the body; <paramref name="kind"/> names the kind with its group.</summary>
    public static ApiException Invalid(string group, string kind, string name, IReadOnlyList<Cause> causes)
    {
        var qualified = group.Length == 0 ? kind : $"{kind}.{group}";
        var texts = causes.Select(c => $"{c.Field}: {c.Message}").Distinct().ToArray();
        var all = texts.Length == 1 ? texts[0] : $"[{string.Join(", ", texts)}]";
        var details = new JsonObject();
        if (name.Length > 0)
            details["name"] = name;
        if (group.Length > 0)
            details["group"] = group;
        if (kind.Length > 0)
            details["kind"] = kind;
        details["causes"] = List(causes);
        return new ApiException(422, "Invalid", $"{qualified} \"{name}\" is invalid: {all}", details);
    }

    public static ApiException Invalid(ServedResource resource, string name, IReadOnlyList<Cause> causes) =>
        Invalid(resource.Gvk.Group, resource.Gvk.Kind, name, causes);

    public static ApiException Expired(string message) => new(410, "Expired", message);

    public static JsonObject About(ServedResource resource, string name)
    {
        var details = new JsonObject();
        if (name.Length > 0)
            details["name"] = name;
        if (resource.Gvk.Group.Length > 0)
            details["group"] = resource.Gvk.Group;
        details["kind"] = resource.Plural;
        return details;
    }

    public static JsonArray List(IEnumerable<Cause> causes) => new(causes.Select(c => (JsonNode?)new JsonObject
    {
        ["reason"] = c.Reason,
        ["message"] = c.Message,
        ["field"] = c.Field,
    }).ToArray());
}
