using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Domain.Signing;
using Governor.Sandbox.Auth;
using Governor.Sandbox.Discovery;
using Governor.Sandbox.Store;
using Governor.Sandbox.Watch;
using Microsoft.AspNetCore.Http;

namespace Governor.Sandbox.Api;

/// <summary>Requests to resources: finds the resource and the verb's way through it.</summary>
internal sealed class ResourceHandler
{
    /// <summary>Bytes that a body may have.</summary>
    public const int BodyLimit = 3 * 1024 * 1024;

    private readonly ClusterCore _core;
    private readonly ResourceReads _reads;
    private readonly WatchHandler _watches;
    private readonly Reviews _reviews;
    private readonly RoleGuard _roles;

    public ResourceHandler(ClusterCore core)
    {
        _core = core;
        _reads = new ResourceReads(core);
        _watches = new WatchHandler(core);
        _reviews = new Reviews(core);
        _roles = new RoleGuard(core);
    }

    public async Task HandleAsync(HttpContext http, RequestInfo info, UserIdentity user)
    {
        var resource = Resolve(info);
        var context = Context(http.Request, info, user, resource);
        if (resource.Deprecation is { } said)
            context.Warnings.Add(said);
        CheckPath(info, resource);
        try
        {
            await RouteAsync(http, info, context);
        }
        catch (ApiException) when (!http.Response.HasStarted)
        {
            Answers.Warn(http, context.Warnings);
            throw;
        }
    }

    private async Task RouteAsync(HttpContext http, RequestInfo info, RequestContext context)
    {
        if (context.Resource.IsVirtual || info.Subresource is "token" or "eviction")
            await ReviewAsync(http, info, context);
        else if (info.Subresource == "scale")
            await new ScaleHandler(_core, _reads).HandleAsync(http, info, context, await ReadAsync(http.Request));
        else
            await DispatchAsync(http, info, context);
    }

    private ServedResource Resolve(RequestInfo info)
    {
        if (_core.Kinds.Find(info.Group, info.Version, info.Plural) is { } found)
            return found;
        throw info.IsCore || KindTable.IsBuiltinGroup(info.Group) ? ApiException.NoSuchResource() : ApiException.PageNotFound();
    }

    private static void CheckPath(RequestInfo info, ServedResource resource)
    {
        var isNamespacedPath = info.Namespace.Length > 0 && resource.Plural != "namespaces";
        if (!resource.IsNamespaced && isNamespacedPath)
            throw resource.IsCustom ? ApiException.PageNotFound() : ApiException.NoSuchResource();
        if (resource.IsNamespaced && !isNamespacedPath && (info.Verb is "create" or "update" or "patch" or "delete" or "deletecollection" || info.Verb == "get"))
            throw resource.IsCustom ? ApiException.PageNotFound() : ApiException.NoSuchResource();
        var known = info.Subresource switch
        {
            "" => true,
            "status" => resource.HasStatus,
            "scale" => resource.Scale is not null,
            "token" => resource.Plural == "serviceaccounts" && !resource.IsCustom,
            "finalize" => resource.Plural == "namespaces" && !resource.IsCustom,
            _ => false,
        };
        if (!known && resource.IsCustom && info.Subresource is "status" or "scale")
            throw ApiException.NotFound(resource, info.Name);
        if (!known)
            throw resource.IsCustom ? ApiException.PageNotFound() : ApiException.NoSuchResource();
    }

