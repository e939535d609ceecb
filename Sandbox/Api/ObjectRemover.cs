using System.Text.Json.Nodes;
using Governor.Sandbox.Admission;
using Governor.Sandbox.Discovery;
using Governor.Sandbox.Store;

namespace Governor.Sandbox.Api;

/// <summary>The options of a delete, from the body or the query.</summary>
internal sealed record DeleteOptions(string Uid, string ResourceVersion, string Propagation, bool DryRun)
{
    public static readonly DeleteOptions Background = new("", "", "Background", false);

    /// <exception cref="ApiException">422 about DeleteOptions.</exception>
    public static DeleteOptions Read(JsonObject body)
    {
        if (body.Text("kind") is { Length: > 0 } and not "DeleteOptions")
            throw ApiException.Internal($"no kind \"{body.Text("kind")}\" is registered for version \"{body.Text("apiVersion")}\" in scheme \"k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27\"");
        var preconditions = body.Child("preconditions");
        var policy = body.Text("propagationPolicy");
        var orphans = body.ContainsKey("orphanDependents");
        if (policy.Length > 0 && orphans)
            throw Refused(Cause.Invalid("propagationPolicy", $"\"{policy}\"", "orphanDependents and deletionPropagation cannot be both set"));
        if (orphans)
            policy = body.Flag("orphanDependents") ? "Orphan" : "Background";
        return new DeleteOptions(preconditions?.Text("uid") ?? "", preconditions?.Text("resourceVersion") ?? "", Checked(policy), ReadDryRun(body.List("dryRun").Texts()));
    }

    public static DeleteOptions Read(IEnumerable<string> dryRun, string policy) => new("", "", Checked(policy), ReadDryRun(dryRun));

    public JsonObject ToJson()
    {
        var made = new JsonObject { ["kind"] = "DeleteOptions", ["apiVersion"] = "meta.k8s.io/v1" };
        if (Uid.Length > 0 || ResourceVersion.Length > 0)
        {
            var preconditions = made.ChildOrNew("preconditions");
            if (Uid.Length > 0)
                preconditions["uid"] = Uid;
            if (ResourceVersion.Length > 0)
                preconditions["resourceVersion"] = ResourceVersion;
        }
        if (Propagation.Length > 0)
            made["propagationPolicy"] = Propagation;
        if (DryRun)
            made["dryRun"] = new JsonArray("All");
        return made;
    }

    private static string Checked(string policy) => policy is "" or "Foreground" or "Background" or "Orphan"
        ? policy
        : throw Refused(Cause.NotSupported("propagationPolicy", $"\"{policy}\"", ["Foreground", "Background", "Orphan", "nil"]));

    private static bool ReadDryRun(IEnumerable<string> values)
    {
        var all = values.ToArray();
        return all.FirstOrDefault(v => v != "All") is { } odd
            ? throw Refused(Cause.NotSupported("dryRun", $"[]string{{\"{odd}\"}}", ["All"]))
            : all.Length > 0;
    }

    private static ApiException Refused(Cause cause) => ApiException.Invalid("meta.k8s.io", "DeleteOptions", "", [cause]);
}

/// <summary>Deletes objects: at once, or by marking them while finalizers hold them.</summary>
internal sealed class ObjectRemover
{
    private static readonly ResourceId Namespaces = new("", "namespaces");

    private readonly ClusterCore _core;

    public ObjectRemover(ClusterCore core) => _core = core;

    /// <summary>Nothing holds a terminating object any more.</summary>
    public static bool IsFree(ServedResource resource, JsonObject o) =>
        o.Metadata().List("finalizers") is not { Count: > 0 }
        && (resource.Id != Namespaces || o.Child("spec")?.List("finalizers") is not { Count: > 0 });

    /// <returns>What the delete answers: the object while it is held, otherwise a Status.</returns>
    public async Task<JsonObject> DeleteAsync(RequestContext context, DeleteOptions options)
    {
        if (context.Resource.Id == Namespaces && context.Name is "default" or "kube-system" or "kube-public")
            throw ApiException.Forbidden(context.Resource, context.Name, "this namespace may not be deleted");
        while (true)
        {
            var before = _core.Store.Current.Find(context.Resource.Id, context.Key) ?? throw ApiException.NotFound(context.Resource, context.Name);
            CheckPreconditions(context, before, options);
            await AdmitAsync(context, before, options);
            if (TryDelete(context, before, options) is { } answer)
                return answer;
        }
    }

