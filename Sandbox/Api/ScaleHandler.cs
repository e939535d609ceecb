using System.Text.Json.Nodes;
using Governor.Sandbox.Discovery;
using Governor.Sandbox.Store;
using Microsoft.AspNetCore.Http;

namespace Governor.Sandbox.Api;

/// <summary>The scale subresource: an autoscaling/v1 Scale over the declared paths.</summary>
internal sealed class ScaleHandler
{
    private readonly ClusterCore _core;
    private readonly ResourceReads _reads;

    public ScaleHandler(ClusterCore core, ResourceReads reads)
    {
        _core = core;
        _reads = reads;
    }

    public async Task HandleAsync(HttpContext http, RequestInfo info, RequestContext context, byte[] body)
    {
        if (info.Verb is not ("get" or "update" or "patch"))
            throw context.Resource.IsCustom ? ApiException.NotSupported(context.Resource, info.Verb) : ApiException.MethodNotAllowed();
        var stored = _core.Store.Current.Find(context.Resource.Id, context.Key) ?? throw ApiException.NotFound(context.Resource, context.Name);
        var scale = Of(context.Resource, stored.ToNode());
        if (info.Verb != "get")
            scale = Of(context.Resource, await WriteAsync(context, info.Verb == "update" ? ObjectBody.ReadPatch(body)!.AsObject() : Patched(http.Request, scale, body)));
        await _reads.AnswerAsync(http, context.Resource, 200, scale);
    }

    private async Task<JsonObject> WriteAsync(RequestContext context, JsonObject wanted)
    {
        var replicas = wanted.Child("spec")?.Whole("replicas") ?? 0;
        var version = wanted.Metadata().Text("resourceVersion");
        var written = await _core.Writer.ChangeAsync(context, o =>
        {
            if (version.Length > 0)
                o.Metadata()["resourceVersion"] = version;
            var path = Steps(context.Resource.Scale!.SpecReplicas);
            var at = o;
            foreach (var step in path[..^1])
                at = at.ChildOrNew(step);
            at[path[^1]] = replicas;
            return o;
        });
        return written.Object;
    }

    private static JsonObject Patched(HttpRequest request, JsonObject scale, byte[] body)
    {
        var patch = ObjectBody.ReadPatch(body);
        // Patches without a resourceVersion of their own are unconditional.
        scale.Metadata().Remove("resourceVersion");
        return (request.ContentType ?? "").StartsWith("application/json-patch+json", StringComparison.Ordinal)
            ? Patches.Json(scale, patch as JsonArray ?? throw ApiException.BadRequest("error decoding patch: expected an array")).AsObject()
            : Patches.Merge(scale, patch)!.AsObject();
    }

    /// <summary>An object as its Scale.</summary>
    public static JsonObject Of(ServedResource resource, JsonObject o)
    {
        var paths = resource.Scale!;
        var metadata = new JsonObject();
        foreach (var name in (ReadOnlySpan<string>)["name", "namespace", "uid", "resourceVersion", "creationTimestamp"])
            if (o.Metadata()[name] is { } value)
                metadata[name] = value.DeepClone();
        var spec = new JsonObject();
        if (o.At(Steps(paths.SpecReplicas)) is JsonValue wanted && JsonText.TryWhole(wanted, out var replicas) && replicas != 0)
            spec["replicas"] = replicas;
        var status = new JsonObject { ["replicas"] = o.At(Steps(paths.StatusReplicas))?.DeepClone() ?? 0 };
        if (Selector(resource, o) is { Length: > 0 } selector)
            status["selector"] = selector;
        return new JsonObject { ["kind"] = "Scale", ["apiVersion"] = "autoscaling/v1", ["metadata"] = metadata, ["spec"] = spec, ["status"] = status };
    }

    private static string Selector(ServedResource resource, JsonObject o) => resource.Scale!.LabelSelector.Length > 0
        ? (o.At(Steps(resource.Scale.LabelSelector)) as JsonValue)?.GetValue<string>() ?? ""
        : string.Join(",", (o.At("spec", "selector", "matchLabels") as JsonObject ?? []).Select(p => $"{p.Key}={p.Value}"));

    private static string[] Steps(string path) => path.Split('.', StringSplitOptions.RemoveEmptyEntries);
}
