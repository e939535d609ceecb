using System.Globalization;
using System.Text.Json.Nodes;

namespace Governor.Sandbox.Api;

/// <summary>RFC 7386 merge patches and RFC 6902 JSON patches.</summary>
internal static class Patches
{
    public static JsonNode? Merge(JsonNode? target, JsonNode? patch)
    {
        if (patch is not JsonObject changes)
            return patch?.DeepClone();
        var made = target is JsonObject o ? o : [];
        foreach (var (name, value) in changes)
            if (value is null)
                made.Remove(name);
            else
                made[name] = Merged(made, name, value);
        return made;
    }

    /// <exception cref="ApiException">422 when an operation cannot be applied; nothing is changed then.</exception>
    public static JsonNode Json(JsonNode document, JsonArray operations)
    {
        var root = document;
        foreach (var operation in operations)
            root = Step(root, operation as JsonObject ?? throw Rejected());
        return root;
    }

    private static JsonNode? Merged(JsonObject made, string name, JsonNode value)
    {
        made.TryGetPropertyValue(name, out var old);
        made.Remove(name);
        return Merge(old, value);
    }

    private static JsonNode Step(JsonNode root, JsonObject operation)
    {
        var path = Pointer(operation.Text("path"));
        switch (operation.Text("op"))
        {
            case "add":
                return Put(root, path, operation["value"]?.DeepClone(), true);
            case "replace":
                return Put(root, path, operation["value"]?.DeepClone(), false);
            case "remove":
                Take(root, path);
                return root;
            case "move":
                return Put(root, path, Take(root, Pointer(operation.Text("from"))), true);
            case "copy":
                return Put(root, path, Get(root, Pointer(operation.Text("from")))?.DeepClone(), true);
            case "test":
                return JsonText.Same(Get(root, path), operation["value"]) ? root : throw Rejected();
            default:
                throw Rejected();
        }
    }

    private static JsonNode Put(JsonNode root, string[] path, JsonNode? value, bool insert)
    {
        if (path.Length == 0)
            return value ?? throw Rejected();
        switch (Get(root, path.AsSpan(0, path.Length - 1)))
        {
            case JsonObject o:
                o[path[^1]] = value;
                break;
            case JsonArray a when insert && path[^1] == "-":
                a.Add(value);
                break;
            case JsonArray a when insert:
                a.Insert(Index(path[^1], a.Count + 1), value);
                break;
            case JsonArray a:
                a[Index(path[^1], a.Count)] = value;
                break;
            default:
                throw Rejected();
        }
        return root;
    }

    private static JsonNode? Take(JsonNode root, string[] path)
    {
        if (path.Length == 0)
            throw Rejected();
        var found = Get(root, path);
        switch (Get(root, path.AsSpan(0, path.Length - 1)))
        {
            case JsonObject o:
                o.Remove(path[^1]);
                break;
            case JsonArray a:
                a.RemoveAt(Index(path[^1], a.Count));
                break;
        }
        return found;
    }

    private static JsonNode? Get(JsonNode? root, ReadOnlySpan<string> path)
    {
        var at = root;
        foreach (var step in path)
            at = at switch
            {
                JsonObject o when o.TryGetPropertyValue(step, out var value) => value,
                JsonArray a => a[Index(step, a.Count)],
                _ => throw Rejected(),
            };
        return at;
    }

    private static int Index(string step, int limit) =>
        int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < limit ? index : throw Rejected();

    private static string[] Pointer(string text)
    {
        if (text.Length == 0)
            return [];
        if (text[0] != '/')
            throw Rejected();
        return [.. text[1..].Split('/').Select(s => s.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))];
    }

    private static ApiException Rejected() =>
        new(422, "Invalid", "the server rejected our request due to an error in our request", []);
}
