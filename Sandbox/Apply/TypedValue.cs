using System.Text.Json.Nodes;
using Governor.Sandbox.Api;
using Governor.Sandbox.Schema;

namespace Governor.Sandbox.Apply;

/// <summary>What changed between two objects, as sets of field paths.</summary>
internal sealed record Comparison(FieldSet Added, FieldSet Modified, FieldSet Removed)
{
    public FieldSet Changed => Added.Union(Modified);
}

/// <summary>Objects seen through their schema: which fields are owned apart, how two merge, how they differ.</summary>
internal static class TypedValue
{
    /// <summary>Atomic values are owned as a whole: scalars, plain lists, atomic maps.</summary>
    public static bool IsAtomic(JsonNode? node, SchemaNode schema) => node switch
    {
        JsonObject => schema.AtomicMap,
        JsonArray => schema.ListKind == ListKind.Atomic,
        _ => true,
    };

    /// <summary>The path element of a list item: by key, or by value.</summary>
    public static string ElementOf(JsonNode? item, SchemaNode list)
    {
        if (list.ListKind == ListKind.Set)
            return "v:" + JsonText.Compacted(item);
        var key = new JsonObject();
        foreach (var name in list.ListKeys.Order(StringComparer.Ordinal))
        {
            var value = item is JsonObject o ? o[name] : null;
            value ??= list.Items?.Member(name)?.Default;
            if (value is not null)
                key[name] = value.DeepClone();
        }
        return "k:" + JsonText.Compacted(key);
    }

    /// <summary>The fields that an applier claims by sending <paramref name="node"/>.</summary>
    public static FieldSet Claimed(JsonNode? node, SchemaNode schema)
    {
        var set = new FieldSet();
        Claim(node, schema, set);
        return set;
    }

    /// <summary>All fields of a value, containers included.</summary>
    public static void All(JsonNode? node, SchemaNode schema, FieldSet into)
    {
        into.IsMember = true;
        if (IsAtomic(node, schema))
            return;
        if (node is JsonObject o)
            foreach (var (name, value) in o)
                All(value, schema.Member(name) ?? SchemaNode.Free, into.Child("f:" + name));
        if (node is JsonArray a)
            foreach (var item in a)
                All(item, schema.Items ?? SchemaNode.Free, into.Child(ElementOf(item, schema)));
    }

    public static Comparison Compare(JsonNode? before, JsonNode? after, SchemaNode schema)
    {
        var comparison = new Comparison(new FieldSet(), new FieldSet(), new FieldSet());
        Compare(before, after, schema, comparison.Added, comparison.Modified, comparison.Removed);
        return comparison;
    }

    /// <summary>The live value with the applied one on top.</summary>
    public static JsonNode? Merge(JsonNode? live, JsonNode? applied, SchemaNode schema)
    {
        if (IsAtomic(applied, schema) || applied?.GetValueKind() != live?.GetValueKind())
            return applied?.DeepClone();
        return applied is JsonObject o ? MergeObjects((JsonObject)live!, o, schema) : MergeLists((JsonArray)live!, (JsonArray)applied!, schema);
    }

    /// <summary>Removes the fields of <paramref name="gone"/> from a value.</summary>
    public static void Remove(JsonNode? node, SchemaNode schema, FieldSet gone)
    {
        if (node is JsonObject o && !schema.AtomicMap)
            foreach (var (element, below) in gone.Children)
            {
                var name = element[2..];
                if (!o.TryGetPropertyValue(name, out var value))
                    continue;
                Remove(value, schema.Member(name) ?? SchemaNode.Free, below);
                if (below.IsMember || BecameEmpty(value, below))
                    o.Remove(name);
            }
        if (node is JsonArray a && schema.ListKind != ListKind.Atomic)
            for (var i = a.Count - 1; i >= 0; i--)
                if (gone.Find(ElementOf(a[i], schema)) is { } below)
                {
                    Remove(a[i], schema.Items ?? SchemaNode.Free, below);
                    if (below.IsMember)
                        a.RemoveAt(i);
                }
    }

