using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Sandbox.Auth;
using Governor.Sandbox.Discovery;
using Governor.Sandbox.Store;

namespace Governor.Sandbox.Api;

/// <summary>TokenReview, TokenRequest and the access reviews: created, answered, not stored.</summary>
internal sealed class Reviews
{
    private readonly ClusterCore _core;

    public Reviews(ClusterCore core) => _core = core;

    public JsonObject Review(RequestContext context, JsonObject o)
    {
        var spec = o.ChildOrNew("spec");
        var status = context.Resource.Gvk.Kind switch
        {
            "TokenReview" => ReviewToken(spec),
            "SelfSubjectRulesReview" => ReviewRules(context.User, spec),
            "SelfSubjectAccessReview" => ReviewAccess(context.User, Checked(context, spec)),
            _ => ReviewAccess(new UserIdentity(spec.Text("user"), spec.Text("uid"), [.. spec.List("groups").Texts()]), Checked(context, spec)),
        };
        var metadata = new JsonObject { ["creationTimestamp"] = null };
        if (context.Namespace.Length > 0)
            metadata["namespace"] = context.Namespace;
        if (context.Resource.Gvk.Kind != "SelfSubjectRulesReview" && spec.Count > 0)
            metadata["managedFields"] = Owned(context, spec);
        return new JsonObject
        {
            ["kind"] = context.Resource.Gvk.Kind,
            ["apiVersion"] = context.Resource.Gvk.ApiVersion,
            ["metadata"] = metadata,
            ["spec"] = context.Resource.Gvk.Kind == "SelfSubjectRulesReview" ? new JsonObject() : spec.DeepClone(),
            ["status"] = status,
        };
    }

    /// <summary>Even what is not stored says who sent which field.</summary>
    private JsonArray Owned(RequestContext context, JsonObject spec)
    {
        static JsonObject Fields(JsonObject o, bool isRoot)
        {
            var made = isRoot ? new JsonObject() : new JsonObject { ["."] = new JsonObject() };
            foreach (var (name, value) in o)
                made[$"f:{name}"] = value is JsonObject inner ? Fields(inner, false) : new JsonObject();
            return made;
        }
        return
        [
            new JsonObject
            {
                ["manager"] = context.FieldManager,
                ["operation"] = "Update",
                ["apiVersion"] = context.Resource.Gvk.ApiVersion,
                ["time"] = JsonText.Stamp(_core.Clock.GetUtcNow()),
                ["fieldsType"] = "FieldsV1",
                ["fieldsV1"] = new JsonObject { ["f:spec"] = Fields(spec, true) },
            },
        ];
    }

    public JsonObject RequestToken(RequestContext context, JsonObject o)
    {
        var account = _core.Store.Current.Find(context.Resource.Id, context.Key) ?? throw ApiException.NotFound(context.Resource, context.Name);
        var spec = o.ChildOrNew("spec");
        var seconds = spec.Whole("expirationSeconds") ?? 3600;
        if (seconds < 600)
            throw ApiException.Invalid("authentication.k8s.io", "TokenRequest", "", [Cause.Invalid("spec.expirationSeconds", $"{seconds}", "may not specify a duration less than 10 minutes")]);
        var audiences = spec.List("audiences").Texts().ToArray() is { Length: > 0 } asked ? asked : [Tokens.ApiAudience];
        var bound = BoundObject(context, spec.Child("boundObjectRef"));
        var now = _core.Clock.GetUtcNow();
        return new JsonObject
        {
            ["kind"] = "TokenRequest",
            ["apiVersion"] = "authentication.k8s.io/v1",
            ["metadata"] = new JsonObject { ["name"] = context.Name, ["namespace"] = context.Namespace, ["creationTimestamp"] = JsonText.Stamp(now) },
            ["spec"] = new JsonObject
            {
                ["audiences"] = JsonText.ArrayOf(audiences),
                ["expirationSeconds"] = seconds,
                ["boundObjectRef"] = bound?.DeepClone(),
            },
            ["status"] = new JsonObject
            {
                ["token"] = _core.Tokens.IssueFor(account, audiences, seconds, bound),
                ["expirationTimestamp"] = JsonText.Stamp(now.AddSeconds(seconds)),
            },
        };
    }

