using System.Text.Json.Nodes;
using Governor.Sandbox.Api;
using Governor.Sandbox.Discovery;
using Governor.Sandbox.Schema;

namespace Governor.Sandbox.Apply;

/// <summary>Keeps managedFields through updates and applies.</summary>
internal static class FieldOwnership
{
    private static readonly string[] SystemMetadata =
    [
        "name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "managedFields", "resourceVersion",
        "deletionTimestamp", "deletionGracePeriodSeconds",
    ];

    /// <summary>Records an update: the writer owns what it changed, silently.</summary>
    /// <param name="before">The stored object; null for a create.</param>
    /// <param name="after">The object about to be stored, complete; its managedFields are written here.</param>
    public static void Update(ServedResource resource, JsonObject? before, JsonObject after, FieldOwner writer, string now)
    {
        var fields = ManagedFields.Read((before ?? after).Child("metadata"));
        if (before is null)
            fields = new ManagedFields();
        else if (after.Metadata().List("managedFields") is { } sent && IsReset(sent))
        {
            after.Metadata().Remove("managedFields");
            return;
        }
        var old = Bare(before ?? new JsonObject());
        var comparison = TypedValue.Compare(old, Bare(after), resource.Schema);
        var changed = Strip(comparison.Changed, resource);
        if (writer.Subresource.Length == 0 && resource.HasStatus)
            changed.Remove("f:status");
        if (resource is { IsCustom: false, Plural: "namespaces" })
            changed.Remove("f:spec");
        foreach (var owner in fields.Owners.Keys.Where(o => o != writer).ToArray())
            fields.Take(owner, changed.Union(comparison.Removed));
        if (!changed.IsEmpty || !comparison.Removed.IsEmpty)
        {
            var own = fields.Of(writer).Union(changed).Except(comparison.Removed);
            fields.Set(writer, own, now);
        }
        fields.Write(after.Metadata());
    }

    /// <summary>Applies a configuration to the live object.</summary>
    /// <param name="live">The stored object; null when the name is free.</param>
    /// <param name="applied">The configuration as sent.</param>
    /// <returns>The merged object with its managedFields, not yet defaulted.</returns>
    /// <exception cref="ApiException">409 with one cause per contested field.</exception>
    public static JsonObject Apply(ServedResource resource, JsonObject? live, JsonObject applied, FieldOwner applier, bool force, string now)
    {
        var liveFields = ManagedFields.Read(live?.Child("metadata"));
        var liveBare = Bare(live ?? new JsonObject());
        if (live is not null && liveFields.IsEmpty)
        {
            var all = new FieldSet();
            TypedValue.All(liveBare, resource.Schema, all);
            all.IsMember = false;
            liveFields.Set(new FieldOwner("before-first-apply", "Update", resource.Gvk.ApiVersion, ""), Strip(all, resource), now);
        }

        var configuration = Bare(applied);
        var claimed = Strip(TypedValue.Claimed(configuration, resource.Schema), resource);
        var given = liveFields.Of(applier).Except(claimed);
        var merged = TypedValue.Merge(liveBare, configuration, resource.Schema)!.AsObject();
        TypedValue.Remove(merged, resource.Schema, SoleOwned(given, liveFields, applier, claimed));

        var comparison = TypedValue.Compare(liveBare, merged, resource.Schema);
        var contested = comparison.Changed.Intersection(claimed);
        ResolveConflicts(liveFields, applier, contested, force);
        foreach (var owner in liveFields.Owners.Keys.Where(o => o != applier).ToArray())
            liveFields.Take(owner, comparison.Removed);

        var result = live?.DeepClone().AsObject() ?? [];
        var unchanged = live is not null && JsonText.Same(liveBare, merged);
        var time = !unchanged ? now : SameFields(liveFields.Of(applier), claimed) ? TimeOf(liveFields, applier) : "";
        liveFields.Set(applier, claimed, time);
        Overlay(result, merged);
        liveFields.Write(result.Metadata());
        return result;
    }

    /// <summary>The object without what the server owns.</summary>
    private static JsonObject Bare(JsonObject o)
    {
        var bare = o.DeepClone().AsObject();
        bare.Remove("apiVersion");
        bare.Remove("kind");
        if (bare.Child("metadata") is { } metadata)
            foreach (var name in SystemMetadata)
                metadata.Remove(name);
        else
            bare["metadata"] = new JsonObject();
        return bare;
    }

