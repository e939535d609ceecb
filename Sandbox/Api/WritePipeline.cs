using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Sandbox.Admission;
using Governor.Sandbox.Apply;
using Governor.Sandbox.Discovery;
using Governor.Sandbox.Schema;
using Governor.Sandbox.Store;

namespace Governor.Sandbox.Api;

/// <summary>What every object passes on its way into the store: pruning, defaults, the kind's own rules, validation, ownership.</summary>
internal sealed class WritePipeline
{
    private const string NameAlphabet = "bcdfghjklmnpqrstvwxz2456789";

    /// <summary>What the system gives to a new object after the mutating webhooks.</summary>
    private static readonly string[] SystemMade = ["uid", "creationTimestamp", "generation"];

    private readonly ClusterCore _core;

    public WritePipeline(ClusterCore core) => _core = core;

    private string Now => JsonText.Stamp(_core.Clock.GetUtcNow());

    /// <summary>Removes undeclared fields, and refuses or reports them as the request asks.</summary>
    /// <returns>The findings, when they are to be refused.</returns>
    public static IReadOnlyList<string> Prune(RequestContext context, JsonObject o, IEnumerable<string> duplicates)
    {
        var findings = Pruning.Prune(o, context.Resource.Schema).Select(path => $"unknown field \"{path}\"")
            .Concat(duplicates.Select(path => $"duplicate field \"{path}\"")).ToArray();
        if (context.FieldValidation == "Strict")
            return findings;
        if (context.FieldValidation != "Ignore")
            context.Warnings.AddRange(findings);
        return [];
    }

