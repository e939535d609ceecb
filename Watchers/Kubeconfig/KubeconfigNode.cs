using System.Text.Json.Nodes;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Watchers.Kubeconfig;

/// <summary>One place in a kubeconfig: its value and the path that leads there, for messages.</summary>
internal readonly record struct KubeconfigNode(string Where, string Path, object? Value)
{
    public bool IsAbsent => Value is null or "";

    public KubeconfigNode this[string name]
    {
        get
        {
            var path = Path.Length == 0 ? name : $"{Path}.{name}";
            return Value switch
            {
                null => new KubeconfigNode(Where, path, null),
                Dictionary<string, object?> map => new KubeconfigNode(Where, path, map.GetValueOrDefault(name)),
                _ => throw Unexpected("a mapping", Describe(Value)),
            };
        }
    }

    public IEnumerable<KubeconfigNode> Items()
    {
        if (IsAbsent)
            return [];
        if (Value is not List<object?> list)
            throw Unexpected("a list", Describe(Value));
        var (where, path) = (Where, Path);
        return list.Select((item, i) => new KubeconfigNode(where, $"{path}[{i}]", item));
    }

    /// <summary>The text here, or null where there is none.</summary>
    public string? Text() => Value switch
    {
        null or "" => null,
        string text => text,
        _ => throw Unexpected("text", Describe(Value)),
    };

    public string RequiredText(string expected) => Text() ?? throw Unexpected(expected, "nothing");

    public bool Flag() => Text() switch
    {
        null or "false" => false,
        "true" => true,
        var other => throw Unexpected("true or false", $"'{other}'"),
    };

    /// <summary>What is here as JSON; scalars of YAML as the texts that they are.</summary>
    public JsonNode? ToJson() => ToJson(Value);

    private static JsonNode? ToJson(object? value) => value switch
    {
        null => null,
        string text => JsonValue.Create(text),
        List<object?> list => new JsonArray([.. list.Select(ToJson)]),
        Dictionary<string, object?> map => new JsonObject(map.Select(entry => KeyValuePair.Create(entry.Key, ToJson(entry.Value)))),
        _ => throw new InvalidOperationException($"expected text, a list or a mapping, found {value.GetType()}"),
    };

    /// <summary>The entry of a named list (<c>contexts</c>, <c>clusters</c>, <c>users</c>) with this name; null where there is none.</summary>
    public KubeconfigNode? Named(string name)
    {
        KubeconfigNode? found = null;
        foreach (var item in Items())
        {
            if (item["name"].RequiredText("a name") != name)
                continue;
            if (found is not null)
                throw Unexpected($"one entry named '{name}'", "two");
            found = item;
        }
        return found;
    }

    /// <summary>What is wrong here. <paramref name="found"/> never quotes a credential.</summary>
    public KubeconfigException Unexpected(string expected, string found, Exception? inner = null) =>
        new($"{Where}: {(Path.Length == 0 ? "document" : Path)}: expected {expected}, found {found}", inner);

    private static string Describe(object? value) => value switch
    {
        null => "nothing",
        string => "text",
        List<object?> => "a list",
        _ => "a mapping",
    };
}