    private static void Overlay(JsonObject result, JsonObject merged)
    {
        var metadata = result.Metadata().DeepClone().AsObject();
        foreach (var name in metadata.Select(p => p.Key).Except(SystemMetadata).ToArray())
            metadata.Remove(name);
        foreach (var (name, value) in merged.Child("metadata") ?? [])
            metadata[name] = value?.DeepClone();
        foreach (var name in result.Select(p => p.Key).Where(k => k is not ("apiVersion" or "kind" or "metadata")).ToArray())
            result.Remove(name);
        result["metadata"] = metadata;
        foreach (var (name, value) in merged)
            if (name != "metadata")
                result[name] = value?.DeepClone();
    }

    /// <summary>What only the applier owned, with nothing below it that somebody else owns or that he claims now.</summary>
    private static FieldSet SoleOwned(FieldSet given, ManagedFields fields, FieldOwner applier, FieldSet claimed)
    {
        var others = fields.Owners.Where(o => o.Key != applier).Select(o => o.Value.Fields);
        return Sole(given, [.. others, claimed]);
    }

    private static FieldSet Sole(FieldSet given, IReadOnlyCollection<FieldSet> others)
    {
        var made = new FieldSet { IsMember = given.IsMember && others.All(o => o.IsEmpty) };
        foreach (var (element, child) in given.Children)
        {
            var below = Sole(child, [.. others.Select(o => o.Find(element)).OfType<FieldSet>()]);
            if (below.IsEmpty)
                continue;
            var copy = made.Child(element);
            copy.IsMember = below.IsMember;
            foreach (var (name, set) in below.Children)
                Graft(copy, name, set);
        }
        return made;
    }

    private static void Graft(FieldSet into, string element, FieldSet set)
    {
        var child = into.Child(element);
        child.IsMember = set.IsMember;
        foreach (var (name, below) in set.Children)
            Graft(child, name, below);
    }

    private static void ResolveConflicts(ManagedFields fields, FieldOwner applier, FieldSet contested, bool force)
    {
        var conflicts = fields.Owners
            .Where(o => o.Key != applier)
            .Select(o => (Owner: o.Key, Fields: o.Value.Fields.Intersection(contested)))
            .Where(c => !c.Fields.IsEmpty)
            .OrderBy(c => c.Owner.Manager, StringComparer.Ordinal)
            .ToArray();
        if (conflicts.Length > 0 && !force)
            throw Conflict(conflicts);
        foreach (var (owner, taken) in conflicts)
            fields.Take(owner, taken);
    }

    private static ApiException Conflict((FieldOwner Owner, FieldSet Fields)[] conflicts)
    {
        var causes = conflicts.SelectMany(c => c.Fields.Paths().Select(path =>
            new Cause("FieldManagerConflict", $"conflict with {c.Owner}", FieldSet.Show(path)))).ToArray();
        var message = causes.Length == 1
            ? $"Apply failed with 1 conflict: {causes[0].Message}: {causes[0].Field}"
            : $"Apply failed with {causes.Length} conflicts: {string.Join("\n", conflicts.Select(c => $"conflicts with {c.Owner}:\n{string.Join("\n", c.Fields.Paths().Select(p => $"- {FieldSet.Show(p)}"))}"))}";
        return new ApiException(409, "Conflict", message, new JsonObject { ["causes"] = ApiException.List(causes) });
    }

    /// <summary>Fields that nobody owns: those of the server, and the shells of built-in kinds that are always there.</summary>
    private static FieldSet Strip(FieldSet set, ServedResource resource)
    {
        if (set.Find("f:metadata") is { } metadata)
            metadata.IsMember = false;
        if (!resource.IsCustom)
            foreach (var shell in (ReadOnlySpan<string>)["f:spec", "f:status"])
                if (set.Find(shell) is { Children.Count: > 0 } found)
                    found.IsMember = false;
        return set;
    }

    private static bool IsReset(JsonArray sent) => sent.Count == 1 && sent[0] is JsonObject { Count: 0 };

    private static bool SameFields(FieldSet a, FieldSet b) => JsonText.Same(a.ToJson(), b.ToJson());

    private static string TimeOf(ManagedFields fields, FieldOwner owner) => fields.Owners.TryGetValue(owner, out var found) ? found.Time : "";
}