    private static RequestContext Context(HttpRequest request, RequestInfo info, UserIdentity user, ServedResource resource)
    {
        var query = request.Query;
        var dryRun = query["dryRun"].OfType<string>().Where(v => v.Length > 0).ToArray();
        var options = info.Verb switch { "create" => "CreateOptions", "update" => "UpdateOptions", _ => "PatchOptions" };
        if (dryRun.FirstOrDefault(v => v != "All") is { } odd && info.Verb is "create" or "update" or "patch")
            throw ApiException.Invalid("meta.k8s.io", options, "", [Cause.NotSupported("dryRun", $"[]string{{\"{odd}\"}}", ["All"])]);
        var manager = query["fieldManager"].ToString();
        if (manager.Length > 128)
            throw ApiException.Invalid("meta.k8s.io", options, "", [new Cause("FieldValueTooLong", "Too long: must have at most 128 bytes", "fieldManager")]);
        var validation = query["fieldValidation"].ToString();
        if (validation is not ("" or "Ignore" or "Warn" or "Strict"))
            throw ApiException.Invalid("meta.k8s.io", options, "", [Cause.NotSupported("fieldValidation", $"\"{validation}\"", ["", "Ignore", "Strict", "Warn"])]);
        return new RequestContext(user, resource, resource.IsNamespaced ? info.Namespace : "", info.Name, info.Subresource)
        {
            ManagerAsSent = manager,
            ValidationAsSent = validation,
            Aborted = request.HttpContext.RequestAborted,
            DryRun = dryRun.Length > 0,
            FieldManager = manager.Length > 0 ? manager : ManagerOf(request),
            FieldValidation = validation.Length > 0 ? validation : "Warn",
            Force = query["force"].ToString() is "true" or "1",
            IsPatch = info.Verb == "patch",
        };
    }

    private static string ManagerOf(HttpRequest request)
    {
        var agent = request.Headers.UserAgent.ToString().Split('/')[0];
        return agent.Length > 0 ? agent[..Math.Min(agent.Length, 128)] : "unknown";
    }

    private async Task DispatchAsync(HttpContext http, RequestInfo info, RequestContext context)
    {
        switch (info.Verb)
        {
            case "get":
                await _reads.GetAsync(http, context);
                return;
            case "list":
                await _reads.ListAsync(http, context);
                return;
            case "watch":
                await _watches.HandleAsync(http, context);
                return;
            case "create" or "update" or "patch" or "delete" or "deletecollection":
                await WriteAsync(http, info, context);
                return;
            default:
                throw context.Resource.IsCustom ? ApiException.NotSupported(context.Resource, "") : ApiException.MethodNotAllowed();
        }
    }

    private async Task WriteAsync(HttpContext http, RequestInfo info, RequestContext context)
    {
        CheckMethod(info, context);
        MediaRange.Require(http.Request);
        var body = await ReadAsync(http.Request);
        var path = http.Request.Path.Value!.TrimEnd('/');
        if (info.Verb is "update" or "patch" && info.Name.Length == 0)
            throw context.Resource.IsCustom ? ApiException.BadRequest("name must be provided") : ApiException.MethodNotAllowed();
        if (info.Verb == "create" && info.Name.Length > 0 && !context.Resource.IsCustom && path.EndsWith("/" + info.Name, StringComparison.Ordinal))
            throw ApiException.MethodNotAllowed();
        var (code, answer, verb) = info.Verb switch
        {
            "create" => Written(await CreateAsync(http.Request, context, body), "create"),
            "update" => Written(await UpdateAsync(http.Request, context, body), "update"),
            "patch" => await PatchAsync(http.Request, context, body),
            "delete" => (200, await _core.Remover.DeleteAsync(context, WithDefault(context, DeleteOptionsOf(http.Request, body))), "delete"),
            _ => (200, await DeleteCollectionAsync(http.Request, context, body), "deletecollection"),
        };
        Log(context, verb, body, answer, info, http.Request);
        Answers.Warn(http, context.Warnings);
        await _reads.AnswerAsync(http, context.Resource, code, answer);
    }

    private static (int Code, JsonObject Answer, string Verb) Written(WriteResult result, string verb) => (result.IsNew ? 201 : 200, result.Object, verb);

