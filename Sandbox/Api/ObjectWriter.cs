using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Sandbox.Apply;
using Governor.Sandbox.Schema;
using Governor.Sandbox.Store;

namespace Governor.Sandbox.Api;

/// <summary>The result of a write: the object to answer with, and whether it is new.</summary>
internal sealed record WriteResult(JsonObject Object, bool IsNew);

/// <summary>Creates, updates and patches objects. Optimistic: a write that meets another one starts over from what is there now.</summary>
internal sealed class ObjectWriter
{
    private readonly ClusterCore _core;
    private readonly WritePipeline _pipeline;

    public ObjectWriter(ClusterCore core)
    {
        _core = core;
        _pipeline = new WritePipeline(core);
    }

    public async Task<WriteResult> CreateAsync(RequestContext context, JsonObject body, IEnumerable<string>? duplicates = null)
    {
        Refuse(context, WritePipeline.Prune(context, body, duplicates ?? []));
        return await InsertAsync(context, body, false);
    }

    public async Task<WriteResult> UpdateAsync(RequestContext context, JsonObject body, IEnumerable<string>? duplicates = null)
    {
        Refuse(context, WritePipeline.Prune(context, body, duplicates ?? []));
        var metadata = body.Metadata();
        CheckNames(context, metadata);
        while (true)
        {
            var before = _core.Store.Current.Find(context.Resource.Id, context.Key) ?? throw ApiException.NotFound(context.Resource, context.Name);
            if (!context.Resource.AllowsBlindUpdate && metadata.Text("resourceVersion") is "" or "0" && !context.Resource.AllowsBlindUpdate)
                throw ApiException.Invalid(context.Resource.Gvk.Group, context.Resource.Plural, context.Name,
                    [Cause.Invalid("metadata.resourceVersion", "0x0", "must be specified for an update")]);
            var next = body.DeepClone().AsObject();
            if (next.Metadata().List("managedFields") is null)
                Keep(before, next);
            if (await ReplaceAsync(context, before, next, false) is { } result)
                return result;
        }
    }

    /// <summary>Changes an object by a function of its current state.</summary>
    public async Task<WriteResult> ChangeAsync(RequestContext context, Func<JsonObject, JsonObject> change)
    {
        while (true)
        {
            var before = _core.Store.Current.Find(context.Resource.Id, context.Key) ?? throw ApiException.NotFound(context.Resource, context.Name);
            var next = change(Converted(context, before));
            CheckPatched(context, next);
            var shown = JsonText.Compacted(next);
            if (WritePipeline.Prune(context, next, []) is { Count: > 0 } findings)
                throw ApiException.Invalid("", "", "", [Cause.Invalid("patch", JsonText.Compacted(JsonValue.Create(shown)), $"strict decoding error: {string.Join(", ", findings)}")]);
            if (await ReplaceAsync(context, before, next, false) is { } result)
                return result;
        }
    }

    public async Task<WriteResult> ApplyAsync(RequestContext context, JsonObject body)
    {
        CheckApplied(context, body);
        TypedCheck.Throw(context, body);
        CheckNames(context, body.Metadata());
        if (context.IsStatus)
            foreach (var name in body.Select(p => p.Key).Where(k => k is not ("apiVersion" or "kind" or "metadata" or "status")).ToArray())
                body.Remove(name);
        else if (context.Resource.HasStatus)
            body.Remove("status");
        var owner = WritePipeline.OwnerOf(context, "Apply");
        var now = JsonText.Stamp(_core.Clock.GetUtcNow());
        while (true)
        {
            var before = _core.Store.Current.Find(context.Resource.Id, context.Key);
            if (before is null && context.Subresource.Length > 0)
                throw ApiException.NotFound(context.Resource, context.Name);
            if (before is null && body.Metadata().Text("uid").Length > 0)
                throw ApiException.Conflict(context.Resource, context.Name, $"uid mismatch: the provided object specified uid {body.Metadata().Text("uid")}, and no existing object was found");
            var live = before is null ? null : Converted(context, before);
            var merged = FieldOwnership.Apply(context.Resource, live, body, owner, context.Force, now);
            merged["apiVersion"] = context.Resource.Gvk.ApiVersion;
            merged["kind"] = context.Resource.Gvk.Kind;
            merged.Metadata()["name"] = context.Name;
            foreach (var precondition in (ReadOnlySpan<string>)["resourceVersion", "uid"])
                if (before is not null && body.Metadata().Text(precondition) is { Length: > 0 } wanted)
                    merged.Metadata()[precondition] = wanted;
            var result = before is null ? await InsertAsync(context, merged, true) : await ReplaceAsync(context, before, merged, true);
            if (result is not null)
                return result;
        }
    }

