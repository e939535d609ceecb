using System.Text.Json.Nodes;
using Governor.Sandbox.Api;

namespace Governor.Sandbox.Apply;

/// <summary>
/// A set of field paths as a tree, in the notation of <c>managedFields</c>: <c>f:name</c>, <c>k:{"key":"value"}</c>, <c>v:scalar</c>,
/// and <c>.</c> for the node itself.
/// </summary>
internal sealed class FieldSet
{
    private readonly SortedDictionary<string, FieldSet> _children = new(StringComparer.Ordinal);

    /// <summary>The path that leads here is in the set.</summary>
    public bool IsMember { get; set; }

    public IReadOnlyDictionary<string, FieldSet> Children => _children;

    public bool IsEmpty => !IsMember && _children.Values.All(c => c.IsEmpty);

    public FieldSet Child(string element)
    {
        if (!_children.TryGetValue(element, out var child))
            _children[element] = child = new FieldSet();
        return child;
    }

    public FieldSet? Find(string element) => _children.GetValueOrDefault(element);

    public void Remove(string element) => _children.Remove(element);

    public bool Contains(ReadOnlySpan<string> path) =>
        path.Length == 0 ? IsMember : Find(path[0])?.Contains(path[1..]) ?? false;

    public FieldSet Union(FieldSet other)
    {
        var made = new FieldSet { IsMember = IsMember || other.IsMember };
        foreach (var name in _children.Keys.Union(other._children.Keys))
            made._children[name] = (Find(name), other.Find(name)) switch
            {
                ({ } a, { } b) => a.Union(b),
                ({ } a, null) => a,
                (null, { } b) => b,
                _ => new FieldSet(),
            };
        return made;
    }

    public FieldSet Intersection(FieldSet other)
    {
        var made = new FieldSet { IsMember = IsMember && other.IsMember };
        foreach (var (name, child) in _children)
            if (other.Find(name) is { } match && child.Intersection(match) is { IsEmpty: false } shared)
                made._children[name] = shared;
        return made;
    }

    public FieldSet Except(FieldSet other)
    {
        var made = new FieldSet { IsMember = IsMember && !other.IsMember };
        foreach (var (name, child) in _children)
        {
            var rest = other.Find(name) is { } match ? child.Except(match) : child;
            if (!rest.IsEmpty)
                made._children[name] = rest;
        }
        return made;
    }

    /// <summary>All member paths, in order.</summary>
    public IEnumerable<string[]> Paths()
    {
        if (IsMember)
            yield return [];
        foreach (var (name, child) in _children)
            foreach (var path in child.Paths())
                yield return [name, .. path];
    }

    public JsonObject ToJson()
    {
        var made = new JsonObject();
        if (IsMember && _children.Count > 0)
            made["."] = new JsonObject();
        foreach (var (name, child) in _children)
            if (!child.IsEmpty)
                made[name] = child.ToJson();
        return made;
    }

    public static FieldSet FromJson(JsonObject json)
    {
        var root = ReadNode(json);
        if (json.Count == 0)
            root.IsMember = false;
        return root;
    }

    private static FieldSet ReadNode(JsonObject json)
    {
        var made = new FieldSet { IsMember = json.Count == 0 };
        foreach (var (name, value) in json)
            if (name == ".")
                made.IsMember = true;
            else if (value is JsonObject o)
                made._children[name] = ReadNode(o);
        return made;
    }

    /// <summary>The path as conflict messages show it: <c>.spec.tags[key="k1"].value</c>.</summary>
    public static string Show(IEnumerable<string> path) => string.Concat(path.Select(element => element[0] switch
    {
        'f' => "." + element[2..],
        'v' => $"[={element[2..]}]",
        _ => ShowKey(element[2..]),
    }));

    private static string ShowKey(string json)
    {
        var key = JsonNode.Parse(json)!.AsObject();
        return $"[{string.Join(",", key.Select(p => $"{p.Key}={JsonText.Compacted(p.Value)}"))}]";
    }
}