    private static void CheckMethod(RequestInfo info, RequestContext context)
    {
        var allowed = info.Subresource.Length == 0 || info.Verb is "update" or "patch" || (info.Subresource == "finalize" && info.Verb == "update");
        if (!allowed)
            throw context.Resource.IsCustom ? ApiException.NotSupported(context.Resource, info.Verb) : ApiException.MethodNotAllowed();
    }

    private Task<WriteResult> CreateAsync(HttpRequest request, RequestContext context, byte[] body)
    {
        var (o, duplicates) = ObjectBody.Read(request, context.Resource, body);
        _roles.Check(context, o);
        return _core.Writer.CreateAsync(context, o, duplicates);
    }

    private Task<WriteResult> UpdateAsync(HttpRequest request, RequestContext context, byte[] body)
    {
        var (o, duplicates) = ObjectBody.Read(request, context.Resource, body);
        _roles.Check(context, o);
        return _core.Writer.UpdateAsync(context, o, duplicates);
    }

    private async Task<(int, JsonObject, string)> PatchAsync(HttpRequest request, RequestContext context, byte[] body)
    {
        var type = (request.ContentType ?? "").Split(';')[0].Trim();
        if (context.Force && type != "application/apply-patch+yaml")
            throw ApiException.Invalid("meta.k8s.io", "PatchOptions", "", [Cause.Forbidden("force", "may not be specified for non-apply patch")]);
        switch (type)
        {
            case "application/apply-patch+yaml":
                return await ApplyAsync(request, context, body);
            case "application/merge-patch+json":
                var merge = ObjectBody.ReadPatch(body) as JsonObject ?? throw NotDecoded(body, "map[string]interface {}");
                return Written(await _core.Writer.ChangeAsync(context, o => Guarded(context, Patches.Merge(o, merge)!.AsObject())), "patch");
            case "application/json-patch+json":
                var operations = ObjectBody.ReadPatch(body) as JsonArray ?? throw NotDecoded(body, "[]handlers.jsonPatchOp");
                return Written(await _core.Writer.ChangeAsync(context, o => Guarded(context, Patches.Json(o, operations).AsObject())), "patch");
            case "application/strategic-merge-patch+json" when !context.Resource.IsCustom:
                var strategic = ObjectBody.ReadPatch(body) as JsonObject ?? throw NotDecoded(body, "map[string]interface {}");
                return Written(await _core.Writer.ChangeAsync(context, o => Guarded(context, StrategicMerge.Merge(o, strategic, context.Resource.Schema))), "patch");
            default:
                throw new ApiException(415, "UnsupportedMediaType",
                    $"the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, {(context.Resource.IsCustom ? "" : "application/strategic-merge-patch+json, ")}application/apply-patch+yaml");
        }
    }

    private async Task<(int, JsonObject, string)> ApplyAsync(HttpRequest request, RequestContext context, byte[] body)
    {
        if (request.Query["fieldManager"].ToString().Length == 0)
            throw ApiException.Invalid("meta.k8s.io", "PatchOptions", "", [Cause.Required("fieldManager", "is required for apply patch")]);
        var o = YamlBody.ReadAny(body) as JsonObject ?? throw ApiException.BadRequest("error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}");
        _roles.Check(context, o);
        if (_core.Store.Current.Find(context.Resource.Id, context.Key) is null && !_core.Authorizer.Decide(context.User, CreateOf(context)).IsAllowed)
            throw AccessGate.Forbidden(context.User, CreateOf(context));
        return Written(await _core.Writer.ApplyAsync(context, o), "apply");
    }

    private static AccessRequest CreateOf(RequestContext context) =>
        new("create", context.Resource.Gvk.Group, context.Resource.Plural, context.Subresource, context.Namespace, context.Name);

    private JsonObject Guarded(RequestContext context, JsonObject next)
    {
        _roles.Check(context, next);
        return next;
    }