    /// <summary>The stored object in the version of the request.</summary>
    public static JsonObject Converted(RequestContext context, StoredObject stored)
    {
        var node = stored.ToNode();
        node["apiVersion"] = context.Resource.Gvk.ApiVersion;
        return node;
    }

    private async Task<WriteResult> InsertAsync(RequestContext context, JsonObject body, bool applied)
    {
        var resource = context.Resource;
        if (resource.IsTerminating)
            throw new ApiException(405, "MethodNotAllowed", "create not allowed while custom resource definition is terminating", ApiException.About(resource, ""));
        var next = await _pipeline.PrepareCreateAsync(context, body, applied);
        var name = next.Metadata().Text("name");
        var key = new ObjectKey(resource.IsNamespaced ? context.Namespace : "", name);
        if (_core.Store.Current.Find(resource.Id, key) is { } taken)
            throw ApiException.AlreadyExists(resource, name, taken.IsTerminating);
        if (context.DryRun)
            return new WriteResult(Shown(context, next), true);
        var stored = _core.Store.TryPut(resource.Id, key, null, next) ?? throw ApiException.AlreadyExists(resource, name, false);
        return new WriteResult(Converted(context, stored), true);
    }

    private async Task<WriteResult?> ReplaceAsync(RequestContext context, StoredObject before, JsonObject next, bool applied)
    {
        var prepared = await _pipeline.PrepareUpdateAsync(context, before, next, applied);
        if (prepared is null)
            return new WriteResult(Converted(context, before), false);
        var isGone = before.IsTerminating && ObjectRemover.IsFree(context.Resource, prepared);
        if (context.DryRun)
            return new WriteResult(Shown(context, prepared), false);
        if (isGone)
            return _core.Store.TryDelete(context.Resource.Id, before) ? new WriteResult(Shown(context, prepared), false) : null;
        var stored = _core.Store.TryPut(context.Resource.Id, before.Key, before, prepared);
        return stored is null ? null : new WriteResult(Converted(context, stored), false);
    }

    private static JsonObject Shown(RequestContext context, JsonObject prepared)
    {
        prepared["apiVersion"] = context.Resource.Gvk.ApiVersion;
        return prepared;
    }

    private static void Keep(StoredObject before, JsonObject next)
    {
        if (before.ToNode().Metadata()["managedFields"] is { } kept)
            next.Metadata()["managedFields"] = kept.DeepClone();
    }

    private static void Refuse(RequestContext context, IReadOnlyList<string> findings)
    {
        if (findings.Count > 0)
            throw ObjectRules.CannotHandle(context.Resource, $"strict decoding error: {string.Join(", ", findings)}");
    }

    private static void CheckNames(RequestContext context, JsonObject metadata)
    {
        var name = metadata.Text("name");
        if (name.Length == 0)
            throw ApiException.BadRequest($"the name of the object ({context.Name} based on URL) was undeterminable: name must be provided");
        if (name != context.Name)
            throw ApiException.BadRequest($"the name of the object ({name}) does not match the name on the URL ({context.Name})");
        if (context.Resource.IsNamespaced && metadata.Text("namespace") is { Length: > 0 } sent && sent != context.Namespace)
            throw ApiException.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
    }

    private static void CheckPatched(RequestContext context, JsonObject next)
    {
        ObjectRules.CheckShape(context.Resource, next);
        CheckNames(context, next.Metadata());
        if (next.Text("kind") != context.Resource.Gvk.Kind || next.Text("apiVersion") != context.Resource.Gvk.ApiVersion)
            throw ApiException.BadRequest($"{next.Text("apiVersion")}, Kind={next.Text("kind")} does not match {context.Resource.Gvk.ApiVersion}, Kind={context.Resource.Gvk.Kind}");
    }

    private static void CheckApplied(RequestContext context, JsonObject body)
    {
        if (body.Text("apiVersion") != context.Resource.Gvk.ApiVersion)
            throw ApiException.BadRequest($"Incorrect version specified in apply patch. Specified patch version: {body.Text("apiVersion")}, expected: {context.Resource.Gvk.ApiVersion}");
        var metadata = body.Metadata();
        if (metadata.List("managedFields") is { Count: > 0 })
            throw ApiException.BadRequest("metadata.managedFields must be nil");
        if (metadata["name"] is null)
            metadata["name"] = context.Name;
    }
}