    /// <summary>Makes a new object complete: name, uid, timestamps, defaults.</summary>
    /// <param name="applied">The object came by apply, so its managedFields are done.</param>
    public async Task<JsonObject> PrepareCreateAsync(RequestContext context, JsonObject o, bool applied)
    {
        var resource = context.Resource;
        var metadata = o.Metadata();
        if (metadata.Text("resourceVersion") is { Length: > 0 } and not "0")
            throw ApiException.Internal("resourceVersion should not be set on objects to be created");
        foreach (var system in (ReadOnlySpan<string>)["resourceVersion", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink"])
            metadata.Remove(system);
        if (!applied)
            metadata.Remove("managedFields");
        if (metadata.Text("name").Length == 0 && metadata.Text("generateName") is { Length: > 0 } prefix)
            metadata["name"] = (prefix.Length > 58 ? prefix[..58] : prefix) + RandomNumberGenerator.GetString(NameAlphabet, 5);
        SetNamespace(context, metadata);
        KindRules.CheckNamespace(_core, resource, context.Namespace, metadata.Text("name"));
        metadata["uid"] = Guid.NewGuid().ToString();
        metadata["creationTimestamp"] = Now;
        if (resource.CountsGenerations)
            metadata["generation"] = 1;
        if (resource.HasStatus)
            o.Remove("status");
        var mutated = await MutateAsync(context, null, o, applied);
        o = mutated ?? o;
        Complete(context, null, o);
        if (!applied && mutated is null)
            FieldOwnership.Update(resource, null, o, OwnerOf(context, "Update"), Now);
        await _core.Admission.ValidateAsync(Attempt(context, null, o));
        if (mutated is not null)
            Pruning.Prune(o, resource.Schema);
        return Ordered(resource, o);
    }

    /// <summary>Makes the next state of an object complete.</summary>
    /// <returns>The next state, or null when nothing changes.</returns>
    public async Task<JsonObject?> PrepareUpdateAsync(RequestContext context, StoredObject before, JsonObject next, bool applied)
    {
        var resource = context.Resource;
        var old = before.ToNode();
        var metadata = next.Metadata();
        CheckPreconditions(context, before, metadata);
        if (context.Subresource.Length > 0 && context.Subresource is not "scale")
            next = OnlySubresource(context, old, next, applied);
        else if (resource.HasStatus && context.Subresource.Length == 0)
            Carry(old, next, "status");
        metadata = next.Metadata();
        var oldMetadata = old.Metadata();
        foreach (var system in (ReadOnlySpan<string>)["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink", "namespace", "name", "generateName", "resourceVersion"])
            Carry(oldMetadata, metadata, system);
        next["apiVersion"] = resource.StorageApiVersion;
        next["kind"] = resource.Gvk.Kind;
        var mutated = await MutateAsync(context, old, next, applied);
        next = mutated ?? next;
        Complete(context, old, next);
        if (resource.CountsGenerations && SpecChanged(old, next, resource.HasStatus || !resource.IsCustom))
            next.Metadata()["generation"] = (oldMetadata.Whole("generation") ?? 0) + 1;
        if (!applied && mutated is null)
            FieldOwnership.Update(resource, old, next, OwnerOf(context, "Update"), Now);
        if (context.Subresource == "scale" && resource.IsCustom)
            DropScaleOwner(next.Metadata());
        await _core.Admission.ValidateAsync(Attempt(context, old, next));
        if (mutated is not null)
            Pruning.Prune(next, resource.Schema);
        return IsNoOp(old, next) ? null : Ordered(resource, next);
    }

    /// <summary>
    /// What the mutating webhooks make of an object; null when none wants to see it. They see it defaulted and owned, before the system has
    /// filled in its part of a new object, and what they add belongs to nobody.
    /// </summary>
    private async Task<JsonObject?> MutateAsync(RequestContext context, JsonObject? old, JsonObject next, bool applied)
    {
        if (!_core.Admission.Mutates(Attempt(context, old, next)) || context.Subresource == "scale")
            return null;
        Furnish(context, old, next);
        if (!applied)
            FieldOwnership.Update(context.Resource, old, next, OwnerOf(context, "Update"), Now);
        var shown = next.DeepClone().AsObject();
        if (old is null)
            foreach (var system in SystemMade)
                shown.Metadata().Remove(system);
        var mutated = await _core.Admission.MutateAsync(Attempt(context, old, shown)) ?? shown;
        if (old is null)
            foreach (var system in SystemMade)
                Carry(next.Metadata(), mutated.Metadata(), system);
        return mutated;
    }

    /// <summary>Of a custom resource scaling takes the replicas from their owners and gives them to nobody.</summary>
    private static void DropScaleOwner(JsonObject metadata)
    {
        var entries = metadata.List("managedFields");
        foreach (var entry in entries?.OfType<JsonObject>().Where(e => e.Text("subresource") == "scale").ToArray() ?? [])
            entries!.Remove(entry);
    }

    private static AdmissionAttempt Attempt(RequestContext context, JsonObject? old, JsonObject next)
    {
        var isScale = context.Subresource == "scale";
        return new AdmissionAttempt(context, old is null ? "CREATE" : "UPDATE",
            isScale ? ScaleHandler.Of(context.Resource, next) : next,
            isScale ? ScaleHandler.Of(context.Resource, old!) : old)
        {
            IsDryRun = context.DryRun,
        };
    }

    public static FieldOwner OwnerOf(RequestContext context, string operation) =>
        new(context.FieldManager, operation, context.Resource.Gvk.ApiVersion, context.Subresource);

    private void Complete(RequestContext context, JsonObject? old, JsonObject next)
    {
        var resource = context.Resource;
        Furnish(context, old, next);
        var causes = ObjectRules.Metadata(resource, next.Metadata());
        if (old is not null)
        {
            // The API server checks this twice and lists it twice.
            var forbidden = ObjectRules.MetadataUpdate(old.Metadata(), next.Metadata());
            causes.AddRange(forbidden);
            causes.AddRange(forbidden);
        }
        var found = SchemaValidation.Validate(next, resource.Schema);
        causes.AddRange(found);
        if (found.Any(SchemaValidation.BlocksRules) || next.Metadata().Text("name").Length == 0)
        {
            if (resource.IsCustom)
                causes.Add(SchemaValidation.RulesNotChecked);
        }
        else
            causes.AddRange(CelValidation.Validate(next, old, resource.Schema));
        causes.AddRange(KindRules.Validate(_core, resource, old, next));
        if (resource is { IsCustom: true, Scale: { } scale } && next.At(scale.SpecReplicas.Split('.', StringSplitOptions.RemoveEmptyEntries)) is JsonValue replicas
            && JsonText.TryWhole(replicas, out var count) && count < 0)
            causes.Add(Cause.Invalid(scale.SpecReplicas, $"{count}", "should be a non-negative integer"));
        if (causes.Count > 0)
            throw ApiException.Invalid(resource, next.Metadata().Text("name"), causes);
    }

    private void Furnish(RequestContext context, JsonObject? old, JsonObject next)
    {
        DropEmpty(next.Metadata());
        Defaulting.Apply(next, context.Resource.Schema);
        Defaulting.DropNulls(next, context.Resource.Schema);
        KindRules.Prepare(_core, context.Resource, old, next);
    }

    /// <summary>Empty lists and maps of metadata are no lists and maps.</summary>
    private static void DropEmpty(JsonObject metadata)
    {
        foreach (var name in (ReadOnlySpan<string>)["labels", "annotations", "finalizers", "ownerReferences"])
            if (metadata[name] is JsonArray { Count: 0 } or JsonObject { Count: 0 })
                metadata.Remove(name);
    }

    private static void CheckPreconditions(RequestContext context, StoredObject before, JsonObject metadata)
    {
        var resource = context.Resource;
        CheckImmutable(context, before, metadata);
        if (metadata.Text("uid") is { Length: > 0 } uid && uid != before.Uid)
            throw ApiException.Conflict(resource, before.Key.Name,
                $"StorageError: invalid object, Code: 4, Key: /registry/{(resource.IsCustom ? resource.Gvk.Group + "/" : "")}{resource.Plural}/{before.Key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object meta: {before.Uid}");
        var version = metadata.Text("resourceVersion");
        if (version.Length == 0)
            return;
        if (!ulong.TryParse(version, out var number))
            throw ApiException.Internal($"strconv.ParseUint: parsing \"{version}\": invalid syntax");
        if (number != 0 && number != (ulong)before.Version)
            throw ApiException.Modified(resource, before.Key.Name);
    }

    private static void CheckImmutable(RequestContext context, StoredObject before, JsonObject metadata)
    {
        Cause? cause = null;
        if (context.IsPatch && metadata.Text("uid") is { Length: > 0 } uid && uid != before.Uid)
            cause = Cause.Invalid("metadata.uid", $"\"{uid}\"", "field is immutable");
        if (metadata.Text("deletionTimestamp") is { Length: > 0 } stamp && stamp != before.Root.FindText("metadata", "deletionTimestamp")
            && DateTimeOffset.TryParse(stamp, System.Globalization.CultureInfo.InvariantCulture, out var time))
            cause = Cause.Invalid("metadata.deletionTimestamp", $"{time.UtcDateTime:yyyy-MM-dd HH:mm:ss} +0000 UTC", "field is immutable");
        if (cause is not null)
            throw ApiException.Invalid(context.Resource, context.Name, [cause, cause]);
    }

    private static JsonObject OnlySubresource(RequestContext context, JsonObject old, JsonObject next, bool applied)
    {
        var kept = old.DeepClone().AsObject();
        if (context.Subresource == "finalize")
            kept["spec"] = next["spec"]?.DeepClone();
        else
            Carry(next, kept, "status");
        if (applied)
            Carry(next.Metadata(), kept.Metadata(), "managedFields");
        return kept;
    }

    private static void SetNamespace(RequestContext context, JsonObject metadata)
    {
        if (!context.Resource.IsNamespaced)
        {
            metadata.Remove("namespace");
            return;
        }
        if (metadata.Text("namespace") is { Length: > 0 } sent && sent != context.Namespace)
            throw ApiException.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
        metadata["namespace"] = context.Namespace;
    }

    /// <param name="countsStatus">The status is a part of its own; without the subresource it is like any other field.</param>
    private static bool SpecChanged(JsonObject old, JsonObject next, bool countsStatus)
    {
        foreach (var name in old.Select(p => p.Key).Union(next.Select(p => p.Key)))
            if (name is not ("metadata" or "apiVersion" or "kind") && (name != "status" || !countsStatus) && !JsonText.Same(old[name], next[name]))
                return true;
        return false;
    }

    private static bool IsNoOp(JsonObject old, JsonObject next)
    {
        if (!JsonText.Same(WithoutTimes(old), WithoutTimes(next)))
            return false;
        return true;
    }

    private static JsonObject WithoutTimes(JsonObject o)
    {
        var copy = o.DeepClone().AsObject();
        copy["apiVersion"] = null;
        foreach (var entry in copy.Metadata().List("managedFields")?.OfType<JsonObject>() ?? [])
            entry.Remove("time");
        return copy;
    }

    private static void Carry(JsonObject from, JsonObject to, string name)
    {
        if (from.TryGetPropertyValue(name, out var value) && value is not null)
            to[name] = value.DeepClone();
        else
            to.Remove(name);
    }

    /// <summary>The order of members on the wire: sorted for custom resources; kind, apiVersion and metadata first for built-in kinds.</summary>
    private static JsonObject Ordered(ServedResource resource, JsonObject o)
    {
        o["apiVersion"] = resource.StorageApiVersion;
        o["kind"] = resource.Gvk.Kind;
        if (resource.IsCustom)
            return JsonText.Sorted(o)!.AsObject();
        var made = new JsonObject();
        foreach (var name in o.Select(p => p.Key).OrderBy(k => k switch { "kind" => 0, "apiVersion" => 1, "metadata" => 2, "status" => 4, _ => 3 }).ToArray())
            made[name] = o[name]?.DeepClone();
        return made;
    }
}