    private async Task<JsonObject> DeleteCollectionAsync(HttpRequest request, RequestContext context, byte[] body)
    {
        var options = DeleteOptionsOf(request, body);
        var (items, version) = _reads.Select(request, context);
        var list = ResourceReads.ListOf(context.Resource, items, version);
        foreach (var item in items)
            try
            {
                await _core.Remover.DeleteAsync(context with { Name = item.Key.Name, Namespace = item.Key.Namespace, IsCollection = true }, options);
            }
            catch (ApiException e) when (e.Code == 404)
            {
                continue; // gone already, which is what was asked for
            }
        return list;
    }

    /// <summary>Jobs are the one kind whose dependents stay when nothing is said, which is announced.</summary>
    private static DeleteOptions WithDefault(RequestContext context, DeleteOptions options)
    {
        if (options.Propagation.Length > 0 || context.Resource.Gvk is not { Group: "batch", Kind: "Job" })
            return options;
        context.Warnings.Add("child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning");
        return options with { Propagation = "Orphan" };
    }

    private static DeleteOptions DeleteOptionsOf(HttpRequest request, byte[] body) => body.Length > 0
        ? DeleteOptions.Read(ObjectBody.ReadOptions(request, body))
        : DeleteOptions.Read(request.Query["dryRun"].OfType<string>(), request.Query["propagationPolicy"].ToString());

    private async Task ReviewAsync(HttpContext http, RequestInfo info, RequestContext context)
    {
        if (info.Verb != "create")
            throw ApiException.MethodNotAllowed();
        var body = await ReadAsync(http.Request);
        var (o, _) = ObjectBody.Read(http.Request, context.Resource, body, info.Subresource == "token" ? "TokenRequest" : null);
        await Answers.Json(http, 201, info.Subresource == "token" ? _reviews.RequestToken(context, o) : _reviews.Review(context, o));
    }

    private void Log(RequestContext context, string verb, byte[] body, JsonObject answer, RequestInfo info, HttpRequest request)
    {
        if (context.DryRun || (info.Verb is "delete" or "deletecollection" && DeleteOptionsOf(request, body).DryRun))
            return;
        var resource = info.Subresource.Length == 0 ? context.Resource.QualifiedPlural : $"{context.Resource.QualifiedPlural}/{info.Subresource}";
        var metadata = answer.Metadata();
        var key = info.Verb == "create" ? new ObjectKey(context.Namespace, metadata.Text("name")) : context.Key;
        var version = metadata.Text("resourceVersion") is { Length: > 0 } v ? v : $"{_core.Store.Current.Version}";
        _core.Writes.Add(new SandboxWrite(0, verb, resource, context.Resource.Gvk, key, context.User.Name,
            info.Verb is "delete" or "deletecollection" ? "" : context.FieldManager, Digest.Of(verb == "apply" ? Unconditional(body) : body), version, _core.Clock.GetUtcNow()));
    }

    private static byte[] Unconditional(byte[] applied)
    {
        if (applied is not [(byte)'{', ..] || JsonNode.Parse(applied) is not JsonObject o)
            return applied;
        var isConditional = o.Metadata().Remove("uid") | o.Metadata().Remove("resourceVersion");
        return isConditional ? JsonSerializer.SerializeToUtf8Bytes(o) : applied;
    }

    private static ApiException NotDecoded(byte[] body, string type) =>
        ApiException.BadRequest($"error decoding patch: json: cannot unmarshal {(body.AsSpan().TrimStart(" \n\r\t"u8) is [(byte)'[', ..] ? "array" : "object")} into Go value of type {type}");

    private static async Task<byte[]> ReadAsync(HttpRequest request)
    {
        using var buffer = new MemoryStream();
        var chunk = new byte[16 * 1024];
        while (await request.Body.ReadAsync(chunk, request.HttpContext.RequestAborted) is > 0 and var read)
        {
            buffer.Write(chunk, 0, read);
            if (buffer.Length > BodyLimit)
                throw new ApiException(413, "RequestEntityTooLarge", $"Request entity too large: limit is {BodyLimit}");
        }
        return buffer.ToArray();
    }
}
