using System.Text.Json.Nodes;
using Governor.Sandbox.Api;

namespace Governor.Sandbox.Apply;

/// <summary>Who owns fields: one entry of <c>managedFields</c>.</summary>
internal readonly record struct FieldOwner(string Manager, string Operation, string ApiVersion, string Subresource)
{
    public bool IsApplier => Operation == "Apply";

    public override string ToString()
    {
        var text = $"\"{Manager}\"";
        if (Subresource.Length > 0)
            text += $" with subresource \"{Subresource}\"";
        return IsApplier ? text : $"{text} using {ApiVersion}";
    }
}

/// <summary>The owners of an object's fields, as <c>metadata.managedFields</c> keeps them.</summary>
internal sealed class ManagedFields
{
    private readonly Dictionary<FieldOwner, (FieldSet Fields, string Time)> _owners = [];

    public IReadOnlyDictionary<FieldOwner, (FieldSet Fields, string Time)> Owners => _owners;

    public bool IsEmpty => _owners.Count == 0;

    public FieldSet Of(FieldOwner owner) => _owners.TryGetValue(owner, out var found) ? found.Fields : new FieldSet();

    public void Set(FieldOwner owner, FieldSet fields, string time)
    {
        // An applier that claims nothing any more has no entry; an empty claim ("spec: {}") is a claim.
        if (fields.IsEmpty)
            _owners.Remove(owner);
        else
            _owners[owner] = (fields, time);
    }

    /// <summary>Takes fields from an owner without touching its time.</summary>
    public void Take(FieldOwner owner, FieldSet fields) => Set(owner, _owners[owner].Fields.Except(fields), _owners[owner].Time);

    public static ManagedFields Read(JsonObject? metadata)
    {
        var read = new ManagedFields();
        foreach (var entry in metadata?.List("managedFields")?.OfType<JsonObject>() ?? [])
        {
            var owner = new FieldOwner(entry.Text("manager"), entry.Text("operation"), entry.Text("apiVersion"), entry.Text("subresource"));
            if (owner.Operation.Length > 0 && entry.Child("fieldsV1") is { } fields)
                read._owners[owner] = (FieldSet.FromJson(fields), entry.Text("time"));
        }
        return read;
    }

    public void Write(JsonObject metadata)
    {
        if (IsEmpty)
        {
            metadata.Remove("managedFields");
            return;
        }
        var ordered = _owners
            .OrderBy(o => o.Key.Operation, StringComparer.Ordinal)
            .ThenBy(o => o.Value.Time, StringComparer.Ordinal)
            .ThenBy(o => o.Key.Manager, StringComparer.Ordinal)
            .ThenBy(o => o.Key.ApiVersion, StringComparer.Ordinal)
            .ThenBy(o => o.Key.Subresource, StringComparer.Ordinal);
        metadata["managedFields"] = new JsonArray(ordered.Select(o => (JsonNode?)Entry(o.Key, o.Value.Fields, o.Value.Time)).ToArray());
    }

    private static JsonObject Entry(FieldOwner owner, FieldSet fields, string time)
    {
        var entry = new JsonObject
        {
            ["manager"] = owner.Manager,
            ["operation"] = owner.Operation,
            ["apiVersion"] = owner.ApiVersion,
        };
        if (time.Length > 0)
            entry["time"] = time;
        entry["fieldsType"] = "FieldsV1";
        entry["fieldsV1"] = fields.ToJson();
        if (owner.Subresource.Length > 0)
            entry["subresource"] = owner.Subresource;
        return entry;
    }
}
