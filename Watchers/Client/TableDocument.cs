using System.Collections.Immutable;
using System.Text.Json;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Watchers.Client;

/// <summary>Reads a meta.k8s.io/v1 Table.</summary>
internal static class TableDocument
{
    /// <summary>No fallback: a server that cannot print a kind as a table says 406, and not something else that looks like rows.</summary>
    public const string Accept = "application/json;as=Table;v=v1;g=meta.k8s.io";

    /// <exception cref="FormatException">It is something else.</exception>
    public static KubeTable Read(ReadOnlySpan<byte> json)
    {
        try
        {
            var root = JsonElement.Parse(json);
            if (root.GetProperty("kind").GetString() is var kind && kind != "Table")
                throw new FormatException($"expected a Table, found a '{kind}'");
            var columns = Items(root, "columnDefinitions").Select(ReadColumn).ToImmutableArray();
            return new KubeTable(columns, [.. Items(root, "rows").Select(row => ReadRow(row, columns.Length))], Text(root.GetProperty("metadata"), "resourceVersion"));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new FormatException($"expected a Table, found: {e.Message}", e);
        }
    }

    private static KubeColumn ReadColumn(JsonElement column) => new(
        Text(column, "name"), Text(column, "type"), Text(column, "format"), Text(column, "description"),
        column.TryGetProperty("priority", out var priority) && priority.TryGetInt32(out var number) ? number : 0);

    private static KubeRow ReadRow(JsonElement row, int width)
    {
        var cells = Items(row, "cells").ToImmutableArray();
        if (cells.Length != width)
            throw new FormatException($"expected rows of {width} cells, found one of {cells.Length}");
        var metadata = row.GetProperty("object").GetProperty("metadata");
        return new KubeRow(new ObjectKey(Text(metadata, "namespace"), Text(metadata, "name")), Text(metadata, "uid"), cells);
    }

    private static JsonElement.ArrayEnumerator Items(JsonElement parent, string name) =>
        parent.GetProperty(name) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : default;

    private static string Text(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
