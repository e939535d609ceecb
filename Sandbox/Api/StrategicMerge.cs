using System.Text.Json.Nodes;
using Governor.Sandbox.Schema;

namespace Governor.Sandbox.Api;

/// <summary>Strategic merge patches of built-in kinds: lists with a merge key merge by it, <c>$</c> directives delete and replace.</summary>
internal static class StrategicMerge
{
    private const string DeleteFromList = "$deleteFromPrimitiveList/";
    private const string SetOrder = "$setElementOrder/";

    public static JsonObject Merge(JsonObject target, JsonObject patch, SchemaNode schema)
    {
        switch (patch.Text("$patch"))
        {
            case "replace":
                return Cleaned(patch);
            case "delete":
                return [];
        }
        foreach (var (name, value) in patch)
            if (!name.StartsWith('$'))
                MergeMember(target, name, value, schema.Member(name) ?? SchemaNode.Free);
        foreach (var (name, value) in patch)
            ApplyDirective(target, name, value, schema);
        return target;
    }

    private static void MergeMember(JsonObject target, string name, JsonNode? value, SchemaNode schema)
    {
        target.TryGetPropertyValue(name, out var old);
        switch (value)
        {
            case null:
                target.Remove(name);
                break;
            case JsonObject o:
                target.Remove(name);
                target[name] = Merge(old as JsonObject ?? [], o, schema);
                break;
            case JsonArray a when old is JsonArray live && schema.ListKind != ListKind.Atomic:
                target.Remove(name);
                target[name] = MergeList(live, a, schema);
                break;
            case JsonArray a:
                target[name] = new JsonArray(a.Where(i => i is not JsonObject o || o.Text("$patch").Length == 0).Select(i => i?.DeepClone()).ToArray());
                break;
            default:
                target[name] = value.DeepClone();
                break;
        }
    }

    private static JsonArray MergeList(JsonArray live, JsonArray patch, SchemaNode schema)
    {
        if (schema.ListKind == ListKind.Set)
        {
            foreach (var item in patch)
                if (!live.Any(l => JsonText.Same(l, item)))
                    live.Add(item?.DeepClone());
            return live;
        }
        if (patch.OfType<JsonObject>().Any(o => o.Text("$patch") == "replace"))
            return new JsonArray(patch.OfType<JsonObject>().Where(o => o.Text("$patch").Length == 0).Select(o => (JsonNode?)o.DeepClone()).ToArray());
        var key = schema.ListKeys[0];
        foreach (var item in patch.OfType<JsonObject>())
        {
            var found = live.OfType<JsonObject>().FirstOrDefault(l => JsonText.Same(l[key], item[key]));
            if (item.Text("$patch") == "delete")
            {
                if (found is not null)
                    live.Remove(found);
            }
            else if (found is null)
                live.Add(Cleaned(item));
            else
                Merge(found, item, schema.Items ?? SchemaNode.Free);
        }
        return live;
    }

    private static void ApplyDirective(JsonObject target, string name, JsonNode? value, SchemaNode schema)
    {
        if (name.StartsWith(DeleteFromList, StringComparison.Ordinal) && target.List(name[DeleteFromList.Length..]) is { } list)
            foreach (var gone in value as JsonArray ?? [])
                for (var i = list.Count - 1; i >= 0; i--)
                    if (JsonText.Same(list[i], gone))
                        list.RemoveAt(i);
        if (name == "$retainKeys" && value is JsonArray kept)
            foreach (var member in target.Select(p => p.Key).Except(kept.Texts()).ToArray())
                target.Remove(member);
        if (name.StartsWith(SetOrder, StringComparison.Ordinal) && value is JsonArray order && target.List(name[SetOrder.Length..]) is { } items)
            Reorder(items, order, schema.Member(name[SetOrder.Length..]) ?? SchemaNode.Free);
    }

    private static void Reorder(JsonArray items, JsonArray order, SchemaNode schema)
    {
        var wanted = order.Select(o => Position(o, schema)).ToList();
        var sorted = items.Select((item, at) => (Item: item, Rank: wanted.IndexOf(Position(item, schema)), At: at)).ToArray();
        items.Clear();
        // What the order does not name keeps its place after the named entry that it followed.
        var rank = -1;
        foreach (var (item, _, _) in sorted.Select(s => (s.Item, Rank: rank = s.Rank >= 0 ? s.Rank : rank, s.At)).OrderBy(s => s.Rank).ThenBy(s => s.At))
            items.Add(item);
    }

    private static string Position(JsonNode? item, SchemaNode schema) =>
        JsonText.Compacted(schema.ListKind == ListKind.Map && item is JsonObject o ? o[schema.ListKeys[0]] : item);

    private static JsonObject Cleaned(JsonObject patch)
    {
        var copy = patch.DeepClone().AsObject();
        foreach (var name in copy.Select(p => p.Key).Where(k => k.StartsWith('$')).ToArray())
            copy.Remove(name);
        foreach (var (_, value) in copy.ToArray())
            if (value is JsonObject o)
                Clean(o);
        return copy;
    }

    private static void Clean(JsonObject o)
    {
        foreach (var name in o.Select(p => p.Key).Where(k => k.StartsWith('$')).ToArray())
            o.Remove(name);
        foreach (var (_, value) in o)
            if (value is JsonObject below)
                Clean(below);
    }
}