    private JsonObject? BoundObject(RequestContext context, JsonObject? reference)
    {
        if (reference is null || reference.Text("name").Length == 0)
            return null;
        var plural = reference.Text("kind") == "Pod" ? "pods" : "secrets";
        var resource = _core.Kinds.Find("", "v1", plural)!;
        var found = _core.Store.Current.Find(resource.Id, new ObjectKey(context.Namespace, reference.Text("name"))) ?? throw ApiException.NotFound(resource, reference.Text("name"));
        reference["uid"] = found.Uid;
        return reference;
    }

    private JsonObject ReviewToken(JsonObject spec)
    {
        var token = spec.Text("token");
        if (token.Length == 0)
            throw ApiException.BadRequest("token is required for TokenReview in authentication");
        var audiences = spec.List("audiences").Texts().ToArray() is { Length: > 0 } asked ? asked : [Tokens.ApiAudience];
        var verdict = _core.Tokens.Verify(token, audiences);
        return verdict.User is { } user
            ? new JsonObject { ["authenticated"] = true, ["user"] = user.ToJson(), ["audiences"] = JsonText.ArrayOf(verdict.Audiences) }
            : new JsonObject { ["user"] = new JsonObject(), ["error"] = verdict.Error };
    }

    /// <exception cref="ApiException">422 that names everything that is wrong with the question.</exception>
    private static JsonObject Checked(RequestContext context, JsonObject spec)
    {
        var causes = new List<Cause>();
        var (resource, path) = (spec.Child("resourceAttributes"), spec.Child("nonResourceAttributes"));
        if (resource is not null && path is not null)
            causes.Add(Cause.Invalid("spec.nonResourceAttributes", $"authorization.NonResourceAttributes{{Path:\"{path.Text("path")}\", Verb:\"{path.Text("verb")}\"}}",
                "cannot be specified in combination with resourceAttributes"));
        if (resource is null && path is null)
            causes.Add(Cause.Invalid("spec.resourceAttributes", "\"null\"", "exactly one of nonResourceAttributes or resourceAttributes must be specified"));
        if (context.Resource.Gvk.Kind != "SelfSubjectAccessReview" && spec.Text("user").Length == 0 && spec.List("groups") is not { Count: > 0 })
            causes.Add(Cause.Invalid("spec.user", "\"\"", "at least one of user or group must be specified"));
        if (context.Namespace.Length > 0 && resource is not null && resource.Text("namespace") != context.Namespace)
            causes.Add(Cause.Invalid("spec.resourceAttributes.namespace", $"\"{resource.Text("namespace")}\"", "must match metadata.namespace"));
        return causes.Count == 0 ? spec : throw ApiException.Invalid("authorization.k8s.io", "", "", causes);
    }

    private JsonObject ReviewAccess(UserIdentity user, JsonObject spec)
    {
        var resource = spec.Child("resourceAttributes");
        var path = spec.Child("nonResourceAttributes");
        var request = resource is not null
            ? new AccessRequest(resource.Text("verb"), resource.Text("group"), resource.Text("resource"), resource.Text("subresource"), resource.Text("namespace"), resource.Text("name"))
            : AccessRequest.ToPath(path!.Text("verb"), path!.Text("path"));
        var verdict = _core.Authorizer.Decide(user, request);
        var status = new JsonObject { ["allowed"] = verdict.IsAllowed };
        if (verdict is { IsAllowed: true, Reason.Length: > 0 })
            status["reason"] = verdict.Reason;
        return status;
    }

    private JsonObject ReviewRules(UserIdentity user, JsonObject spec)
    {
        if (spec.Text("namespace") is not { Length: > 0 } @namespace)
            throw ApiException.BadRequest("no namespace on request");
        var rules = _core.Authorizer.RulesOf(user, @namespace).Select(g => g.Rule).ToArray();
        return new JsonObject
        {
            ["resourceRules"] = Pick(rules, "resources", "verbs", "apiGroups", "resources", "resourceNames"),
            ["nonResourceRules"] = Pick(rules, "nonResourceURLs", "verbs", "nonResourceURLs"),
            ["incomplete"] = false,
        };
    }

    private static JsonArray Pick(IEnumerable<JsonElement> rules, string needed, params string[] fields) =>
        new(rules.Where(r => r.Find(needed).ValueKind == JsonValueKind.Array).Select(r => (JsonNode?)new JsonObject(fields
            .Where(f => r.Find(f).ValueKind == JsonValueKind.Array)
            .Select(f => KeyValuePair.Create(f, JsonNode.Parse(r.Find(f).GetRawText()))))).ToArray());
}