    /// <summary>A container goes with the last of its members.</summary>
    private static bool BecameEmpty(JsonNode? node, FieldSet gone) =>
        gone.Children.Count > 0 && node is JsonObject { Count: 0 } or JsonArray { Count: 0 };

    private static void Claim(JsonNode? node, SchemaNode schema, FieldSet into)
    {
        if (IsAtomic(node, schema) || node is JsonObject { Count: 0 } or JsonArray { Count: 0 })
        {
            into.IsMember = true;
            return;
        }
        if (node is JsonObject o)
            foreach (var (name, value) in o)
                Claim(value, schema.Member(name) ?? SchemaNode.Free, into.Child("f:" + name));
        if (node is JsonArray a)
            foreach (var item in a)
            {
                var child = into.Child(ElementOf(item, schema));
                Claim(item, schema.Items ?? SchemaNode.Free, child);
                child.IsMember = true;
            }
    }

    private static void Compare(JsonNode? before, JsonNode? after, SchemaNode schema, FieldSet added, FieldSet modified, FieldSet removed)
    {
        if (before?.GetValueKind() != after?.GetValueKind() || IsAtomic(after, schema))
        {
            if (!JsonText.Same(before, after))
                modified.IsMember = true;
            return;
        }
        if (after is JsonObject o)
            CompareMembers(Members((JsonObject)before!), Members(o), name => schema.Member(name[2..]) ?? SchemaNode.Free, added, modified, removed);
        if (after is JsonArray a)
            CompareMembers(Items((JsonArray)before!, schema), Items(a, schema), _ => schema.Items ?? SchemaNode.Free, added, modified, removed);
    }

    private static void CompareMembers(
        Dictionary<string, JsonNode?> before, Dictionary<string, JsonNode?> after, Func<string, SchemaNode> schemaOf,
        FieldSet added, FieldSet modified, FieldSet removed)
    {
        foreach (var (element, value) in after)
            if (!before.TryGetValue(element, out var old))
                All(value, schemaOf(element), added.Child(element));
            else
                Compare(old, value, schemaOf(element), added.Child(element), modified.Child(element), removed.Child(element));
        foreach (var (element, old) in before)
            if (!after.ContainsKey(element))
                All(old, schemaOf(element), removed.Child(element));
    }

    private static Dictionary<string, JsonNode?> Members(JsonObject o) => o.ToDictionary(p => "f:" + p.Key, p => p.Value, StringComparer.Ordinal);

    private static Dictionary<string, JsonNode?> Items(JsonArray a, SchemaNode list)
    {
        var items = new Dictionary<string, JsonNode?>(StringComparer.Ordinal);
        foreach (var item in a)
            items[ElementOf(item, list)] = item;
        return items;
    }

    private static JsonObject MergeObjects(JsonObject live, JsonObject applied, SchemaNode schema)
    {
        var merged = live.DeepClone().AsObject();
        foreach (var (name, value) in applied)
            merged[name] = merged.TryGetPropertyValue(name, out var old) && old is not null
                ? Merge(old, value, schema.Member(name) ?? SchemaNode.Free)
                : value?.DeepClone();
        return merged;
    }

    private static JsonArray MergeLists(JsonArray live, JsonArray applied, SchemaNode schema)
    {
        // The applied order rules; what only the live list has keeps its place before the entry that followed it.
        var liveItems = Items(live, schema);
        var appliedElements = applied.Select(item => ElementOf(item, schema)).ToList();
        var merged = new JsonArray();
        var next = 0;
        foreach (var item in live)
        {
            var element = ElementOf(item, schema);
            var position = appliedElements.IndexOf(element);
            if (position < 0)
                merged.Add(item?.DeepClone());
            for (; next <= position; next++)
                merged.Add(MergeItem(applied[next], appliedElements[next]));
        }
        for (; next < applied.Count; next++)
            merged.Add(MergeItem(applied[next], appliedElements[next]));
        return merged;

        JsonNode? MergeItem(JsonNode? item, string element) =>
            liveItems.TryGetValue(element, out var old) ? Merge(old, item, schema.Items ?? SchemaNode.Free) : item?.DeepClone();
    }
}