    private async Task AdmitAsync(RequestContext context, StoredObject before, DeleteOptions options)
    {
        var attempt = new AdmissionAttempt(context, "DELETE", null, ObjectWriter.Converted(context, before)) { DeleteOptions = options.ToJson(), IsDryRun = options.DryRun };
        await _core.Admission.MutateAsync(attempt);
        await _core.Admission.ValidateAsync(attempt);
    }

    private JsonObject? TryDelete(RequestContext context, StoredObject before, DeleteOptions options)
    {
        var resource = context.Resource;
        var next = before.ToNode();
        AddPropagationFinalizer(next.Metadata(), options.Propagation, before.IsTerminating);
        if (resource.Id == KindTable.Definitions && !before.IsTerminating)
            AddFinalizer(next.Metadata(), "customresourcecleanup.apiextensions.k8s.io");
        if (IsFree(resource, next))
            return options.DryRun || _core.Store.TryDelete(resource.Id, before) ? Success(resource, before) : null;
        if (!before.IsTerminating)
            Mark(resource, next);
        else if (JsonText.Same(next, before.ToNode()))
            return ObjectWriter.Converted(context, before);
        if (options.DryRun)
            return next;
        return _core.Store.TryPut(resource.Id, before.Key, before, next) is { } stored ? ObjectWriter.Converted(context, stored) : null;
    }

    private void Mark(ServedResource resource, JsonObject next)
    {
        var metadata = next.Metadata();
        metadata["deletionTimestamp"] = JsonText.Stamp(_core.Clock.GetUtcNow());
        if (resource.Id == Namespaces)
            next.ChildOrNew("status")["phase"] = "Terminating";
        else
            metadata["deletionGracePeriodSeconds"] = 0;
        if (metadata.Whole("generation") is { } generation)
            metadata["generation"] = generation + 1;
        if (!resource.IsCustom)
            return;
        var sorted = JsonText.Sorted(metadata);
        next["metadata"] = sorted;
    }

    private static void AddPropagationFinalizer(JsonObject metadata, string policy, bool isTerminating)
    {
        if (isTerminating)
            return;
        if (policy == "Foreground")
            AddFinalizer(metadata, "foregroundDeletion");
        if (policy == "Orphan")
            AddFinalizer(metadata, "orphan");
    }

    private static void AddFinalizer(JsonObject metadata, string finalizer)
    {
        var finalizers = metadata.List("finalizers");
        if (finalizers is null)
            metadata["finalizers"] = finalizers = [];
        if (!finalizers.Texts().Contains(finalizer))
            finalizers.Add(finalizer);
    }

    private static void CheckPreconditions(RequestContext context, StoredObject before, DeleteOptions options)
    {
        if (options.Uid.Length > 0 && options.Uid != before.Uid)
            throw Mismatch(context, $"the UID in the precondition ({options.Uid}) does not match the UID in record ({before.Uid}). The object might have been deleted and then recreated");
        if (options.ResourceVersion.Length > 0 && options.ResourceVersion != $"{before.Version}")
            throw Mismatch(context, $"the ResourceVersion in the precondition ({options.ResourceVersion}) does not match the ResourceVersion in record ({before.Version}). The object might have been modified");
    }

    private static ApiException Mismatch(RequestContext context, string message)
    {
        var details = ApiException.About(context.Resource, context.Name);
        details["kind"] = context.Resource.Gvk.Kind;
        return new ApiException(409, "Conflict", $"Operation cannot be fulfilled on {context.Resource.QualifiedKind} \"{context.Name}\": {message}", details);
    }

    private static JsonObject Success(ServedResource resource, StoredObject gone)
    {
        var details = ApiException.About(resource, gone.Key.Name);
        details["uid"] = gone.Uid;
        return new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject(),
            ["status"] = "Success",
            ["details"] = details,
        };
    }
}
