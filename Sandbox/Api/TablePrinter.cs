using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Sandbox.Discovery;
using Microsoft.AspNetCore.Http;

namespace Governor.Sandbox.Api;

/// <summary>Prints objects as meta.k8s.io Tables.</summary>
internal sealed class TablePrinter
{
    private const string NameText = "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: http://kubernetes.io/docs/user-guide/identifiers#names";

    private readonly ServedResource _resource;
    private readonly string _include;
    private readonly DateTimeOffset _now;

    public TablePrinter(ServedResource resource, string include, DateTimeOffset now)
    {
        _resource = resource;
        _include = include;
        _now = now;
    }

    /// <exception cref="ApiException">400 for a value of includeObject that does not exist.</exception>
    public static void CheckInclude(HttpRequest request)
    {
        var include = request.Query["includeObject"].ToString();
        if (include is not ("" or "None" or "Metadata" or "Object"))
            throw ApiException.BadRequest($"Unable to convert to Table as requested: includeObject: Invalid value: \"{include}\": must be 'Metadata', 'Object', 'None', or empty");
    }

    /// <summary>One object, as a list of one row.</summary>
    public JsonObject PrintOne(HttpRequest request, JsonElement o, JsonObject metadata)
    {
        CheckInclude(request);
        return Print([o], metadata);
    }

    public JsonObject Print(IEnumerable<JsonElement> objects, JsonObject metadata, bool withColumns = true) => new()
    {
        ["kind"] = "Table",
        ["apiVersion"] = "meta.k8s.io/v1",
        ["metadata"] = metadata,
        ["columnDefinitions"] = withColumns ? Columns() : null,
        ["rows"] = new JsonArray(objects.Select(o => (JsonNode?)Row(o)).ToArray()),
    };

    /// <summary>The object reduced to its metadata.</summary>
    public static JsonObject Partial(JsonElement o) => new()
    {
        ["kind"] = "PartialObjectMetadata",
        ["apiVersion"] = "meta.k8s.io/v1",
        ["metadata"] = JsonNode.Parse(o.GetProperty("metadata").GetRawText(), null, JsonText.DocumentOptions),
    };

    private IReadOnlyList<PrinterColumn> Declared => _resource.IsCustom ? _resource.Columns : BuiltinColumns.Of(_resource.Gvk.Kind);

    private JsonArray Columns()
    {
        var columns = new JsonArray { Column("Name", "string", "name", NameText, 0) };
        foreach (var c in Declared)
            columns.Add((JsonNode)Column(c.Name, c.Type, c.Format,
                c.Description.Length > 0 ? c.Description : $"Custom resource definition column (in JSONPath format): {c.JsonPath}", c.Priority));
        return columns;
    }

    private static JsonObject Column(string name, string type, string format, string description, long priority) => new()
    {
        ["name"] = name,
        ["type"] = type,
        ["format"] = format,
        ["description"] = description,
        ["priority"] = priority,
    };

    private JsonObject Row(JsonElement o)
    {
        var cells = new JsonArray { JsonValue.Create(o.FindText("metadata", "name")) };
        foreach (var column in Declared)
            cells.Add(Cell(o, column));
        var row = new JsonObject { ["cells"] = cells };
        row["object"] = _include switch
        {
            "None" => null,
            "Object" => JsonNode.Parse(o.GetRawText(), null, JsonText.DocumentOptions),
            _ => Partial(o),
        };
        return row;
    }

    private JsonNode? Cell(JsonElement o, PrinterColumn column)
    {
        if (BuiltinColumns.Computed(column.JsonPath) is { } compute)
            return JsonValue.Create(compute(o));
        var found = JsonPath.Find(o, column.JsonPath).ToArray();
        if (found.Length == 0)
            return _resource.IsCustom ? null : column.Format == "int32" ? JsonValue.Create(0) : JsonValue.Create("<none>");
        if (column.Type == "date")
            return DateTimeOffset.TryParse(found[0].ToString(), System.Globalization.CultureInfo.InvariantCulture, out var at)
                ? JsonValue.Create(Ages.Show(_now - at))
                : JsonValue.Create("<unknown>");
        if (found.Length > 1)
            return JsonValue.Create(string.Join(",", found.Select(f => f.ToString())));
        return found[0].ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.String or JsonValueKind.Object or JsonValueKind.Array when column.Type != "string" || found[0].ValueKind == JsonValueKind.String => JsonNode.Parse(found[0].GetRawText(), null, JsonText.DocumentOptions),
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False when column.Type != "string" => JsonNode.Parse(found[0].GetRawText(), null, JsonText.DocumentOptions),
            _ => JsonValue.Create(found[0].ToString()),
        };
    }
}

/// <summary>Ages as kubectl shows them.</summary>
internal static class Ages
{
    public static string Show(TimeSpan age)
    {
        var seconds = (long)age.TotalSeconds;
        if (seconds < -1)
            return "<invalid>";
        seconds = Math.Max(seconds, 0);
        var (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
        return seconds switch
        {
            < 120 => $"{seconds}s",
            _ when minutes < 10 => seconds % 60 == 0 ? $"{minutes}m" : $"{minutes}m{seconds % 60}s",
            _ when minutes < 180 => $"{minutes}m",
            _ when hours < 8 => minutes % 60 == 0 ? $"{hours}h" : $"{hours}h{minutes % 60}m",
            _ when hours < 48 => $"{hours}h",
            _ when days < 8 => hours % 24 == 0 ? $"{days}d" : $"{days}d{hours % 24}h",
            _ when days < 730 => $"{days}d",
            _ => $"{days / 365}y",
        };
    }
}
